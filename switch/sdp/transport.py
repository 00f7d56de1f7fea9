"""How the packets of one leg travel, as offered and answered: plain, SRTP by SDES or by DTLS, ICE, RTCP.

    policy      we offer                           we take
    off         RTP/AVP                            RTP/AVP, RTP/AVPF
    accept      RTP/AVP                            those, and everything below
    optional    RTP/AVP with keys                  the same
    required    RTP/SAVP with keys                 keys under any profile, DTLS-SRTP
    dtls        UDP/TLS/RTP/SAVPF, ICE-lite        DTLS-SRTP

"RTP/AVP with keys" is what phones call best effort: one that knows no SRTP passes over `a=crypto` and
answers without. Who refuses a first offer may be made another one (`TransportTerms.other`). RTCP may always
share the port with RTP (RFC 5761), if the peer says so too.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from switch.errors import LocalProtocolError
from switch.sdp.description import Media
from switch.sdp.sdes import KEY_OCTETS, CryptoError, CryptoLine, new_key, usable_lines

PLAIN_PROFILES = ("RTP/AVP", "RTP/AVPF")
SDES_PROFILES = ("RTP/SAVP", "RTP/SAVPF")
DTLS_PROFILES = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
NO_COMMON_CODEC = "no-common-codec"
CLEAR = "encryption-required"
"""The peer sends in clear what must be encrypted here."""
ENCRYPTED = "encryption-unusable"
"""The peer encrypts in a way that is not taken here."""
_PROFILES = frozenset((*PLAIN_PROFILES, *SDES_PROFILES, *DTLS_PROFILES))
_FINGERPRINT = re.compile(r"(sha-256) +((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", re.IGNORECASE)
_ROLES = {"active": "server", "passive": "client", "actpass": "client"}
"""Ours, by what the peer says; of the two that `actpass` allows RFC 5763 section 5 recommends this one."""
_TLS_ID_OCTETS = 15
"""Twenty characters, the fewest that are allowed."""
_HOST_PRIORITY = 2_130_706_431
"""A host candidate of the first component (RFC 8445 section 5.1.2.1)."""


def is_secure(profile: str) -> bool:
    """Whether nothing in clear belongs to a stream of this profile."""
    return profile.upper() in (*SDES_PROFILES, *DTLS_PROFILES)


class SrtpPolicy(StrEnum):
    """What is asked of a peer; see above."""

    OFF = "off"
    ACCEPT = "accept"
    OPTIONAL = "optional"
    REQUIRED = "required"
    DTLS = "dtls"


_FIRST_PROFILES = {SrtpPolicy.REQUIRED: "RTP/SAVP", SrtpPolicy.DTLS: "UDP/TLS/RTP/SAVPF"}


def no_chance(octets: int) -> bytes:
    """Stands where keys must never be made."""
    raise LocalProtocolError(f"{octets} octets of a key were wanted where none can be made")


class TransportTerms(Struct, frozen=True, kw_only=True):
    """What our side can and wants."""

    policy: SrtpPolicy = SrtpPolicy.OFF
    fingerprint: str = ""
    """SHA-256 of the gateway's certificate, as SDP writes it; empty: no DTLS."""
    random: Callable[[int], bytes] = no_chance
    """So many octets that nobody can guess. Where SRTP is off none are drawn."""
    profile: str = ""
    """Of the first offer of a session; empty: that of the policy."""
    other: TransportTerms | None = None
    """What is offered instead to a peer that refuses the first offer; None: nothing."""


PLAIN = TransportTerms()


class Keys(Struct, frozen=True, array_like=True, gc=False):
    """SRTP of a leg by SDES. `tag` is that of the line that was chosen."""

    suite: str
    send: bytes
    receive: bytes
    tag: str

    def __repr__(self) -> str:
        return f"Keys({self.suite}, ...)"


class Dtls(Struct, frozen=True, array_like=True, gc=False):
    """DTLS-SRTP of a leg."""

    role: str
    """Ours: `client` or `server`."""
    fingerprint: str
    """SHA-256 of the peer's certificate, upper-case hexadecimal with colons."""
    association: str = ""
    """The peer's name for the handshake; another one asks for another handshake (RFC 8842)."""
    own_association: str = ""
    """Ours, where the peer has one."""


class Ice(Struct, frozen=True, array_like=True, gc=False):
    """The names and passwords by which both sides' connectivity checks are known."""

    ufrag: str
    password: str
    remote_ufrag: str = ""
    remote_password: str = ""
    remote_is_lite: bool = False
    """The peer makes no checks either: it is where its description says (RFC 8445 section 6.1.1)."""

    def __repr__(self) -> str:
        return f"Ice({self.ufrag}, ...)"


class Transport(Struct, frozen=True, array_like=True, gc=False):
    """What both sides agreed on; all of it is kept in the journal, keys included."""

    rtcp_mux: bool = False
    rtcp_address: str = ""
    rtcp_port: int = 0
    """0 with an empty address: the port after that of RTP."""
    keys: Keys | None = None
    dtls: Dtls | None = None
    ice: Ice | None = None
    mid: str = ""
    is_bundled: bool = False
    """The peer named this stream in a BUNDLE group (RFC 9143)."""

    @property
    def finds_peer(self) -> bool:
        """Whether checks tell where the peer is, and not its description."""
        return self.ice is not None and not self.ice.remote_is_lite

    @property
    def is_secure(self) -> bool:
        return self.keys is not None or self.dtls is not None


class TransportRecord(Struct, frozen=True, array_like=True, gc=False):
    """A `TransportNegotiation` as a value."""

    policy: str
    fingerprint: str
    agreed: Transport
    offered: tuple[tuple[str, str, bytes], ...]
    """Tag, suite and key of our lines that an answer may choose from."""
    own_ice: tuple[str, str]
    profile: str = ""
    """Of the first offer, where that is not the policy's."""

    def __repr__(self) -> str:
        return f"TransportRecord({self.policy}, ...)"


class Refusal(Struct, frozen=True):
    """Why a stream cannot be taken, in words that name no key."""

    why: str
    slug: str = NO_COMMON_CODEC
    """The same in one word, for records and counters."""


class TransportNegotiation:
    """Our side of it, for one leg."""

    __slots__ = ("_offered", "_own_ice", "_spent", "_terms", "agreed")

    def __init__(self, terms: TransportTerms) -> None:
        self._terms = terms
        self.agreed = Transport()
        self._offered: tuple[CryptoLine, ...] = ()
        self._spent: set[bytes] = set()
        """Keys of these lines that were in use: packets would be counted anew if one began again."""
        self._own_ice = ("", "")

    def record(self) -> TransportRecord:
        """Everything, for another process to go on with."""
        return TransportRecord(
            self._terms.policy,
            self._terms.fingerprint,
            self.agreed,
            tuple((line.tag, line.suite, line.key) for line in self._offered),
            self._own_ice,
            self._terms.profile,
        )

    @classmethod
    def of_record(
        cls, record: TransportRecord, random: Callable[[int], bytes]
    ) -> TransportNegotiation:
        """Go on where another process stood. Raises ValueError for a policy that does not exist."""
        found = cls(
            TransportTerms(
                policy=SrtpPolicy(record.policy),
                fingerprint=record.fingerprint,
                random=random,
                profile=record.profile,
            )
        )
        found.agreed = record.agreed
        found._offered = tuple(CryptoLine(*line) for line in record.offered)
        found._own_ice = record.own_ice
        return found

    # --- offering -------------------------------------------------------------------------------

    @property
    def other(self) -> TransportTerms | None:
        """What may be offered instead of our first offer."""
        return self._terms.other

    @property
    def first_profile(self) -> str:
        """The profile of the first offer of a session."""
        return self._terms.profile or _FIRST_PROFILES.get(self._terms.policy, "RTP/AVP")

    def offer_lines(self, profile: str, address: str, port: int) -> tuple[str, str]:
        """Attributes of the session and of the media section in an offer of ours.

        Keys that are in use stay as they are: peers need not begin anew.
        """
        lines = "a=rtcp-mux\r\n"
        if self._offers_dtls(profile):
            if not self._own_ice[0] and (self.agreed.ice or not self.agreed.dtls):
                self._own_ice = self._new_ice()
            own = Ice(*self._own_ice) if self._own_ice[0] else None
            mid = self.agreed.mid or "0"
            session, media = self._dtls_lines("actpass", own, mid, address, port)
            return f"a=group:BUNDLE {mid}\r\n{session}", lines + media
        wants = self._terms.policy in (SrtpPolicy.OPTIONAL, SrtpPolicy.REQUIRED)
        if wants or profile.upper() in SDES_PROFILES or self.agreed.keys is not None:
            self._offered = self._new_lines()
            lines += "".join(f"{line.text}\r\n" for line in self._offered)
        return "", lines

    def _offers_dtls(self, profile: str) -> bool:
        """Whether an offer of ours is one of DTLS-SRTP; some peers speak that under a profile of SDES."""
        return profile.upper() in DTLS_PROFILES or self.agreed.dtls is not None

    def _new_lines(self) -> tuple[CryptoLine, ...]:
        keys = {line.suite: line.key for line in self._offered if line.key not in self._spent}
        self._spent.clear()
        if (in_use := self.agreed.keys) is not None:
            keys[in_use.suite] = in_use.send
        suites = sorted(KEY_OCTETS, key=lambda suite: in_use is None or suite != in_use.suite)
        return tuple(
            CryptoLine(str(number), suite, keys.get(suite) or new_key(suite, self._terms.random))
            for number, suite in enumerate(suites, 1)
        )

    def _new_ice(self) -> tuple[str, str]:
        random = self._terms.random
        return b64encode(random(6)).decode(), b64encode(random(18)).decode()

    # --- judging --------------------------------------------------------------------------------

    def judge(self, media: Media, offered: str = "") -> Transport | Refusal:
        """What can be agreed for a stream of the peer's description. Nothing changes until `take`.

        `offered` is the profile of our offer that it answers; empty: it is an offer.
        """
        is_answer = bool(offered)
        profile = media.protocol.upper()
        said = media.transport
        if profile not in _PROFILES:
            return Refusal(f"the profile {media.protocol[:32]} is not spoken here")
        policy = self._terms.policy
        rtcp = said.rtcp or ("", 0)
        found = Transport(
            rtcp_mux=said.rtcp_mux, rtcp_address=rtcp[0], rtcp_port=rtcp[1], mid=said.mid,
            is_bundled=bool(said.mid) and said.mid in said.bundled,
        )  # fmt: skip
        if is_answer and not self._offers_dtls(offered):
            if profile in DTLS_PROFILES:
                return Refusal("DTLS was not offered", ENCRYPTED)
        elif profile in DTLS_PROFILES or (profile in SDES_PROFILES and said.fingerprints):
            by_dtls = self._judge_dtls(found, media, is_answer=is_answer)
            has_keys = profile in SDES_PROFILES and bool(said.crypto) and not is_answer
            if isinstance(by_dtls, Transport) or not has_keys:
                return by_dtls
        if policy is SrtpPolicy.DTLS:
            return Refusal("only DTLS-SRTP is taken here", CLEAR if not said.crypto else ENCRYPTED)
        if policy is not SrtpPolicy.OFF and said.crypto:
            keys = self._judge_keys(said.crypto, is_answer=is_answer)
            if isinstance(keys, Keys):
                return replace(found, keys=keys)
            if policy is SrtpPolicy.REQUIRED or profile in SDES_PROFILES or is_answer:
                return keys
        elif profile in SDES_PROFILES:
            why = "SRTP is switched off here" if said.crypto else "SAVP without keys"
            return Refusal(why, ENCRYPTED)
        if policy is SrtpPolicy.REQUIRED:
            return Refusal("SRTP is required here", CLEAR)
        return found

    def _judge_keys(self, written: tuple[str, ...], *, is_answer: bool) -> Keys | Refusal:
        try:
            lines = usable_lines(written)
        except CryptoError as error:
            return Refusal(str(error), ENCRYPTED)
        if is_answer:
            if len(lines) != 1 or len(written) != 1:
                return Refusal("the answer does not choose one crypto line", ENCRYPTED)
            theirs = lines[0]
            for ours in self._offered:
                if (ours.tag, ours.suite) == (theirs.tag, theirs.suite):
                    return Keys(ours.suite, ours.key, theirs.key, ours.tag)
            return Refusal("the answer chooses a crypto line that was not offered", ENCRYPTED)
        if not lines:
            return Refusal("none of the crypto lines can be used", ENCRYPTED)
        theirs = lines[0]
        before = self.agreed.keys
        if before is not None and (before.suite, before.receive) == (theirs.suite, theirs.key):
            send = before.send
        else:
            # Another device may speak now, which cannot know how far our packets have been counted.
            send = new_key(theirs.suite, self._terms.random)
        return Keys(theirs.suite, send, theirs.key, theirs.tag)

    def _judge_dtls(
        self, found: Transport, media: Media, *, is_answer: bool
    ) -> Transport | Refusal:
        said, before = media.transport, self.agreed
        if self._terms.policy is SrtpPolicy.OFF:
            return Refusal("SRTP is switched off here", ENCRYPTED)
        if not self._terms.fingerprint:
            return Refusal("this gateway speaks no DTLS", ENCRYPTED)
        fingerprint = next(
            (
                m[2].upper()
                for text in said.fingerprints
                if (m := _FINGERPRINT.fullmatch(text.strip()))
            ),
            "",
        )
        if not fingerprint:
            return Refusal("no fingerprint by SHA-256", ENCRYPTED)
        setup = said.setup or ("active" if is_answer else "")
        if setup not in _ROLES or (is_answer and setup == "actpass"):
            return Refusal(f"a=setup:{said.setup[:16]} cannot be answered", ENCRYPTED)
        dtls = self._associate(
            Dtls(_ROLES[setup], fingerprint, said.tls_id), any_role=setup == "actpass"
        )
        ice = None
        if said.has_ice:
            own = self._own_ice if self._own_ice[0] else self._new_ice()
            if before.ice is not None and before.ice.remote_ufrag not in ("", said.ice_ufrag):
                own = self._new_ice() if not is_answer else own  # a restart (RFC 8445 section 9)
            ice = Ice(*own, said.ice_ufrag, said.ice_pwd, said.ice_lite)
        return replace(found, dtls=dtls, ice=ice)

    def _associate(self, said: Dtls, *, any_role: bool) -> Dtls:
        """The association that goes on, or else a new one (RFC 8842 section 4)."""
        known = self.agreed.dtls
        if (
            known is not None
            and (known.fingerprint, known.association) == (said.fingerprint, said.association)
            and (any_role or known.role == said.role)
        ):
            return known
        own = b64encode(self._terms.random(_TLS_ID_OCTETS)).decode() if said.association else ""
        return replace(said, own_association=own)

    def take(self, agreed: Transport) -> None:
        """Both sides agree on this now."""
        self._spend(agreed.keys)
        self.agreed = agreed
        if agreed.ice is not None:
            self._own_ice = (agreed.ice.ufrag, agreed.ice.password)

    def _spend(self, following: Keys | None) -> None:
        before = self.agreed.keys
        if before is None or (following is not None and following.send == before.send):
            return
        if any(line.key == before.send for line in self._offered):
            self._spent.add(before.send)

    # --- answering ------------------------------------------------------------------------------

    def answer_lines(self, address: str, port: int) -> tuple[str, str]:
        """Attributes of the session and of the media section in the answer to what was taken."""
        agreed = self.agreed
        lines = "a=rtcp-mux\r\n" if agreed.rtcp_mux else ""
        if agreed.dtls is not None:
            role = "active" if agreed.dtls.role == "client" else "passive"
            session, media = self._dtls_lines(role, agreed.ice, agreed.mid, address, port)
            group = f"a=group:BUNDLE {agreed.mid}\r\n" if agreed.is_bundled else ""
            return group + session, lines + media
        if agreed.keys is not None:
            line = CryptoLine(agreed.keys.tag, agreed.keys.suite, agreed.keys.send)
            lines += f"{line.text}\r\n"
        return "", lines

    def _dtls_lines(
        self, role: str, ice: Ice | None, mid: str, address: str, port: int
    ) -> tuple[str, str]:
        lines = f"a=setup:{role}\r\na=fingerprint:sha-256 {self._terms.fingerprint}\r\n"
        dtls = self.agreed.dtls
        if dtls is not None and dtls.own_association:
            lines += f"a=tls-id:{dtls.own_association}\r\n"
        if mid:
            lines += f"a=mid:{mid}\r\n"
        session = ""
        if ice is not None:
            session = "a=ice-lite\r\n"
            lines += (
                f"a=ice-ufrag:{ice.ufrag}\r\na=ice-pwd:{ice.password}\r\n"
                f"a=candidate:1 1 UDP {_HOST_PRIORITY} {address} {port} typ host\r\n"
            )
        return session, lines
