"""Short messages: MESSAGE from phone to phone, and from us to a phone (RFC 3428).

Pure. A message is passed on at once and answered with what its receiver says, so that a 200 means that
it is there. Nothing is kept for later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from switch.presence.documents import user_part
from switch.presence.door import Door, RefusedError
from switch.presence.settings import PresenceSettings
from switch.registrar.location import Location
from switch.sip.deadlines import Deadlines
from switch.sip.events import TransactionId
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.writing import make_response
from switch.trunks.number_plan import NumberPlan, Refused, ToPhone
from switch.trunks.source import Source

_PATIENCE_S: Final = 20.0
"""So long a receiver may take. The sender waits 32 s and would not hear of a later answer."""
_PLAIN: Final = "text/plain"
_MINUTE_S: Final = 60.0
_PASSED_ON: Final = frozenset({403, 404, 410, 413, 415, 480, 484, 486, 488})
"""Statuses of the receiver that mean the same to the sender."""

Done = Callable[[int], None]
"""Told the status with which a message of ours was answered."""


class Text(Struct, frozen=True, kw_only=True):
    """One message as somebody can read it."""

    sender: str
    receiver: str
    """The phone."""
    words: str


class _Waiting(Struct):
    """A message on its way."""

    reply: Callable[[int, float], None]


class Texts:
    """Passes messages on.

    `send` starts a transaction of ours, `respond` answers one of a peer. `on_text` hears of every
    message to a phone in plain text and tells whether somebody reads it elsewhere, at a desk: then it
    has arrived, whatever the phone says.
    """

    def __init__(
        self,
        *,
        door: Door,
        plan: NumberPlan,
        location: Location,
        settings: PresenceSettings,
        send: Callable[[Request, Flow, float], TransactionId],
        respond: Callable[[TransactionId, Response, float], None],
        new_token: Callable[[], str],
    ) -> None:
        self._door = door
        self._plan = plan
        self._location = location
        self._settings = settings
        self._send = send
        self._respond = respond
        self._new_token = new_token
        self.on_text: Callable[[Text], bool] = lambda text: False
        self._waiting: dict[TransactionId, _Waiting] = {}
        self._late: Deadlines[TransactionId] = Deadlines()
        self._minute = -1
        self._of_minute: Counter[str] = Counter()
        self.counted: Counter[int] = Counter()
        """Messages by the status they were answered with; 0: dropped, as nobody waited any more."""

    def handle(
        self, transaction: TransactionId, request: Request, flow: Flow, now: float
    ) -> Response | None:
        """Answer a MESSAGE; None: the answer follows when the receiver has given it."""
        try:
            return self._pass_on(transaction, request, flow, now)
        except RefusedError as refused:
            self.counted[refused.status] += 1
            return refused.response(request)

    def write(self, sender: str, number: str, words: str, done: Done, now: float) -> None:
        """Send a message of ours to a phone; `done` is told once, soon or at once, how it went."""
        body = words.encode()
        if len(body) > self._settings.most_text:
            self._count(413, done)
        elif not self._door.knows(number):
            self._count(404, done)
        else:
            is_read = self.on_text(Text(sender=sender, receiver=number, words=words))
            self._deliver(
                sender,
                number,
                f"{_PLAIN};charset=UTF-8",
                body,
                lambda status, when: self._count(
                    202 if is_read and status >= 300 else status, done
                ),
                now,
            )

    def answered(self, transaction: TransactionId, status: int, now: float) -> bool:
        """Take the final answer to a message that went on; False when it is none of ours."""
        waiting = self._waiting.pop(transaction, None)
        if waiting is None:
            return False
        self._late.cancel(transaction)
        waiting.reply(status, now)
        return True

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._late.next_due()

    def handle_timer(self, now: float) -> None:
        """Answer for those who do not."""
        while (transaction := self._late.pop_due(now)) is not None:
            waiting = self._waiting.get(transaction)
            if waiting is not None:
                reply, waiting.reply = waiting.reply, lambda status, when: None
                reply(480, now)

    def __len__(self) -> int:
        return len(self._waiting)

    # --- inside ---------------------------------------------------------------------------------

    def _pass_on(
        self, transaction: TransactionId, request: Request, flow: Flow, now: float
    ) -> Response | None:
        if request.to.tag is not None:
            raise RefusedError(481)
        sender = self._door.user(request, flow, now)
        if len(request.body) > self._settings.most_text:
            raise RefusedError(413)
        if request.headers.get("Max-Forwards") == "0":
            raise RefusedError(483)
        self._hold_back(sender, now)
        found = self._plan.resolve(Source.PHONE, sender, request.request_uri.username)
        if isinstance(found, Refused):
            raise RefusedError(found.status)
        if not isinstance(found, ToPhone):
            raise RefusedError(404)
        words = _words(request)
        is_read = words is not None and self.on_text(
            Text(sender=sender, receiver=found.number, words=words)
        )

        def reply(status: int, when: float) -> None:
            final = 202 if is_read and status >= 300 else _told(status)
            self.counted[final] += 1
            self._respond(transaction, make_response(request, final), when)

        kind = request.headers.get("Content-Type") or _PLAIN
        self._deliver(sender, found.number, kind, request.body, reply, now)
        return None

    def _deliver(
        self,
        sender: str,
        number: str,
        kind: str,
        body: bytes,
        reply: Callable[[int, float], None],
        now: float,
    ) -> None:
        """Send it to the newest binding."""
        bindings = self._location.bindings(number, now)
        if not bindings or len(self._waiting) >= self._settings.most_texts:
            reply(480, now)
            return
        host, binding = self._settings.host, bindings[0]
        own = [
            *(("Route", value) for value in binding.path),
            ("From", f"<sip:{user_part(sender)}@{host}>;tag={self._new_token()}"),
            ("To", f"<sip:{user_part(number)}@{host}>"),
            ("Call-ID", self._new_token()),
            ("CSeq", "1 MESSAGE"),
            ("Content-Type", kind),
        ]
        request = Request("MESSAGE", binding.contact_uri, Headers(own), body)
        transaction = self._send(request, binding.flow, now)
        self._waiting[transaction] = _Waiting(reply)
        self._late.set(transaction, now + _PATIENCE_S)

    def _hold_back(self, sender: str, now: float) -> None:
        """Raise RefusedError for one who writes too much."""
        minute = int(now // _MINUTE_S)
        if minute != self._minute:
            self._minute = minute
            self._of_minute.clear()
        self._of_minute[sender] += 1
        if self._of_minute[sender] > self._settings.texts_a_minute:
            wait = str(int((minute + 1) * _MINUTE_S - now) + 1)
            raise RefusedError(480, "Too Many Messages", ("Retry-After", wait))

    def _count(self, status: int, done: Done) -> None:
        self.counted[status] += 1
        done(status)


def _told(status: int) -> int:
    """What the sender hears of the receiver's answer.

    A challenge or a redirection is between us and the receiver; its 408 must not be passed on
    (RFC 4320), and its 503 would read as if we were overloaded.
    """
    return status if status < 300 or status in _PASSED_ON or status >= 600 else 480


def _words(request: Request) -> str | None:
    """What a person can read of it; None for other kinds of content."""
    if request.content_type not in (None, _PLAIN):
        return None
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return None
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
