"""What the registrar needs from the store of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Credentials(Protocol):
    """The phones that may register. Called for every request: answer from memory."""

    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        """HA1 values of a user in hexadecimal, any of which is right; empty for a stranger.

        `algorithm` is `SHA-256` or `MD5`.
        """

    def knows(self, number: str) -> bool:
        """True when the number is a phone of ours."""
