"""One line that appears when something is wrong with the connection, the phone or the gateway."""

from __future__ import annotations

import math

from rich.console import RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.phone_state import PhoneStage
from cti.desk.state import DeskState, Link
from cti.desk.text import clock, fit
from cti.desk.widgets.panel import StatePanel


class AlertLine(StatePanel):
    """Hidden while all is well."""

    phone_key = "Ctrl+R"
    """The key that starts the phone again."""

    def show(self, state: DeskState) -> None:
        """Draw, or hide."""
        self.state = state
        self.display = self._alert() is not None
        self.tick()

    def drawing(self, width: int, height: int) -> RenderableType:
        """The most important trouble."""
        text, colour = self._alert() or ("", looks.DIM)
        return Text(fit(f"● {text}", width), style=f"bold {colour}")

    def _alert(self) -> tuple[str, str] | None:
        state, words = self.state, self.words
        if state.link is Link.LOST:
            left = math.ceil(state.retry_at - self.now())
            if left > 0:
                return words("connection.lost", seconds=left), looks.RED
            return words("connection.retrying"), looks.RED
        if state.link is Link.ENDED:
            reason = words.get(f"connection.{state.ended_reason}", state.ended_reason)
            return words("connection.ended", reason=reason), looks.RED
        if state.link is Link.CONNECTING:
            return words("connection.connecting"), looks.AMBER
        if state.server is not None:
            time = clock((state.server.stops_at or 0.0) - self.now())
            calls = state.server.calls_left
            return words("connection.stopping", calls=calls, time=time), looks.AMBER
        if not state.gateway_available:
            return words("connection.no_media"), looks.RED
        return self._phone_alert() if state.me is not None else None

    def _phone_alert(self) -> tuple[str, str] | None:
        phone, words = self.state.phone, self.words
        if self.state.has_lost_call:
            return words("phone.lost_call"), looks.RED
        if phone.stage is PhoneStage.FAILED:
            return words("phone.failed", reason=phone.detail), looks.RED
        if phone.stage is PhoneStage.DIED:
            return words("phone.died"), looks.RED
        if phone.stage is PhoneStage.GONE:
            return words("phone.gone", key=self.phone_key), looks.RED
        agent = self.state.agent
        if phone.is_external and agent is not None and not agent.phone_reachable:
            return words("phone.external_away"), looks.AMBER
        return None
