"""A checked, typed view of an SDP text (RFC 8866).

The text codec is aiosipua's; it is lenient where a switch must not be (numbers, addresses, sizes,
line breaks that are none), so every line is checked before the library sees it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from aiosipua.sdp import MediaDescription, SdpMessage, parse_sdp
from msgspec import Struct
from msgspec.structs import replace

from switch.errors import RemoteProtocolError
from switch.sdp.codecs import parameters_by_media
from switch.sdp.transport_attributes import NOTHING, TransportAttributes, transport_attributes

MAX_OCTETS = 16_384
MAX_LINES = 400
MAX_MEDIA = 16
MAX_FORMATS = 64

_PATTERNS = {
    "v": re.compile(r"0"),
    "o": re.compile(r"\S+ [0-9]{1,20} [0-9]{1,20} IN IP[46] [^\s/]{1,255}"),
    "c": re.compile(r"IN IP[46] \S{1,255}"),
    "b": re.compile(r"[A-Za-z0-9-]{1,32}:[0-9]{1,18}"),
    "t": re.compile(r"[0-9]{1,20} [0-9]{1,20}"),
    "m": re.compile(
        r"[A-Za-z0-9-]{1,32} +[0-9]{1,5}(?:/[0-9]{1,5})? +[A-Za-z0-9/-]{1,64}(?: +\S+)+"
    ),
}
_RTPMAP = re.compile(r"[0-9]{1,3} +[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}/[0-9]{1,7}(?:/[0-9]{1,3})?")
_PAYLOAD_TYPE = re.compile(r"[0-9]{1,3}")
_PTIME = re.compile(r"[0-9]{1,4}")
_NOWHERE = IPv4Network("240.0.0.0/4")
"""Reserved, and the broadcast address: nothing can be sent there."""
_FOREIGN_BREAKS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
"""Control characters; some of them end a line for Python but not for SDP."""


class Direction(StrEnum):
    """What the describing side does with a stream (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(*, sends: bool, receives: bool) -> Direction:
        """The direction with these two flags."""
        if sends:
            return Direction.SENDRECV if receives else Direction.SENDONLY
        return Direction.RECVONLY if receives else Direction.INACTIVE


_DIRECTIONS = frozenset(direction.value for direction in Direction)


class Codec(Struct, frozen=True, kw_only=True):
    """One format of an RTP stream."""

    payload_type: int
    """0-127."""
    name: str
    """Encoding name in upper case; empty when an unassigned number has no rtpmap."""
    clock_rate: int
    channels: int
    parameters: str = ""
    """The value of its `a=fmtp`."""


class Media(Struct, frozen=True, kw_only=True):
    """One m= section with what it inherits from the session level."""

    kind: str
    """`audio`, `video`, ..., in lower case."""
    port: int
    """0: rejected or switched off."""
    protocol: str
    formats: tuple[str, ...]
    """As written; for RTP these are payload types."""
    address: str | None
    """IP address, None when it is not an IP address we can send to (a name, a multicast group)."""
    is_on_hold_by_address: bool
    """True for the null address, the hold of RFC 2543."""
    codecs: tuple[Codec, ...]
    """In order of preference; empty for protocols other than RTP."""
    direction: Direction
    ptime_ms: int | None
    transport: TransportAttributes = NOTHING

    @property
    def is_rtp(self) -> bool:
        return "RTP/" in self.protocol.upper()


class Description(Struct, frozen=True, kw_only=True):
    """One side's description of a session."""

    session_id: int
    session_version: int
    media: tuple[Media, ...]


def parse_description(body: bytes) -> Description:
    """Parse and check an SDP text.

    Raises:
        RemoteProtocolError: 400, with the reason, when the text is not SDP or exceeds our bounds.
    """
    # Keys are new in each description, and nobody should find them in memory later.
    may_know = len(body) <= _ALIKE_OCTETS and b"a=crypto" not in body and b"a=ice-" not in body
    found = _ALIKE.fullmatch(body) if may_know else None
    if found is None or int(found[5]) > 65_535:
        return parse_afresh(body)
    origin, session_id, version, session, port, media = found.groups()
    known = _without_numbers(origin, session, media)
    first, *others = known.media
    return Description(
        session_id=int(session_id),
        session_version=int(version),
        media=(replace(first, port=int(port)), *others),
    )


def parse_afresh(body: bytes) -> Description:
    """As `parse_description`, nothing remembered."""
    lines = _checked_lines(body)
    return _view(_parse_checked(lines), parameters_by_media(lines))


_ALIKE = re.compile(
    rb"v=0\r\no=(\S{1,64}) ([0-9]{1,19}) ([0-9]{1,19}) (IN \S+ \S{1,64}\r\n(?:[a-ln-z]=[^\r\n]*\r\n)*)"
    rb"m=audio ([1-9][0-9]{0,4}) (.+)",
    re.DOTALL,
)
"""A description whose first medium is audio, in parts: from call to call a peer changes the three
numbers alone, session, version and port."""
_ALIKE_OCTETS = 2048
"""Longer ones are not remembered: strangers write them, memory is bounded."""


@lru_cache(maxsize=512)
def _without_numbers(origin: bytes, session: bytes, media: bytes) -> Description:
    """The description around the three numbers. Refusals are not remembered."""
    return parse_afresh(b"v=0\r\no=%b 0 0 %bm=audio 9 %b" % (origin, session, media))


def _fail(why: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"SDP: {why}", status=400)


def _checked_lines(body: bytes) -> list[str]:
    if len(body) > MAX_OCTETS:
        raise _fail(f"{len(body)} octets, at most {MAX_OCTETS} are read")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _fail("not UTF-8") from error
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES:
        raise _fail(f"more than {MAX_LINES} lines")
    media = 0
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if len(line) < 2 or line[1] != "=" or _FOREIGN_BREAKS.search(line):
            raise _fail(f"line {number} is not of the form <letter>=<value>")
        letter = line[0]
        pattern = _PATTERNS.get(letter)
        value = line[2:].strip()
        if pattern is not None and pattern.fullmatch(value) is None:
            raise _fail(f"line {number} has a malformed {letter}= value")
        lines[number - 1] = line[:2] + value
        if letter == "m":
            media += 1
            kind, port, protocol, *formats = value.split()
            if len(formats) > MAX_FORMATS:
                raise _fail(f"line {number} lists more than {MAX_FORMATS} formats")
            port = port.partition("/")[0]  # "port/count" is layered media: we take the first
            if int(port) > 65_535:
                raise _fail(f"line {number} has port {port}")
            lines[number - 1] = f"m={kind.lower()} {port} {protocol} {' '.join(formats)}"
        elif letter in "vo" and (media or letter in seen):
            raise _fail(f"line {number} repeats or misplaces {letter}=")
        elif value.startswith("rtpmap:") and _RTPMAP.fullmatch(value, 7) is None:
            lines[number - 1] = ""  # names no codec that we could want: RFC 4475 has `31 LPC`
        seen.add(letter)
    if lines[0] != "v=0":
        raise _fail("does not begin with v=0")
    if "o" not in seen:
        raise _fail("has no o= line")
    if media > MAX_MEDIA:
        raise _fail(f"more than {MAX_MEDIA} media")
    return lines


def _parse_checked(lines: list[str]) -> SdpMessage:
    # We read fmtp ourselves: its value may be anything for codecs that are not ours.
    read = (line for line in lines if line and not line.startswith(("a=fmtp", "b=", "t=")))
    text = "\r\n".join(read)
    try:
        return parse_sdp(text)
    except ValueError as error:  # what the checks above should have caught
        raise _fail("cannot be read") from error


def _view(sdp: SdpMessage, parameters: list[dict[int, str]]) -> Description:
    if len(sdp.media) != len(parameters):
        raise _fail("cannot be read")
    session_direction = _direction(sdp.attributes, Direction.SENDRECV)
    return Description(
        session_id=int(sdp.origin.session_id),
        session_version=int(sdp.origin.session_version),
        media=tuple(
            _media(sdp, media, session_direction, of_media)
            for media, of_media in zip(sdp.media, parameters, strict=True)
        ),
    )


def _media(
    sdp: SdpMessage, media: MediaDescription, inherited: Direction, parameters: dict[int, str]
) -> Media:
    connection = media.connection or sdp.connection
    if connection is None and media.port:
        raise _fail(f"m={media.media} has no c= line, nor has the session")
    address, on_hold = _address(connection.address if connection else "")
    is_rtp = "RTP/" in media.proto.upper()
    return Media(
        kind=media.media,
        port=media.port,
        protocol=media.proto,
        formats=tuple(media.formats),
        address=address,
        is_on_hold_by_address=on_hold,
        codecs=_codecs(media, parameters) if is_rtp else (),
        direction=_direction(media.attributes, inherited),
        ptime_ms=_ptime(media.attributes.get("ptime") or sdp.attributes.get("ptime") or []),
        transport=transport_attributes(sdp.attributes, media.attributes),
    )


@lru_cache(maxsize=1024)
def _address(text: str) -> tuple[str | None, bool]:
    """The address where it can be sent to, and whether it is the null address.

    Remembered: to judge one costs as much as all else in a description, and peers are few.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None, False
    if address.is_unspecified:
        return str(address), True
    if address.is_multicast or (address.version == 4 and address in _NOWHERE):
        return None, False
    return str(address), False


def _codecs(media: MediaDescription, parameters: dict[int, str]) -> tuple[Codec, ...]:
    for written in media.formats:
        if not (_PAYLOAD_TYPE.fullmatch(written) and int(written) <= 127):
            raise _fail(f"m={media.media} lists {written[:16]!r}, which is no RTP payload type")
    return tuple(
        Codec(
            payload_type=codec.payload_type,
            name=codec.encoding_name.upper(),
            clock_rate=codec.clock_rate,
            channels=codec.channels or 1,
            parameters=parameters.get(codec.payload_type, ""),
        )
        for codec in media.codecs
    )


def _direction(attributes: dict[str, list[str]], default: Direction) -> Direction:
    """The direction attribute; the first one written where a peer wrote several."""
    for name in attributes:
        if name in _DIRECTIONS:
            return Direction(name)
    return default


def _ptime(values: list[str]) -> int | None:
    if not values or _PTIME.fullmatch(values[0].strip()) is None:
        return None
    return int(values[0]) or None
