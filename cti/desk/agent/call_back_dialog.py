"""When the customer wants to be called again: typed in the customer's own time."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Checkbox, Input, Label, Static

from cti.desk.agent.call_back_time import Wrong, read_moment, there, zone_of
from cti.desk.text import Words, day_and_time, fit
from cti.desk.widgets.window import Window
from cti.schema_campaign_requests import CallBackRequest
from cti.schema_outbound import OutboundCard

_FIELDS: Final = (("day", 10), ("time", 5))
_WHO_CELLS: Final = 40


class CallBackDialog(Window[CallBackRequest | None]):
    """Gives what was arranged, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="later.save", tooltip="Arrange it", priority=True),
        Binding("escape", "close", "Close", id="later.close", tooltip="Arrange nothing"),
        # Taken before the next key is looked at: who types ahead types into the next field.
        Binding("enter", "next", "Next", id="later.next", tooltip="Go on", priority=True),
    ]
    HELP = "Day and time as the customer's own clock shows them; Ctrl+S arranges."

    def __init__(self, words: Words, who: str, card: OutboundCard, now: float) -> None:
        """`who` it is about, whatever card comes up behind it."""
        super().__init__()
        self._words = words
        self._who = who
        self._now = now
        self._zone = zone_of(card.zone)
        self._zone_name = card.zone or "UTC"

    def compose(self) -> ComposeResult:
        """Day, time, and who calls."""
        words = self._words
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = words("later.title", who=fit(self._who, _WHO_CELLS))
            clock = there(self._now, self._zone)
            yield Static(words("later.there", time=clock, zone=self._zone_name), id="later-there")
            for name, length in _FIELDS:
                yield Label(words(f"later.{name}"))
                yield Input(id=f"later-{name}", max_length=length)
            yield Checkbox(words("later.mine"), id="later-mine")
            yield Static(words("later.hint"), classes="hint", id="later-hint")

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Say at once what was typed means, here and there."""
        if not self._typed("time"):
            return
        moment = read_moment(self._typed("day"), self._typed("time"), self._zone, self._now)
        if isinstance(moment, Wrong):
            self._say(self._words(moment.key), wrong=True)
            return
        here = day_and_time(moment, self._now)
        self._say(
            self._words("later.means", there=there(moment, self._zone), here=here), wrong=False
        )

    def action_next(self) -> None:
        """Enter goes on; at the end it arranges."""
        if isinstance(self.focused, Checkbox):
            self.action_save()
        else:
            self.focus_next()

    def action_save(self) -> None:
        """Arrange it, if it can be."""
        moment = read_moment(self._typed("day"), self._typed("time"), self._zone, self._now)
        if isinstance(moment, Wrong):
            self._refuse(moment)
            return
        mine = self.query_one("#later-mine", Checkbox).value
        self.dismiss(CallBackRequest(at=moment, mine=mine))

    def action_close(self) -> None:
        """Arrange nothing."""
        self.dismiss(None)

    def _typed(self, name: str) -> str:
        return self.query_one(f"#later-{name}", Input).value.strip()

    def _refuse(self, wrong: Wrong) -> None:
        self._say(self._words(wrong.key), wrong=True)
        self.query_one(f"#later-{wrong.field}", Input).focus()

    def _say(self, text: str, *, wrong: bool) -> None:
        hint = self.query_one("#later-hint", Static)
        hint.update(text)
        hint.set_class(wrong, "wrong")
