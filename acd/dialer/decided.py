"""Which decisions of pacers are told: those that dial, and those that come to another reason."""

from __future__ import annotations

from collections.abc import Callable

from acd.dialer.campaign_run import CampaignRun
from acd.dialer.events import DialerEvent, PacerDecided
from acd.dialer.model import CampaignName
from acd.dialer.pacing.model import Decision
from acd.dialer.panel import vector


class Decided:
    """One decision a second that changes nothing would fill a disk and tell nobody anything."""

    def __init__(self, tell: Callable[[DialerEvent], None]) -> None:
        self._tell = tell
        self._last: dict[CampaignName, tuple[str, str]] = {}

    def take(self, run: CampaignRun, decision: Decision) -> None:
        """A pacer has decided."""
        why = (decision.reason, decision.limit)
        if not decision.dials and self._last.get(run.name) == why:
            return
        self._last[run.name] = why
        self._tell(
            PacerDecided(
                campaign=run.name,
                at=decision.at,
                number=decision.number,
                dial=decision.dials,
                vector=vector(decision),
                decision=decision,
            )
        )
