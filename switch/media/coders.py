"""Coders: legs of G.722 and Opus at the edge of the engine, whose own sound is G.711.

    packet of the peer --decode--> 8 kHz --mu-law--> the leg's ring           when its frames are needed
    frame for the peer <--encode-- 8 kHz, linear <-- mix, player, silence     when it is sent

A leg that is relayed to and from one of its own codec has no coder at work. Decoding takes place at the
receipt and encoding at the send, so that the work is spread over the wakes of a frame.

Packets of Opus lost on the way are made up for when the next one comes, from what that repeats of them
(forward error correction) or by the decoder's guess; one that comes after its successor is late.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import (
    INT,
    INTS,
    OCTET_ROWS,
    OCTET_TABLE,
    OCTETS,
    entry,
    inner,
    table_of,
    tuple_of,
)
from switch.media.codecs import ENCODE, FRAME_SAMPLES, G722, OPUS, PCMU
from switch.media.g722 import decode_g722, encode_g722, first_state, reset_g722
from switch.media.legs import LEG, Rows
from switch.media.opus import (
    MAX_SAMPLES,
    SILENCE,
    OpusStates,
    conceal_opus,
    decode_opus,
    encode_opus,
    reset_decoder,
)
from switch.media.packets import TRAILER_OCTETS
from switch.media.receive_ring import BLOCK_SAMPLES, push_packet
from switch.media.rows import grow_columns
from switch.rtp.packet import HEADER_OCTETS, Header
from switch.rtp.stats import signed_difference

DEFAULT_BITRATE: Final = 24_000
"""Bits a second of Opus: as good as 8 kHz can sound, with room for forward error correction."""
_OPUS_GRAIN: Final = 20
"""Samples of 2.5 ms: what the decoder can make up for comes in multiples of it."""
CODER: Final = np.dtype(
    [
        ("decoder", np.int64),  # of libopus, by its address; 0: none
        ("encoder", np.int64),
        ("begun", np.bool_),
        ("sequence", np.int64),  # of the last packet decoded
        (
            "stamp",
            np.int64,
        ),  # the timestamp that should follow it, and the same in samples at 8 kHz
        ("time", np.int64),
        ("rest", np.int64),  # samples that wait for a whole block
    ],
    align=True,
)
"""What is known of one leg's packets of Opus."""


class CoderTables(NamedTuple):
    """The coders as compiled loops see them; rows are legs. Valid until a leg is added."""

    coders: NDArray[Any]
    g722_in: NDArray[np.int32]
    g722_out: NDArray[np.int32]
    rests: NDArray[np.int16]
    linear: NDArray[np.int16]
    """Room for one packet's samples, and a rest before them."""
    encoded: NDArray[np.uint8]
    """Room for the same as mu-law."""
    encode: NDArray[np.uint8]


CODER_TABLES: Final = tuple_of(
    CoderTables,
    table_of(CODER), types.int32[:, ::1], types.int32[:, ::1], types.int16[:, ::1],
    types.int16[::1], OCTETS, OCTET_TABLE,
)  # fmt: skip


class _Columns:
    """The tables whose rows are legs."""

    def __init__(self, rows: int) -> None:
        self.coders = np.zeros(rows, dtype=CODER)
        self.g722_in = np.tile(first_state(), (rows, 1))
        self.g722_out = np.tile(first_state(), (rows, 1))
        self.rests = np.zeros((rows, BLOCK_SAMPLES), dtype=np.int16)


class Coders:
    """The coders of all legs. States of libopus are held by those legs alone that are at work."""

    def __init__(self, rows: int) -> None:
        self._columns = _Columns(rows)
        self._linear = np.zeros(BLOCK_SAMPLES + MAX_SAMPLES, dtype=np.int16)
        self._encoded = np.zeros(BLOCK_SAMPLES + MAX_SAMPLES, dtype=np.uint8)
        self._opus = OpusStates()
        self._wanted: dict[int, tuple[int, bool]] = {}
        """Bit rate and error correction of each leg of Opus."""
        self._decoding: set[int] = set()
        self._encoding: set[int] = set()
        self.tables = self._make_tables()

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows."""
        grow_columns(self._columns, rows)
        self.tables = self._make_tables()

    def configure(self, row: int, codec: int, bitrate: int, *, use_fec: bool) -> None:
        """A leg speaks this codec from now on; `bitrate` in bits a second, 0: as we like."""
        self.forget(row)
        self._columns.g722_in[row] = self._columns.g722_out[row] = first_state()
        if codec == OPUS:
            limited = min(bitrate, DEFAULT_BITRATE) if bitrate else DEFAULT_BITRATE
            self._wanted[row] = (limited, use_fec)

    def forget(self, row: int) -> None:
        """The leg is gone, or speaks another codec."""
        self._end_decoding(row)
        self._end_encoding(row)
        self._wanted.pop(row, None)

    def prepare(self, decoding: Iterable[int], encoding: Iterable[int]) -> None:
        """Legs of these rows will be decoded and encoded for, no others; those of G.711 are passed over."""
        if not self._wanted and not self._decoding and not self._encoding:
            return
        decoding = self._wanted.keys() & set(decoding)
        encoding = self._wanted.keys() & set(encoding)
        coders = self._columns.coders
        for row in self._decoding - decoding:
            self._end_decoding(row)
        for row in self._encoding - encoding:
            self._end_encoding(row)
        for row in decoding - self._decoding:
            coders[row]["decoder"] = self._opus.take_decoder()
        for row in encoding:
            self.encode_too(row)
        self._decoding = set(decoding)

    def encode_too(self, row: int) -> None:
        """A leg will be encoded for from now on; one of G.711 is passed over."""
        if row in self._wanted and row not in self._encoding:
            self._encoding.add(row)
            bitrate, use_fec = self._wanted[row]
            encoder = self._opus.take_encoder(bitrate, use_fec=use_fec)
            self._columns.coders[row]["encoder"] = encoder

    def begin(self, rows: Iterable[int]) -> None:
        """What comes from these legs from now on has nothing to do with what came before."""
        columns = self._columns
        for row in rows:
            columns.g722_in[row] = first_state()
            coder = columns.coders[row]
            coder["begun"] = False
            if coder["decoder"]:
                reset_decoder(int(coder["decoder"]))

    def _end_decoding(self, row: int) -> None:
        if row in self._decoding:
            self._decoding.remove(row)
            self._opus.give_back_decoder(int(self._columns.coders[row]["decoder"]))
        self._columns.coders[row]["decoder"] = 0
        self._columns.coders[row]["begun"] = False

    def _end_encoding(self, row: int) -> None:
        if row in self._encoding:
            self._encoding.remove(row)
            self._opus.give_back_encoder(int(self._columns.coders[row]["encoder"]))
        self._columns.coders[row]["encoder"] = 0

    def _make_tables(self) -> CoderTables:
        columns = self._columns
        return CoderTables(
            columns.coders, columns.g722_in, columns.g722_out, columns.rests,
            self._linear, self._encoded, ENCODE,
        )  # fmt: skip


@inner
def _push(
    tables: CoderTables, rings: NDArray[Any], blocks: NDArray[np.uint8], filled: NDArray[np.bool_],
    row: int, time: int, restarted: bool, overtaken: bool, samples: int,
) -> int:  # fmt: skip
    """Put the first samples of `linear` into the ring of a leg; return what had no room."""
    for i in range(samples):
        tables.encoded[i] = tables.encode[PCMU, np.uint16(tables.linear[i])]
    return push_packet(
        rings, blocks, filled, row, time, restarted, overtaken, tables.encoded, 0, samples
    )


@inner
def _take_opus(
    tables: CoderTables, rings: NDArray[Any], blocks: NDArray[np.uint8], filled: NDArray[np.bool_],
    row: int, header: Header, restarted: bool, packet: NDArray[np.uint8],
) -> int:  # fmt: skip
    coder = tables.coders[row]
    if coder.decoder == 0 or header.length == 0:
        return 0
    lost = 0
    if restarted or not coder.begun:
        restarted = True
        coder.time = (header.timestamp // 6) & 0xFFFFFFFF
        coder.rest = 0
    else:
        step = signed_difference(header.sequence, coder.sequence, 16)
        if step <= 0:
            rings[row].late += 1
            return 0
        gap = signed_difference(header.timestamp, coder.stamp, 32) // 6
        coder.time = (coder.time + gap) & 0xFFFFFFFF
        if gap != 0:
            coder.rest = 0
        if step > 1 and 0 < gap <= MAX_SAMPLES and gap % _OPUS_GRAIN == 0:
            made = conceal_opus(
                coder.decoder, packet, header.start, header.length, gap, tables.linear
            )
            # A ring that waits has stood in for most of it: its time is over.
            waited = rings[row].ahead == 0 and rings[row].misses > 1
            if made > 0 and not waited:
                lost = _push(
                    tables,
                    rings,
                    blocks,
                    filled,
                    row,
                    (coder.time - gap) & 0xFFFFFFFF,
                    False,
                    False,
                    made,
                )
    rest = coder.rest
    tables.linear[:rest] = tables.rests[row, :rest]
    made = decode_opus(coder.decoder, packet, header.start, header.length, tables.linear, rest)
    if made <= 0:
        return lost  # no Opus; the next packet makes up for it
    coder.begun = True
    coder.sequence = header.sequence
    coder.stamp = (header.timestamp + 6 * made) & 0xFFFFFFFF
    begin = (coder.time - rest) & 0xFFFFFFFF
    coder.time = (coder.time + made) & 0xFFFFFFFF
    samples = rest + made
    whole = samples - samples % BLOCK_SAMPLES
    coder.rest = samples - whole
    tables.rests[row, : coder.rest] = tables.linear[whole:samples]
    return lost + _push(tables, rings, blocks, filled, row, begin, restarted, False, whole)


@inner
def take_coded(
    tables: CoderTables, legs: NDArray[Any], rings: NDArray[Any], blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_], row: int, header: Header, restarted: bool, overtaken: bool,
    packet: NDArray[np.uint8],
) -> int:  # fmt: skip
    """Decode the packet of a leg into its ring; return the frames and packets that had no room."""
    if legs[row].codec == OPUS:
        return _take_opus(tables, rings, blocks, filled, row, header, restarted, packet)
    if header.length > MAX_SAMPLES:
        return 1
    if restarted:
        reset_g722(tables.g722_in[row])
    decode_g722(tables.g722_in[row], packet, header.start, header.length, tables.linear)
    return _push(
        tables, rings, blocks, filled, row, header.timestamp, restarted, overtaken, header.length
    )


@entry(CODER_TABLES, table_of(LEG), types.int16[:, ::1], OCTET_ROWS, INTS, INTS, INT, INT)
def encode_frames(
    tables: CoderTables, legs: NDArray[Any], linear: NDArray[np.int16], out: NDArray[np.uint8],
    rows: Rows, sizes: Rows, first: int, count: int,
) -> None:  # fmt: skip
    """Put the payload into packets `first` and on, whose headers are written: packet i carries `linear[i]`.

    Where a leg of Opus has no encoder yet, it is silence.
    """
    for i in range(first, first + count):
        row = rows[i]
        octets = 0
        if legs[row].codec == G722:
            encode_g722(tables.g722_out[row], linear[i], FRAME_SAMPLES, out[i], HEADER_OCTETS)
            octets = FRAME_SAMPLES
        elif tables.coders[row].encoder != 0:
            octets = encode_opus(
                tables.coders[row].encoder, linear[i], FRAME_SAMPLES, out[i], HEADER_OCTETS,
                out.shape[1] - HEADER_OCTETS - TRAILER_OCTETS,
            )  # fmt: skip
        if octets <= 0:
            octets = len(SILENCE)
            for j in range(octets):
                out[i, HEADER_OCTETS + j] = SILENCE[j]
        sizes[i] = HEADER_OCTETS + octets
