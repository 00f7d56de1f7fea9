"""What is known of each phone: its dialogs, its waiting messages, who is there.

Told by whoever knows; `on_change` hears which packages of which phone have something new.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from switch.presence.subscription import Package
from switch.sip.session_facts import DialogNames


class LineState(StrEnum):
    """The states of a dialog (RFC 4235 section 3.7.1) that a switch can tell."""

    TRYING = "trying"
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Direction(StrEnum):
    """Who began a dialog, as seen from the phone."""

    INITIATOR = "initiator"
    RECIPIENT = "recipient"


class Line(Struct, frozen=True):
    """One dialog of a phone."""

    id: str
    direction: Direction
    state: LineState
    remote: str
    """The other side's number; empty: unknown or withheld."""
    names: DialogNames | None = None
    """As the phone names it; None: it has no tags yet, or is no dialog of ours."""

    @property
    def rings(self) -> bool:
        """True when the phone is called and has not answered."""
        return self.direction is Direction.RECIPIENT and self.state is LineState.EARLY


class Mailbox(Struct, frozen=True, array_like=True):
    """Messages that wait for a phone."""

    new: int = 0
    old: int = 0


class Person(Struct, frozen=True):
    """Who uses a phone, as far as it is known here."""

    is_reachable: bool = False
    """The phone has a binding."""
    activity: str = ""
    """An activity of RFC 4480: `away`, `meal`, `meeting`, ...; empty: nothing is known."""
    note: str = ""


NOBODY: Final = Person()
NO_MAIL: Final = Mailbox()


class States:
    """All phones about which anything is known."""

    __slots__ = ("_lines", "_mailboxes", "_owners", "_persons", "on_change", "on_mailbox")

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, Line]] = {}
        self._owners: dict[str, str] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._persons: dict[str, Person] = {}
        self.on_change: Callable[[Package, str], None] = lambda package, phone: None
        self.on_mailbox: Callable[[str], None] = lambda phone: None
        """Hears of each phone whose mailbox is to be written down."""

    # --- lines ----------------------------------------------------------------------------------

    def line_began(self, phone: str, id: str, direction: Direction, remote: str) -> None:
        """A phone calls, or is called."""
        lines = self._lines.get(phone)
        was_idle = lines is None
        if lines is None:
            lines = self._lines[phone] = {}
        lines[id] = Line(id, direction, LineState.TRYING, remote)
        self._owners[id] = phone
        self.on_change(Package.DIALOG, phone)
        if was_idle:
            self.on_change(Package.PRESENCE, phone)

    def follows(self, id: str) -> bool:
        """True for a dialog that began here and is not over."""
        return id in self._owners

    def line_moved(self, id: str, state: LineState, names: DialogNames | None = None) -> None:
        """It rings, maybe elsewhere, or is answered. Dialogs that are not known are passed over."""
        phone = self._owners.get(id)
        if phone is None:
            return
        line = self._lines[phone][id]
        moved = replace(line, state=state, names=names)
        if moved != line:
            self._lines[phone][id] = moved
            self.on_change(Package.DIALOG, phone)

    def line_reaches(self, id: str, remote: str) -> None:
        """The other side of a dialog is known now."""
        phone = self._owners.get(id)
        if phone is not None:
            self._lines[phone][id] = replace(self._lines[phone][id], remote=remote)
            self.on_change(Package.DIALOG, phone)

    def line_ended(self, id: str) -> None:
        """It is over."""
        phone = self._owners.pop(id, None)
        if phone is None:
            return
        lines = self._lines[phone]
        del lines[id]
        self.on_change(Package.DIALOG, phone)
        if not lines:
            del self._lines[phone]
            self.on_change(Package.PRESENCE, phone)

    def forget_lines(self, phone: str) -> None:
        """What is known of the dialogs of a phone is out of date; nobody is told."""
        for id in self._lines.pop(phone, {}):
            del self._owners[id]

    def lines(self, phone: str) -> tuple[Line, ...]:
        """The dialogs of a phone, the oldest first."""
        return tuple(self._lines.get(phone, {}).values())

    @property
    def lines_alive(self) -> int:
        """Dialogs of all phones."""
        return len(self._owners)

    # --- mailboxes ------------------------------------------------------------------------------

    def set_mailbox(self, phone: str, mailbox: Mailbox) -> None:
        """So many messages wait."""
        if self.mailbox(phone) == mailbox:
            return
        self._mailboxes[phone] = mailbox
        self.on_mailbox(phone)
        self.on_change(Package.MESSAGE_SUMMARY, phone)

    def mailbox(self, phone: str) -> Mailbox:
        """What waits for a phone."""
        return self._mailboxes.get(phone, NO_MAIL)

    def mailboxes(self) -> dict[str, Mailbox]:
        """Those in which something waits."""
        return {phone: box for phone, box in self._mailboxes.items() if box != NO_MAIL}

    # --- persons --------------------------------------------------------------------------------

    def reachable(self, phone: str, is_reachable: bool) -> None:
        """A phone got its first binding, or lost its last."""
        self._set_person(phone, replace(self.person(phone), is_reachable=is_reachable))

    def active(self, phone: str, activity: str, note: str = "") -> None:
        """Whoever uses the phone does something else now."""
        self._set_person(phone, replace(self.person(phone), activity=activity, note=note))

    def person(self, phone: str) -> Person:
        """Who uses a phone."""
        return self._persons.get(phone, NOBODY)

    def _set_person(self, phone: str, person: Person) -> None:
        if person != self.person(phone):
            self._persons[phone] = person
            self.on_change(Package.PRESENCE, phone)
