"""The agent's state, large enough to be seen from the corner of the eye."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.phone_state import PhoneStage
from cti.desk.state import ON_A_CALL, Link, shown_since
from cti.desk.text import clock, fit, name_and_number, time_of_day
from cti.desk.widgets.panel import StatePanel
from cti.schema import AgentView

_PHONE_COLOURS = {
    PhoneStage.REGISTERED: looks.GREEN,
    PhoneStage.EXTERNAL: looks.DIM,
    PhoneStage.STARTING: looks.AMBER,
    PhoneStage.REGISTERING: looks.AMBER,
}
_CAMPAIGN_CELLS = 20


class TopBar(StatePanel):
    """State and time in it, name, phone, time of day."""

    def drawing(self, width: int, height: int) -> RenderableType:
        """One row; the name gives way when there is no room."""
        state_text = self._state()
        agent = self.state.agent
        name = Text(name_and_number(agent.name, agent.agent_id) if agent is not None else "")
        room = width - state_text.cell_len - name.cell_len - 3
        right = next((each for each in self._right_sides() if each.cell_len <= room), Text())
        name.truncate(max(0, room + name.cell_len - right.cell_len), overflow="ellipsis")
        row = Table.grid(expand=True)
        row.add_column(justify="left", ratio=1, no_wrap=True)
        row.add_column(justify="right", no_wrap=True)
        left = Text.assemble(state_text, "  ", name)
        row.add_row(left, right)
        if height < 3:
            return row
        tall = Table.grid(expand=True)
        tall.add_column()
        block = Text.assemble((" " * state_text.cell_len, f"on {self._colour()}"))
        for line in (block, row, block):
            tall.add_row(line)
        return tall

    def _colour(self) -> str:
        if self._is_cut_off():
            return looks.RED
        return looks.STATE_COLOURS.get(self.state.shown_mode, looks.DIM)

    def _state(self) -> Text:
        agent, words = self.state.agent, self.words
        if agent is None:
            return Text(
                f"  {words('connection.connecting')}  ", f"{looks.BACKGROUND} on {looks.DIM}"
            )
        if self._is_cut_off():
            label = words("connection.none")
            if agent.state in ON_A_CALL:  # its phone goes on without us
                label += f" · {words.state(agent.state)}"
            return Text(f"  {label}  ", f"bold {looks.BACKGROUND} on {self._colour()}")
        if self.state.shown_mode != agent.state:
            return Text(
                f"  {words.state(self.state.shown_mode)}  ",
                f"bold {looks.BACKGROUND} on {self._colour()}",
            )
        label = words.state(agent.state)
        outbound = self.state.outbound
        if outbound is not None and agent.state == "talking":
            title = outbound.campaign_title or outbound.campaign
            label = f"{words.state('outbound')} · {fit(title, _CAMPAIGN_CELLS)}"
        if agent.reason and agent.state == "not-ready":
            label += f" · {words.reason(agent.reason)}"
        label += f"  {clock(self.now() - self._since(agent))}"
        if agent.next_state == "not-ready":
            label += "  → " + words.state("not-ready")
        return Text(f"  {label}  ", f"bold {looks.BACKGROUND} on {self._colour()}")

    def _is_cut_off(self) -> bool:
        """Nobody knows what the agent's state is now, nor does any call come here."""
        return self.state.link in (Link.LOST, Link.ENDED)

    def _since(self, agent: AgentView) -> float:
        """Of a talk the whole of it counts, not only what came after a hold."""
        interaction = self.state.interaction
        if interaction is None or agent.state not in ("talking", "engaged"):
            return agent.since
        return shown_since(interaction)

    def _right_sides(self) -> Iterator[Text]:
        """Phone and time of day, the longest first; the first that fits is taken."""
        for details in (2, 1, 0):
            text = self._parked()
            text.append_text(self._phone(details))
            text.append(f"   {time_of_day(self.now())} ", looks.DIM)
            yield text

    def _parked(self) -> Text:
        """How many calls wait to be fetched."""
        count = len(self.state.parked)
        if not count:
            return Text()
        return Text(f"{self.words('park.count', count=count)}   ", f"bold {looks.VIOLET}")

    def _phone(self, details: int) -> Text:
        phone, words = self.state.phone, self.words
        keys = {
            PhoneStage.REGISTERED: "phone.registered",
            PhoneStage.EXTERNAL: "phone.external",
            PhoneStage.STARTING: "phone.starting",
            PhoneStage.REGISTERING: "phone.registering",
        }
        key = keys.get(phone.stage, "phone.none")
        text = Text.assemble(("● ", _PHONE_COLOURS.get(phone.stage, looks.RED)))
        if details > 0:
            text.append(words(key), looks.DIM)
        if details > 1 and phone.stage is PhoneStage.REGISTERED and not phone.has_sound:
            text.append(f" ({words('phone.no_sound')})", looks.FAINT)
        return text
