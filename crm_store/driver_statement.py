"""Statements of Core as SQLite's driver takes them: translated once, then run on tuples.

SQLAlchemy prepares every row of a batch for every column, which costs more than the writing itself.
What a statement says and how a value is stored still comes from Core and the models alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Parameters = dict[str, Any]


def execute_many(
    connection: Connection, statement: Executable, parameters: Sequence[Parameters]
) -> None:
    """Run a statement for each of the parameters, which all have the same names.

    The statement must be one that is kept: its translation is found by its identity. Raises the
    database's errors, and ValueError or TypeError for a value that cannot be stored.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(statement, parameters)
        return
    plan = _plan(statement, frozenset(parameters[0]), connection.dialect)
    try:
        rows = [plan.row(each) for each in parameters]
    except msgspec.MsgspecError as error:
        raise ValueError(f"cannot be stored: {error}") from error
    connection.exec_driver_sql(plan.text, rows)


class _Plan:
    """One statement's text, and the order and the stored form of its values."""

    __slots__ = ("_constants", "_forms", "_names", "text")

    def __init__(self, compiled: SQLCompiler, names: frozenset[str], dialect: Dialect) -> None:
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        binds = {name: compiled.binds[name] for name in self._names}
        forms = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in binds.items()
        }
        self._forms = tuple([(name, form) for name, form in forms.items() if form is not None])
        self._constants = {name: compiled.params[name] for name in binds.keys() - names}
        """What the statement itself compares with."""

    def row(self, parameters: Parameters) -> tuple[Any, ...]:
        """The values as they stand for the text's question marks."""
        values = {**self._constants, **parameters}
        for name, form in self._forms:
            values[name] = form(values[name])
        return tuple([values[name] for name in self._names])


@lru_cache(maxsize=256)
def _plan(statement: Executable, names: frozenset[str], dialect: Dialect) -> _Plan:
    element = cast("ClauseElement", statement)
    compiled = element.compile(dialect=dialect, column_keys=sorted(names))
    return _Plan(cast("SQLCompiler", compiled), names, dialect)
