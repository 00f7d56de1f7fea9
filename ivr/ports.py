"""What a running flow needs from outside. The switch's call control satisfies `Voice` as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from switch.gateway.protocol import PlayItem
from switch.ids import LegId, PlayerId


class Voice(Protocol):
    """The caller's leg as a flow may use it."""

    def answer(self, leg: LegId) -> None:
        """Answer an incoming leg; `LegAnswered` follows."""

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        """Play to an answered leg; `PlayFinished` follows."""

    def stop(self, player: PlayerId) -> None:
        """Stop a player."""

    def echo(self, leg: LegId, on: bool) -> None:
        """Let the leg hear itself."""
