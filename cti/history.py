"""From public events to rows of history: what is kept of each interaction.

A projection of the event stream and nothing else, so that what people saw is what is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crm_store.rows import (
    DispositionRow,
    HistoryRow,
    InteractionRow,
    NoteRow,
    RecordingRow,
    TimelineRow,
)
from cti.schema import (
    Cleared,
    CustomerLinked,
    DispositionSet,
    Event,
    EventType,
    InteractionView,
    NoteAdded,
    Offered,
    RecordingView,
    ScreenPop,
)

_NOT_KEPT: Final = frozenset(
    {
        EventType.AGENT_STATE_CHANGED,
        EventType.AGENT_FIGURES,
        EventType.QUEUE_CHANGED,
        EventType.GATEWAY_CHANGED,
        EventType.SERVER_CHANGED,
        EventType.CALL_REFUSED,
        EventType.SOURCE_BANNED,
        EventType.SOURCE_UNBANNED,
        EventType.EMERGENCY_CALLED,
        EventType.SCREEN_POP,
        EventType.TEXT_RECEIVED,
        EventType.CAMPAIGN_CHANGED,
        EventType.CAMPAIGN_REMOVED,
        EventType.CAMPAIGNS_LOADED,
        EventType.PREVIEW_OFFERED,
        EventType.ATTEMPT_ENDED,  # kept with its list
    }
)
"""Not part of one interaction's timeline; `SCREEN_POP` repeats what the store knows anyway."""
KEPT: Final = tuple(kind for kind in EventType if kind not in _NOT_KEPT)
"""What a projection has to hear of."""


class HistoryProjection:
    """Listens to the bus and appends rows. Never waits."""

    def __init__(
        self,
        *,
        append: Callable[[HistoryRow], None],
        agent_name: Callable[[str], str],
        recording_path: Callable[[str], str],
    ) -> None:
        """`recording_path` gives the file of a recording that is known by its id."""
        self._append = append
        self._agent_name = agent_name
        self._recording_path = recording_path
        self._live: dict[str, InteractionView] = {}
        """Each live interaction as it began."""
        self._recordings: dict[str, tuple[Event, str]] = {}
        """The start of each running recording, and the caller's number."""

    def restore(self, view: InteractionView, recording: str | None, began: float) -> None:
        """Take up an interaction of an earlier process, whose first rows are written."""
        self._live[view.interaction_id] = view
        if recording is not None:
            self._recordings[recording] = (
                Event(
                    seq=0,
                    id="",
                    at=began,
                    type=EventType.RECORDING_STARTED,
                    data=RecordingView(recording_id=recording),
                    interaction_id=view.interaction_id,
                    queue=view.queue,
                    agent_id=view.agent_id,
                    customer_id=view.customer_id,
                ),
                view.caller_number,
            )

    def on_event(self, event: Event) -> None:
        """Take one event of the bus."""
        interaction_id = event.interaction_id
        if interaction_id is None or event.type in _NOT_KEPT:
            return
        self._append(
            TimelineRow(
                interaction_id=interaction_id,
                seq=event.seq,
                at=event.at,
                type=event.type,
                data=event.data,
            )
        )
        match event.data:
            case InteractionView() as view:
                self._interaction(event, view)
            case Offered() as offered:
                self._offered(event, interaction_id, offered)
            case Cleared() as cleared:
                if event.type is EventType.INTERACTION_ENDED:
                    self._ended(event, interaction_id, cleared)
            case CustomerLinked() as linked:
                self._row(event, interaction_id, customer_id=linked.customer.customer_id)
            case NoteAdded() as note:
                self._append(
                    NoteRow(
                        note_id=event.id,
                        interaction_id=interaction_id,
                        at=event.at,
                        author=note.author,
                        text=note.text,
                    )
                )
            case DispositionSet() as disposition:
                self._append(
                    DispositionRow(
                        disposition_id=event.id,
                        interaction_id=interaction_id,
                        at=event.at,
                        author=disposition.author,
                        code=disposition.code,
                    )
                )
            case RecordingView() as recording:
                self._recording(event, interaction_id, recording)
            case ScreenPop() | _:
                pass

    def _row(self, event: Event, interaction_id: str, **known: str | None) -> None:
        self._append(
            InteractionRow(
                interaction_id=interaction_id,
                started=self._started(interaction_id, event),
                revision=event.seq,
                **known,  # type: ignore[arg-type]  # only text columns are passed this way
            )
        )

    def _interaction(self, event: Event, view: InteractionView) -> None:
        if event.type is EventType.INTERACTION_STARTED:
            self._live[view.interaction_id] = view
            self._append(
                InteractionRow(
                    interaction_id=view.interaction_id,
                    started=view.started,
                    revision=event.seq,
                    channel=view.channel,
                    direction=_direction(event, view),
                    caller_number=view.caller_number,
                    caller_name=view.caller_name,
                    called=view.called,
                    agent_id=view.agent_id,
                )
            )
        elif event.type is EventType.QUEUED:
            self._row(event, view.interaction_id, queue=view.queue)
        elif event.type is EventType.ESTABLISHED and view.agent_id is not None:
            self._row(
                event,
                view.interaction_id,
                queue=view.queue,
                agent_id=view.agent_id,
                agent_name=self._agent_name(view.agent_id),
            )

    def _offered(self, event: Event, interaction_id: str, offered: Offered) -> None:
        self._append(
            InteractionRow(
                interaction_id=interaction_id,
                started=self._started(interaction_id, event),
                revision=event.seq,
                why=offered.why,
                decision={
                    "rule": offered.rule,
                    "candidates": offered.candidates,
                    "others": offered.others,
                },
            )
        )

    def _started(self, interaction_id: str, event: Event) -> float:
        live = self._live.get(interaction_id)
        return event.at if live is None else live.started

    def _ended(self, event: Event, interaction_id: str, cleared: Cleared) -> None:
        started = self._started(interaction_id, event)
        self._live.pop(interaction_id, None)
        self._append(
            InteractionRow(
                interaction_id=interaction_id,
                started=started,
                revision=event.seq,
                ended=event.at,
                result=cleared.result,
                reason=cleared.reason,
                waited_s=cleared.waited_s,
                talked_s=cleared.talked_s,
                held_s=cleared.held_s,
                facts=dict(cleared.facts) or None,
            )
        )

    def _recording(self, event: Event, interaction_id: str, view: RecordingView) -> None:
        if event.type is EventType.RECORDING_STARTED:
            live = self._live.get(interaction_id)
            self._recordings[view.recording_id] = (event, live.caller_number if live else "")
            return
        begun, caller_number = self._recordings.pop(view.recording_id, (event, ""))
        self._append(
            RecordingRow(
                recording_id=view.recording_id,
                interaction_id=interaction_id,
                started=begun.at,
                path=self._recording_path(view.recording_id),
                agent_id=begun.agent_id,
                customer_id=begun.customer_id,
                caller_number=caller_number,
                queue=begun.queue,
                duration_s=view.duration_s,
                octets=view.octets,
                sha256=view.sha256,
                error=view.error,
            )
        )


def _direction(event: Event, view: InteractionView) -> str:
    """Who called: an agent who dialled, a call-back and a campaign are ours."""
    return "outbound" if event.agent_id or view.call_back_of or view.campaign else "inbound"
