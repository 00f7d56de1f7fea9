"""The floor: what desks and supervisors may see of it and do to it, over what is live."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from acd.agent_dial import AgentDial
from acd.contact import Contact
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.errors import AcdError
from acd.inputs import (
    ExtendWrapUp,
    FinishWrapUp,
    SetNotReady,
    SetReady,
    SignOff,
    SignOn,
)
from acd.model import AgentId, AgentState, ContactId, SignedOnBy
from cti.accounts import PhoneCredentials as Secrets
from cti.agent_views import figures_view
from cti.api.ports import Account
from cti.errors import Conflict, Invalid, NotFound
from cti.live import LiveInteraction
from cti.pops import PopService
from cti.schema import (
    AgentView,
    CampaignView,
    CustomerCard,
    DirectoryEntry,
    Disposition,
    InteractionView,
    PhoneCredentials,
    PreviewView,
    Role,
    ScreenPop,
    ServerView,
    Snapshot,
    SupervisionView,
)
from cti.translate import Translator
from switch.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAddress:
    """Where phones register."""

    host: str
    port: int
    transport: str
    realm: str


class Floor:
    """Satisfies `cti.api.ports.Floor` and `cti.pops.Floor`."""

    def __init__(
        self,
        *,
        distribution: Distribution,
        contacts: Contacts,
        conversation: Conversation,
        agent_dial: AgentDial,
        translator: Translator,
        secrets: Secrets,
        phone_address: Callable[[], PhoneAddress],
        agent_queues: Mapping[str, tuple[str, ...]],
        dispositions: tuple[Disposition, ...],
        not_ready_reasons: tuple[str, ...],
        site: str,
        shows_supervisors: bool,
        clock: Clock,
    ) -> None:
        """`phone_address` is asked at each sign-on: the port may be known only after the start."""
        self._distribution = distribution
        self._contacts = contacts
        self._conversation = conversation
        self._agent_dial = agent_dial
        self._translator = translator
        self._secrets = secrets
        self._phone_address = phone_address
        self._agent_queues = agent_queues
        self._dispositions = dispositions
        self._reasons = not_ready_reasons
        self._site = site
        self._shows_supervisors = shows_supervisors
        self._clock = clock
        self._desks: set[str] = set()
        self.campaigns: Callable[[Account], tuple[CampaignView, ...]] = lambda account: ()
        self.are_campaigns_loading: Callable[[], bool] = lambda: False
        self.preview: Callable[[str], PreviewView | None] = lambda agent: None
        self.server: ServerView | None = None
        """Set while the server is stopping."""
        self.pops: PopService | None = None
        """Set by the composition root; pops need the floor and the floor its pops."""

    # --- what is seen ---------------------------------------------------------------------------

    def snapshot(self, account: Account) -> Snapshot:
        """What this person sees now."""
        translator = self._translator
        agents = translator.agents.shown()
        queues = translator.queues()
        interactions = translator.interactions()
        figures = pop = None
        if account.role is Role.AGENT:
            own = translator.agents.get(account.agent_id)
            mine = frozenset() if own is None else self.agent_queues(own.agent_id)
            agents = () if own is None else (own,)
            queues = tuple(queue for queue in queues if queue.queue in mine)
            interactions = tuple(i for i in interactions if own and i.agent_id == own.agent_id)
        if account.agent_id is not None:
            if account.agent_id in self._agent_queues:  # up to now: the last event may be old
                figures = figures_view(self._distribution.agent_figures(AgentId(account.agent_id)))
            pop = self._pop_of(account.agent_id)
        return Snapshot(
            seq=0,
            at=self._clock.wall(),
            role=account.role,
            agents=agents,
            queues=queues,
            interactions=interactions,
            figures=figures,
            pop=pop,
            dispositions=self._dispositions,
            not_ready_reasons=self._reasons,
            gateway_available=translator.gateway_available,
            server=self.server,
            site=self._site,
            parked=translator.parked(),
            campaigns=self.campaigns(account),
            campaigns_loading=self.are_campaigns_loading(),
            preview=None if account.agent_id is None else self.preview(account.agent_id),
            supervisions=self._supervisions(interactions, account),
        )

    def _supervisions(
        self, interactions: tuple[InteractionView, ...], account: Account
    ) -> dict[str, tuple[SupervisionView, ...]]:
        if account.role is Role.AGENT and not self._shows_supervisors:
            return {}
        found = {
            view.interaction_id: self._contacts.get(ContactId(view.interaction_id))
            for view in interactions
        }
        attended = {id: _supervisors(each) for id, each in found.items() if each is not None}
        return {id: views for id, views in attended.items() if views}

    def _pop_of(self, agent_id: str) -> ScreenPop | None:
        """The agent's card, while it has that interaction: it may be with somebody else by now."""
        if self.pops is None:
            return None
        pop = self.pops.current(agent_id)
        live = None if pop is None else self._translator.interaction(pop.interaction_id)
        if live is not None:
            asked = any(party.agent_id == agent_id for party in live.parties)
            if asked or live.agent_id == agent_id:
                return pop
        for view in self._translator.interactions():  # its desk was away when it was to be shown
            if view.agent_id == agent_id and view.answered is not None and view.channel == "voice":
                live = self._translator.interaction(view.interaction_id)
                if live is not None and not live.outbound:
                    return self.pops.remade(agent_id, live.id)
        return None

    def agent_queues(self, agent_id: str) -> frozenset[str]:
        """The queues whose figures the agent sees."""
        return frozenset(self._agent_queues.get(agent_id, ()))

    def interaction_agent(self, interaction_id: str) -> str | None:
        """The agent of a live interaction."""
        return self._require(interaction_id).agent_id

    def earlier_agents(self, interaction_id: str) -> tuple[str, ...]:
        """Those who had a live interaction before and transferred it."""
        live = self._translator.interaction(interaction_id)
        return () if live is None else live.earlier_agents

    def directory(self) -> tuple[DirectoryEntry, ...]:
        """Agents who are signed on, and queues: whom one may consult or transfer to."""
        agents = [
            DirectoryEntry(kind="agent", id=view.agent_id, name=view.name, state=view.state)
            for view in self._translator.agents.shown()
            if view.phone_reachable
        ]
        queues = [
            DirectoryEntry(
                kind="queue",
                id=view.queue,
                name=view.title,
                waiting=view.waiting,
                available=view.agents_available,
            )
            for view in self._translator.queues()
        ]
        return (*queues, *agents)

    def has_desk(self, agent_id: str) -> bool:
        """True while a desk of this agent is connected."""
        return agent_id in self._desks

    def live(self, interaction_id: str) -> LiveInteraction | None:
        """A live interaction."""
        return self._translator.interaction(interaction_id)

    def facts(self, interaction_id: str) -> dict[str, str]:
        """What the caller entered in the menu."""
        contact = self._contacts.get(ContactId(interaction_id))
        return {} if contact is None else dict(contact.facts)

    def link(self, interaction_id: str, customer: CustomerCard, how: str) -> None:
        """The interaction's customer is known now."""
        self._translator.customer_linked(interaction_id, customer, how, self._clock.wall())
        live = self._translator.interaction(interaction_id)
        if how != "found" and live is not None and live.agent_id and self.pops is not None:
            self.pops.linked(live.agent_id, interaction_id, customer)

    # --- agents ---------------------------------------------------------------------------------

    def set_state(self, agent_id: str, state: str, reason: str) -> AgentView:
        """Make the agent `available` or `not-ready`, now or after what it is doing."""
        agent = self._agent(agent_id)
        match state:
            case "available":
                self._tell_agent(SetReady(agent=agent))
            case "not-ready":
                if reason not in self._reasons:
                    known = ", ".join(self._reasons)
                    raise Invalid(
                        "unknown-reason", f"Not-ready needs one of these reasons: {known}"
                    )
                self._tell_agent(SetNotReady(agent=agent, reason=reason))
            case _:
                raise Invalid(
                    "unknown-state",
                    "An agent can be set to available or not-ready; the rest follows from calls",
                    state=state,
                )
        return self._translator.agents.agent(agent_id)

    def finish_wrap_up(self, agent_id: str) -> None:
        """End the wrap-up now."""
        agent = self._agent(agent_id)
        self._require_wrap_up(agent_id)
        self._tell_agent(FinishWrapUp(agent=agent))

    def extend_wrap_up(self, agent_id: str) -> None:
        """Stop the wrap-up countdown."""
        agent = self._agent(agent_id)
        self._require_wrap_up(agent_id)
        self._tell_agent(ExtendWrapUp(agent=agent))

    def desk_connected(self, agent_id: str, session: str) -> None:
        """A desk of this agent is on the stream."""
        if agent_id in self._desks or agent_id not in self._agent_queues:
            return
        self._desks.add(agent_id)
        self._distribution.tell(SignOn(agent=AgentId(agent_id), by=SignedOnBy.DESK))
        self._translator.agents.presence(agent_id, self._clock.now(), desk=True)

    @property
    def agent_ids(self) -> Collection[str]:
        """All agents."""
        return self._agent_queues.keys()

    def restore_desks(self, agents: Iterable[str]) -> None:
        """These agents had a desk in an earlier process; `desk_gone` if it does not come back."""
        self._desks.update(agents)

    def desk_gone(self, agent_id: str) -> None:
        """The agent has no desk any more."""
        self._secrets.withdraw(agent_id)
        if agent_id not in self._desks:
            return
        self._desks.discard(agent_id)
        self._distribution.tell(SignOff(agent=AgentId(agent_id), by=SignedOnBy.DESK))
        self._translator.agents.presence(agent_id, self._clock.now(), desk=False)

    def pop_acknowledged(self, agent_id: str, seq: int) -> None:
        """The screen pop with this sequence number is on the agent's screen."""
        if self.pops is not None:
            self.pops.acknowledged(agent_id, seq)

    def phone_credentials(self, agent_id: str) -> PhoneCredentials | None:
        """What the desk's softphone needs to register."""
        if not self._secrets.knows(agent_id):
            return None
        address = self._phone_address()
        return PhoneCredentials(
            number=agent_id,
            sip_host=address.host,
            sip_port=address.port,
            transport=address.transport,
            realm=address.realm,
            one_time_secret=self._secrets.issue(agent_id),
        )

    def dial(self, agent_id: str, number: str) -> None:
        """Ring the agent's phone, then the number."""
        self._agent(agent_id)
        refusal = self._agent_dial.dial(AgentId(agent_id), number)
        if refusal is not None:
            raise Conflict("cannot-dial", refusal, number=number)

    # --- interactions ---------------------------------------------------------------------------

    def hold(self, interaction_id: str, actor: Account) -> None:
        """Put the customer on hold."""
        self._conversation.hold(self._talking(interaction_id), True)

    def resume(self, interaction_id: str, actor: Account) -> None:
        """End the hold."""
        self._conversation.hold(self._talking(interaction_id), False)

    def hang_up(self, interaction_id: str, actor: Account) -> None:
        """End the conversation, or give up a number that the agent dialled and that rings."""
        self._conversation.hang_up(self._on_the_phone(interaction_id))

    def phone_lost(self, interaction_id: str, actor: Account) -> None:
        """The agent's phone has died: it has the call no more."""
        self._conversation.phone_lost(self._on_the_phone(interaction_id))

    def mute(self, interaction_id: str, muted: bool, actor: Account) -> None:
        """Let the customer hear the agent no longer, or again."""
        self._conversation.mute(self._talking(interaction_id), muted)

    def send_digits(self, interaction_id: str, digits: str, actor: Account) -> None:
        """Send keys to the customer's side."""
        self._conversation.send_digits(self._talking(interaction_id), digits)

    # --- inside ---------------------------------------------------------------------------------

    def _agent(self, agent_id: str) -> AgentId:
        if agent_id not in self._agent_queues:
            raise NotFound("unknown-agent", "There is no such agent", agent=agent_id)
        return AgentId(agent_id)

    def _tell_agent(self, event: SetReady | SetNotReady | FinishWrapUp | ExtendWrapUp) -> None:
        try:
            self._distribution.tell(event)
        except AcdError as error:
            raise Conflict(error.error_id, str(error), **dict(error.details)) from error

    def _require(self, interaction_id: str) -> LiveInteraction:
        live = self._translator.interaction(interaction_id)
        if live is None:
            raise NotFound(
                "unknown-interaction",
                "There is no such live interaction",
                interaction=interaction_id,
            )
        return live

    def _require_wrap_up(self, agent_id: str) -> None:
        if self._translator.agents.agent(agent_id).state != AgentState.WRAP_UP:
            raise Conflict("no-wrap-up", "The agent is not in wrap-up")

    def _on_the_phone(self, interaction_id: str) -> Contact:
        """A contact whose agent talks, or waits for a number that rings."""
        contact = self._contacts.get(ContactId(interaction_id))
        if contact is not None and (contact.outbound or contact.agent_here):
            return contact
        return self._talking(interaction_id)

    def _talking(self, interaction_id: str) -> Contact:
        live = self._require(interaction_id)
        contact = self._contacts.get(ContactId(interaction_id))
        if live.finished or contact is None:
            raise Conflict("interaction-over", "The call is over", interaction=interaction_id)
        if contact.talking_since is None:
            raise Conflict(
                "not-talking", "Customer and agent are not connected", interaction=interaction_id
            )
        return contact


def _supervisors(contact: Contact) -> tuple[SupervisionView, ...]:
    """The supervisors who hear the contact, and those whose phones are called."""
    return tuple(
        SupervisionView(
            by=party.watcher,
            number=party.number,
            role=party.role,
            state="attending" if party.answered else "calling",
        )
        for party in contact.others.values()
        if party.role is not None
    )
