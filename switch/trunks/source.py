"""Through what door a call comes in."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Through what door a call came in."""

    PHONE = "phone"
    TRUNK = "trunk"
