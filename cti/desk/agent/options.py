"""How a desk is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PHONES: Final = ("auto", "pjsua2", "baresip", "external")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOptions:
    """What the command line says."""

    server: str = "http://127.0.0.1:8080"
    login: str = ""
    password: str = ""
    """Asked for on the screen when empty."""
    phone: str = "auto"
    """One of `PHONES`; `external`: the agent answers on another phone."""
    audio: bool = True
    """Use sound devices; without them the phone is silent, not absent."""
    language: str = ""
    """`en` or `zh`; empty: the user's own."""
    auto_answer: bool = False
    """Answer by itself (headset mode)."""
    ready: bool = False
    """Become available as soon as the phone is registered."""
