"""A decision of the pacer, made again from what it knew then."""

from __future__ import annotations

from acd.dialer.pacing.replay import replay
from cti.campaigns.decisions import Logged


def replayed(logged: Logged) -> int:
    """How many it would dial today. One that was kept without what it was made of dials none."""
    return 0 if logged.decision is None else replay(logged.decision)
