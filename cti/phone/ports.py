"""What the child process and a SIP backend need of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cti.phone.protocol import Command, Event

Emit = Callable[[Event], None]
"""Sends one event to the parent. May be called from any thread."""

Commands = Callable[[float], list[Command] | None]
"""Waits up to so many seconds for commands; None once the parent is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """How the user agent runs."""

    audio: str = "none"
    """`device` or `none`."""
    bind: str = ""
    """Local address; empty: chosen by the route."""
    local_port: int = 0
    """SIP port; 0: any free one."""
    number: str = "phone"
    """Who calls before (or without) a registration."""
    srtp: str = "off"
    """Whether its sound is encrypted: `off`, `optional`, `required`, or `dtls`."""
    ca_file: str = ""
    """PEM of the authorities that a TLS server must be vouched for by; empty: any server is believed."""
    trace: bool = False
    """Write each SIP message to standard error."""


class Backend(Protocol):
    """A SIP user agent behind the line protocol."""

    def run(self, commands: Commands, emit: Emit) -> None:
        """Start, obey until `Quit` or the end of input, then leave cleanly."""
        ...


class PhoneError(Exception):
    """An order that cannot be carried out; the text is meant for the agent."""
