"""What happens on the floor, in words, newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from cti.desk import looks
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
            agent = _agent(event.agent_id or event.data.interaction.agent_id, state)
            caller = _caller(event.data.interaction, words)
            return words("tick.offered", caller=caller, agent=agent), looks.AMBER
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


def _interaction(
    event: Event, view: InteractionView, state: DeskState, words: Words
) -> Line | None:
    caller = _caller(view, words)
    match event.type:
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
            queue = state.queues.get(view.queue or "")
            title = queue.title if queue is not None else view.queue or ""
            return words("tick.queued", caller=caller, queue=title), looks.TEXT
        case EventType.ESTABLISHED:
            agent = _agent(view.agent_id, state)
            return words("tick.established", agent=agent, caller=caller), looks.BLUE
        case _:
            return None


def _cleared(event: Event, cleared: Cleared, state: DeskState, words: Words) -> Line | None:
    if event.type is EventType.INTERACTION_ENDED:
        if cleared.result != "abandoned":
            return None
        view = state.interactions.get(event.interaction_id or "")
        caller = _caller(view, words) if view is not None else words("board.caller")
        waited = clock(cleared.waited_s)
        return words("tick.abandoned", caller=caller, time=waited), looks.RED
    reason = words.get(f"reason_end.{cleared.reason}", cleared.reason)
    reason = words.get(f"reason_board.{cleared.reason}", reason)
    return words("tick.cleared", time=clock(cleared.talked_s), reason=reason), looks.DIM


def _agent(agent_id: str | None, state: DeskState) -> str:
    agent = state.agents.get(agent_id or "")
    return agent.name if agent is not None and agent.name else agent_id or "?"


def _caller(view: InteractionView, words: Words) -> str:
    return view.customer_name or spaced_number(view.caller_number) or words("contact.withheld")


class Ticker(StatePanel):
    """As many lines as there is room for."""

    def __init__(self, words: Words, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(words, now, id=id)
        self._lines: list[tuple[float, str, str]] = []
        self._newest = 0
        self._said_of: dict[str, str] = {}
        """What was said last of each agent."""

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
        """Whether these words are no news: an agent's view also comes when only its figures changed."""
        if not isinstance(event.data, AgentView):
            return False
        agent = event.data.agent_id
        was, self._said_of[agent] = self._said_of.get(agent), text
        return was == text

    def drawing(self, width: int, height: int) -> RenderableType:
        """Time and words."""
        rows = []
        for at, text, colour in self._lines[: max(1, height)]:
            row = Text(f"{time_of_day(at)}  ", looks.FAINT)
            row.append(fit(text, max(1, width - 7)), colour)
            rows.append(row)
        return Text("\n").join(rows)
