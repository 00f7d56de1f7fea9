"""Who hears whom: the sparse gain matrix, and the plan that a tick carries out.

    heard[listener] = sum of gain[listener, source] * source

Entries are three parallel arrays; the plan sorts the listeners into those that can be

- relayed: they hear one leg at gain 1; its packets are passed on at the wake that finds them;
- copied:  they hear one player at gain 1; its frame is sent as it is;
- mixed:   anything else. Listeners that hear the same mix share it;
- silent:  they hear nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
    mix_is_unity: bool
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

    def remove_source(self, source: int) -> None:
        """Nobody hears `source` any more."""
        for listener in list(self._listeners_of.get(source, ())):
            self.set(listener, source, 0.0)

    def remove_leg(self, row: int) -> None:
        """The leg hears nothing and nobody hears it."""
        self.remove_source(row)
        for source in list(self._sources_of.get(row, ())):
            self.set(row, source, 0.0)

    def plan(self, sending: NDArray[np.bool_]) -> Plan:
        """Sort the listeners; `sending` (one flag a leg) says which legs want to hear at all."""
        used = len(self._place)
        legs = len(sending)
        heard = sending[self._listener[:used]]
        listener = self._listener[:used][heard]
        source = self._source[:used][heard]
        gain = self._gain[:used][heard]
        count = np.bincount(listener, minlength=legs)
        single = (count[listener] == 1) & (gain == 1.0)
        relayed = single & (source >= 0)
        copied = single & (source < 0)
        relay_source = source[relayed]
        order = np.argsort(relay_source, kind="stable")
        relay_count = np.bincount(relay_source, minlength=legs)
        mixed = ~single
        starts, of_listener, mix_listeners, mix_sources, mix_gains = _mixes(
            listener[mixed], source[mixed], gain[mixed]
        )
        return Plan(
            relay_count=relay_count,
            relay_start=np.cumsum(relay_count) - relay_count,
            relay_listeners=listener[relayed][order],
            relay_sources=relay_source[order],
            copy_listeners=listener[copied],
            copy_players=~source[copied],
            mix_listeners=mix_listeners,
            mix_of_listener=of_listener,
            mix_starts=starts,
            mix_sources=mix_sources,
            mix_gains=mix_gains,
            mix_is_unity=bool((mix_gains == 1.0).all()),
            silent_listeners=np.flatnonzero(sending & (count == 0)),
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


def _mixes(
    listener: Rows, source: Rows, gain: NDArray[np.float32]
) -> tuple[Rows, Rows, Rows, Rows, NDArray[np.float32]]:
    """Find the different mixes: starts, mix of each listener, listeners, sources, gains."""
    if not len(listener):
        none = np.empty(0, dtype=np.int64)
        return none, none, none, none, gain
    order = np.lexsort((source, listener))
    listener, source, gain = listener[order], source[order], gain[order]
    begins = np.flatnonzero(np.r_[True, listener[1:] != listener[:-1]])
    lengths = np.diff(np.r_[begins, len(listener)])
    # Two listeners hear the same when the sums of their entries' hashes agree (64 bits).
    bits = gain.view(np.uint32).astype(np.uint64) << np.uint64(32)
    hashed = _scatter(source.view(np.uint64) ^ _scatter(bits + np.uint64(1)))
    signature = np.add.reduceat(hashed, begins)
    _, chosen, of_listener = np.unique(signature, return_index=True, return_inverse=True)
    lengths = lengths[chosen]
    starts = np.cumsum(lengths) - lengths
    # The entries of the chosen listeners, one run after the other.
    entries = np.repeat(begins[chosen] - starts, lengths) + np.arange(int(lengths.sum()))
    return starts, of_listener, listener[begins], source[entries], gain[entries]


def _scatter(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread close values over 64 bits (multiply, fold, multiply)."""
    mixed = value * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    return mixed * np.uint64(0xBF58476D1CE4E5B9)
