"""The live interactions as the public sees them: a projection of what contacts report."""

from __future__ import annotations

from msgspec import Struct

from cti.schema import InteractionView, NoteAdded, ParkedView, PartyView

_WAITS = frozenset({"waiting", "offered"})


class LiveInteraction(Struct, kw_only=True, array_like=True):
    """One interaction from its first sign of life to the end of the agent's wrap-up.

    Goes into the journal as it is (`cti.journal_records`): what is added stands at the end, with a
    default.
    """

    id: str
    call_id: str
    channel: str
    stage: str
    since: float
    started: float
    caller_number: str
    caller_name: str
    called: str
    outbound: bool = False
    queue: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None
    customer_name: str = ""
    recorded: bool = False
    muted: bool = False
    disposition: str | None = None
    answered: float | None = None
    call_back_of: str | None = None
    finished: bool = False
    """The call is over; only the agent's wrap-up keeps it here."""
    parties: tuple[PartyView, ...] = ()
    earlier_agents: tuple[str, ...] = ()
    """Who had it and gave it to somebody else; they may still write notes."""
    notes: tuple[NoteAdded, ...] = ()
    verstat: str = ""
    attestation: str = ""
    mos: float | None = None
    """How good it sounded when that changed last; None: good all the time."""
    parked: ParkedView | None = None
    """The place it stands in."""
    campaign: str = ""
    """We called, for this campaign."""
    agent_first: bool = False
    """Its agent came before its customer, who has not answered yet and may not have been called."""
    waiting_since: float | None = None
    recording_failed: bool = False
    """It was to be recorded, and is not, or no longer."""

    def view(self) -> InteractionView:
        """What the public sees."""
        return InteractionView(
            interaction_id=self.id,
            channel=self.channel,
            stage=self.stage,
            since=self.since,
            started=self.started,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            verstat=self.verstat,
            attestation=self.attestation,
            called=self.called,
            queue=self.queue,
            agent_id=self.agent_id,
            customer_id=self.customer_id,
            customer_name=self.customer_name,
            recorded=self.recorded,
            muted=self.muted,
            disposition=self.disposition,
            waiting_since=self.waiting_since,
            answered=self.answered,
            call_back_of=self.call_back_of,
            parties=self.parties,
            mos=self.mos,
            campaign=self.campaign,
            agent_first=self.agent_first,
            recording_failed=self.recording_failed,
        )

    def enter(self, stage: str, at: float) -> None:
        """Move to another stage; an offer that failed does not begin the wait anew."""
        if stage == "waiting" and self.stage not in _WAITS:
            self.waiting_since = at
        self.stage = stage
        self.since = at
