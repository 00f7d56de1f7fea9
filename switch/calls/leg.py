r"""The leg machine: one dialog that the B2BUA owns, from the first INVITE to its end.

Incoming:  INVITED --ring--> RUNG --answer--> ANSWERED --hang-up, gone--> ENDED
              \--------------/ \--offer--> OFFERED --completed--> ANSWERED
Outbound:  CALLING --alerted--> ALERTING --accepted--> ANSWERED --hang-up, gone--> ENDED

Every state but ENDED ends by HANG_UP (we want it) and by GONE (the peer wants it, or is lost).
Hold, mute and who hears whom are other facts with a machine of their own: `switch.calls.bridge`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from msgspec import Struct, field

from switch.calls.attempt import Attempt
from switch.calls.fork import Fork
from switch.calls.hunted import Hunted
from switch.calls.keyed import Keyed
from switch.clock import TimerHandle
from switch.errors import LocalProtocolError
from switch.ids import CallId, LegId
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import SessionId


class State(Enum):
    """Where the INVITE of a leg stands."""

    __hash__ = object.__hash__  # Enum's own is written in Python and costs as much as the look-up

    INVITED = auto()
    """Incoming; nothing but 100 is sent."""
    RUNG = auto()
    """Incoming; 180 is sent, or 183 with early media."""
    OFFERED = auto()
    """Incoming without an offer; 200 with ours is sent, the ACK will carry the answer."""
    CALLING = auto()
    """Outbound; nothing but 100 has come."""
    ALERTING = auto()
    """Outbound; 180 or 183 has come."""
    ANSWERED = auto()
    """2xx in either direction; sound is agreed."""
    ENDED = auto()


class Input(Enum):
    """What can happen to a leg."""

    __hash__ = object.__hash__

    RING = auto()
    """Command: send 180."""
    PROGRESS = auto()
    """Command: send 183 with our SDP, so that the caller hears something before the answer."""
    ANSWER = auto()
    """Command: answer an INVITE that carried an offer."""
    OFFER = auto()
    """Command: answer an INVITE that carried none."""
    HANG_UP = auto()
    """Command: end the leg by whatever its state asks for."""
    ALERTED = auto()
    """The peer of an outbound leg alerts."""
    ACCEPTED = auto()
    """2xx to our INVITE, with an answer that we can use."""
    COMPLETED = auto()
    """ACK to our 2xx, with the answer to our offer where one was open."""
    FAILED = auto()
    """Final non-2xx to our INVITE, or none at all."""
    TIMED_OUT = auto()
    """It was not answered in time."""
    GONE = auto()
    """BYE, CANCEL, or the dialog broke."""


class Action(Enum):
    """What a step asks for; carried out by `switch.calls.legs` in this order."""

    SEND_RINGING = auto()
    SEND_PROGRESS = auto()
    SEND_ANSWER = auto()
    SEND_FINAL = auto()
    """A final non-2xx response to the peer's INVITE."""
    SEND_END = auto()
    """CANCEL or BYE, which of them the session knows."""
    CONNECT = auto()
    """Tell the gateway what was agreed, report `LegAnswered`."""
    REPORT_RINGING = auto()
    FINISH = auto()
    """Give everything back, report `LegEnded`."""


_S, _I, _A = State, Input, Action

TRANSITIONS: Final[dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    (_S.INVITED, _I.RING): (_S.RUNG, (_A.SEND_RINGING,)),
    (_S.INVITED, _I.PROGRESS): (_S.RUNG, (_A.SEND_PROGRESS,)),
    (_S.INVITED, _I.ANSWER): (_S.ANSWERED, (_A.SEND_ANSWER, _A.CONNECT)),
    (_S.INVITED, _I.OFFER): (_S.OFFERED, (_A.SEND_ANSWER,)),
    (_S.INVITED, _I.HANG_UP): (_S.ENDED, (_A.SEND_FINAL, _A.FINISH)),
    (_S.INVITED, _I.TIMED_OUT): (_S.ENDED, (_A.SEND_FINAL, _A.FINISH)),
    (_S.INVITED, _I.GONE): (_S.ENDED, (_A.FINISH,)),
    (_S.RUNG, _I.PROGRESS): (_S.RUNG, (_A.SEND_PROGRESS,)),
    (_S.RUNG, _I.ANSWER): (_S.ANSWERED, (_A.SEND_ANSWER, _A.CONNECT)),
    (_S.RUNG, _I.OFFER): (_S.OFFERED, (_A.SEND_ANSWER,)),
    (_S.RUNG, _I.HANG_UP): (_S.ENDED, (_A.SEND_FINAL, _A.FINISH)),
    (_S.RUNG, _I.TIMED_OUT): (_S.ENDED, (_A.SEND_FINAL, _A.FINISH)),
    (_S.RUNG, _I.GONE): (_S.ENDED, (_A.FINISH,)),
    (_S.OFFERED, _I.COMPLETED): (_S.ANSWERED, (_A.CONNECT,)),
    (_S.OFFERED, _I.HANG_UP): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.OFFERED, _I.GONE): (_S.ENDED, (_A.FINISH,)),
    (_S.CALLING, _I.ALERTED): (_S.ALERTING, (_A.REPORT_RINGING,)),
    (_S.CALLING, _I.ACCEPTED): (_S.ANSWERED, (_A.CONNECT,)),
    (_S.CALLING, _I.FAILED): (_S.ENDED, (_A.FINISH,)),
    (_S.CALLING, _I.TIMED_OUT): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.CALLING, _I.HANG_UP): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.CALLING, _I.GONE): (_S.ENDED, (_A.FINISH,)),
    (_S.ALERTING, _I.ACCEPTED): (_S.ANSWERED, (_A.CONNECT,)),
    (_S.ALERTING, _I.FAILED): (_S.ENDED, (_A.FINISH,)),
    (_S.ALERTING, _I.TIMED_OUT): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.ALERTING, _I.HANG_UP): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.ALERTING, _I.GONE): (_S.ENDED, (_A.FINISH,)),
    (_S.ANSWERED, _I.HANG_UP): (_S.ENDED, (_A.SEND_END, _A.FINISH)),
    (_S.ANSWERED, _I.GONE): (_S.ENDED, (_A.FINISH,)),
}

_COMMAND_LATE: Final = "the commander knew less than we do: the leg is answered already"
_COMMAND_WRONG_WAY: Final = "only the callee's side of an INVITE is rung and answered"

IGNORED: Final[dict[tuple[State, Input], str]] = {
    (_S.RUNG, _I.RING): "it rings already",
    (_S.OFFERED, _I.RING): _COMMAND_LATE,
    (_S.OFFERED, _I.PROGRESS): _COMMAND_LATE,
    (_S.OFFERED, _I.ANSWER): _COMMAND_LATE,
    (_S.OFFERED, _I.OFFER): _COMMAND_LATE,
    (_S.OFFERED, _I.TIMED_OUT): "the timer crossed the answer; a missing ACK has its own (Timer H)",
    (_S.CALLING, _I.RING): _COMMAND_WRONG_WAY,
    (_S.CALLING, _I.PROGRESS): _COMMAND_WRONG_WAY,
    (_S.CALLING, _I.ANSWER): _COMMAND_WRONG_WAY,
    (_S.CALLING, _I.OFFER): _COMMAND_WRONG_WAY,
    (_S.ALERTING, _I.RING): _COMMAND_WRONG_WAY,
    (_S.ALERTING, _I.PROGRESS): _COMMAND_WRONG_WAY,
    (_S.ALERTING, _I.ANSWER): _COMMAND_WRONG_WAY,
    (_S.ALERTING, _I.OFFER): _COMMAND_WRONG_WAY,
    (_S.ALERTING, _I.ALERTED): "peers repeat 180 as long as it rings",
    (_S.ANSWERED, _I.RING): _COMMAND_LATE,
    (_S.ANSWERED, _I.PROGRESS): _COMMAND_LATE,
    (_S.ANSWERED, _I.ANSWER): _COMMAND_LATE,
    (_S.ANSWERED, _I.OFFER): _COMMAND_LATE,
    (_S.ANSWERED, _I.ALERTED): "a provisional response overtaken by the final one",
    (_S.ANSWERED, _I.COMPLETED): "sound was agreed by the 2xx; the ACK adds nothing",
    (_S.ANSWERED, _I.TIMED_OUT): "the timer crossed the answer",
    **{(_S.ENDED, late): "the leg is over" for late in Input},
}


class Leg(Struct, eq=False, kw_only=True):
    """One live leg. Owned by `switch.calls.legs.Legs`, which alone changes it."""

    id: LegId
    call: CallId
    session: SessionId
    outbound: bool
    number: str
    """The other side's number as far as this leg knows it."""
    dialled: str = ""
    """What an incoming caller dialled; for the log."""
    phone: str | None
    """The phone behind the leg, if it is one of ours."""
    trunk: str | None
    """The trunk that it came by or leaves through."""
    state: State
    began: float
    """Monotonic seconds, as `answered_at`."""
    port: int = 0
    """RTP port at our side; 0: it never got one."""
    negotiation: AudioNegotiation | None = None
    body: bytes = b""
    """SDP of the 200 that will answer it (incoming legs)."""
    has_offer: bool = True
    """False: the INVITE, of the peer or ours, has no SDP: the 200 makes the offer."""
    awaits_answer: bool = False
    """True while the peer's ACK owes us the answer to an offer that stood in a 2xx."""
    refuse_words: str = ""
    """What the status line of a refusal says; empty: what its status says."""
    refuse_with: int = 0
    """Final status that a command asked for; 0: chosen by the cause."""
    went_silent: bool = False
    """RTP stopped while it held; to be noticed anew when the hold is over."""
    answered_at: float = 0.0
    gives_up_at: float = 0.0
    """When it ends unless it is answered; monotonic seconds."""
    rings_for_s: float = 0.0
    """So long from its first 18x on `gives_up_at` is then; 0: it stays as it is."""
    timer: TimerHandle | None = None
    """Runs until the leg is answered."""
    group: str | None = None
    """The group of trunks that it left through."""
    dtmf: str = "rfc4733"
    """How digits travel on its trunk: `rfc4733`, `info`, `inband`."""
    keyed: Keyed = field(default_factory=Keyed)
    """What its peer keyed lately."""
    hunted: Hunted | None = None
    """While it looks for a trunk that takes the call."""
    attempt: Attempt | None = None
    """What was asked for (outbound legs of this process)."""
    fork: Fork | None = None
    """While it rings in several places; `session` and `negotiation` are of one of them then."""

    @property
    def sessions(self) -> tuple[SessionId, ...]:
        """All sessions that are the leg's now: one, or several while it is a fork."""
        if self.fork is None:
            return (self.session,)
        return tuple(branch.session for branch in self.fork.branches)

    @property
    def ringing_session(self) -> SessionId:
        """The session to name it by: of several places the first that rings."""
        branches = () if self.fork is None else self.fork.branches
        return next((branch.session for branch in branches if branch.rang), self.session)

    @property
    def is_answered(self) -> bool:
        """True while it can be bridged and played to."""
        return self.state is State.ANSWERED


def step(state: State, event: Input) -> tuple[State, tuple[Action, ...]] | None:
    """Look up one step; None where the table says that nothing is to be done.

    Raises:
        LocalProtocolError: the pair cannot happen unless this program is wrong.
    """
    found = TRANSITIONS.get((state, event))
    if found is not None:
        return found
    if (state, event) in IGNORED:
        return None
    raise LocalProtocolError(f"leg is {state.name}: {event.name} cannot happen here")
