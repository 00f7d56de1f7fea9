"""The part of the public catalogue that is about signing on, and about errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a user may do. Each role may do what the earlier ones may."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnRequest:
    """Body of `POST /api/v1/sign-on`."""

    login: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCredentials:
    """What the desk's softphone needs to register."""

    number: str
    sip_host: str
    sip_port: int
    transport: str
    realm: str
    one_time_secret: str
    """A password that is valid for this number while the desk is signed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnReply:
    """Who one is now."""

    token: str
    """Bearer token for HTTP (`Authorization: Bearer ...`) and WebSocket (`?token=...`)."""
    expires: float
    login: str
    name: str
    role: Role
    agent_id: str | None
    phone: PhoneCredentials | None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Body of every error answer: a stable id, words for people, and what to do."""

    error_id: str
    message: str
    details: dict[str, str] = field(default_factory=dict)
