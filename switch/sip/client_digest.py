"""Digest authentication, the client's side (RFC 7616, RFC 8760, RFC 3261 section 22).

`Prover` keeps what all requests to one peer prove themselves with: the challenges that were answered,
and how often each nonce was used. Later requests carry credentials from the start. `Provable` is one
request, which is tried again when it is challenged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from switch.errors import LocalProtocolError
from switch.sip.digest import parse_auth_params
from switch.sip.message import Request, Response

_HASHES: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_STRONGEST_FIRST: Final = ("SHA-256", "SHA-256-SESS", "MD5", "MD5-SESS")
_SESS: Final = "-SESS"
_HEADERS: Final = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
_MAX_CHALLENGES: Final = 16
"""Of one response that are looked at."""
_MAX_REALMS: Final = 8
"""That one request proves itself to: each proxy on the way may ask."""
_UNSAFE: Final = re.compile(r'(["\\])')
_QUOTED: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")
"""Nothing that ends a line for anybody; Unicode has more of that than ASCII."""


Realm = tuple[str, str]
"""The header that answers, and the name of the realm."""


class ClientCredentials(Struct, frozen=True, kw_only=True):
    """Who we are to a peer that asks. Either the password or HA1 values."""

    username: str
    password: str = ""
    ha1: Mapping[str, str] = field(default_factory=dict)
    """H(user:realm:password) in hexadecimal by algorithm, `SHA-256` or `MD5`; needs `realm`."""
    realm: str | None = None
    """Only challenges of this realm are answered; None: of any."""

    def __repr__(self) -> str:
        return f"ClientCredentials({self.username!r}, realm={self.realm!r})"

    def secret(self, realm: str, algorithm: str) -> str | None:
        """HA1 for a realm; `algorithm` is one of `SHA-256` and `MD5`. None: there is none."""
        if self.realm is not None and realm != self.realm:
            return None
        if self.password:
            text = f"{self.username}:{realm}:{self.password}"
            return _HASHES[algorithm](text.encode()).hexdigest()
        known = self.ha1.get(algorithm)
        return None if known is None else known.lower()


class _Challenge(Struct):
    """One challenge, and how often it was answered."""

    header: str
    """That answers it."""
    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    """In upper case."""
    written: str | None
    """The algorithm as the challenge had it."""
    qop: str
    """`auth`, `auth-int`, or empty: the way of RFC 2069."""
    stale: bool
    cnonce: str = ""
    count: int = 0

    @property
    def key(self) -> Realm:
        return self.header, self.realm


class Prover:
    """Answers challenges in the name of `credentials`; `new_token` gives unguessable text."""

    __slots__ = ("_chosen", "_new_token", "credentials")

    def __init__(self, credentials: ClientCredentials, new_token: Callable[[], str]) -> None:
        self.credentials = credentials
        self._new_token = new_token
        self._chosen: dict[Realm, _Challenge] = {}
        """The challenge that was answered last."""

    def take(self, response: Response, tried: dict[Realm, int]) -> bool:
        """Take the challenges of a 401 or 407; False where the request need not be tried again.

        That is so where none can be answered, and where our answer was refused already: `tried` counts
        them for this request. A nonce that is merely too old (`stale`) is replaced once.
        """
        best: dict[Realm, _Challenge] = {}
        for challenge in challenges_of(response):
            if self._secret(challenge) is None:
                continue
            known = best.get(challenge.key)
            if known is None or _rank(challenge) < _rank(known):
                best[challenge.key] = challenge
        if len(tried.keys() | best.keys()) > _MAX_REALMS or any(
            tried.get(key, 0) > int(challenge.stale) for key, challenge in best.items()
        ):
            return False
        for key, challenge in best.items():
            tried[key] = tried.get(key, 0) + 1
            challenge.cnonce = self._new_token()
            self._chosen[key] = challenge
        while len(self._chosen) > _MAX_REALMS:
            del self._chosen[next(iter(self._chosen))]
        return bool(best)

    def prove(self, request: Request) -> None:
        """Write our credentials into a request, in place of what stood there."""
        for _, header in _HEADERS.values():
            request.headers.remove(header)
        for challenge in self._chosen.values():
            request.headers.add(challenge.header, self._answer(challenge, request))

    def _secret(self, challenge: _Challenge) -> str | None:
        base = challenge.algorithm.removesuffix(_SESS)
        return self.credentials.secret(challenge.realm, base)

    def _answer(self, challenge: _Challenge, request: Request) -> str:
        secret = self._secret(challenge)
        if secret is None:
            raise LocalProtocolError("a challenge was chosen that cannot be answered")
        challenge.count += 1
        count = f"{challenge.count:08x}"
        parts = [
            f'Digest username="{_escaped(self.credentials.username)}"',
            f'realm="{_escaped(challenge.realm)}"',
            f'nonce="{_escaped(challenge.nonce)}"',
            f'uri="{request.uri}"',
            f'response="{_response(challenge, secret, count, request)}"',
        ]
        if challenge.written is not None:
            parts.append(f"algorithm={challenge.written}")
        if challenge.qop or challenge.algorithm.endswith(_SESS):
            parts.append(f'cnonce="{challenge.cnonce}"')
        if challenge.opaque is not None:
            parts.append(f'opaque="{_escaped(challenge.opaque)}"')
        if challenge.qop:
            parts += [f"qop={challenge.qop}", f"nc={count}"]
        return ", ".join(parts)


class Provable(Struct, eq=False):
    """A request under way that is tried again where it is challenged."""

    request: Request
    prover: Prover
    tried: dict[Realm, int] = field(default_factory=dict)

    def again(self, response: Response, seq: int) -> Request | None:
        """The request with credentials and the CSeq number `seq`; None where it has failed."""
        if not self.prover.take(response, self.tried):
            return None
        self.request = repeated(self.request, seq)
        self.prover.prove(self.request)
        return self.request


def credentials_in(request: Request) -> tuple[tuple[str, str], ...]:
    """The credentials of a request, as header names and values."""
    return tuple(
        (name, value) for _, name in _HEADERS.values() for value in request.headers.get_all(name)
    )


def repeated(request: Request, seq: int) -> Request:
    """The same request for another transaction: of the same Call-ID and From, with another CSeq."""
    headers = request.headers.copy()
    headers.remove("Via")
    headers.set("CSeq", f"{seq} {request.method}")
    return Request(request.method, request.uri, headers, request.body)


def challenges_of(response: Response) -> list[_Challenge]:
    """The Digest challenges of a 401 or 407 that we could answer; what is malformed is left out."""
    names = _HEADERS.get(response.status)
    if names is None:
        return []
    found = []
    for value in response.headers.get_all(names[0])[:_MAX_CHALLENGES]:
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        try:
            challenge = _read(names[1], parse_auth_params(rest))
        except ValueError:
            continue
        if challenge is not None:
            found.append(challenge)
    return found


def _read(header: str, params: Mapping[str, str]) -> _Challenge | None:
    """None: of an algorithm or a quality of protection that we do not know."""
    realm, nonce = params.get("realm"), params.get("nonce")
    if realm is None or not nonce or not all(map(_QUOTED.fullmatch, params.values())):
        return None
    written = params.get("algorithm")
    algorithm = "MD5" if written is None else written.upper()
    qop = _quality(params.get("qop"))
    if algorithm not in _STRONGEST_FIRST or qop is None:
        return None
    stale = params.get("stale", "").lower() == "true"
    return _Challenge(header, realm, nonce, params.get("opaque"), algorithm, written, qop, stale)


def _quality(offered: str | None) -> str | None:
    """The qop to answer with; empty: the challenge names none. None: only unknown ones."""
    if offered is None:
        return ""
    words = {word.strip(" \t").lower() for word in offered.split(",")}
    return next((qop for qop in ("auth", "auth-int") if qop in words), None)


def _rank(challenge: _Challenge) -> int:
    return _STRONGEST_FIRST.index(challenge.algorithm)


def _response(challenge: _Challenge, secret: str, count: str, request: Request) -> str:
    """The proof (RFC 7616 section 3.4.1)."""
    digest = _HASHES[challenge.algorithm.removesuffix(_SESS)]

    def hashed(text: str) -> str:
        return digest(text.encode()).hexdigest()

    nonce, cnonce = challenge.nonce, challenge.cnonce
    if challenge.algorithm.endswith(_SESS):
        secret = hashed(f"{secret}:{nonce}:{cnonce}")
    what = f"{request.method}:{request.uri}"
    if challenge.qop == "auth-int":
        what += f":{digest(request.body).hexdigest()}"
    if not challenge.qop:
        return hashed(f"{secret}:{nonce}:{hashed(what)}")
    return hashed(f"{secret}:{nonce}:{count}:{cnonce}:{challenge.qop}:{hashed(what)}")


def _escaped(text: str) -> str:
    return _UNSAFE.sub(r"\\\1", text)
