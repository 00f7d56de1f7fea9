"""What happens on the floor, in words, newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.outbound import SKIP_REASONS, as_card, person_of
from cti.desk.state import DeskState
from cti.desk.text import Words, clock, fit, spaced_number, time_of_day
from cti.desk.widgets.panel import StatePanel
from cti.schema import (
    AgentView,
    AttemptView,
    BanView,
    CallBackView,
    Cleared,
    Diverted,
    EmergencyView,
    Event,
    EventType,
    GatewayView,
    InteractionView,
    Offered,
    ParkedView,
    PreviewView,
    RecordingView,
    Refused,
    ServerView,
)

Line = tuple[str, str]
"""Text and colour."""


def describe(event: Event, state: DeskState, words: Words) -> Line | None:
    """The event in words; None for those that a supervisor need not read."""
    match event.data:
        case Cleared():
            return _cleared(event, event.data, state, words)
        case Offered():
            return _offered(event, event.data.interaction, state, words)
        case PreviewView(step="dialling"):
            caller, campaign = person_of(as_card(event.data)), event.data.card.campaign_title
            return words("tick.called", caller=caller, campaign=campaign), looks.TEXT
        case Diverted(failure="withdrawn") if _is_agent_first(event, state):
            return None  # it is told how the record ended
        case Diverted():
            failure = words.get(f"failure.{event.data.failure}", event.data.failure)
            agent = _agent(event.agent_id, state)
            return words("tick.diverted", agent=agent, failure=failure), looks.RED
        case InteractionView():
            return _interaction(event, event.data, state, words)
        case Refused():
            data = event.data
            return (
                words("tick.refused", called=data.called, status=data.status, reason=data.reason),
                looks.DIM,
            )
        case AttemptView() if event.data.outcome in _TOLD_OUTCOMES:
            return _attempt(event.data, state, words)
        case ParkedView():
            return _parked(event.data, words)
        case BanView() if event.type is EventType.SOURCE_BANNED:
            source, why = event.data.source, event.data.words
            why = words.get(f"ban.{event.data.reason}", why)
            minutes = max(1, round((event.data.until - event.data.since) / 60))
            return words("tick.banned", source=source, minutes=minutes, words=why), looks.RED
        case EmergencyView():
            who, place = event.data.caller_number, spaced_number(event.data.location) or "?"
            text = words("tick.emergency", phone=who, number=event.data.number, place=place)
            return text, looks.RED
        case BanView():
            return words("tick.unbanned", source=event.data.source), looks.DIM
        case GatewayView() if event.data.available and not event.data.is_lost:
            return words("tick.gateway_back"), looks.GREEN
        case GatewayView():
            return words("tick.gateway_lost", count=event.data.lost_legs), looks.RED
        case CallBackView():
            number = spaced_number(event.data.number) or words("contact.withheld")
            moved = words.get(f"call_back.{event.data.state}", event.data.state)
            return words("tick.call_back", number=number, state=moved), looks.AMBER
        case ServerView():
            return words("tick.stopping", calls=event.data.calls_left), looks.AMBER
        case RecordingView() if event.data.error:
            return words("tick.recording_failed", reason=event.data.error), looks.RED
        case AgentView() if event.data.state in ("available", "not-ready", "logged-out"):
            name = event.data.name or event.data.agent_id
            text = words.state(event.data.state)
            if event.data.reason and event.data.state == "not-ready":
                text += f" · {words.reason(event.data.reason)}"
            return words("tick.agent", agent=name, state=text), looks.DIM
        case _:
            return None


_TOLD_OUTCOMES: Final = ("abandoned", "opted-out")
"""Of dials for campaigns; all others are counted only."""


def _attempt(attempt: AttemptView, state: DeskState, words: Words) -> Line:
    outcome = words.get(f"outcome.{attempt.outcome}", attempt.outcome)
    caller, campaign = spaced_number(attempt.number), _campaign(attempt.campaign, state)
    text = words("tick.attempt", campaign=campaign, caller=caller, outcome=outcome)
    return text, looks.RED


def _campaign(name: str, state: DeskState) -> str:
    found = state.campaigns.get(name)
    return found.title or name if found is not None else name


_PARK_WORDS: Final = {
    "parked": "tick.parked",
    "recalling": "tick.recalling",
    "fetched": "tick.fetched",
    "returned": "tick.fetched",
    "passed-on": "tick.passed_on",
    "gone": "tick.parked_gone",
}


def _parked(place: ParkedView, words: Words) -> Line | None:
    key = _PARK_WORDS.get(place.state)
    if key is None:
        return None
    caller = place.customer_name or spaced_number(place.caller_number)
    caller = caller or words("contact.withheld")
    return words(key, caller=caller, slot=place.slot, number=place.number), looks.VIOLET


def _is_agent_first(event: Event, state: DeskState) -> bool:
    """Whether an agent has it whose customer was not called, or has not answered."""
    view = state.interactions.get(event.interaction_id or "")
    return view is not None and view.agent_first


def _offered(event: Event, view: InteractionView, state: DeskState, words: Words) -> Line:
    told = {"caller": _caller(view, words), "agent": _agent(event.agent_id or view.agent_id, state)}
    if view.agent_first:
        campaign = _campaign(view.campaign, state)
        return words("tick.shown", campaign=campaign, **told), looks.AMBER
    return words("tick.offered", **told), looks.AMBER


def _interaction(
    event: Event, view: InteractionView, state: DeskState, words: Words
) -> Line | None:
    caller = _caller(view, words)
    match event.type:
        case EventType.INTERACTION_STARTED | EventType.QUEUED if view.agent_first:
            return None  # nobody calls and nobody waits: an agent is looked for
        case EventType.INTERACTION_STARTED if view.campaign:
            campaign = _campaign(view.campaign, state)
            return words("tick.called", caller=caller, campaign=campaign), looks.TEXT
        case EventType.INTERACTION_STARTED:
            called = spaced_number(view.called)
            if view.stage == "direct" and view.agent_id is not None:  # the agent dialled
                agent = _agent(view.agent_id, state)
                if agent == view.agent_id:
                    agent = f"{words('board.agent')} {agent}"
                return words("tick.dialled", agent=agent, called=called), looks.TEXT
            return words("tick.started", caller=caller, called=called), looks.TEXT
        case EventType.QUEUED:
            queue = _queue(view.queue, state)
            return words("tick.queued", caller=caller, queue=queue), looks.TEXT
        case EventType.ESTABLISHED:
            agent = _agent(view.agent_id, state)
            return words("tick.established", agent=agent, caller=caller), looks.BLUE
        case _:
            return None


def _cleared(event: Event, cleared: Cleared, state: DeskState, words: Words) -> Line | None:
    view = state.interactions.get(event.interaction_id or "")
    caller = _caller(view, words) if view is not None else words("board.caller")
    if event.type is EventType.INTERACTION_ENDED:
        if cleared.result != "abandoned":
            return None
        waited = clock(cleared.waited_s)
        return words("tick.abandoned", caller=caller, time=waited), looks.RED
    reason = _reason(cleared.reason, words)
    if view is not None and view.agent_first:
        key = "tick.not_reached" if cleared.was_dialled else "tick.not_dialled"
        return words(key, caller=caller, reason=reason), looks.DIM
    where = _where(view, state) if view is not None else ""
    told = {"time": clock(cleared.talked_s), "reason": reason}
    if where:
        return words("tick.cleared_in", caller=caller, where=where, **told), looks.DIM
    return words("tick.cleared", caller=caller, **told), looks.DIM


def _reason(slug: str, words: Words) -> str:
    """Why it ended; one that this screen has no words for without its dashes."""
    if slug in SKIP_REASONS:
        why = words(f"skip.{slug}")
        return words("tick.skipped", reason=why[:1].lower() + why[1:])
    keys = (f"{kind}.{slug}" for kind in ("reason_board", "reason_end", "back", "outcome"))
    return next(filter(None, (words.get(key, "") for key in keys)), slug.replace("-", " "))


def _where(view: InteractionView, state: DeskState) -> str:
    """The campaign or the queue of a contact; empty: it has none."""
    return _campaign(view.campaign, state) if view.campaign else _queue(view.queue, state)


def _queue(name: str | None, state: DeskState) -> str:
    found = state.queues.get(name or "")
    return found.title if found is not None else name or ""


def _agent(agent_id: str | None, state: DeskState) -> str:
    agent = state.agents.get(agent_id or "")
    return agent.name if agent is not None and agent.name else agent_id or "?"


def _caller(view: InteractionView, words: Words) -> str:
    """The customer; of a campaign's record as the list calls it; else the number."""
    listed = view.caller_name if view.campaign else ""
    named = view.customer_name or listed or spaced_number(view.caller_number)
    return named or words("contact.withheld")


class Ticker(StatePanel):
    """As many lines as there is room for."""

    def __init__(self, words: Words, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(words, now, id=id)
        self._lines: list[tuple[float, str, str]] = []
        self._newest = 0
        self._said_of: dict[tuple[EventType, str], tuple[str, str]] = {}
        """What was said last of each agent by each type of event, and of which record."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        self.border_title = self.words("board.events")

    def show(self, state: DeskState) -> None:
        """Put new events into words while what they speak of is still known."""
        fresh = [event for event in state.ticker[:20] if event.seq > self._newest]
        for event in reversed(fresh):
            line = describe(event, self.state if event.interaction_id else state, self.words)
            self._newest = event.seq
            if line is not None and not self._is_said(event, line[0]):
                self._lines.insert(0, (event.at, *line))
        del self._lines[200:]
        super().show(state)

    def _is_said(self, event: Event, text: str) -> bool:
        """Whether these words are no news: views also come when only something else in them changed."""
        match event.data:
            case AgentView(agent_id=agent):
                said = (text, "")
            case PreviewView(agent_id=agent, attempt_id=attempt):
                said = (text, attempt)
            case _:
                return False
        was, self._said_of[event.type, agent] = self._said_of.get((event.type, agent)), said
        return was == said

    def drawing(self, width: int, height: int) -> RenderableType:
        """Time and words."""
        rows = []
        for at, text, colour in self._lines[: max(1, height)]:
            row = Text(f"{time_of_day(at)}  ", looks.FAINT)
            row.append(fit(text, max(1, width - 7)), colour)
            rows.append(row)
        return Text("\n").join(rows)
