"""Where campaigns dial, and whether there is room; satisfies `acd.dialer.ports.DialRoutes`."""

from __future__ import annotations

from acd.ports import Destination, NoRoute
from acd.ports import ToTrunk as CallTrunk
from switch.calls.control import Calls
from switch.clock import Clock
from switch.trunks.number_plan import NumberPlan, ToTrunk
from switch.trunks.trunks import Trunks


class CampaignRoutes:
    """The number plan and the trunks, as campaigns see them."""

    def __init__(self, plan: NumberPlan, trunks: Trunks, calls: Calls, clock: Clock) -> None:
        self._plan = plan
        self._trunks = trunks
        self._limits = calls.limits
        self._clock = clock

    def customer(self, way: str, number: str) -> Destination:
        """Where to dial a number: by the trunk or group `way`, or any that campaigns may use."""
        found = self._plan.campaign(number, way)
        if isinstance(found, ToTrunk):
            return CallTrunk(trunk=found.trunk, number=found.number)
        return NoRoute(reason=getattr(found, "reason", "unknown-number"))

    def why_not(self, way: str) -> str:
        """Why a trunk or group takes no further call now, as one slug; empty: it does.

        Without a name: why none of those takes it that campaigns may use.
        """
        ways = (way,) if way else self._plan.campaign_ways
        reasons = [self._why_not(each) for each in ways]
        return "" if "" in reasons else next(iter(reasons), "unknown")

    def _why_not(self, way: str) -> str:
        now = self._clock.now()
        full = self._limits.why_full(way, now)
        if full is not None:
            return full
        group = self._plan.groups.get(way)
        members = [each.trunk for each in group.members] if group is not None else [way]
        up = [trunk for trunk in members if self._trunks.is_up(trunk, now)]
        if not up:
            return "down"
        full_members = [self._limits.why_full(trunk, now) for trunk in up]
        return "" if None in full_members else str(full_members[0])
