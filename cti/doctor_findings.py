"""What a finding of the doctor is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHORT_OF_CPU: Final = (
    "The call agent is short of CPU: see what else runs here with `top`, or take fewer calls."
)
"""A remedy of many findings."""


class Severity(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    severity: Severity
    what: str
    remedy: str = ""
