"""Who hears whom: the sparse gain matrix, and the plan that a tick carries out.

    heard[listener] = sum of gain[listener, source] * source

Entries are three parallel arrays; the plan sorts the listeners into those that can be

- relayed: they hear one leg of their own codec (or both are G.711) at gain 1; its packets are passed on
  at the wake that finds them;
- copied:  they hear one player at gain 1; its frame is sent as it is;
- mixed:   anything else. Listeners that hear the same mix share it;
- silent:  they hear nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import INTS, REALS, entry, inner
from switch.media.codecs import PCMA
from switch.media.rows import grown

MAX_GAIN: Final = 16.0
_FIRST_ENTRIES: Final = 256

Rows = NDArray[np.int64]


def player_source(row: int) -> int:
    """The source code of a player's row; a leg's is its row itself."""
    return ~row


@dataclass(slots=True)
class Plan:
    """The gain matrix as work for the engine. All arrays hold rows of legs unless they say other."""

    relay_count: Rows
    """By leg: how many listeners its packets are relayed to."""
    relay_start: Rows
    """By leg: where its listeners begin in `relay_listeners`."""
    relay_listeners: Rows
    relay_sources: Rows
    """The source of each of `relay_listeners`."""
    copy_listeners: Rows
    copy_players: Rows
    """Rows of players."""
    mix_listeners: Rows
    mix_of_listener: Rows
    """Which mix each of `mix_listeners` hears."""
    mix_starts: Rows
    """Where each mix begins in the next two."""
    mix_sources: Rows
    """Source codes."""
    mix_gains: NDArray[np.float32]
    silent_listeners: Rows


class GainMatrix:
    """The entries, kept without gaps by moving the last one into the place of a removed one."""

    def __init__(self) -> None:
        self._listener = np.zeros(_FIRST_ENTRIES, dtype=np.int64)
        self._source = np.zeros(_FIRST_ENTRIES, dtype=np.int64)
        self._gain = np.zeros(_FIRST_ENTRIES, dtype=np.float32)
        self._place: dict[tuple[int, int], int] = {}
        self._sources_of: dict[int, set[int]] = {}
        self._listeners_of: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return len(self._place)

    def set(self, listener: int, source: int, gain: float) -> None:
        """Change one entry; 0 removes it. Gains are limited to -16 ... 16; what is no number is 0."""
        if not math.isfinite(gain):
            gain = 0.0
        gain = max(-MAX_GAIN, min(MAX_GAIN, gain))
        key = (listener, source)
        place = self._place.get(key)
        if gain == 0.0:
            if place is not None:
                self._remove(key, place)
            return
        if place is None:
            place = self._place[key] = len(self._place)
            if place == len(self._listener):
                for name in ("_listener", "_source", "_gain"):
                    setattr(self, name, grown(getattr(self, name), 2 * place))
            self._listener[place] = listener
            self._source[place] = source
            self._sources_of.setdefault(listener, set()).add(source)
            self._listeners_of.setdefault(source, set()).add(listener)
        self._gain[place] = gain

    def listeners_of(self, source: int) -> tuple[int, ...]:
        """Rows of the legs that hear a source, in no order that means anything."""
        return tuple(self._listeners_of.get(source, ()))

    def remove_source(self, source: int) -> None:
        """Nobody hears `source` any more."""
        for listener in list(self._listeners_of.get(source, ())):
            self.set(listener, source, 0.0)

    def remove_leg(self, row: int) -> None:
        """The leg hears nothing and nobody hears it."""
        self.remove_source(row)
        for source in list(self._sources_of.get(row, ())):
            self.set(row, source, 0.0)

    def plan(self, legs: NDArray[Any]) -> Plan:
        """Sort the listeners; `legs` are LEGs, which say who wants to hear at all."""
        used = len(self._place)
        return Plan(
            *sort_listeners(
                self._listener[:used],
                self._source[:used],
                self._gain[:used],
                legs["sending"],
                legs["codec"],
            )
        )

    def _remove(self, key: tuple[int, int], place: int) -> None:
        listener, source = key
        self._sources_of[listener].discard(source)
        self._listeners_of[source].discard(listener)
        if not self._sources_of[listener]:
            del self._sources_of[listener]
        if not self._listeners_of[source]:
            del self._listeners_of[source]
        del self._place[key]
        last = len(self._place)
        if place != last:
            moved = (int(self._listener[last]), int(self._source[last]))
            self._listener[place], self._source[place] = moved
            self._gain[place] = self._gain[last]
            self._place[moved] = place


@inner
def _scattered(value: np.uint64) -> np.uint64:
    """Spread close values over 64 bits (multiply, fold, multiply)."""
    mixed = value * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    return mixed * np.uint64(0xBF58476D1CE4E5B9)


@inner
def _find_mixes(
    listener: Rows, source: Rows, gain: NDArray[np.float32]
) -> tuple[Rows, Rows, Rows, Rows, NDArray[np.float32]]:
    """Find the different mixes among entries: listeners, mix of each, starts, sources, gains."""
    order = np.argsort(listener, kind="mergesort")
    bits = gain.view(np.uint32)
    # Two listeners hear the same when the sums of their entries' hashes agree (64 bits).
    begins = np.empty(len(order) + 1, dtype=np.int64)
    signature = np.zeros(len(order), dtype=np.uint64)
    listeners = 0
    for i, entry_ in enumerate(order):
        if i == 0 or listener[entry_] != listener[order[i - 1]]:
            begins[listeners] = i
            listeners += 1
        code = np.uint64(np.int64(bits[entry_]) << 32) + np.uint64(1)
        signature[listeners - 1] += _scattered(np.uint64(source[entry_]) ^ _scattered(code))
    begins[listeners] = len(order)
    mix_listeners = np.empty(listeners, dtype=np.int64)
    of_listener = np.empty(listeners, dtype=np.int64)
    starts = np.empty(listeners, dtype=np.int64)
    sources = np.empty(len(order), dtype=np.int64)
    gains = np.empty(len(order), dtype=np.float32)
    mixes = used = 0
    by_signature = np.argsort(signature[:listeners], kind="mergesort")
    for i, nth in enumerate(by_signature):
        mix_listeners[nth] = listener[order[begins[nth]]]
        if i == 0 or signature[nth] != signature[by_signature[i - 1]]:
            starts[mixes] = used
            mixes += 1
            for j in range(begins[nth], begins[nth + 1]):
                sources[used] = source[order[j]]
                gains[used] = gain[order[j]]
                used += 1
        of_listener[nth] = mixes - 1
    return mix_listeners, of_listener, starts[:mixes], sources[:used], gains[:used]


@inner
def _must_mix(count: int, gain: float, source: int, codec: int, codecs: NDArray[np.uint8]) -> bool:
    """Whether a listener of this codec, who hears `count` sources, cannot be given this one as it is."""
    if count > 1 or gain != 1.0:
        return True
    if source < 0:
        return False
    other = codecs[source]
    return bool(codec != other and max(codec, other) > PCMA)


@entry(INTS, INTS, REALS, types.Array(types.boolean, 1, "A"), types.Array(types.uint8, 1, "A"))
def sort_listeners(
    listener: Rows,
    source: Rows,
    gain: NDArray[np.float32],
    sending: NDArray[np.bool_],
    codecs: NDArray[np.uint8],
) -> tuple[Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, NDArray[np.float32], Rows]:
    """The fields of the plan that carries out these entries, in their order."""
    legs = len(sending)
    count = np.zeros(legs, dtype=np.int64)
    for e in range(len(listener)):
        count[listener[e]] += 1
    relay_count = np.zeros(legs, dtype=np.int64)
    relayed = copied = mixed = 0
    for e in range(len(listener)):
        if not sending[listener[e]]:
            continue
        row = listener[e]
        if _must_mix(count[row], gain[e], source[e], codecs[row], codecs):
            mixed += 1
        elif source[e] >= 0:
            relay_count[source[e]] += 1
            relayed += 1
        else:
            copied += 1
    relay_start = np.cumsum(relay_count) - relay_count
    filled = relay_start.copy()
    relay_listeners = np.empty(relayed, dtype=np.int64)
    relay_sources = np.empty(relayed, dtype=np.int64)
    copy_listeners = np.empty(copied, dtype=np.int64)
    copy_players = np.empty(copied, dtype=np.int64)
    mix_entries = np.empty(mixed, dtype=np.int64)
    copied = mixed = 0
    for e in range(len(listener)):
        row, code = listener[e], source[e]
        if not sending[row]:
            continue
        if _must_mix(count[row], gain[e], code, codecs[row], codecs):
            mix_entries[mixed] = e
            mixed += 1
        elif code >= 0:
            relay_listeners[filled[code]] = row
            relay_sources[filled[code]] = code
            filled[code] += 1
        else:
            copy_listeners[copied] = row
            copy_players[copied] = ~code
            copied += 1
    mix_listeners, mix_of_listener, mix_starts, mix_sources, mix_gains = _find_mixes(
        listener[mix_entries], source[mix_entries], gain[mix_entries]
    )
    silent = np.flatnonzero(sending & (count == 0))
    return (
        relay_count, relay_start, relay_listeners, relay_sources, copy_listeners, copy_players,
        mix_listeners, mix_of_listener, mix_starts, mix_sources, mix_gains, silent,
    )  # fmt: skip
