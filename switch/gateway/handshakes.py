"""ICE-lite and DTLS of the legs that have them: what is neither RTP nor RTCP (RFC 7983).

    0-3     STUN: checks are answered; the first authentic one, and any that nominates, makes the peer known
    20-63   DTLS: from known peers alone; a handshake that succeeds keys the leg's SRTP

It is done in the gateway's own turns, between two ticks, a few datagrams a turn: a step of a handshake
takes some tenths of a millisecond. OpenSSL is loaded by a thread when the first leg needs it.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from switch.media.errors import MediaCommandError
from switch.media.model import SrtpKeys
from switch.media.ports import Stray
from switch.srtp.stun import Credentials, is_stun, take_check

STEPS_A_TURN: Final = 2
"""Of DTLS, in one turn: beginnings, datagrams and what is sent again; about a millisecond."""
CHECKS_A_TURN: Final = 64
MAX_WAITING: Final = 512
"""Datagrams of DTLS that wait; more are forgotten, peers send theirs again."""
MAX_DATAGRAMS: Final = 200
"""Of DTLS, from one peer between two configurations: a handshake takes some ten."""
_START: Final = b""
_TIMER: Final = None
"""Causes of a step beside a datagram."""
_NOT_BEFORE_S: Final = 0.05
"""Timers are looked at as often."""

_log = logging.getLogger(__name__)


class IceTerms(Struct, frozen=True):
    """Ours and the peer's names, and the password of checks."""

    ufrag: str
    password: str
    remote_ufrag: str

    def __repr__(self) -> str:
        return f"IceTerms({self.ufrag!r})"


class DtlsTerms(Struct, frozen=True):
    """Who begins, and whom to expect."""

    is_client: bool
    fingerprint: str
    association: str = ""


class PeerWire(Protocol):
    """The sockets, as handshakes need them."""

    def peer(self, row: int) -> tuple[str, int] | None:
        """Where the leg's packets go."""

    def connect(self, row: int, address: str, port: int) -> None:
        """Send to this peer, and take packets of nobody else from now on. Raises MediaCommandError."""

    def reply(self, row: int, data: bytes, to: tuple[str, int]) -> None:
        """Send one datagram from the leg's port; one that cannot be sent is not missed."""

    def expect_security(self, row: int) -> None:
        """Nothing of this leg passes in clear from now on."""

    def secure(self, row: int, keys: SrtpKeys | None) -> None:
        """Encrypt and decrypt with these keys. Raises MediaCommandError."""


class _Leg:
    """One leg with ICE, DTLS or both."""

    __slots__ = ("credentials", "datagrams", "dtls", "is_keyed", "session")

    def __init__(self) -> None:
        self.credentials: Credentials | None = None
        self.dtls: DtlsTerms | None = None
        self.session: Any = None
        self.is_keyed = False
        self.datagrams = 0


class Handshakes:
    """All of them. Only the gateway's thread calls it."""

    def __init__(
        self, wire: PeerWire, certificate: Path | None, on_failed: Callable[[int, str], None]
    ) -> None:
        """`on_failed` is told of legs whose handshake cannot succeed, by row, and why."""
        self._wire = wire
        self._certificate = certificate
        self._on_failed = on_failed
        self._legs: dict[int, _Leg] = {}
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._due: deque[int] = deque()
        """Rows that may begin, or have something to send again; they may have changed since."""
        self._looked_at = 0.0
        self._library: Any = None
        self._context: Any = None
        self._loader: threading.Thread | None = None
        self.refused = 0
        """Datagrams that were neither an authentic check nor of a peer that is known."""
        self.dropped = 0
        """Datagrams of DTLS beyond what may wait, or beyond what one peer may send."""

    def __len__(self) -> int:
        return len(self._legs)

    @property
    def waiting(self) -> int:
        """Datagrams of DTLS that wait for a turn."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether anything waits for the next turn."""
        return bool(self._waiting or self._due)

    def configure(self, row: int, ice: IceTerms | None, dtls: DtlsTerms | None) -> None:
        """What was agreed for a leg; the same again changes nothing. Raises MediaCommandError."""
        if ice is None and dtls is None:
            self.remove(row)
            return
        leg = self._legs.setdefault(row, _Leg())
        leg.datagrams = 0
        leg.credentials = None
        if ice is not None:
            names = f"{ice.ufrag}:{ice.remote_ufrag}"
            leg.credentials = Credentials(names, ice.password.encode())
        if dtls is None:
            return
        if self._certificate is None:
            raise MediaCommandError("this gateway has no certificate for DTLS")
        self._wire.expect_security(row)
        self._load()
        if leg.dtls != dtls:
            leg.dtls = dtls
            leg.session = None
            leg.is_keyed = False

    def remove(self, row: int) -> None:
        """The leg is gone, and what came for it: another may have its row soon."""
        if self._legs.pop(row, None) is not None:
            self._waiting = deque(entry for entry in self._waiting if entry[0] != row)

    def receive(self, strays: list[Stray], aside: list[tuple[int, bytes]]) -> None:
        """Take what came from strangers, and what came from peers that are known."""
        for row, data in aside:
            source = self._wire.peer(row)
            if source is not None:
                self._take(row, data, source, is_known=True)
        for stray in strays:
            self._take(stray.row, stray.data, stray.source, is_known=False)

    def _take(self, row: int, data: bytes, source: tuple[str, int], *, is_known: bool) -> None:
        leg = self._legs.get(row)
        if leg is None:
            self.refused += 1
        elif is_stun(data) and leg.credentials is not None:
            self._check(row, leg.credentials, data, source)
        elif data and 20 <= data[0] <= 63 and leg.dtls is not None and is_known:
            leg.datagrams += 1
            if leg.datagrams <= MAX_DATAGRAMS and len(self._waiting) < MAX_WAITING:
                self._waiting.append((row, data))
            else:
                self.dropped += 1
        else:
            self.refused += 1

    def _check(
        self, row: int, credentials: Credentials, data: bytes, source: tuple[str, int]
    ) -> None:
        check = take_check(data, source, credentials)
        if check.answer:
            self._wire.reply(row, check.answer, source)
        if not check.is_authentic:
            self.refused += 1
            return
        peer = self._wire.peer(row)
        if peer is None or (check.nominates and peer != source):
            try:
                self._wire.connect(row, *source)
            except MediaCommandError as error:
                _log.info("ICE: %s", error)

    # --- DTLS -----------------------------------------------------------------------------------

    def turn(self, now: float) -> None:
        """Go on with handshakes, a few steps; `now` in monotonic s."""
        if not self._due and now - self._looked_at >= _NOT_BEFORE_S:
            self._looked_at = now
            self._due.extend(row for row, leg in self._legs.items() if self._is_due(row, leg))
        for step in range(STEPS_A_TURN):
            # In turns: neither a flood of datagrams nor many beginnings keep the others waiting.
            if self._due and (step % 2 == 0 or not self._waiting):
                row = self._due.popleft()
                leg = self._legs.get(row)
                if leg is not None and self._is_due(row, leg):
                    self._step(row, leg, _START if leg.session is None else _TIMER)
            elif self._waiting:
                row, data = self._waiting.popleft()
                leg = self._legs.get(row)
                if leg is not None and (leg.session is not None or self._begin(row, leg)):
                    self._step(row, leg, data)

    def _is_due(self, row: int, leg: _Leg) -> bool:
        if leg.dtls is None or leg.is_keyed:
            return False
        if leg.session is None:
            return self._can_begin(row, leg)
        wait = leg.session.wait_s
        return wait is not None and wait <= 0

    def _can_begin(self, row: int, leg: _Leg) -> bool:
        return leg.dtls is not None and self._wire.peer(row) is not None and self._is_loaded()

    def _begin(self, row: int, leg: _Leg) -> bool:
        """Make the session of a leg whose peer is known; False while that cannot be, or when it failed."""
        if not self._can_begin(row, leg):
            return False
        self._step(row, leg, _START)
        return self._legs.get(row) is leg

    def _step(self, row: int, leg: _Leg, cause: bytes | None) -> None:
        """Go on because of a datagram, or by itself; the leg is gone afterwards if that failed."""
        peer, terms = self._wire.peer(row), leg.dtls
        try:
            if leg.session is None and terms is not None:
                leg.session = self._library.DtlsSession(
                    self._context, is_client=terms.is_client, fingerprint=terms.fingerprint
                )
            if cause is _TIMER:
                answers = leg.session.handle_timer()
            else:
                answers = leg.session.receive(cause) if cause else leg.session.start()
            if leg.session.keys is not None and not leg.is_keyed:
                suite, send, receive = leg.session.keys
                self._wire.secure(row, SrtpKeys(suite, send, receive))
                leg.is_keyed = True
        except (self._library.DtlsError, MediaCommandError) as error:
            self._fail(row, str(error))
            return
        except Exception as error:  # noqa: BLE001
            # The boundary: what a peer sends may spoil its own leg, not the turn of all others.
            _log.exception("the handshake of a leg failed in a way nobody foresaw")
            self._fail(row, f"DTLS: {type(error).__name__}")
            return
        for data in answers:
            if peer is not None:
                self._wire.reply(row, data, peer)

    def _fail(self, row: int, why: str) -> None:
        self.remove(row)
        self._on_failed(row, why)

    def _load(self) -> None:
        if self._loader is None:
            self._loader = threading.Thread(target=self._import, name="dtls", daemon=True)
            self._loader.start()

    def _import(self) -> None:
        try:
            library = importlib.import_module("switch.srtp.dtls")
            self._context = library.make_context(self._certificate)
            self._library = library
        except Exception:  # noqa: BLE001
            _log.exception("DTLS cannot be loaded: legs that need it stay silent")

    def _is_loaded(self) -> bool:
        return self._library is not None
