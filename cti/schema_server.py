"""The part of the public catalogue that is about the server itself; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """The server is stopping: it takes no new calls, and those that run may finish."""

    stopping: bool
    stops_at: float | None = None
    """Calls that still run then are ended."""
    calls_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    """The media gateway went or came."""

    available: bool
    detail: str = ""
    lost_legs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackView:
    """A step on the way of calling a customer back whom our side cut off."""

    state: str
    """`planned`, `dialled`, `failed`, `answered`, `not-possible`, `given-up`."""
    number: str
    attempt: int = 0
    reason: str = ""
    """Why it failed, is not possible or was given up: one slug."""
    again_at: float | None = None
    """When it is dialled again, at the earliest."""
    joined_id: str | None = None
    """The interaction that goes on for this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call was refused."""

    status: int
    reason: str
    called: str
    caller_number: str
