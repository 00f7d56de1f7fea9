"""Tables whose rows are things (legs, players) and whose columns are numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def grown(column: NDArray[Any], rows: int) -> NDArray[Any]:
    """A copy of `column` with `rows` rows; the new ones are zero."""
    larger = np.zeros((rows, *column.shape[1:]), dtype=column.dtype)
    larger[: len(column)] = column
    return larger


def grow_columns(table: object, rows: int) -> None:
    """Grow every array that is an attribute of `table`; each must have a row for each thing."""
    for name, column in list(vars(table).items()):
        if isinstance(column, np.ndarray):
            setattr(table, name, grown(column, rows))


class RowPool:
    """Hands out row numbers; the lowest free one first, so that tables stay dense."""

    def __init__(self, rows: int) -> None:
        self.capacity = rows
        self._free = list(range(rows - 1, -1, -1))

    def take(self) -> int | None:
        """A free row, or None when the table must grow."""
        return self._free.pop() if self._free else None

    def give_back(self, row: int) -> None:
        """The row is free again."""
        self._free.append(row)

    def grow(self, rows: int) -> None:
        """There are `rows` rows now."""
        self._free[:0] = range(rows - 1, self.capacity - 1, -1)
        self.capacity = rows
