"""Messages cut out of a byte stream (RFC 3261 section 18.3), with the keep-alives of RFC 5626."""

from __future__ import annotations

import re

from switch.errors import RemoteProtocolError
from switch.sip.limits import MessageLimits

_CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_MAX_LENGTH_DIGITS = 9


class FramingError(RemoteProtocolError):
    """No more messages can be cut out of what comes: the connection is to be closed.

    `head` is what came of the message at fault, to be answered as far as it can be read; empty where
    there is nothing to answer. `before` are the whole messages that stood in front of it.
    """

    def __init__(
        self, message: str, *, status: int = 400, head: bytes = b"", before: list[bytes]
    ) -> None:
        super().__init__(message, status=status)
        self.head = head
        self.before = before


class StreamFramer:
    """Takes octets as they come, gives whole messages.

    It holds at most one head and one body within `limits`, and is not fed any more after a
    FramingError.
    """

    __slots__ = ("_buffer", "_limits", "_needed", "_searched", "pongs_due")

    def __init__(self, limits: MessageLimits | None = None) -> None:
        self._limits = limits or MessageLimits()
        self._buffer = bytearray()
        self._needed = 0
        """Length of the message at the front of the buffer; 0 while its head is not complete."""
        self._searched = 0
        """Up to here the buffer holds no end of a head: slow senders cost no second search."""
        self.pongs_due = 0
        """Double CRLFs that came since `take_pongs`."""

    @property
    def buffered(self) -> int:
        """Octets that wait for the rest of their message."""
        return len(self._buffer)

    def take_pongs(self) -> int:
        """How many single CRLFs are owed for keep-alives (RFC 5626 section 3.5.1)."""
        due, self.pongs_due = self.pongs_due, 0
        return due

    def feed(self, data: bytes) -> list[bytes]:
        """Add octets; return the messages that became whole.

        Raises FramingError where the head is too long, or Content-Length is missing, no number,
        contradictory or too large.
        """
        self._buffer += data
        messages: list[bytes] = []
        try:
            while (message := self._next_message()) is not None:
                messages.append(message)
        except RemoteProtocolError as error:
            head = bytes(self._buffer[: self._limits.max_head])
            raise FramingError(
                str(error), status=error.status, head=head, before=messages
            ) from None
        return messages

    def _next_message(self) -> bytes | None:
        if self._needed == 0 and not self._find_head():
            return None
        if len(self._buffer) < self._needed:
            return None
        message = bytes(self._buffer[: self._needed])
        del self._buffer[: self._needed]
        self._needed = self._searched = 0
        return message

    def _find_head(self) -> bool:
        """Learn the length of the next message; False while its head is not complete."""
        self._skip_keepalives()
        buffer = self._buffer
        end = buffer.find(_END_OF_HEAD, max(0, self._searched - 3))
        head_length = len(buffer) if end < 0 else end + 4
        if head_length > self._limits.max_head:
            raise RemoteProtocolError(
                f"the head of a message is longer than {self._limits.max_head} octets", status=513
            )
        if end < 0:
            self._searched = len(buffer)
            return False
        self._needed = head_length + self._body_length(bytes(buffer[: end + 2]))
        return True

    def _skip_keepalives(self) -> None:
        """Drop empty lines between messages; a lone CR or LF waits for what follows."""
        buffer = self._buffer
        start = 0
        while buffer.startswith(b"\r\n", start):
            if buffer.startswith(_END_OF_HEAD, start):
                self.pongs_due += 1
                start += 4
            elif len(buffer) <= start + 3:
                break
            else:
                start += 2
        if start:
            del buffer[:start]
            self._searched = 0

    def _body_length(self, head: bytes) -> int:
        lengths = {found[1].strip(b" \t") for found in _CONTENT_LENGTH.finditer(head)}
        if len(lengths) != 1:
            what = "no Content-Length" if not lengths else "Content-Lengths that contradict"
            raise RemoteProtocolError(f"a message on a stream has {what}")
        text = lengths.pop()
        if not text.isdigit():
            raise RemoteProtocolError(
                f"Content-Length is no number: {text[:40].decode('latin-1')!a}"
            )
        most = self._limits.max_body
        if len(text) > _MAX_LENGTH_DIGITS or int(text) > most:
            raise RemoteProtocolError(f"a body of more than {most} octets", status=413)
        return int(text)
