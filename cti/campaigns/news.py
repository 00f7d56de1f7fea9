"""What campaigns tell desks and wallboards, at a bounded rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from msgspec import structs

from acd.dialer.model import Attempt, CampaignName
from cti.bus import Bus
from cti.campaigns.views import attempt_view
from cti.schema import CampaignRemoved, CampaignsLoaded, CampaignView, EventType, PreviewView
from switch.clock import Clock, TimerHandle

NEWS_S: Final = 1.0
"""A campaign is told at most so often."""


class CampaignNews:
    """Publishes `CampaignChanged`, `CampaignRemoved`, `CampaignsLoaded`, `PreviewOffered`, `AttemptEnded`."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        view: Callable[[CampaignName], CampaignView | None],
        running: Callable[[], Sequence[CampaignName]],
    ) -> None:
        """`view` is a campaign as it stands, None once it is gone; `running` those that run."""
        self._bus = bus
        self._clock = clock
        self._view = view
        self._running = running
        self._told: dict[CampaignName, CampaignView] = {}
        self._marked: set[CampaignName] = set()
        self._timer: TimerHandle | None = None
        self._closed = False

    def changed(self, name: CampaignName) -> None:
        """Something of a campaign is different: it is told with the next news."""
        self._marked.add(name)
        if self._timer is None and not self._closed:
            self._timer = self._clock.call_at(self._clock.now() + NEWS_S, self._tell)

    def at_once(self, name: CampaignName) -> None:
        """A campaign was started, stopped or changed by somebody, who wants to see that."""
        self._publish(name)

    def forget(self, name: CampaignName) -> None:
        """It is gone."""
        self._told.pop(name, None)
        self._marked.discard(name)

    def removed(self, name: CampaignName, by: str, queue: str) -> None:
        """Somebody deleted it."""
        self.forget(name)
        gone = CampaignRemoved(name=name, by=by)
        self._bus.publish(EventType.CAMPAIGN_REMOVED, gone, queue=queue or None)

    def loaded(self, broken: Iterable[CampaignView], count: int) -> None:
        """All are known after a start; the `broken` ones, which nobody else tells, with them."""
        for view in broken:
            self._bus.publish(EventType.CAMPAIGN_CHANGED, view, queue=view.queue or None)
        self._bus.publish(EventType.CAMPAIGNS_LOADED, CampaignsLoaded(count=count))

    def preview(self, view: PreviewView, at: float) -> None:
        """What an agent has before it; `at` is seconds since 1970."""
        self._bus.publish(
            EventType.PREVIEW_OFFERED,
            view,
            interaction_id=view.attempt_id,
            agent_id=view.agent_id,
            customer_id=None if view.customer is None else view.customer.customer_id,
            at=at,
        )

    def attempt(self, attempt: Attempt, queue: str) -> None:
        """What became of a dial."""
        self._bus.publish(
            EventType.ATTEMPT_ENDED,
            attempt_view(structs.replace(attempt, judged="")),  # kilobytes; the store has it
            interaction_id=attempt.id,
            queue=queue or None,
            agent_id=attempt.agent,
        )
        self.changed(attempt.campaign)

    def close(self) -> None:
        """Tell no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        self._timer = None
        marked, self._marked = self._marked, set()
        for name in sorted(marked):
            self._publish(name)
        for name in self._running():
            self.changed(name)  # what agents and the clock change is told by nobody

    def _publish(self, name: CampaignName) -> None:
        view = self._view(name)
        if view is None:
            self.forget(name)
            return
        if (before := self._told.get(name)) is not None and _same(before, view):
            return
        self._told[name] = view
        self._bus.publish(EventType.CAMPAIGN_CHANGED, view, queue=view.queue or None)


def _same(before: CampaignView, now: CampaignView) -> bool:
    """Whether nothing is different that anybody would see; when it was counted is no news."""
    counted = replace(before.records, at=now.records.at)
    return replace(before, records=counted, since=now.since) == now
