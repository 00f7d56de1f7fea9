"""What the judge says."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class AnswerKind(StrEnum):
    """Who or what answered."""

    HUMAN = "human"
    """A person, or who may be one: whoever spoke and is not rather certainly a machine."""
    MACHINE = "machine"
    """A voicemail greeting, or a menu: nobody who listens."""
    FAX = "fax"
    UNCERTAIN = "uncertain"
    """Nobody spoke, so that there is nothing to judge: an agent gets the call."""
    BUSY = "busy"
    CONGESTION = "congestion"
    """The network is full."""
    NO_SERVICE = "no-service"
    """Special information tones (ITU-T E.180): no such number, or changed, or no way there."""


FOR_AGENTS: Final = frozenset({AnswerKind.HUMAN, AnswerKind.UNCERTAIN})
"""These go to an agent."""


class Verdict(Struct, frozen=True, kw_only=True):
    """A decision, with all that it was made of."""

    kind: AnswerKind
    probability: float
    """That it is right, 0 to 1. Of a person it may be below a half: in doubt it is one."""
    at_ms: int
    """Since the answer; below 0: before it."""
    speech_ms: int = 0
    """Since the first word; 0: nobody has spoken."""
    paused_ms: int = 0
    """Since the end of the greeting; 0: somebody speaks, or nobody has spoken."""
    why: str
    """In words."""
    is_beeped: bool = False
    """A machine that was told by its beep: it listens already."""
    record: str
    """All of it as JSON: `acd.dialer.answers.rejudge` takes it."""
