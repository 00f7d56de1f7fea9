"""Digest authentication, the server's side (RFC 7616, RFC 8760, RFC 3261 section 22).

Passwords are not known here: whoever stores users hands over HA1 values, one per algorithm.
A nonce proves by itself that we issued it, when, and to which host, so strangers cost no memory; only
nonces that came back with a right password are remembered, for their nonce-count. With any other nonce
no password is looked at: who guesses must be reachable where it says it is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from switch.sip.message import Request
from switch.sip.ports import Unguarded, Witness
from switch.sip.uri import Uri

HA1Lookup = Callable[[str, str], Sequence[str]]
"""(user, algorithm) -> HA1 values in hexadecimal, any of which is right; empty: no such user."""

_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_PARAM = re.compile(r'\s*([A-Za-z*-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)')
_NONCE = re.compile(r"([0-9a-f]{1,16})\.([^.\s]{1,64})\.([0-9a-f]{32})")
_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{8}")
_MAX_CREDENTIALS = 2048
"""Octets of an Authorization value that are looked at."""
_REQUIRED = ("username", "nonce", "uri", "response", "qop", "nc", "cnonce")
_LEAST_COMPARED = 5
"""Values of HA1 that every password is compared with, stand-ins included: a phone may have the
secrets of some desks beside its own, a stranger has none, and the time must not tell."""
_DEFAULT_PORTS = {"sip": 5060, "sips": 5061}


class Method(StrEnum):
    """Who asks for credentials: a user agent server or registrar, or a proxy."""

    SERVER = "Authorization"
    PROXY = "Proxy-Authorization"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How digest is asked for."""

    realm: str
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    """Challenged in this order; clients take the first (or last) that they know (RFC 8760)."""
    nonce_life_s: float = 300.0
    """An older nonce is answered with a new one and stale=true; no password is asked again."""
    max_nonces: int = 20_000
    """Nonces in use whose count is remembered."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The sender knows the password of `user`."""

    user: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """Answer with a fresh challenge. `stale`: there were credentials, their nonce is of no use."""

    stale: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with `status`: 403 for wrong credentials, 400 for malformed ones."""

    reason: str
    status: int = 403


@dataclass(frozen=True, slots=True)
class Paused:
    """Too many wrong passwords: none is looked at for so long. Answer with 500 and Retry-After.

    Not with 503: who gets that shall send nothing else here until then (RFC 3261 section 21.5.4),
    also nothing of others, and a proxy takes the whole server out of service.
    """

    seconds: float


Verdict = Accepted | Challenge | Refused | Paused


def ha1(user: str, realm: str, password: str, algorithm: str) -> str:
    """H(user:realm:password) in hexadecimal; `algorithm` is `SHA-256` or `MD5`."""
    return _HASHES[algorithm](f"{user}:{realm}:{password}".encode()).hexdigest()


class Challenger:
    """Issues challenges and verifies what comes back, for one realm.

    `secret` signs the nonces: random octets, at least 16, per process. `new_token` gives
    unpredictable text without dots and blanks. `witness` is told how it went, and may have somebody
    wait who guesses.
    """

    __slots__ = (
        "_counts",
        "_floor",
        "_new_token",
        "_secret",
        "_settings",
        "_stand_ins",
        "_witness",
    )

    def __init__(
        self,
        *,
        settings: DigestSettings,
        secret: bytes,
        new_token: Callable[[], str],
        witness: Witness | None = None,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._new_token = new_token
        self._witness = witness or Unguarded()
        self._stand_ins = {
            name: tuple(digest(secret + bytes([n])).hexdigest() for n in range(_LEAST_COMPARED))
            for name, digest in _HASHES.items()
        }
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """Nonce to its time of issue and highest nonce-count, in the order of first use."""
        self._floor = -1.0
        """Nonces issued until then are stale: the count of one of them was forgotten."""

    @property
    def realm(self) -> str:
        return self._settings.realm

    @property
    def nonces(self) -> int:
        """Nonces whose count is remembered; those too old are forgotten with the next one that is used."""
        return len(self._counts)

    @property
    def most_nonces(self) -> int:
        """How many may be."""
        return self._settings.max_nonces

    def challenges(
        self, now: float, *, stale: bool = False, method: Method = Method.SERVER, host: str = ""
    ) -> list[tuple[str, str]]:
        """The headers of a 401 (or 407): one challenge per algorithm, all with one new nonce.

        Only `host` can use it.
        """
        name = "WWW-Authenticate" if method is Method.SERVER else "Proxy-Authenticate"
        nonce = self._issue(now, host)
        tail = ", stale=true" if stale else ""
        return [
            (
                name,
                f'Digest realm="{self._settings.realm}", nonce="{nonce}", '
                f'algorithm={algorithm}, qop="auth"{tail}',
            )
            for algorithm in self._settings.algorithms
        ]

    def verify(
        self,
        request: Request,
        ha1_lookup: HA1Lookup,
        now: float,
        *,
        method: Method = Method.SERVER,
        host: str = "",
        is_connected: bool = False,
    ) -> Verdict:
        """Judge the credentials of a request that came from `host`, perhaps over a connection.

        A user that does not exist and a wrong password take the same way and the same time. A nonce
        that is too old or not of ours is answered with a new one, unseen (RFC 7616 section 3.3). So
        is a repeated nonce-count: it may be a replay, which cannot answer it, or two requests that
        overtook each other.
        """
        witness = self._witness
        try:
            credentials = self._ours(request.headers.get_all(method.value))
        except ValueError as error:
            witness.malformed(host, now, is_connected=is_connected)
            return Refused(str(error), 400)
        algorithm = "" if credentials is None else credentials.get("algorithm", "MD5").upper()
        if credentials is None or algorithm not in self._settings.algorithms:
            witness.challenged(host, now, is_connected=is_connected)
            return Challenge(stale=False)
        fault = _fault(credentials, request)
        if fault:
            witness.malformed(host, now, is_connected=is_connected)
            return Refused(fault, 400)
        user, nonce = credentials["username"], credentials["nonce"]
        issued = self._time_of(nonce, host, now)
        if issued is None:
            witness.challenged(host, now, is_connected=is_connected)
            return Challenge(stale=True)
        wait = witness.pause(user, host, now)
        if wait > 0:
            return Paused(wait)
        if not self._is_right(credentials, request.method, algorithm, ha1_lookup(user, algorithm)):
            witness.wrong(user, host, now)
            return Refused("wrong user or password")
        if not self._take_count(nonce, issued, int(credentials["nc"], 16), now):
            return Challenge(stale=True)
        witness.right(user, host, now)
        return Accepted(user)

    def _ours(self, values: Sequence[str]) -> dict[str, str] | None:
        """The Digest credentials for our realm; None without any. Raises ValueError."""
        for value in values:
            scheme, _, rest = value.strip().partition(" ")
            if scheme.lower() != "digest":
                continue
            credentials = parse_auth_params(rest)
            if credentials.get("realm") == self._settings.realm:
                return credentials
        return None

    def _is_right(
        self, credentials: dict[str, str], method: str, algorithm: str, known: Sequence[str]
    ) -> bool:
        digest = _HASHES[algorithm]
        ha2 = digest(f"{method}:{credentials['uri']}".encode()).hexdigest()
        middle = ":".join(credentials[name] for name in ("nonce", "nc", "cnonce", "qop"))
        given = credentials["response"].lower().encode()
        is_right = False
        for candidate in known:
            expected = digest(f"{candidate.lower()}:{middle}:{ha2}".encode()).hexdigest()
            is_right |= hmac.compare_digest(expected.encode(), given)
        for stand_in in self._stand_ins[algorithm][len(known) :]:
            expected = digest(f"{stand_in.lower()}:{middle}:{ha2}".encode()).hexdigest()
            hmac.compare_digest(expected.encode(), given)
        return is_right

    def _issue(self, now: float, host: str) -> str:
        stamp = f"{max(0, int(now * 1000)):x}.{self._new_token()}"
        return f"{stamp}.{self._sign(stamp, host)}"

    def _sign(self, stamp: str, host: str) -> str:
        text = f"{stamp}:{self._settings.realm}:{self._witness.origin(host)}".encode()
        return hmac.digest(self._secret, text, "sha256").hex()[:32]

    def _time_of(self, nonce: str, host: str, now: float) -> float | None:
        """When we issued a nonce to this host; None when we did not, or it is too old."""
        found = _NONCE.fullmatch(nonce)
        if found is None or not hmac.compare_digest(
            self._sign(f"{found[1]}.{found[2]}", host).encode(), found[3].encode()
        ):
            return None
        issued = int(found[1], 16) / 1000
        if issued <= self._floor or now - issued > self._settings.nonce_life_s:
            return None
        return issued

    def _take_count(self, nonce: str, issued: float, count: int, now: float) -> bool:
        """Note the use of a nonce; False when its count did not grow."""
        seen = self._counts.get(nonce)
        if count < 1 or (seen is not None and count <= seen[1]):
            return False
        self._counts[nonce] = (issued, count)
        self._forget(now)
        return True

    def _forget(self, now: float) -> None:
        """Drop counts of nonces that are too old, and the first used ones above the bound."""
        while self._counts:
            nonce = next(iter(self._counts))
            issued = self._counts[nonce][0]
            if now - issued > self._settings.nonce_life_s:
                del self._counts[nonce]
            elif len(self._counts) > self._settings.max_nonces:
                del self._counts[nonce]
                self._floor = max(self._floor, issued)
            else:
                return


def parse_auth_params(text: str) -> dict[str, str]:
    """The parameters of credentials or of a challenge, names in lower case. Raises ValueError."""
    if len(text) > _MAX_CREDENTIALS:
        raise ValueError("the credentials are too long")
    params: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _PARAM.match(text, at)
        if found is None:
            raise ValueError("the credentials are malformed")
        name = found[1].lower()
        if name in params:
            raise ValueError(f"the credentials give {name} twice")
        quoted = found[2]
        params[name] = found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()
    return params


def _fault(credentials: dict[str, str], request: Request) -> str:
    """What makes well-formed credentials unusable; empty when nothing does."""
    for name in _REQUIRED:
        if not credentials.get(name):
            return f"the credentials lack {name}"
    if credentials["qop"].lower() != "auth":
        return "qop must be auth"
    if _NONCE_COUNT.fullmatch(credentials["nc"]) is None:
        return "nc must be eight hexadecimal digits"
    if not _is_same_resource(credentials["uri"], request):
        return "uri of the credentials is not the Request-URI"
    return ""


def _is_same_resource(written: str, request: Request) -> bool:
    """Equivalent URIs are the same (RFC 7616 section 3.4.6): hops may rewrite parameters."""
    if written == request.uri:
        return True
    try:
        a, b = Uri.parse(written), request.request_uri
    except ValueError:
        return False
    return (a.scheme, a.username, a.host, _port(a)) == (b.scheme, b.username, b.host, _port(b))


def _port(uri: Uri) -> int | None:
    return uri.port or _DEFAULT_PORTS.get(uri.scheme)
