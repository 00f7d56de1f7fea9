"""A decision of the pacer, made again from what it knew then."""

from __future__ import annotations

from cti.campaigns.decisions import Logged


def replayed(decision: Logged) -> int:
    """How many it would dial today. One that cannot be read any more dials none."""
    return decision.dials
