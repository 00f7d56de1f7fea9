"""Outbound: campaigns dial, people who answer are brought to agents, and every attempt is kept.

    store --supply--> campaigns --dial--> call control --takes--> attempts --> contacts in queues
                          ^                                          |
    clock, freed agents --'                                          '--on_attempt--> store

Synchronous, as everything on the path of a call. Nothing here asks the store: candidates are brought
ahead (`wanted`, `supply`), and what became of them is told (`on_attempt`, `on_release`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from acd.contact_events import ContactEvent
from acd.contacts import Contacts
from acd.dialer.events import DialerEvent
from acd.dialer.model import (
    Attempt,
    AttemptId,
    Blocker,
    CampaignName,
    CampaignState,
    Candidate,
    Outcome,
    RecordId,
)
from acd.dialer.ports import Callers, DialRoutes
from acd.dialer.settings import CampaignSettings
from acd.dialer.views import AttemptView, CampaignView, PreviewView
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.model import AgentId, AgentSettings, AgentState
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId


class DialerInterface(Protocol):
    """What the service may rely on; replaced by the class of the same signatures."""

    on_attempt: Callable[[Attempt], None]
    """Told when a talk begins, when an attempt is over, and when its disposition is known: up to three
    times for one id, and the last word counts."""
    on_release: Callable[[CampaignName, Sequence[RecordId], str], None]
    """Told of records that were brought and are not dialled, with the reason: to be given back."""
    on_event: Callable[[DialerEvent], None]
    takes: Takes
    """News from the switch; after `Inbound` had its own."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        callers: Callers,
        control: CallControl,
        clock: Clock,
        routes: DialRoutes,
        agents: Iterable[AgentSettings],
        new_id: Callable[[str], str],
        report: Callable[[ContactEvent], None],
    ) -> None: ...

    def acd_event(self, event: AcdEvent) -> None:
        """News of agents and queues; from the same report as the translator's, after it."""

    # --- campaigns ---

    def load(
        self,
        settings: CampaignSettings,
        *,
        state: CampaignState = CampaignState.DRAFT,
        totals: Mapping[Outcome, int] = {},
        today: Mapping[Outcome, int] = {},
        history: Sequence[tuple[float, Outcome]] = (),
    ) -> None:
        """Take a campaign, or change the settings of one that is here, also while it runs.

        `history` are the live answers of the last 30 days, oldest first, at their time since 1970.
        A campaign whose `state` is running dials as soon as it has candidates.

        Raises:
            BadCampaignError: no such queue, flow or trunk.
        """

    def unload(self, name: CampaignName) -> None:
        """Forget a campaign; what is in flight ends as if it had been finished."""

    def names(self) -> tuple[CampaignName, ...]: ...

    def settings(self, name: CampaignName) -> CampaignSettings: ...

    def start(self, name: CampaignName, by: str = "operator") -> None:
        """Dial. Raises NotThatStateError, UnknownCampaignError."""

    def pause(self, name: CampaignName, by: str = "operator") -> None:
        """Dial no more; what is in flight goes on. Raises as `start`."""

    def finish(self, name: CampaignName, by: str = "operator") -> None:
        """It is over; dials that nobody has answered are cancelled. Raises as `start`."""

    # --- records ---

    def wanted(self, name: CampaignName) -> int:
        """How many more candidates it would like to have at hand now."""

    def supply(self, name: CampaignName, candidates: Sequence[Candidate]) -> None:
        """Bring candidates, best first. An empty sequence says: the list has none now."""

    # --- people ---

    def take(self, agent: AgentId, name: CampaignName | None = None) -> PreviewView:
        """The agent takes its next record (manual mode, or an own call-back), and is reserved.

        Raises NothingToDialError, UnknownCampaignError.
        """

    def dial(self, agent: AgentId) -> None:
        """The agent consents: its phone is called, then the customer. Raises NoPreviewError."""

    def skip(self, agent: AgentId, reason: str = "skipped") -> None:
        """The agent gives its record back before anybody answered. Raises NoPreviewError."""

    def click(self, name: CampaignName, by: str) -> None:
        """A person starts one dial, which is kept with the attempt. Raises NothingToDialError."""

    def dispose(
        self,
        attempt: AttemptId,
        disposition: str,
        *,
        call_back_at: float | None = None,
        mine: bool = False,
    ) -> bool:
        """What the agent chose; False: the attempt is not known here (any more)."""

    # --- what can be seen ---

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """Why nothing, or not more, is dialled, but for the list; empty: nothing is in the way."""

    def view(self, name: CampaignName) -> CampaignView: ...

    def attempts(self, name: CampaignName) -> tuple[AttemptView, ...]:
        """What is under way, oldest first."""

    def preview(self, agent: AgentId) -> PreviewView | None:
        """The record that an agent has before it."""

    def agent_state(self, agent: AgentId) -> AgentState: ...

    # --- the server ---

    def is_mine(self, leg: LegId) -> bool:
        """Whether a leg is one of an attempt that is no contact yet."""

    def new_day(self) -> None:
        """The figures of the day begin anew."""

    def close(self) -> None:
        """The server is stopping: nobody is called any more, unanswered dials are cancelled."""
