"""What a tick leaves for later: packets that are made, in parts over the wakes of the frame.

    buffer of packets    | sent | part | part | part ...    READY: as they are
                                   ... | part | part |      UNCODED: encoded when their turn comes

The wakes are either turns of the engine, or those that the sockets do by themselves (`RelayingWire`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import INTS, OCTET_ROWS, inner, table_of, tuple_of
from switch.media.legs import Rows

READY: Final = 0
UNCODED: Final = 1
PORTION: Final = np.dtype(
    [
        ("first", np.int64),  # row of the next packet
        ("left", np.int64),  # packets from there on
        ("part", np.int64),  # so many of them at a wake
    ]
)


class LaterTables(NamedTuple):
    """The packets that wait, as compiled loops see them. Valid until the next tick."""

    portions: NDArray[Any]
    """PORTIONs: READY and UNCODED."""
    linear: NDArray[np.int16]
    """What UNCODED packets will carry, by row."""
    octets: NDArray[np.uint8]
    rows: Rows
    sizes: Rows


LATER_TABLES: Final = tuple_of(
    LaterTables,
    table_of(PORTION), types.int16[:, ::1], OCTET_ROWS, INTS, INTS,
)  # fmt: skip


@inner
def take_portion(portion: Any, most: int) -> tuple[int, int]:
    """The first of the next packets, `most` at most, and how many they are."""
    first = portion.first
    count = min(most, portion.left)
    portion.first += count
    portion.left -= count
    return first, count
