"""The part of the public catalogue that is bodies of commands; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStateRequest:
    """Body of `POST /api/v1/agents/{agent}/state`."""

    state: str
    """`available` or `not-ready`."""
    reason: str = ""
    """One of the configured reasons; needed for `not-ready`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRequest:
    """Body of `POST /api/v1/agents/me/dial`: the agent's own phone rings first, then the number."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsRequest:
    """Body of `POST /api/v1/interactions/{id}/digits`."""

    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRequest:
    """Body of `POST /api/v1/interactions/{id}/mute`."""

    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRequest:
    """Body of `POST /api/v1/interactions/{id}/notes`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionRequest:
    """Body of `POST /api/v1/interactions/{id}/disposition`."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRequest:
    """Body of `POST /api/v1/interactions/{id}/customer`: pick a candidate or create a customer."""

    customer_id: str | None = None
    """Pick this one; else create from the rest."""
    name: str = ""
    company: str = ""
    language: str = ""
    remarks: str = ""
