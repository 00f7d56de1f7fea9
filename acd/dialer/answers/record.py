"""A decision as it is kept for years: what was heard, and what was made of it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from acd.dialer.answers.timeline import Heard

VERSION = 1


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision. Times are milliseconds of the watch."""

    version: int = VERSION
    kind: str
    probability: float
    why: str
    model: str
    answered_ms: int | None
    """None: not answered."""
    decided_ms: int
    features: dict[str, float]
    heard: tuple[Heard, ...]
    """Up to the decision; before the answer only tones."""


def write(record: Record) -> str:
    """As JSON; about half a kilobyte."""
    return msgspec.json.encode(record).decode()


def read(text: str) -> Record:
    """Raises ValueError when this is no record, or one of a later version."""
    try:
        record = msgspec.json.decode(text, type=Record)
    except msgspec.DecodeError as error:
        raise ValueError(f"this is no record of an answer: {error}") from error
    if record.version != VERSION:
        raise ValueError(f"the record has version {record.version}; known is {VERSION}")
    return record
