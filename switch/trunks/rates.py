"""What calls cost on a trunk: a table by the longest prefix that fits.

    prefix,cost,description
    1202,0.0040,Washington DC
    44,0.0100,United Kingdom

Prefixes are those of international numbers, with or without plus; the cost is that of a minute, in
whatever currency all tables of the site are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

_MOST_ROWS: Final = 500_000
_LONGEST_PREFIX: Final = 15
_HIGHEST: Final = Decimal(10_000)
_LONGEST_COST: Final = 20


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a destination."""

    prefix: str
    """Digits without a plus."""
    cost: Decimal
    """Of a minute."""


class RateTable:
    """The rates of one trunk."""

    __slots__ = ("_lengths", "_rates")

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = dict(rates)
        self._lengths = sorted({len(prefix) for prefix in rates}, reverse=True)

    def __len__(self) -> int:
        return len(self._rates)

    def find(self, e164: str) -> Rate | None:
        """The rate of an international number (`+...`); None where the table has none."""
        digits = e164.removeprefix("+")
        for length in self._lengths:
            found = self._rates.get(digits[:length]) if length <= len(digits) else None
            if found is not None:
                return found
        return None


def read_rates(text: str, name: str) -> RateTable:
    """Read a table; `name` is what errors call it.

    Raises:
        ValueError: a line makes no sense; names it, and says what should stand there.
    """
    try:
        return RateTable(_rows(text, name))
    except csv.Error as error:
        raise ValueError(f"{name}: no table of comma-separated values: {error}") from None


def _rows(text: str, name: str) -> dict[str, Rate]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "prefix" not in header or "cost" not in header:
        raise ValueError(
            f"{name}:1: the first line must name the columns, prefix and cost at least"
        )
    of_prefix, of_cost = header.index("prefix"), header.index("cost")
    rates: dict[str, Rate] = {}
    for row in reader:
        place = f"{name}:{reader.line_num}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(of_prefix, of_cost):
            raise ValueError(f"{place}: {len(row)} columns; the first line names {len(header)}")
        prefix = row[of_prefix].strip().removeprefix("+")
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= _LONGEST_PREFIX):
            raise ValueError(f"{place}: prefix {row[of_prefix][:40]!r} is not 1 to 15 digits")
        if prefix in rates:
            raise ValueError(f"{place}: prefix {prefix} is there already; remove one of the two")
        if len(rates) >= _MOST_ROWS:
            raise ValueError(f"{place}: more than {_MOST_ROWS} rows")
        rates[prefix] = Rate(prefix, _cost(row[of_cost].strip(), place))
    return rates


def _cost(text: str, place: str) -> Decimal:
    try:
        cost = Decimal(text) if len(text) <= _LONGEST_COST else Decimal("NaN")
    except InvalidOperation:
        cost = Decimal("NaN")
    if not (cost.is_finite() and 0 <= cost <= _HIGHEST):
        raise ValueError(f"{place}: cost {text[:40]!r} is no price of a minute, as 0.0125")
    return cost
