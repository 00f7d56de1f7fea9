"""How snapshot, events and connection news change what a screen shows.

Pure: `reduce(state, item, now)` gives the next state, so everything that a desk may get wrong about
the order of events is tested without a screen. `now` and all times are the server's, in seconds since
the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cti.client import (
    Connected,
    ConnectionLost,
    SignedOnAgain,
    StreamEnded,
    StreamItem,
)
from cti.desk.attended import with_news
from cti.desk.outbound import is_open, told_over, tracked
from cti.desk.phone_state import PhoneNews, PhoneStage, reduce_phone
from cti.desk.state import (
    CALLED,
    ON_A_CALL,
    TICKER_LENGTH,
    WITH_CONTACT,
    DeskState,
    Link,
    Notice,
)
from cti.desk.text import name_and_number, spaced_number
from cti.phone import protocol as phone_protocol
from cti.schema import (
    AgentFiguresView,
    AgentView,
    CampaignRemoved,
    CampaignsLoaded,
    CampaignView,
    Cleared,
    CustomerLinked,
    DispositionSet,
    Diverted,
    Event,
    EventType,
    GatewayView,
    InteractionView,
    NoteAdded,
    ParkedView,
    PartyView,
    PreviewView,
    QueueView,
    RecordingView,
    ScreenPop,
    ServerView,
    Snapshot,
    SupervisionView,
    TextReceived,
    TransferView,
)

_NOTICE: Final = 160
"""Characters of a message that are shown in passing."""
_DIVERTED_NOTICES: Final[Mapping[str, str]] = {
    "withdrawn": "notice.withdrawn",
    # Phones say 486 as well as 603 when their owner refuses.
    "rejected": "notice.refused",
    "busy": "notice.refused",
    "phone-busy": "notice.refused",
    "unreachable": "notice.phone_away",
    "no-media": "notice.no_media",
}
"""What to say of an offer that failed; of all others: the agent did not answer."""


_IN_VAIN: Final = frozenset({"failed", "busy", "no-answer", "rejected", "unreachable", "cancelled"})
"""Results of a number that was dialled and not reached."""


def reduce(state: DeskState, item: StreamItem | PhoneNews, now: float) -> DeskState:
    """The state after one piece of news."""
    state = replace(state, notices=())
    match item:
        case Snapshot():
            return _take_snapshot(state, item)
        case Event():
            return _take_event(state, item)
        case Connected():
            return replace(state, link=Link.UP)
        case ConnectionLost():
            return replace(state, link=Link.LOST, retry_at=now + item.retry_in_s)
        case SignedOnAgain():
            return _take_sign_on(state, item)
        case StreamEnded():
            return replace(state, link=Link.ENDED, ended_reason=item.reason)
        case _:
            return _take_phone_news(state, item)


def _take_sign_on(state: DeskState, item: SignedOnAgain) -> DeskState:
    """The phone registers with its new secret; until that is confirmed it is not there."""
    if item.reply.phone is None or state.phone.stage is not PhoneStage.REGISTERED:
        return state
    return replace(state, phone=replace(state.phone, stage=PhoneStage.REGISTERING))


def _take_phone_news(state: DeskState, item: PhoneNews) -> DeskState:
    was_talking = state.phone.talking is not None
    state = replace(state, phone=reduce_phone(state.phone, item))
    if isinstance(item, phone_protocol.Died):
        lost = state.contact_id if was_talking and state.mode in ON_A_CALL else None
        state = replace(state, lost_contact=lost)
        return _noticed(state, "notice.phone_lost_call", "error") if was_talking else state
    if isinstance(item, phone_protocol.Failed) and item.message:
        return _noticed(state, "notice.phone", "warning", message=item.message)
    return state


def _take_snapshot(state: DeskState, snapshot: Snapshot) -> DeskState:
    state = replace(
        state,
        link=Link.UP,
        agents={agent.agent_id: agent for agent in snapshot.agents},
        queues={queue.queue: queue for queue in snapshot.queues},
        interactions={each.interaction_id: each for each in snapshot.interactions},
        figures=snapshot.figures,
        dispositions=snapshot.dispositions,
        not_ready_reasons=snapshot.not_ready_reasons,
        gateway_available=snapshot.gateway_available,
        server=snapshot.server,
        site=snapshot.site,
        parked={each.slot: each for each in snapshot.parked},
        campaigns={},
        are_campaigns_loading=snapshot.campaigns_loading,
        preview=snapshot.preview,
        attended=snapshot.supervisions,
    )
    for campaign in snapshot.campaigns:
        state = _take_campaign(state, campaign, snapshot.at)
    same_contact = (
        snapshot.pop is not None
        and state.pop is not None
        and snapshot.pop.interaction_id == state.pop.interaction_id
    )
    interaction = state.interaction
    return replace(
        state,
        pop=snapshot.pop,
        notes=state.notes if same_contact else (),
        disposition=(interaction.disposition if interaction is not None else None)
        or (state.disposition if same_contact else None),
    )


def _take_event(state: DeskState, event: Event) -> DeskState:
    if state.me is None:
        state = replace(state, ticker=(event, *state.ticker)[:TICKER_LENGTH])
    match event.data:
        case InteractionView():
            return _take_interaction(state, event.data)
        case AgentView():
            return _take_agent(state, event.data)
        case AgentFiguresView():
            mine = event.data.agent_id == state.me
            return replace(state, figures=event.data) if mine else state
        case QueueView():
            return replace(state, queues={**state.queues, event.data.queue: event.data})
        case ScreenPop():
            return _take_pop(state, event.data)
        case Cleared():
            return _take_cleared(state, event, event.data)
        case Diverted():
            return _take_diverted(state, event, event.data)
        case NoteAdded():
            mine = event.interaction_id == state.contact_id
            return replace(state, notes=(*state.notes, event.data)) if mine else state
        case DispositionSet():
            return _take_disposition(state, event, event.data)
        case CustomerLinked():
            return _take_customer(state, event, event.data)
        case GatewayView():
            return replace(state, gateway_available=event.data.available)
        case ServerView():
            return replace(state, server=event.data if event.data.stopping else None)
        case PartyView():
            return _take_party(state, event, event.data)
        case TransferView():
            return _take_transfer(state, event, event.data)
        case ParkedView():
            return _take_parked(state, event.data)
        case CampaignView():
            return _take_campaign(state, event.data, event.at)
        case CampaignRemoved(name=name):
            return _without_campaign(state, name)
        case CampaignsLoaded():
            return replace(state, are_campaigns_loading=False)
        case PreviewView() if event.data.agent_id == state.me:
            return _take_preview(state, event.data)
        case SupervisionView():
            return _take_supervision(state, event, event.data)
        case RecordingView():
            return _take_recording(state, event, event.data)
        case TextReceived(sender=sender, text=text) if state.me is not None:
            return _noticed(state, "notice.text", "warning", sender=sender, text=_short(text))
        case _:
            return _take_offer(state, event)


def _take_party(state: DeskState, event: Event, party: PartyView) -> DeskState:
    """Somebody is called, joined or left; the agent's desk also says why one could not be reached."""
    view = state.interactions.get(event.interaction_id or "")
    if view is None:
        return state
    others = tuple(each for each in view.parties if each.number != party.number)
    is_gone = party.state in ("left", "failed")
    parties = others if is_gone else (*others, party)
    state = _take_interaction(state, replace(view, parties=parties))
    if state.me is None or not is_gone or party.reason in ("removed", "cancelled"):
        return state
    key = "notice.party_failed" if party.state == "failed" else "notice.party_left"
    who = name_and_number(party.name, party.number)
    return _noticed(state, key, "warning", who=who, reason=party.reason)


def _take_supervision(state: DeskState, event: Event, news: SupervisionView) -> DeskState:
    """A supervisor comes, changes the role, takes the call over or leaves."""
    attended = with_news(state.attended, event.interaction_id or "", news)
    state = replace(state, attended=attended)
    if state.me is None or news.state not in ("attending", "joined"):
        return state
    what = news.role if news.state == "attending" else "taken_over"
    return _noticed(state, f"attends.{what}", by=news.by)


def _take_transfer(state: DeskState, event: Event, transfer: TransferView) -> DeskState:
    if state.me is None or transfer.former_id != state.me:
        return state
    if transfer.kind == "parked":
        return _noticed(
            _without(state, event.interaction_id), "notice.parked", slot=transfer.number
        )
    who = transfer.number or transfer.queue or ""
    return _noticed(_without(state, event.interaction_id), "notice.transferred", who=who)


def _take_campaign(state: DeskState, campaign: CampaignView, at: float) -> DeskState:
    state = replace(state, campaigns={**state.campaigns, campaign.name: campaign})
    if state.me is not None:
        return state
    track = tracked(state.tracks.get(campaign.name, ()), campaign, at)
    return replace(state, tracks={**state.tracks, campaign.name: track})


def _without_campaign(state: DeskState, gone: str) -> DeskState:
    campaigns = {name: each for name, each in state.campaigns.items() if name != gone}
    tracks = {name: each for name, each in state.tracks.items() if name != gone}
    return replace(state, campaigns=campaigns, tracks=tracks)


def _take_preview(state: DeskState, preview: PreviewView) -> DeskState:
    """The next record, how far its call is, or why it is not the agent's any more."""
    if is_open(preview):
        return replace(state, preview=preview)
    told = told_over(preview, state.preview)
    state = replace(state, preview=None)
    return state if told is None else _noticed(state, told[0], told[1], **told[2])


_PARKED: Final = frozenset({"parked", "fetching", "recalling"})
_UNPARKED: Final[Mapping[str, str]] = {
    "fetched": "notice.fetched",
    "passed-on": "notice.passed_on",
    "gone": "notice.parked_gone",
}
"""What who parked a call is told when it is parked no longer."""


def _take_parked(state: DeskState, place: ParkedView) -> DeskState:
    rest = {slot: each for slot, each in state.parked.items() if slot != place.slot}
    if place.state in _PARKED:
        before = state.parked.get(place.slot)
        state = _stand_parked(replace(state, parked={**rest, place.slot: place}), place)
        return _not_fetched(state, before, place)
    state = replace(state, parked=rest)
    key = _UNPARKED.get(place.state)
    if key is None or place.by != state.me or place.number == state.me:
        return state
    caller = place.customer_name or spaced_number(place.caller_number)
    return _noticed(state, key, number=place.number, slot=place.slot, caller=caller or "?")


def _stand_parked(state: DeskState, place: ParkedView) -> DeskState:
    """A contact that a wallboard shows waits in a place, and nobody has it."""
    view = state.interactions.get(place.interaction_id)
    if view is None or view.stage == "parked":
        return state
    parked = replace(
        view,
        stage="parked",
        since=place.since,
        agent_id=None,
        answered=None,
        muted=False,
        parties=(),
    )
    return replace(state, interactions={**state.interactions, place.interaction_id: parked})


def _not_fetched(state: DeskState, before: ParkedView | None, place: ParkedView) -> DeskState:
    """Say so where this agent's phone was called for a parked call, and did not take it."""
    is_mine = before is not None and before.state in CALLED and before.number == state.me
    if not is_mine or place.state != "parked":
        return state
    caller = place.customer_name or spaced_number(place.caller_number)
    return _noticed(state, "notice.not_fetched", "warning", caller=caller or "?", slot=place.slot)


def _take_offer(state: DeskState, event: Event) -> DeskState:
    interaction = getattr(event.data, "interaction", None)
    return _take_interaction(state, interaction) if interaction is not None else state


def _take_recording(state: DeskState, event: Event, recording: RecordingView) -> DeskState:
    """It begins, or fails: the card says so as long as they talk, and the agent is told why."""
    has_failed = bool(recording.error)
    view = state.interactions.get(event.interaction_id or "")
    if view is not None and (has_failed or event.type is EventType.RECORDING_STARTED):
        view = replace(view, recorded=not has_failed, recording_failed=has_failed)
        state = _take_interaction(state, view)
    if state.me is None or not has_failed:
        return state
    return _noticed(state, "notice.recording_failed", "warning", reason=recording.error)


def _take_interaction(state: DeskState, view: InteractionView) -> DeskState:
    if state.me is not None and view.agent_id not in (None, state.me):
        return _without(state, view.interaction_id)  # it went to someone else
    return replace(state, interactions={**state.interactions, view.interaction_id: view})


def _take_agent(state: DeskState, agent: AgentView) -> DeskState:
    before = state.agents.get(agent.agent_id)
    agents = {**state.agents, agent.agent_id: agent}
    if state.me is None and agent.state == "logged-out":
        del agents[agent.agent_id]
    state = replace(state, agents=agents)
    if agent.agent_id == state.me and before is not None and before.state in WITH_CONTACT:
        gone = agent.state not in WITH_CONTACT
        other = agent.interaction_id not in (None, state.contact_id)
        if gone or other:
            return _clear_card(state)
    return state


def _take_pop(state: DeskState, pop: ScreenPop) -> DeskState:
    if state.pop is not None and state.pop.interaction_id == pop.interaction_id:
        return replace(state, pop=pop)
    # One that our phone had lost may come again from its queue: that phone is well now.
    lost = None if pop.interaction_id == state.lost_contact else state.lost_contact
    return replace(state, pop=pop, notes=pop.notes, disposition=None, lost_contact=lost)


def _take_cleared(state: DeskState, event: Event, cleared: Cleared) -> DeskState:
    mine = event.interaction_id is not None and event.interaction_id == state.contact_id
    if event.type is EventType.INTERACTION_ENDED:
        return _without(state, event.interaction_id)
    if state.me is None:
        return state
    if _was_dialled_in_vain(state, event, cleared):
        by_me = cleared.reason == "agent-hung-up"
        severity = "information" if by_me else "warning"
        told = {"result": cleared.result, "reason": cleared.reason}
        return _noticed(state, "notice.dial_failed", severity, **told)
    if mine and event.interaction_id != state.lost_contact:  # that one was told already
        return _noticed(state, "notice.cleared", reason=cleared.reason)
    return state


def _was_dialled_in_vain(state: DeskState, event: Event, cleared: Cleared) -> bool:
    """Whether a number that this agent dialled was not reached."""
    view = state.interactions.get(event.interaction_id or "")
    queued = event.queue is not None or (view is not None and view.queue is not None)
    owned = event.agent_id in (None, state.me)
    return owned and not queued and cleared.result in _IN_VAIN and cleared.talked_s == 0


def _take_diverted(state: DeskState, event: Event, diverted: Diverted) -> DeskState:
    if state.me is None or event.agent_id not in (None, state.me):
        return state
    key = _DIVERTED_NOTICES.get(diverted.failure, "notice.missed")
    state = _without(state, event.interaction_id)
    preview = state.preview
    if preview is not None and diverted.failure == "withdrawn":
        return _clear_card(state)  # what became of the record is told by itself
    return _noticed(_clear_card(state), key, "warning")


def _take_disposition(state: DeskState, event: Event, chosen: DispositionSet) -> DeskState:
    if state.me is None or event.interaction_id != state.contact_id:
        return state
    return _noticed(
        replace(state, disposition=chosen.code), "notice.disposition", title=chosen.code
    )


def _take_customer(state: DeskState, event: Event, linked: CustomerLinked) -> DeskState:
    customer = linked.customer
    view = state.interactions.get(event.interaction_id or "")
    if view is not None:  # the look-up may end after the contact was queued, offered or answered
        view = replace(view, customer_id=customer.customer_id, customer_name=customer.name)
        state = _take_interaction(state, view)
    if state.pop is None or event.interaction_id != state.pop.interaction_id:
        return state
    pop = replace(state.pop, customer=linked.customer, candidates=(), new_customer_number="")
    state = replace(state, pop=pop)
    if linked.how == "found":
        return state
    return _noticed(state, "notice.customer", name=linked.customer.name)


def _clear_card(state: DeskState) -> DeskState:
    return replace(state, pop=None, notes=(), disposition=None)


def _without(state: DeskState, interaction_id: str | None) -> DeskState:
    if interaction_id not in state.interactions:
        return state
    rest = {key: view for key, view in state.interactions.items() if key != interaction_id}
    attended = {key: who for key, who in state.attended.items() if key != interaction_id}
    return replace(state, interactions=rest, attended=attended)


def _short(text: str) -> str:
    """What fits a passing notice."""
    line = " ".join(text.split())
    return line if len(line) <= _NOTICE else line[: _NOTICE - 1] + "…"


def _noticed(
    state: DeskState, key: str, severity: str = "information", /, **values: object
) -> DeskState:
    notice = Notice(key=key, values=values, severity=severity)
    return replace(state, notices=(*state.notices, notice))
