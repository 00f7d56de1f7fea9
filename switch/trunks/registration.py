r"""Our registration at one registrar of a carrier (RFC 3261 section 10.2), as a machine.

WAITING --due--> ASKING --accepted, refused, failed--> WAITING
                 ASKING --brief--> ASKING
WAITING, ASKING --leave--> LEFT

Whether a binding of ours holds is a fact of its own: it outlives a refresh that failed. Answers to a
REGISTER that removes the binding are not waited for.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from msgspec import Struct

from switch.errors import LocalProtocolError
from switch.sip.headers import Headers
from switch.sip.message import Response
from switch.sip.uri import NameAddr
from switch.trunks.failover import retry_after_of

LONGEST_S: Final = 7 * 86400
"""No registrar's wish for longer registrations is followed beyond this, nor an expiry believed."""
_BASE_S: Final = 2.0
_MOST_S: Final = 300.0
_BASE_REFUSED_S: Final = 60.0
_MOST_REFUSED_S: Final = 1800.0
"""With a wrong password nothing is won by haste, and addresses are banned by it."""
_LEAST_EXPIRES_S: Final = 5


class State(Enum):
    """What a registration does now."""

    __hash__ = object.__hash__

    WAITING = auto()
    """For its next turn: the first, a refresh, or another try."""
    ASKING = auto()
    """A REGISTER is under way."""
    LEFT = auto()
    """No more registering: the server stops."""


class Input(Enum):
    """What can happen to a registration."""

    __hash__ = object.__hash__

    DUE = auto()
    ACCEPTED = auto()
    """2xx with our binding in it."""
    BRIEF = auto()
    """423 with a Min-Expires that we can follow."""
    REFUSED = auto()
    """The carrier does not know us, or not the password: 401, 403, 404, 407."""
    FAILED = auto()
    """Any other answer, or none."""
    LEAVE = auto()


class Action(Enum):
    """What a step asks for, carried out by `Registration` in this order."""

    SEND = auto()
    SEND_REMOVAL = auto()
    NOTE_BINDING = auto()
    NOTE_MINIMUM = auto()
    PLAN_REFRESH = auto()
    PLAN_RETRY = auto()
    PLAN_LATER_RETRY = auto()


_S, _I, _A = State, Input, Action

TRANSITIONS: Final[dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    (_S.WAITING, _I.DUE): (_S.ASKING, (_A.SEND,)),
    (_S.WAITING, _I.LEAVE): (_S.LEFT, (_A.SEND_REMOVAL,)),
    (_S.ASKING, _I.ACCEPTED): (_S.WAITING, (_A.NOTE_BINDING, _A.PLAN_REFRESH)),
    (_S.ASKING, _I.BRIEF): (_S.ASKING, (_A.NOTE_MINIMUM, _A.SEND)),
    (_S.ASKING, _I.REFUSED): (_S.WAITING, (_A.PLAN_LATER_RETRY,)),
    (_S.ASKING, _I.FAILED): (_S.WAITING, (_A.PLAN_RETRY,)),
    (_S.ASKING, _I.LEAVE): (_S.LEFT, (_A.SEND_REMOVAL,)),
}

_NOT_ASKED: Final = "no REGISTER is under way that it could answer"

IGNORED: Final[dict[tuple[State, Input], str]] = {
    (_S.WAITING, _I.ACCEPTED): _NOT_ASKED,
    (_S.WAITING, _I.BRIEF): _NOT_ASKED,
    (_S.WAITING, _I.REFUSED): _NOT_ASKED,
    (_S.WAITING, _I.FAILED): _NOT_ASKED,
    (_S.ASKING, _I.DUE): "the turn is taken already",
    **{(_S.LEFT, late): "the registration is left" for late in Input},
}


def step(state: State, event: Input) -> tuple[State, tuple[Action, ...]] | None:
    """Look up one step; None where the input is to be ignored."""
    found = TRANSITIONS.get((state, event))
    if found is None and (state, event) not in IGNORED:
        raise LocalProtocolError(f"registration: no step for {state.name}, {event.name}")
    return found


class Granted(Struct, frozen=True):
    """What an answer to a REGISTER says."""

    input: Input
    seconds: float = 0.0
    """ACCEPTED: how long the binding holds; BRIEF: the least to ask for; else Retry-After, or 0."""
    routes: tuple[str, ...] = ()
    """Service-Route of the answer (RFC 3608), topmost first."""


def read_answer(
    status: int, response: Response | None, *, contact_user: str, asked_s: int
) -> Granted:
    """Judge an answer; whatever stands in it, this returns something."""
    headers = Headers() if response is None else response.headers
    if 200 <= status < 300 and response is not None:
        granted = _expiry(response, contact_user, asked_s)
        if granted >= _LEAST_EXPIRES_S:
            return Granted(Input.ACCEPTED, granted, tuple(headers.get_all("Service-Route")[:8]))
        return Granted(Input.FAILED)
    if status == 423:
        least = _seconds(headers.get("Min-Expires"))
        if least is not None and asked_s < least <= LONGEST_S:
            return Granted(Input.BRIEF, least)
        return Granted(Input.FAILED)
    wait = retry_after_of(headers.get("Retry-After")) or 0.0
    refused = status in (401, 403, 404, 407)
    return Granted(Input.REFUSED if refused else Input.FAILED, wait)


def _expiry(response: Response, contact_user: str, asked_s: int) -> float:
    """How long our binding holds: its own parameter, else Expires, else what we asked for."""
    default = _seconds(response.headers.get("Expires"))
    default = asked_s if default is None else default
    values = response.headers.get_all("Contact")
    for value in values:
        try:
            contact = NameAddr.parse(value)
        except ValueError:
            continue
        if contact.uri.username == contact_user:
            given = _seconds(contact.params.get("expires"))
            return min(default if given is None else given, LONGEST_S)
    # Some registrars list nothing; one that lists others only has not taken ours.
    return 0.0 if values else min(default, LONGEST_S)


def _seconds(text: str | None) -> float | None:
    text = (text or "").strip(" \t")
    if not (text.isascii() and text.isdigit()):
        return None
    return float(text) if len(text) <= 9 else float(LONGEST_S + 1)


def refresh_after(granted_s: float, draw: float) -> float:
    """When to refresh a binding: ahead by an eighth to a quarter of its life, ten minutes at most.

    `draw` from 0 to below 1 spreads those that began together.
    """
    margin = min(granted_s * (0.125 + 0.125 * draw), 300.0 + 300.0 * draw)
    return granted_s - max(margin, min(5.0, granted_s / 2))


def retry_after(failures: int, draw: float, *, is_refused: bool, wanted_s: float = 0.0) -> float:
    """When to try again after so many failures in a row: doubled each time, half of it by chance."""
    base, most = (_BASE_REFUSED_S, _MOST_REFUSED_S) if is_refused else (_BASE_S, _MOST_S)
    pause = min(base * 2.0 ** min(max(failures - 1, 0), 20), most)
    return max(pause * (0.5 + 0.5 * draw), wanted_s)
