"""The part of the public catalogue that is about phones apart from their calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxView:
    """Messages that wait for a phone, as its lamp shows them."""

    phone: str
    new: int = 0
    old: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxRequest:
    """Body of `POST /api/v1/phones/{phone}/mailbox`."""

    new: int
    old: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """Body of `POST /api/v1/phones/{phone}/messages`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReply:
    """What became of a short message."""

    delivered: bool
    status: int
    """The SIP status of the phone's answer; 202: read at the desk, 480: nobody there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReceived:
    """Somebody wrote to an agent."""

    sender: str
    """Number of the phone, or a name."""
    text: str
