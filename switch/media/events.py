"""What the media engine reports, in its own words; the gateway carries it to the call agent."""

from __future__ import annotations

from dataclasses import dataclass

from switch.ids import LegId, PlayerId
from switch.media.sound_features import SoundChange


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitEnded:
    """A digit ended at a leg (RFC 4733)."""

    leg: LegId
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpSilent:
    """No RTP came for `silent_ms` on a leg that should receive."""

    leg: LegId
    silent_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundHeard:
    """The sound of a watched leg has changed, or it is time to tell that it has not."""

    leg: LegId
    change: SoundChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerEnded:
    """A player has played everything or was stopped."""

    player: PlayerId
    played_ms: int
    stopped: bool
    missing: tuple[str, ...]
    """Names of prompts that do not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good a leg is, as both of its ends found by RTCP; None: not known."""

    rtt_ms: float | None = None
    remote_lost: int | None = None
    """Packets that we sent and the peer did not get."""
    remote_jitter_ms: float | None = None
    mos: float | None = None
    """Estimated by the E-model (ITU-T G.107), of the worse direction; 1 to 4.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegJudged:
    """The quality of a leg has changed noticeably."""

    leg: LegId
    quality: Quality
    mos: float
    """Of the last few seconds; that in `quality` is of the whole call."""


MediaEvent = DigitEnded | RtpSilent | PlayerEnded | LegJudged | SoundHeard


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTotals:
    """What passed through a leg. Packets are RTP packets, digits included."""

    packets_received: int
    packets_sent: int
    packets_lost: int
    packets_late: int
    frames_concealed: int
    packets_stray: int
    jitter_ms: float
    quality: Quality = Quality()
