"""A call of PJSIP, and everything that must stay alive while it lasts."""

from __future__ import annotations

from typing import Any, Protocol

import pjsua2 as pj

from cti.phone.ports import Emit
from cti.phone.protocol import Digit


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
