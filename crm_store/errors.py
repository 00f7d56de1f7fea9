"""Errors of the store.

StoreError
├── StoreUnavailable   the database is away, locked or full: try again later
├── NotStored          there is no such customer or interaction
└── BadRecord          a value cannot be stored; says which and why
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of the errors of the store."""


class StoreUnavailable(StoreError):  # noqa: N818 - a state, not a mistake
    """The database cannot be used now."""


class NotStored(StoreError):  # noqa: N818 - as above
    """No record has this id."""


class BadRecord(StoreError):  # noqa: N818 - as above
    """A record was refused. The message names the field and what it should be."""
