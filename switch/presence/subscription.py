r"""One subscription: its machine, and what is kept of it (RFC 6665).

        --changed--> scheduled --due--> SENDING --answered--> IDLE (scheduled, if it changed meanwhile)
    IDLE                                  \--put off--> IDLE, not before the time the watcher asked for
        \--------- end, refused ------------\---------> OVER

There is one NOTIFY on its way at a time: whatever happens meanwhile is in the next one.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import Final

from msgspec import Struct, field

from switch.errors import LocalProtocolError
from switch.sip.dialog import Dialog
from switch.sip.events import TransactionId
from switch.sip.flow import Flow


class Package(StrEnum):
    """The event packages that can be subscribed to."""

    DIALOG = "dialog"
    """What a phone's line does: busy lamps (RFC 4235)."""
    MESSAGE_SUMMARY = "message-summary"
    """Waiting messages (RFC 3842)."""
    PRESENCE = "presence"
    """Whether somebody is there, and what they do (RFC 3856)."""
    REG = "reg"
    """Where a phone is registered (RFC 3680); for itself alone, as it tells addresses."""


CONTENT_TYPES: Final = {
    Package.DIALOG: "application/dialog-info+xml",
    Package.MESSAGE_SUMMARY: "application/simple-message-summary",
    Package.PRESENCE: "application/pidf+xml",
    Package.REG: "application/reginfo+xml",
}
ALLOW_EVENTS: Final = ", ".join(Package)


class State(Enum):
    """Whether a notification is on its way."""

    __hash__ = object.__hash__

    IDLE = auto()
    SENDING = auto()
    OVER = auto()


class Input(Enum):
    """What can happen to a subscription."""

    __hash__ = object.__hash__

    CHANGED = auto()
    """There is something new to tell, or the watcher asked."""
    DUE = auto()
    """The time of the next notification has come."""
    ANSWERED = auto()
    """The watcher has it."""
    PUT_OFF = auto()
    """The watcher asks for a pause."""
    REFUSED = auto()
    """The watcher knows no such subscription, or is not there."""
    END = auto()
    """It expired, was given up by the watcher, or has to give way."""


class Action(Enum):
    """What a step asks for."""

    SCHEDULE = auto()
    """Send as soon as the rate allows."""
    NOTE = auto()
    """Send once the answer is there."""
    SEND = auto()
    RESUME = auto()
    """Schedule if something was noted."""
    SAY_OVER = auto()
    """The last notification."""
    FORGET = auto()


_S, _I, _A = State, Input, Action

TRANSITIONS: Final[dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    (_S.IDLE, _I.CHANGED): (_S.IDLE, (_A.SCHEDULE,)),
    (_S.IDLE, _I.DUE): (_S.SENDING, (_A.SEND,)),
    (_S.IDLE, _I.END): (_S.OVER, (_A.SAY_OVER, _A.FORGET)),
    (_S.SENDING, _I.CHANGED): (_S.SENDING, (_A.NOTE,)),
    (_S.SENDING, _I.ANSWERED): (_S.IDLE, (_A.RESUME,)),
    (_S.SENDING, _I.PUT_OFF): (_S.IDLE, (_A.SCHEDULE,)),
    (_S.SENDING, _I.REFUSED): (_S.OVER, (_A.FORGET,)),
    (_S.SENDING, _I.END): (_S.OVER, (_A.SAY_OVER, _A.FORGET)),
}

_NOT_ASKED: Final = "the answer to the NOTIFY on its way was taken already"

IGNORED: Final[dict[tuple[State, Input], str]] = {
    (_S.IDLE, _I.ANSWERED): _NOT_ASKED,
    (_S.IDLE, _I.PUT_OFF): _NOT_ASKED,
    (_S.IDLE, _I.REFUSED): _NOT_ASKED,
    (_S.SENDING, _I.DUE): "one NOTIFY at a time",
    **{(_S.OVER, late): "it is over" for late in Input},
}


def step(state: State, given: Input) -> tuple[State, tuple[Action, ...]] | None:
    """Look up one step; None where the table says that nothing is to be done.

    Raises:
        LocalProtocolError: the pair cannot happen unless this program is wrong.
    """
    found = TRANSITIONS.get((state, given))
    if found is None and (state, given) not in IGNORED:
        raise LocalProtocolError(f"subscription is {state.name}: {given.name} cannot happen here")
    return found


class Subscription(Struct, eq=False, kw_only=True):
    """One subscription, owned by `switch.presence.notifier.Notifier`."""

    id: str
    """Our tag."""
    watcher: str
    """The phone that subscribed."""
    phone: str
    """The phone that is watched."""
    package: Package
    event: str
    """The Event header of the SUBSCRIBE, with its id."""
    entity: str
    """The watched phone's URI, as documents name it."""
    dialog: Dialog
    expires_at: float
    """Monotonic seconds."""
    version: int = 0
    """Of the next document."""
    state: State = State.IDLE
    is_noted: bool = False
    """Something changed while a NOTIFY was on its way."""
    not_before: float = 0.0
    """The next NOTIFY may not be sent earlier."""
    failures: int = 0
    """Pauses that the watcher asked for, one after the other."""
    transaction: TransactionId | None = None
    """Of the NOTIFY on its way."""
    told: dict[str, str] = field(default_factory=dict)
    """What was in the last document, by id, to be told as ended when it is gone: the directions of dialogs,
    the addresses of contacts."""
    sent_by: Flow | None = None
    """The connection of the last NOTIFY; None: it went by UDP."""
