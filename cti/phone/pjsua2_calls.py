"""A call of PJSIP, and everything that must stay alive while it lasts."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Protocol

import pjsua2 as pj

from cti.phone.ports import Emit
from cti.phone.protocol import Digit, Failed, Hold, Resume

_ANSWER_S: Final = 4.0
"""Longest that the far end may take to answer a re-INVITE before the agent is told."""


class CallListener(Protocol):
    """Told what the library reports of calls."""

    emit: Emit

    def guard(self, method: Any, *args: Any) -> None:
        """Run a callback; an exception must not unwind into C++."""

    def on_call_state(self, call: Call) -> None:
        """The dialog moved on."""

    def on_media_state(self, call: Call) -> None:
        """Media began, stopped or was renegotiated."""


class Call(pj.Call):  # type: ignore[misc]  # the library publishes no types
    """Hands the library's callbacks on. `call_id` is the library's, of a call that came in."""

    def __init__(self, listener: CallListener, account: Any, name: str, call_id: int = -1) -> None:
        pj.Call.__init__(self, account, call_id)
        self.listener = listener
        self.name = name

    def onCallState(self, prm: Any) -> None:  # noqa: N802  names of the library
        """The dialog moved on."""
        self.listener.guard(self.listener.on_call_state, self)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Media began, stopped or was renegotiated."""
        self.listener.guard(self.listener.on_media_state, self)

    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        """News of a transfer that we asked for; where it succeeded, the far end hangs up."""
        if prm.statusCode >= 300:
            fault = f"not transferred: {prm.statusCode} {prm.reason}"
            self.listener.emit(Failed(message=fault, call=self.name, command="Transfer"))

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        """A digit arrived."""
        self.listener.emit(Digit(call=self.name, digit=str(prm.digit)))


class Line:
    """One call with its sound: the C++ side keeps no reference that Python could see."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.media: Any = None
        self.hum: Any = None
        self.recorder: Any = None
        self.recorder_path = ""
        self.established = False
        self.held = False
        self.local_hold = False
        self.changes: deque[Hold | Resume] = deque()
        """Holds and resumes that wait: one re-INVITE at a time (RFC 3261 §14.1)."""
        self.answer_due_s: float | None = None
        """Until when the far end should have answered the change under way."""

    def next_change(self, now_s: float) -> Hold | Resume | None:
        """What may be sent now; from here on its answer is awaited."""
        if self.answer_due_s is not None or not self.changes:
            return None
        self.answer_due_s = now_s + _ANSWER_S
        return self.changes.popleft()

    def is_unanswered(self, now_s: float) -> bool:
        """Whether the far end has kept a change waiting for too long; tells it once."""
        if self.answer_due_s is None or now_s < self.answer_due_s:
            return False
        self.answer_due_s = None
        return True
