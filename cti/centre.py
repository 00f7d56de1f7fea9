"""The contact centre of a node, put together: contacts, distribution, pops, floor, customers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from acd.adoption import ContactAdoption
from acd.agent_dial import AgentDial
from acd.call_back import CallBacks
from acd.call_back_events import CallBackMoved
from acd.closing_time import ClosingTime
from acd.consultations import Consultations, TransferSettings
from acd.contact_events import ContactEvent
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.core import Acd
from acd.dialled_codes import DialledCodes
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.hand_over import HandOver
from acd.inbound import Inbound
from acd.invitations import Invitations
from acd.model import AgentId, QueueName
from acd.park import ParkSettings
from acd.parking import Parking
from acd.parties import Parties
from acd.pick_up import PickUps
from acd.settings import AcdSettings
from acd.supervision import Supervision
from acd.waiting_room import WaitingRoom
from crm_store.numbers import normalise
from crm_store.store import Store
from cti.agent_views import AgentViews
from cti.bus import Bus
from cti.campaigns.campaigns import Campaigns
from cti.customers import CustomerDesk, InteractionDesk
from cti.floor import Floor, PhoneAddress
from cti.late import Late
from cti.park_desk import ParkDesk
from cti.park_settings import park_slots
from cti.party_desk import PartyDesk
from cti.pops import PopService
from cti.schema import EventType, ServerView
from cti.settings import Settings
from cti.site import Routes, Site
from cti.switching import Switching
from cti.translate import Translator
from ivr.flow import Flow
from switch.calls.events import PhoneReachable
from switch.calls.fan_out import Takes
from switch.calls.features import PhoneFeatures
from switch.clock import Clock
from switch.ids import CallId, LegId

_QUEUE_NEWS_S: Final = 0.1


class Centre:
    """Everything above the calls and below the API."""

    def __init__(
        self,
        *,
        settings: Settings,
        site: Site,
        flows: Mapping[str, Flow],
        clock: Clock,
        bus: Bus,
        store: Store,
        switching: Switching,
        new_id: Callable[[str], str],
        phone_address: Callable[[], PhoneAddress],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        """`spawn` runs a coroutine beside the calls."""
        self._clock = clock
        self._bus = bus
        self._region = settings.site.region
        self._agent_ids: dict[str, AgentId] = {
            agent.agent: AgentId(agent.agent) for agent in site.agents
        }
        calls = switching.calls
        self.agents = AgentViews(bus=bus, wall_of=self._wall_of, agents=site.agents, at=clock.now())
        wanted = settings.transfers
        self.translator = Translator(
            bus=bus,
            wall_of=self._wall_of,
            agents=self.agents,
            queue_titles=site.queue_titles,
            shows_supervisors=wanted.show_supervisors,
        )
        self._is_made = False
        late = Late(self)
        self.pops = PopService(
            bus=bus,
            clock=clock,
            lookup=late,
            floor=late,
            normalise=self._normalise,
            queue_titles=site.queue_titles,
            spawn=spawn,
        )
        self.contacts = Contacts(control=calls, clock=clock, pops=self.pops, report=self._report)
        conversation = Conversation(
            calls, clock, self._report, records_whispers=wanted.record_whispers
        )
        tunes = {QueueName(q.name): q.music.strip("/") for q in settings.queues if q.music}
        waiting_room = WaitingRoom(
            calls, clock, self._report, tunes, parked=settings.park.music.strip("/")
        )
        self.acd = Acd(
            agents=site.agents,
            queues=site.queues,
            settings=AcdSettings(queue_news_s=_QUEUE_NEWS_S),
            now=clock.now(),
        )
        self.distribution = Distribution(
            acd=self.acd,
            contacts=self.contacts,
            waiting_room=waiting_room,
            control=calls,
            clock=clock,
            pops=self.pops,
            report=self._report,
        )
        routes = Routes(switching.plan)
        self._agent_dial = AgentDial(
            contacts=self.contacts,
            conversation=conversation,
            control=calls,
            clock=clock,
            routes=routes,
            new_id=new_id,
            report=self._report,
        )
        self._inbound = Inbound(
            distribution=self.distribution,
            contacts=self.contacts,
            conversation=conversation,
            waiting_room=waiting_room,
            control=calls,
            clock=clock,
            entries=site.entries,
            flows=flows,
            agents=self._agent_ids,
            routes=routes,
            new_id=new_id,
            report=self._report,
        )
        parties = Parties(contacts=self.contacts, clock=clock, report=self._report)
        hand_over = HandOver(
            contacts=self.contacts,
            conversation=conversation,
            distribution=self.distribution,
            parties=parties,
            control=calls,
            clock=clock,
            enqueue=self._inbound.enqueue,
            disengage=self._inbound.disengage,
            report=self._report,
        )
        invitations = Invitations(
            parties=parties,
            distribution=self.distribution,
            control=calls,
            clock=clock,
            routes=routes,
            pops=self.pops,
            agents=self._agent_ids,
        )
        self._consultations = Consultations(
            contacts=self.contacts,
            conversation=conversation,
            distribution=self.distribution,
            hand_over=hand_over,
            parties=parties,
            invitations=invitations,
            control=calls,
            clock=clock,
            queues=frozenset(queue.queue for queue in site.queues),
            settings=TransferSettings(
                agent_gone_to_queue=wanted.agent_gone == "queue",
                conference_goes_on=wanted.conference_goes_on,
            ),
        )
        self._inbound.agent_left = self._consultations.agent_left
        self._inbound.party_replaced = self._consultations.party_replaced
        self._agent_dial.agent_left = self._consultations.agent_left
        self._supervision = Supervision(
            conversation=conversation,
            hand_over=hand_over,
            parties=parties,
            invitations=invitations,
            control=calls,
        )
        self._make_parking(
            settings, parties, invitations, hand_over, waiting_room, switching, new_id
        )
        self.call_backs = CallBacks(
            queues=site.call_backs,
            contacts=self.contacts,
            waiting_room=waiting_room,
            control=calls,
            clock=clock,
            routes=routes,
            enqueue=self._inbound.enqueue,
            new_id=new_id,
            report=self._report,
        )
        self._inbound.place_of = self.call_backs.place_of
        self.closing_time = ClosingTime(
            contacts=self.contacts,
            distribution=self.distribution,
            clock=clock,
            disengage=self._inbound.disengage,
        )
        self.adoption = ContactAdoption(
            acd=self.acd,
            contacts=self.contacts,
            distribution=self.distribution,
            inbound=self._inbound,
            agent_dial=self._agent_dial,
            consultations=self._consultations,
            parking=self.parking,
            clock=clock,
            hang_up=calls.hang_up,
        )
        self.floor = Floor(
            distribution=self.distribution,
            contacts=self.contacts,
            conversation=conversation,
            agent_dial=self._agent_dial,
            translator=self.translator,
            secrets=switching.credentials,
            phone_address=phone_address,
            agent_queues=site.agent_queues,
            dispositions=site.dispositions,
            not_ready_reasons=settings.site.not_ready_reasons,
            site=settings.site.name,
            shows_supervisors=wanted.show_supervisors,
            clock=clock,
        )
        self.floor.pops = self.pops
        self.parties = PartyDesk(
            contacts=self.contacts,
            consultations=self._consultations,
            supervision=self._supervision,
            parking=self.parking,
        )
        self.parked = ParkDesk(
            contacts=self.contacts,
            parking=self.parking,
            pick_ups=self.pick_ups,
            translator=self.translator,
        )
        self.customers = CustomerDesk(store, self.floor)
        self.campaigns = Campaigns(
            settings=settings,
            site=site,
            flows=flows,
            clock=clock,
            bus=bus,
            store=store,
            switching=switching,
            contacts=self.contacts,
            distribution=self.distribution,
            inbound=self._inbound,
            lookup=late,
            new_id=new_id,
            report=self._report,
            spawn=spawn,
        )
        self.pops.outbound = self.campaigns.cards.card
        self.campaigns.cards.on_card = self.pops.record_known
        self.floor.campaigns = self.campaigns.seen_by
        self.floor.are_campaigns_loading = self.campaigns.are_loading
        self.floor.preview = self.campaigns.cards.preview
        self._is_made = True
        self.history = InteractionDesk(
            store=store,
            bus=bus,
            translator=self.translator,
            codes=frozenset(disposition.code for disposition in site.dispositions),
            shows_supervisors=wanted.show_supervisors,
        )

    def _make_parking(
        self,
        settings: Settings,
        parties: Parties,
        invitations: Invitations,
        hand_over: HandOver,
        waiting_room: WaitingRoom,
        switching: Switching,
        new_id: Callable[[str], str],
    ) -> None:
        """Parked calls, pick-up, and the codes that phones dial for them."""
        wanted, calls = settings.park, switching.calls
        features = PhoneFeatures(calls)
        self.parking = Parking(
            contacts=self.contacts,
            distribution=self.distribution,
            hand_over=hand_over,
            parties=parties,
            invitations=invitations,
            waiting_room=waiting_room,
            control=calls,
            clock=self._clock,
            agents=self._agent_ids,
            settings=ParkSettings(
                slots=park_slots(wanted),
                ring_back_s=wanted.ring_back_s,
                ring_backs=wanted.ring_backs,
                otherwise=wanted.otherwise,
                language=settings.site.language,
            ),
            begin_at=self._inbound.begin_at,
            new_id=new_id,
            report=self._report,
        )
        self.pick_ups = PickUps(
            contacts=self.contacts,
            distribution=self.distribution,
            parking=self.parking,
            control=calls,
            features=features,
            agents=self._agent_ids,
            whose=wanted.pick_up,
            disengage=self._inbound.disengage,
        )
        self._codes = DialledCodes(
            contacts=self.contacts,
            parking=self.parking,
            pick_ups=self.pick_ups,
            control=calls,
            features=features,
            park_code=wanted.code,
            pick_up_code=wanted.pick_up_code,
        )
        features.ask_before_entries(self._codes.refuses)
        features.ask_where_legs_wait(self._inbound.places.number_of)
        self._inbound.is_code = self._codes.incoming

    @property
    def takes(self) -> tuple[Takes, ...]:
        """What becomes of what the calls report: contacts first, then their views."""
        return (
            self._codes.takes,
            self.pick_ups.takes,
            self.parking.takes,
            self._consultations.takes,
            self._supervision.takes,
            self._agent_dial.takes,
            self._inbound.takes,
            self.call_backs.takes,
            self.campaigns.takes,
            self.translator.takes,
            {PhoneReachable: self._phone_reachable},
        )

    def close_door(self) -> None:
        """The server is stopping: agents begin no new calls, and nobody is called back."""
        self._agent_dial.is_closed = True
        self.call_backs.close()
        self.campaigns.close_door()

    def server_changed(self, view: ServerView) -> None:
        """Tell desks and wallboards how the server's end proceeds."""
        self.floor.server = view
        self._bus.publish(EventType.SERVER_CHANGED, view)

    def agent_of(self, phone: str) -> AgentId | None:
        """The agent who uses a phone."""
        return self._agent_ids.get(phone)

    def interaction_of(self, call: CallId) -> str:
        """The interaction a call belongs to; the call itself when it has none."""
        contact = self.contacts.of_call(call)
        return call if contact is None else contact.id

    def contact_of(self, call: CallId, leg: LegId) -> tuple[str, CallId, tuple[LegId, ...]] | None:
        """The interaction that a leg or its call belongs to, its call and its legs; None: to none."""
        contact = self.contacts.of_leg(leg) or self.contacts.of_call(call)
        return None if contact is None else (contact.id, contact.call, contact.legs)

    def _phone_reachable(self, event: PhoneReachable) -> None:
        if event.phone in self._agent_ids:
            self.agents.presence(event.phone, event.at, phone=event.reachable)

    def _report(self, event: AcdEvent | ContactEvent | CallBackMoved) -> None:
        self.translator.report(event)
        if self._is_made and not isinstance(event, CallBackMoved):
            self.campaigns.report(event)

    def _wall_of(self, at: float) -> float:
        """Seconds since the epoch of a moment on our monotonic clock."""
        return self._clock.wall() - (self._clock.now() - at)

    def _normalise(self, number: str) -> str:
        return normalise(number, self._region).value if number else ""
