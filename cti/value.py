"""Values that are made many times a call: frozen for the type checker, cheap to make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[_T]) -> type[_T]:
    """A dataclass with slots and named arguments that nobody may change.

    mypy sees to that. `frozen=True` would do so at run time as well, and making one would cost twice
    as much. Made by hand where it counts; elsewhere a frozen dataclass is as good.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
