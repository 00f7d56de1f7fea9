"""The part of the agent's screen that works records of campaigns."""

from __future__ import annotations

from collections.abc import Callable

from textual import work

from cti.desk.agent.outbound_dialogs import ask_call_back, ask_campaign, ask_skip
from cti.desk.agent.script_panel import ScriptScreen
from cti.desk.agent.window_screen import WindowScreen, allowed, always, with_contact, with_preview
from cti.desk.outbound import running, waiting_clicks


class OutboundScreen(WindowScreen):
    """Reads, dials, skips and takes records, clicks, arranges call-backs, shows the script."""

    def _outbound_verbs(self) -> dict[str, Callable[[], object]]:
        return {
            "consent": lambda: self._command(self._api.dial_preview),
            "skip": self._skip,
            "take": self._take_record,
            "click": self._click,
            "later": self._arrange_call_back,
            "script": self._show_script,
        }

    @work(group="dialog")
    async def _skip(self) -> None:
        show = self._show_while(with_preview(self.state, "skip"))
        await ask_skip(show, self._words, self._api, self._try)

    @work(group="dialog")
    async def _take_record(self) -> None:
        campaigns = running(self.state.campaigns, "manual")
        name = await ask_campaign(self._show_while(allowed("take")), self._words, campaigns)
        if name is not None:
            await self._try(self._api.take_record(name))

    @work(group="dialog")
    async def _click(self) -> None:
        campaigns = waiting_clicks(self.state.campaigns)
        name = await ask_campaign(self._show_while(allowed("click")), self._words, campaigns)
        if name is not None and await self._try(self._api.click(name)):
            self._say(self._words("notice.clicked", campaign=name))

    @work(group="dialog")
    async def _arrange_call_back(self) -> None:
        pop, card = self.state.card, self.state.outbound
        if pop is not None and card is not None:
            show = self._show_while(always)
            self._say(await ask_call_back(show, self._words, self._api, pop, card, self._try))

    def _show_script(self) -> None:
        if self.state.outbound is not None:
            window = ScriptScreen(self._words, self.state.outbound.script)
            self._open(window, with_contact(self.state, "script"))
