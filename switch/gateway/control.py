"""The gateway's end of the control protocol: one listening socket, one call agent at a time.

Whoever says `Hello` last is the call agent: after a crash the new one must not wait for the old
one's connection to be found dead. A connection that misbehaves is refused and closed alone. Over TCP
nobody is heard, or told anything, before both ends have proved that they know the secret.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import select
import socket
import stat
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from switch.gateway.framing import (
    FrameSplitter,
    FramingError,
    decode_command,
    encode_body,
    frame_of,
)
from switch.gateway.place import Place, TcpPlace
from switch.gateway.protocol import (
    MAX_FRAME_OCTETS,
    VERSION,
    Command,
    Event,
    GatewayStats,
    Hello,
    Refused,
)

if TYPE_CHECKING:
    from switch.gateway.trust import GatewayProof

MAX_CONNECTIONS: Final = 8
MAX_UNSENT_OCTETS: Final = 8 << 20
"""A call agent that leaves more than this unread has stopped working."""
MAX_KEPT_EVENTS: Final = 4096
"""Events kept for a call agent that is away; older ones are forgotten."""
PROOF_WITHIN_S: Final = 5.0
"""A connection over TCP that has not proved by then that it knows the secret is closed."""
GONE_S: Final = 10.0
"""A call agent whose host does not acknowledge what it is told (something, every second) is gone. By itself
TCP tries for a quarter of an hour, in which its calls would sound on without anybody to end them."""
_MOST_PROOF_OCTETS: Final = 128
_SEAL_OCTETS: Final = 16
_READ_OCTETS: Final = 32 * 1024
"""Read from a connection in one go: bounds the work of one wake."""

_log = logging.getLogger(__name__)


class _Connection:
    """One connected peer."""

    __slots__ = ("began", "greeted", "peer", "proof", "sock", "splitter", "unsent")

    def __init__(self, sock: socket.socket, proof: GatewayProof | None, peer: str) -> None:
        """`proof` is what a connection over TCP has to do first."""
        self.sock = sock
        self.peer = peer
        self.splitter = FrameSplitter()
        self.unsent = bytearray()
        self.greeted = False
        self.proof = proof
        self.began = time.monotonic()
        if proof is not None:
            self.splitter.most_octets = _MOST_PROOF_OCTETS
            self.unsent += frame_of(proof.challenge())

    @property
    def is_trusted(self) -> bool:
        """Whether it may say, and be told, anything."""
        return self.proof is None or self.proof.opener is not None

    def put(self, event: Event) -> None:
        """Queue an event."""
        body = encode_body(event)
        if self.proof is not None and self.proof.sealer is not None:
            body = self.proof.sealer.seal(body)
        self.unsent += frame_of(body)

    def open(self, body: bytes) -> bytes:
        """What a frame says. Raises FramingError."""
        if self.proof is None or self.proof.opener is None:
            return body
        return self.proof.opener.open(body)

    def prove(self, message: bytes) -> None:
        """Take the peer's proof, and answer it. Raises FramingError."""
        assert self.proof is not None
        self.unsent += frame_of(self.proof.receive(message))
        self.splitter.most_octets = MAX_FRAME_OCTETS + _SEAL_OCTETS


class ControlServer:
    """Accepts call agents, hands their commands on, and sends them events."""

    def __init__(
        self,
        place: Place,
        *,
        on_hello: Callable[[Hello], Event],
        on_command: Callable[[Command], None],
    ) -> None:
        """Listen at `place`; a path must be free or a socket that nobody listens at any more.

        `on_hello` makes the answer to a new call agent. Raises OSError.
        """
        self._on_hello = on_hello
        self._on_command = on_command
        self._place = place
        self._agent: _Connection | None = None
        self._connections: dict[int, _Connection] = {}
        self._kept: deque[Event] = deque(maxlen=MAX_KEPT_EVENTS)
        self.lost = 0
        """Events that gave way to newer ones while there was no call agent."""
        self._listener = _listen_tcp(place) if isinstance(place, TcpPlace) else _listen(place)
        self._refused_at = 0.0
        self._refused = 0
        """Connections that proved nothing, since the last one that was logged."""
        self._epoll = select.epoll()
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)

    @property
    def has_agent(self) -> bool:
        """A call agent is connected and has said `Hello`."""
        return self._agent is not None

    def fileno(self) -> int:
        """Can be read when `poll` has something to do."""
        return self._epoll.fileno()

    def poll(self, timeout_s: float = 0.0) -> None:
        """Accept, read and write what is possible; wait for it up to `timeout_s`."""
        for fd, mask in self._epoll.poll(timeout_s):
            if fd == self._listener.fileno():
                self._accept()
                continue
            connection = self._connections.get(fd)
            if connection is None:
                continue
            if mask & select.EPOLLOUT:
                self._flush(connection)
            if mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._read(connection)

    def send(self, event: Event) -> None:
        """Queue an event for the call agent; it is kept while there is none (counters are not)."""
        if self._agent is None:
            if not isinstance(event, GatewayStats):
                self.lost += len(self._kept) == MAX_KEPT_EVENTS
                self._kept.append(event)
            return
        self._agent.put(event)

    def flush(self) -> None:
        """Write what is queued, as far as the call agent takes it."""
        if self._agent is not None and self._agent.unsent:
            self._flush(self._agent)

    def close(self) -> None:
        """Close everything and remove the socket's file."""
        for connection in tuple(self._connections.values()):
            self._drop(connection)
        self._listener.close()
        self._epoll.close()
        if isinstance(self._place, Path):
            self._place.unlink(missing_ok=True)

    def port(self) -> int:
        """The TCP port that is listened at."""
        found: int = self._listener.getsockname()[1]
        return found

    def expire(self, now: float) -> None:
        """Close what has not proved itself in time; `now` in monotonic seconds."""
        for connection in tuple(self._connections.values()):
            if not connection.is_trusted and now - connection.began >= PROOF_WITHIN_S:
                self._refuse(connection, "nothing was proved in time")

    def _accept(self) -> None:
        try:
            sock, peer = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        proof = None
        if isinstance(self._place, TcpPlace):
            proof = _proof(self._place)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * GONE_S))
        if len(self._connections) >= MAX_CONNECTIONS:
            self._refuse(self._one_too_many(), "too many connections")
        connection = _Connection(sock, proof, str(peer[0]) if proof is not None else "")
        self._connections[sock.fileno()] = connection
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        if connection.unsent:
            self._flush(connection)

    def _one_too_many(self) -> _Connection:
        """Who makes room: the oldest of the host that has the most connections without a proof.

        So a host that connects without end drives out itself, not a call agent that is about to prove.
        """
        others = [each for each in self._connections.values() if each is not self._agent]
        crowds = Counter(each.peer for each in others if not each.is_trusted)
        return max(others, key=lambda each: 0 if each.is_trusted else crowds[each.peer])

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(_READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        try:
            for body in connection.splitter.feed(data):
                if connection.is_trusted:
                    self._take(connection, decode_command(connection.open(body)))
                else:
                    connection.prove(body)
                    self._flush(connection)
                if connection.sock.fileno() < 0:
                    return  # refused meanwhile
        except FramingError as error:
            self._refuse(connection, str(error))

    def _take(self, connection: _Connection, command: Command) -> None:
        if isinstance(command, Hello):
            self._greet(connection, command)
        elif connection.greeted:
            self._on_command(command)
        else:
            self._refuse(connection, "say hello first")

    def _greet(self, connection: _Connection, hello: Hello) -> None:
        if hello.version != VERSION:
            self._refuse(
                connection, f"protocol version {hello.version} is not {VERSION}, which I speak"
            )
            return
        if self._agent is not None and self._agent is not connection:
            self._refuse(self._agent, "another call agent has said hello")
        connection.greeted = True
        self._agent = connection
        connection.put(self._on_hello(hello))
        while self._kept:
            connection.put(self._kept.popleft())
        self._flush(connection)

    def _flush(self, connection: _Connection) -> None:
        if len(connection.unsent) > MAX_UNSENT_OCTETS:
            _log.error("the call agent does not read its events: connection closed")
            self._drop(connection)
            return
        try:
            sent = connection.sock.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The call agent is gone. What it wrote before is still to be read: until the end.
            if connection is self._agent:
                self._agent = None
            sent = len(connection.unsent)
        del connection.unsent[:sent]
        mask = select.EPOLLIN | (select.EPOLLOUT if connection.unsent else 0)
        self._epoll.modify(connection.sock.fileno(), mask)

    def _refuse(self, connection: _Connection, reason: str) -> None:
        if connection.is_trusted:
            _log.warning("control connection refused: %s", reason)
            connection.unsent.clear()
            connection.put(Refused(reason=reason))
            with contextlib.suppress(OSError):  # if it does not read it will see the end
                connection.sock.send(connection.unsent)
        else:
            self._note_stranger(connection, reason)
        self._drop(connection)

    def _note_stranger(self, connection: _Connection, reason: str) -> None:
        """Log who proved nothing, once a second at most: a scan must not fill the disk."""
        self._refused += 1
        now = time.monotonic()
        if now - self._refused_at >= 1.0:
            _log.warning(
                "control connection of %s refused: %s (%d since the last one told)",
                connection.peer,
                reason,
                self._refused,
            )
            self._refused_at, self._refused = now, 0

    def _drop(self, connection: _Connection) -> None:
        if connection is self._agent:
            self._agent = None
        fd = connection.sock.fileno()
        if self._connections.pop(fd, None) is not None:
            self._epoll.unregister(fd)
            connection.sock.close()


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path`, for this user only."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink(missing_ok=True)
            else:
                raise OSError(f"another gateway listens at {path}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(MAX_CONNECTIONS)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen at {path}: {error}") from error
    finally:
        os.umask(mask)
    return listener


def _listen_tcp(place: TcpPlace) -> socket.socket:
    """A listening TCP socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        listener = socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise OSError(f"cannot listen at {place}: {error}") from error
    listener.setblocking(False)
    return listener


def _proof(place: TcpPlace) -> GatewayProof:
    # Only here: the library takes a tenth of a second to load, and gateways on one host need none.
    from switch.gateway.trust import GatewayProof

    return GatewayProof(place.secret, secrets.token_bytes)
