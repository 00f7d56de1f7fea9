"""Players: sources of sound that are not legs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INTS, OCTET_ROWS, OCTETS, entry, table_of
from switch.ids import PlayerId
from switch.libc import copy_octets
from switch.media.codecs import FRAME_MS, FRAME_SAMPLES
from switch.media.events import PlayerEnded
from switch.media.legs import Rows
from switch.media.model import PlayerItem, PromptItem, SilenceItem, ToneItem
from switch.media.prompts import PromptStore, Segment
from switch.media.rows import RowPool, grown

_FIRST_ROWS: Final = 64
PLAYER: Final = np.dtype(
    [
        ("start", np.int64),  # where its segment begins in the arena
        ("cycle", np.int64),  # frames until the segment repeats itself
        ("length", np.int64),  # frames to play of it
        ("index", np.int64),  # frames played of it
        ("shift", np.int64),  # place in the cycle at its beginning
    ]
)


@dataclass(slots=True)
class _Program:
    """What one player has still to do."""

    player: PlayerId
    segments: tuple[Segment, ...]
    missing: tuple[str, ...]
    loop: bool
    next: int = 0
    played: int = 0
    """Frames of the segments that are over."""


class PlayerTable:
    """All players. `frames` holds the frame of each row after `advance`, mu-law."""

    def __init__(self, store: PromptStore) -> None:
        self._store = store
        self._pool = RowPool(_FIRST_ROWS)
        self._programs: dict[int, _Program] = {}
        self._rows: dict[PlayerId, int] = {}
        self._active = np.empty(0, dtype=np.int64)
        self._stale = False
        self._table = np.zeros(_FIRST_ROWS, dtype=PLAYER)
        self._over = np.zeros(_FIRST_ROWS, dtype=np.int64)
        self.frames = np.full((_FIRST_ROWS, FRAME_SAMPLES), 0xFF, dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> tuple[PlayerId, ...]:
        """The players that play."""
        return tuple(self._rows)

    def row(self, player: PlayerId) -> int | None:
        """The row of a player."""
        return self._rows.get(player)

    def play(
        self, player: PlayerId, items: Sequence[PlayerItem], *, loop: bool
    ) -> tuple[int | None, tuple[str, ...]]:
        """Start a player from the next tick on; return its row and the prompts that do not exist.

        The row is None when nothing is left to play.
        """
        segments, missing = self._compile(items)
        if not segments:
            return None, missing
        row = self._pool.take()
        if row is None:
            self._grow()
            row = self._pool.take()
            assert row is not None
        program = _Program(player, segments, missing, loop)
        self._programs[row] = program
        self._rows[player] = row
        self._begin(row, program)
        self._stale = True
        return row, missing

    def stop(self, player: PlayerId) -> tuple[int, PlayerEnded] | None:
        """End a player before its time; None when there is no such player."""
        row = self._rows.get(player)
        if row is None:
            return None
        program = self._programs[row]
        played = program.played + int(self._table[row]["index"])
        self._remove(row)
        return row, PlayerEnded(
            player=player, played_ms=played * FRAME_MS, stopped=True, missing=program.missing
        )

    def advance(self) -> list[tuple[int, PlayerEnded]]:
        """Fill `frames` for this tick; return the players that have played their last frame before.

        A player that ends is gone when this returns; its row may still be in the gains.
        """
        ended: list[tuple[int, PlayerEnded]] = []
        if self._stale:
            self._active = np.fromiter(self._programs, np.int64, len(self._programs))
            self._stale = False
        active = self._active
        if not len(active):
            return ended
        for row in self._over[: find_over(self._table, active, self._over)].tolist():
            event = self._next_segment(row)
            if event is not None:
                ended.append((row, event))
        if ended:
            self._active = active = np.fromiter(self._programs, np.int64, len(self._programs))
            self._stale = False
        copy_frames(self._store.arena, self._table, active, self.frames)
        return ended

    def _compile(self, items: Sequence[PlayerItem]) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
        segments: list[Segment] = []
        missing: list[str] = []
        for item in items:
            match item:
                case PromptItem(name=name):
                    found = self._store.prompt(name)
                    if found is None:
                        missing.append(name)
                    else:
                        segments.append(found)
                case ToneItem():
                    segments.append(
                        self._store.tone(item.frequencies_hz, item.duration_ms, item.level_dbov)
                    )
                case SilenceItem():
                    segments.append(self._store.silence(item.duration_ms))
        return tuple(segments), tuple(missing)

    def _begin(self, row: int, program: _Program) -> None:
        segment = program.segments[program.next]
        shift = program.played % segment.cycle if segment.continuous else 0
        self._table[row] = (segment.start, segment.cycle, segment.frames, 0, shift)

    def _next_segment(self, row: int) -> PlayerEnded | None:
        program = self._programs[row]
        program.played += int(self._table[row]["length"])
        program.next += 1
        if program.next == len(program.segments):
            if not program.loop:
                self._remove(row)
                return PlayerEnded(
                    player=program.player,
                    played_ms=program.played * FRAME_MS,
                    stopped=False,
                    missing=program.missing,
                )
            program.next = 0
        self._begin(row, program)
        return None

    def _remove(self, row: int) -> None:
        program = self._programs.pop(row)
        del self._rows[program.player]
        self._pool.give_back(row)
        self._stale = True

    def _grow(self) -> None:
        rows = 2 * self._pool.capacity
        self._pool.grow(rows)
        for name in ("_table", "_over", "frames"):
            setattr(self, name, grown(getattr(self, name), rows))


@entry(table_of(PLAYER), INTS, INTS)
def find_over(players: NDArray[Any], active: Rows, over: Rows) -> int:
    """List those of the `active` players in `over` that have come to the end of their segment."""
    found = 0
    for row in active:
        if players[row].index >= players[row].length:
            over[found] = row
            found += 1
    return found


@entry(OCTETS, table_of(PLAYER), INTS, OCTET_ROWS)
def copy_frames(
    arena: NDArray[np.uint8], players: NDArray[Any], active: Rows, frames: NDArray[np.uint8]
) -> None:
    """Give each active player its next frame."""
    for row in active:
        player = players[row]
        place = (player.index + player.shift) % player.cycle
        first = player.start + place * FRAME_SAMPLES
        copy_octets(arena, first, frames[row], 0, FRAME_SAMPLES)
        player.index += 1
