"""The note of the contact on the card; never lost, whatever happens to the call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea

from cti.desk.keys import DESK_KEYS
from cti.desk.text import Words

_LATELY_S: Final = 1.5
"""Who typed a key this long ago may not have seen yet what has come up since."""


def _editing() -> Iterator[BindingType]:
    """The keys of a text, without those of the desk.

    A key of the desk that means nothing at the moment comes on to the text: ^X, a second too late for a
    transfer, would cut the note's line.
    """
    of_desk = {key for defined in DESK_KEYS for key in defined.keys.split(",")}
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in of_desk]
            if keys:
                yield replace(binding, key=",".join(keys))


class NoteEditor(TextArea, inherit_bindings=False):
    """A text that belongs to one contact. It is handed over when another contact comes."""

    BINDINGS: ClassVar[list[BindingType]] = list(_editing())

    @dataclass
    class Finished(Message):
        """A note is to be saved: the agent asked, or its contact left the desk."""

        interaction_id: str
        text: str

    def __init__(self, words: Words, *, id: str | None = None) -> None:
        super().__init__(
            id=id, show_line_numbers=False, soft_wrap=True, placeholder=words("note.placeholder")
        )
        self.tooltip = words("help.save_note")
        self._words = words
        self._contact: str | None = None
        self._typed_at = -_LATELY_S
        self.border_title = words("note.title")
        self.disabled = True

    @property
    def contact(self) -> str | None:
        """The interaction that the text belongs to."""
        return self._contact

    @property
    def was_typed_lately(self) -> bool:
        """Whether the agent may still be typing, into a field that is closed by now."""
        return monotonic() - self._typed_at < _LATELY_S

    def on_key(self, _event: Key) -> None:
        """Remember when the last key came."""
        self._typed_at = monotonic()

    def follow(self, contact: str | None, *, may_write: bool) -> None:
        """The contact on the card is this one now."""
        if contact != self._contact:
            self.hand_over()
            self._contact = contact
        self.disabled = contact is None or not may_write
        self.placeholder = self._words("note.disabled" if self.disabled else "note.placeholder")

    def hand_over(self) -> None:
        """Post what is written, if anything, and start empty."""
        text = self.text.strip()
        if text and self._contact is not None:
            self.post_message(self.Finished(self._contact, text))
        if self.text:
            self.text = ""

    def put_back(self, interaction_id: str, text: str) -> None:
        """Saving failed: show the text again, if its contact is still here."""
        if self._contact == interaction_id:
            self.text = f"{text}\n{self.text}".strip()
