"""Ranges of numbers and ports as configurations write them: `1001-1050`, `16000-31999`."""

from __future__ import annotations

import re

_MOST_NUMBERS = 100_000
_LEAST_PORTS = 8
_RANGE = re.compile(r"^(\d{1,15})-(\d{1,15})$")


class SettingsError(Exception):
    """The configuration cannot be used; the message names file, key and what to do."""


def expand(numbers: str, key: str) -> list[str]:
    """List `1001-1050` or `1001` as single numbers or logins.

    Raises:
        SettingsError: the range is empty or larger than 100,000.
    """
    match = _RANGE.match(numbers)
    if match is None:
        return [numbers]
    low, high = match.groups()
    if len(low) != len(high) or int(high) < int(low):
        raise SettingsError(f"{key}: the range {numbers} is empty or mixes lengths")
    if int(high) - int(low) >= _MOST_NUMBERS:
        raise SettingsError(f"{key}: the range {numbers} has more than {_MOST_NUMBERS} numbers")
    return [str(n).zfill(len(low)) for n in range(int(low), int(high) + 1)]


def port_range(ports: str, key: str) -> tuple[int, int]:
    """Read `16000-31999`.

    Raises:
        SettingsError: not two ports in order, or fewer than 8.
    """
    match = _RANGE.match(ports)
    if match is None:
        raise SettingsError(f"{key}: write a range such as 16000-31999, not {ports!r}")
    low, high = int(match[1]), int(match[2])
    if not 1024 <= low < high <= 65535 or high - low < 7:
        raise SettingsError(f"{key}: {ports} must lie within 1024-65535 and hold at least 8 ports")
    return low, high


def port_shares(low: int, high: int, count: int) -> list[tuple[int, int]]:
    """Divide a range among `count`, each from an even port to an odd one; what is left over is nobody's.

    Raises:
        SettingsError: it is too small for so many.
    """
    first = low + low % 2
    size = (high + 1 - first) // count // 2 * 2
    if size < _LEAST_PORTS:
        raise SettingsError(
            f"media.ports: {low}-{high} is too small for {count} gateways; each needs at least "
            f"{_LEAST_PORTS} ports"
        )
    return [(first + n * size, first + (n + 1) * size - 1) for n in range(count)]
