"""Errors of signatures.

StirError            the peer's signature is of no use; carries the status that RFC 8224 names
"""

from __future__ import annotations


class StirError(Exception):
    """A signature, or what belongs to it, is malformed or not to be believed.

    `reason` is one slug; `status` what to refuse the call with, if it is refused at all.
    """

    def __init__(self, reason: str, message: str, *, status: int = 438) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
