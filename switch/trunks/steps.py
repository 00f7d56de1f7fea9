"""The steps by which a way out was chosen, for whoever asks why a number leaves where it leaves."""

from __future__ import annotations

from msgspec import Struct


class Step(Struct, frozen=True):
    """One step. On the path of a call nobody asks, and none are made."""

    what: str
    """One slug: `dialled`, `blocked`, `way`, `trunk`, `rate`, `number`, `caller`, `skipped`, ..."""
    subject: str
    """Of which trunk, group or number it speaks."""
    detail: str = ""


Trace = list[Step] | None
"""Takes steps while somebody asks; None: nobody does."""


def note(trace: Trace, what: str, subject: str, detail: object = "") -> None:
    """Add a step, if anybody wants to know."""
    if trace is not None:
        trace.append(Step(what, subject, str(detail)))
