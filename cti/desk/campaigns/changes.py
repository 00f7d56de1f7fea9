"""What of a campaign is changed while it runs, and how what a person types becomes a value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting. `path` is that of `CampaignSettings`, with a dot inside tables."""

    path: str
    low: float = 0.0
    high: float = 0.0
    is_whole: bool = False
    choices: tuple[str, ...] = ()
    """One of these; then nothing is typed."""

    @property
    def key(self) -> str:
        """Catalogue key of its name."""
        return f"change.{self.path.replace('.', '_')}"


FIELDS: Final = (
    Field(path="cap.percent", low=0.1, high=100.0),
    Field(path="cap.guard", choices=("statistical", "none")),
    Field(
        path="mode",
        choices=("manual", "preview", "progressive", "predictive", "announcement"),
    ),
    Field(path="ring_s", low=15.0, high=120.0),
    Field(path="weight", low=1, high=100, is_whole=True),
    Field(path="inbound_reserve", low=0, high=1000, is_whole=True),
    Field(path="priority", low=-1000, high=1000, is_whole=True),
    Field(path="limits.calls", low=0, high=100_000, is_whole=True),
    Field(path="limits.calls_per_s", low=0.0, high=1000.0),
    Field(path="limits.attempts", low=0, high=1000, is_whole=True),
    Field(path="limits.per_day", low=0, high=100, is_whole=True),
    Field(path="preview_s", low=0.0, high=3600.0),
    Field(path="goal", low=0, high=10_000_000, is_whole=True),
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was typed is no value: the catalogue key of why not, with its figures."""

    key: str
    low: str = ""
    high: str = ""


def value_of(settings: Mapping[str, Any], path: str) -> Any:
    """The value at a path; None where there is none."""
    found: Any = settings
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def read(field: Field, text: str) -> float | int | str | Wrong:
    """The value that was typed, or why it is none."""
    typed = text.strip()
    if field.choices:
        return typed if typed in field.choices else Wrong("change.no_choice")
    try:
        number = float(typed.replace(",", "."))
    except ValueError:
        return Wrong("change.no_number")
    if not field.low <= number <= field.high:  # neither is "nan" in between
        return Wrong("change.out_of_range", f"{field.low:g}", f"{field.high:g}")
    if field.is_whole and number != int(number):
        return Wrong("change.not_whole")
    return int(number) if field.is_whole else number


def shown(value: Any) -> str:
    """A value as it is typed."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def patch(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the command: values at paths become tables in tables."""
    body: dict[str, Any] = {}
    for path, value in changes.items():
        *tables, name = path.split(".")
        place = body
        for table in tables:
            place = place.setdefault(table, {})
        place[name] = value
    return body
