"""The last messages as octets: kept as they passed, read only when somebody asks.

    message --> ring (bounded in octets) --> of calls that live, the first ones are kept; all else is gone

What passes is appended and nothing else: no Call-ID is looked for before a message leaves the ring. So a
call that runs for hours has its beginning and its last messages, however many others passed since.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from switch.capture.octets import call_id, key_of
from switch.sip.flow import Flow

_FIRST: Final = 16
"""Messages of a dialog that outlast the ring."""
_OVER: Final = 500
"""Dialogs that are over and keep theirs for a while."""
_OVERHEAD: Final = 150
"""Octets of an entry beside those of its message."""


class Entry(NamedTuple):
    """One message."""

    at: float
    """Monotonic seconds."""
    is_out: bool
    flow: Flow
    data: bytes


class Trace:
    """An observer that keeps about so many `octets` in its ring, and at most as many beside it.

    `now` gives monotonic seconds.
    """

    def __init__(self, now: Callable[[], float], octets: int = 8 << 20) -> None:
        self._now = now
        self._most = octets
        self._ring: deque[tuple[float, bool, Flow, bytes]] = deque()
        self.octets = 0
        """In the ring now."""
        self.kept_octets = 0
        """Of those that left it and are kept."""
        self._live: dict[bytes, list[tuple[float, bool, Flow, bytes]]] = {}
        """Dialogs of calls that live, with what of them left the ring and is kept."""
        self._over: OrderedDict[bytes, list[tuple[float, bool, Flow, bytes]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ring)

    def message(self, data: bytes, flow: Flow, is_out: bool) -> None:
        """Keep one message. Never raises for its content."""
        self._ring.append((self._now(), is_out, flow, data))
        self.octets += len(data) + _OVERHEAD
        if self.octets > self._most:
            self._make_room()

    def begin(self, call_id: str) -> None:
        """A dialog of a call lives: its first messages are to outlast the ring.

        A caller who is refused may try again under the same Call-ID (RFC 3261 section 8.1.3.5).
        """
        key = key_of(call_id.encode())
        if key not in self._live:
            self._live[key] = self._over.pop(key, [])

    def end(self, call_id: str) -> None:
        """It is over; what was kept goes when many others are over too."""
        key = key_of(call_id.encode())
        kept = self._live.pop(key, None)
        if kept:
            self._over[key] = kept
            if len(self._over) > _OVER:
                self._forget(self._over.popitem(last=False)[1])

    def snapshot(self, call_ids: Collection[str]) -> Snapshot:
        """What is kept now, to be searched for some dialogs, in another thread if need be."""
        keys = {key_of(each.encode()): each for each in call_ids}
        kept = [
            entry for key in keys for entry in (self._live.get(key) or self._over.get(key) or ())
        ]
        return Snapshot(keys, kept, list(self._ring))

    def _make_room(self) -> None:
        ring, live = self._ring, self._live
        while self.octets > self._most:
            entry = ring.popleft()
            data = entry[3]
            self.octets -= len(data) + _OVERHEAD
            if live:
                kept = live.get(call_id(data))
                if kept is not None and len(kept) < _FIRST:
                    self._keep(kept, entry)

    def _keep(
        self,
        kept: list[tuple[float, bool, Flow, bytes]],
        entry: tuple[float, bool, Flow, bytes],
    ) -> None:
        size = len(entry[3]) + _OVERHEAD
        while self.kept_octets + size > self._most and self._over:
            self._forget(self._over.popitem(last=False)[1])
        if self.kept_octets + size <= self._most:
            kept.append(entry)
            self.kept_octets += size

    def _forget(self, kept: list[tuple[float, bool, Flow, bytes]]) -> None:
        self.kept_octets -= sum(len(entry[3]) + _OVERHEAD for entry in kept)


class Snapshot:
    """Messages as they were kept at one moment."""

    def __init__(
        self,
        keys: Mapping[bytes, str],
        kept: list[tuple[float, bool, Flow, bytes]],
        ring: list[tuple[float, bool, Flow, bytes]],
    ) -> None:
        self._keys = keys
        self._kept = kept
        self._ring = ring

    def entries(self) -> dict[str, list[Entry]]:
        """The messages of each dialog that has any, in the order in which they passed."""
        found: dict[str, list[Entry]] = {}
        for entry in (*self._kept, *self._ring):
            wanted = self._keys.get(call_id(entry[3]))
            if wanted is not None:
                found.setdefault(wanted, []).append(Entry(*entry))
        return found
