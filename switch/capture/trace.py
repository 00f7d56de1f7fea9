"""The last messages of each call, as octets: kept as they passed, read only when somebody asks.

A dialog is kept from its INVITE on; what belongs to none (REGISTER, OPTIONS, ...) is passed over. Its first
messages stay, of the others the last ones. When there is no room, dialogs that are over go first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct, field

from switch.capture.octets import call_id
from switch.sip.flow import Flow

_FIRST: Final = 16
_LAST: Final = 32
_OVERHEAD: Final = 200
"""Octets of an entry beside those of its message."""


class Entry(Struct, frozen=True, gc=False):
    """One message."""

    at: float
    """Monotonic seconds."""
    is_out: bool
    flow: Flow
    data: bytes


class Dialog(Struct):
    """The messages with one Call-ID."""

    first: list[Entry] = field(default_factory=list)
    last: deque[Entry] = field(default_factory=lambda: deque(maxlen=_LAST))
    octets: int = 0
    left_out: int = 0
    """Messages between the first and the last that are gone."""
    is_up: bool = False
    """It was accepted: a failure of a later request is not its end."""

    def entries(self) -> list[Entry]:
        """The oldest first."""
        return [*self.first, *self.last]


class Trace:
    """An observer that keeps at most so many `octets`; `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float], octets: int = 32 << 20) -> None:
        self._now = now
        self._most = octets
        self._live: dict[bytes, Dialog] = {}
        self._over: dict[bytes, Dialog] = {}
        self.octets = 0
        """Kept now."""
        self.evicted = 0
        """Dialogs given up for want of room while they lived."""

    def __len__(self) -> int:
        return len(self._live) + len(self._over)

    def message(self, data: bytes, flow: Flow, is_out: bool) -> None:
        """Keep one message. Never raises for its content."""
        key = call_id(data)
        dialog = self._live.get(key)
        if dialog is None:
            dialog = self._over.get(key)
            if data.startswith(b"INVITE "):
                if dialog is None:
                    dialog = Dialog()
                else:
                    del self._over[key]
                self._live[key] = dialog
            elif dialog is None:
                return
        self._keep(dialog, Entry(self._now(), is_out, flow, data))
        if data.startswith(b"SIP/2.0 "):
            if data[8:9] == b"2":
                dialog.is_up = True
            elif data[8:9] > b"2" and not dialog.is_up:
                self._ended(key, dialog)
        elif data.startswith(b"BYE "):
            self._ended(key, dialog)
        if self.octets > self._most:
            self._make_room()

    def entries(self, call_ids: Iterable[str]) -> list[Entry]:
        """The messages of some dialogs, in the order in which they passed."""
        found: list[Entry] = []
        for each in call_ids:
            key = each.encode()
            dialog = self._live.get(key) or self._over.get(key)
            if dialog is not None:
                found += dialog.entries()
        found.sort(key=lambda entry: entry.at)
        return found

    def left_out(self, call_ids: Iterable[str]) -> int:
        """Messages of some dialogs that are not kept any more."""
        dialogs = (self._live.get(k) or self._over.get(k) for k in map(str.encode, call_ids))
        return sum(dialog.left_out for dialog in dialogs if dialog is not None)

    def _keep(self, dialog: Dialog, entry: Entry) -> None:
        size = len(entry.data) + _OVERHEAD
        if len(dialog.first) < _FIRST:
            dialog.first.append(entry)
        else:
            last = dialog.last
            if len(last) == _LAST:
                gone = len(last[0].data) + _OVERHEAD
                dialog.octets -= gone
                self.octets -= gone
                dialog.left_out += 1
            last.append(entry)
        dialog.octets += size
        self.octets += size

    def _ended(self, key: bytes, dialog: Dialog) -> None:
        if self._live.pop(key, None) is not None:
            self._over[key] = dialog

    def _make_room(self) -> None:
        while self.octets > self._most and (self._over or self._live):
            table = self._over or self._live
            self.evicted += table is self._live
            self.octets -= table.pop(next(iter(table))).octets
