"""Connections of a pool: a broken one is replaced before anybody works with it.

Asking a server whether it is still there takes three round trips, as many as the work itself. Of a connection
that was used a moment ago the loop knows: it has seen the other end close. Only one that has rested is
asked, because a line that broke in silence is noticed by nobody.
"""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

RESTED_S: Final = 1.0
"""A connection that nobody used for so long is asked."""
_USED_AT: Final = "used_at"


def replace_broken(engine: Engine) -> None:
    """Look at each connection of an engine of asyncpg before it is given out."""

    def check_out(connection: Any, record: Any, _fairy: object) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None:
            return  # it is new
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - used_at >= RESTED_S:
            _ask(engine, connection)

    event.listen(engine, "checkin", _check_in)
    event.listen(engine, "checkout", check_out)


def _check_in(_connection: object, record: Any) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ask(engine: Engine, connection: Any) -> None:
    errors = engine.dialect.loaded_dbapi.Error
    try:
        engine.dialect.do_ping(connection)
    except errors as error:
        raise InvalidatePoolError from error
