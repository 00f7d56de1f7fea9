"""The codecs that we speak, as SDP names them: clock rates, channels, numbers, parameters.

    PCMU  0   PCMA  8   G722  9     RFC 3551; G.722 samples at 16 kHz, and its RTP clock says 8000
    opus 111  /48000/2              RFC 7587; the clock and the channels are written so whatever is sent
    telephone-event 101 and 110     RFC 4733, at 8000 Hz and at 48000 Hz: at the rate of the sound beside it

Names are in upper case here, as everywhere but in the text of a description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

TELEPHONE_EVENT: Final = "TELEPHONE-EVENT"
EVENT_NUMBERS: Final = {8000: 101, 48000: 110}
"""Our payload types of telephone events when we offer; when we answer, the offerer's are mirrored."""
G711: Final = ("PCMU", "PCMA")
ALL_CODECS: Final = (*G711, "G722", "OPUS")
"""Every codec that we speak, the cheap ones first: see docs/decisions/codecs.md."""
_DYNAMIC: Final = range(96, 128)
_MIN_BITRATE: Final = 6_000
_MAX_BITRATE: Final = 510_000
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_FMTP: Final = re.compile(r"a=fmtp:([0-9]{1,3})[ \t]+(\S.{0,255})")


class KnownCodec(NamedTuple):
    """One codec in the words of SDP."""

    written: str
    """What `a=rtpmap` says after the number."""
    number: int
    """Our payload type when we offer it: assigned for good, or ours by habit."""
    is_static: bool
    clock_rate: int
    """Of RTP timestamps, Hz."""
    channels: tuple[int, ...]
    """What a peer may write."""
    parameters: str
    """What we say in `a=fmtp`; empty: nothing."""


KNOWN: Final = {
    "PCMU": KnownCodec("PCMU/8000", 0, True, 8000, (1,), ""),
    "PCMA": KnownCodec("PCMA/8000", 8, True, 8000, (1,), ""),
    "G722": KnownCodec("G722/8000", 9, True, 8000, (1,), ""),
    "OPUS": KnownCodec("opus/48000/2", 111, False, 48000, (1, 2), "minptime=10;useinbandfec=1"),
}


WRITTEN: Final = tuple(codec.written.partition("/")[0] for codec in KNOWN.values())
"""The names as people and descriptions write them."""


class Numbers(NamedTuple):
    """The payload types that a description of ours names."""

    codecs: Mapping[str, int]
    """By encoding name."""
    events: Mapping[int, int]
    """Of telephone events, by clock rate."""


NO_NUMBERS: Final = Numbers({}, {})


class OpusParameters(NamedTuple):
    """What the peer's decoder wants of us (RFC 7587 section 6.1)."""

    max_bitrate: int = 0
    """Bits a second on average; 0: not limited."""
    use_fec: bool = False
    """It makes use of forward error correction within the packets."""


def known_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names in upper case, each once, in their order. Raises ValueError for one we do not speak."""
    found = tuple(dict.fromkeys(name.upper() for name in names))
    for name in found:
        if name not in KNOWN:
            spoken = ", ".join(WRITTEN)
            raise ValueError(f"{name!r} is no codec that is spoken here: use some of {spoken}")
    return found


def opus_parameters(text: str) -> OpusParameters:
    """Read the value of `a=fmtp`; what is malformed or out of bounds is as if it were not there."""
    given: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        given.setdefault(name.strip().lower(), value.strip())
    rate = given.get("maxaveragebitrate", "")
    wanted = int(rate) if _WHOLE_NUMBER.fullmatch(rate) else 0
    return OpusParameters(
        max_bitrate=wanted if _MIN_BITRATE <= wanted <= _MAX_BITRATE else 0,
        use_fec=given.get("useinbandfec") == "1",
    )


def parameters_by_media(lines: Sequence[str]) -> list[dict[int, str]]:
    """The values of `a=fmtp` by payload type, for each m= section; the first one where there are several."""
    found: list[dict[int, str]] = []
    for line in lines:
        if line.startswith("m="):
            found.append({})
        elif found and (given := _FMTP.fullmatch(line)) is not None:
            found[-1].setdefault(int(given[1]), given[2])
    return found


def offered_numbers(
    names: Sequence[str], in_use: dict[str, int], events_in_use: dict[int, int]
) -> tuple[list[tuple[str, int]], list[tuple[int, int]]]:
    """Payload types for an offer: (codec, number) and (event clock rate, number), in their order.

    `in_use` and `events_in_use` keep the numbers that the session has given them. A codec whose number
    has another meaning in this session takes another one, or is left out where its number is assigned.
    """
    taken = {*in_use.values(), *events_in_use.values()}
    codecs: list[tuple[str, int]] = []
    for name in names:
        number = in_use.get(name)
        if number is None:
            number = _free(KNOWN[name].number, taken, may_move=not KNOWN[name].is_static)
        elif number in events_in_use.values():
            continue
        if number is not None:
            taken.add(number)
            codecs.append((name, number))
    events: list[tuple[int, int]] = []
    for rate in dict.fromkeys(KNOWN[name].clock_rate for name, _ in codecs):
        event = events_in_use.get(rate)
        if event is None:
            event = _free(EVENT_NUMBERS[rate], taken, may_move=True)
        if event is not None:
            taken.add(event)
            events.append((rate, event))
    return codecs, events


def _free(number: int, taken: set[int], *, may_move: bool) -> int | None:
    if number not in taken:
        return number
    return next((n for n in _DYNAMIC if n not in taken), None) if may_move else None
