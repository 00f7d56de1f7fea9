"""Transactions that are alive: made here, stepped by their tables, forgotten at their end.

`step` is the one place that applies a table; the actions it asks for are the methods below it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

from switch.errors import LocalProtocolError
from switch.sip import invite_client, invite_server, non_invite_client, non_invite_server
from switch.sip.counters import EndpointCounters
from switch.sip.derived import make_cancel, make_failure_ack, make_trying
from switch.sip.events import (
    AckReceived,
    EndpointEvent,
    ResponseReceived,
    TransactionId,
    TransactionTimedOut,
    TransportFailed,
)
from switch.sip.flow import Flow, Transport
from switch.sip.machine import STARTS, TERMINATED, TRANSPORT_ERROR, Action
from switch.sip.message import Message, Request, Response
from switch.sip.strangers import Strangers
from switch.sip.timer_queue import TimerQueue
from switch.sip.timers import PATIENT, SipTimers, Timer, together
from switch.sip.transaction import (
    CancelWish,
    MergeKey,
    Transaction,
    client_key,
    merge_key,
    server_key,
)
from switch.sip.way_back import for_late_responses, for_responses
from switch.sip.writing import serialize

logger = logging.getLogger(__name__)

_Perform = Callable[[Transaction, Message | None, float, Timer | None], None]
"""An action: of whom, with which message at hand, when, and which timer fired."""


class TransactionTable:
    """The transactions of one endpoint, by id and by the keys of RFC 3261 section 17."""

    def __init__(self, timers: SipTimers, counters: EndpointCounters) -> None:
        self.counters = counters
        self.events: deque[EndpointEvent] = deque()
        self.out: list[tuple[bytes, Flow]] = []
        self.untried: list[tuple[Transaction, float]] = []
        """INVITEs of this turn, and when they came."""
        self.by_id: dict[TransactionId, Transaction] = {}
        self.servers: dict[str, Transaction] = {}
        self.clients: dict[str, Transaction] = {}
        self.merging: dict[MergeKey, Transaction] = {}
        """Server transactions of requests outside of dialogs (section 8.2.2.2)."""
        self.queue = TimerQueue()
        self.strangers = Strangers()
        self.half_open: Callable[[Flow, float], None] = lambda flow, now: None
        """Told the host whose INVITE was answered and never acknowledged."""
        self.lives: Callable[[Flow], bool] = lambda flow: True
        """Whether the connection of a flow is there."""
        self._resting: dict[Transaction, None] = {}
        """Those that only absorb retransmissions, the first to rest first."""
        self._yielding: dict[Transaction, None] = {}
        """INVITEs that were refused and wait for their ACK; whoever invents senders leaves many."""
        self._by_peer: dict[tuple[Transport, tuple[str, int]], dict[Transaction, None]] = {}
        """Client transactions by the address they go to."""
        self._serial = 0
        self._t2_s = timers.t2_s
        self._delays = {kind: timers.delays(reliable=kind.is_reliable) for kind in Transport}
        self._perform: dict[Action, _Perform] = {
            Action.SEND: self._send,
            Action.SEND_ONCE: self._send_once,
            Action.RESEND: self._resend,
            Action.YIELD: self._yield,
            Action.REST: self._rest,
            Action.SEND_ACK: self._send_failure_ack,
            Action.SEND_CANCEL: self._send_cancel,
            Action.POSTPONE_CANCEL: self._postpone_cancel,
            Action.DELIVER: self._deliver,
            Action.INFORM_TIMEOUT: self._inform_timeout,
            Action.INFORM_TRANSPORT: self._inform_transport,
            Action.STOP_TIMERS: self._stop_timers,
            Action.DOUBLE: self._double,
            Action.DOUBLE_TO_T2: self._double_to_t2,
            Action.PAUSE_T2: self._pause_t2,
            **{action: partial(self._start_timer, timer) for action, timer in STARTS.items()},
        }

    def fire_due(self, now: float) -> None:
        """Fire every timer due at `now`, the earliest first."""
        while (due := self.queue.pop_due(now)) is not None:
            owner, timer = due
            self.step(cast("Transaction", owner), timer, None, now, timer)

    def fail_peer(self, flow: Flow, reason: str, now: float) -> None:
        """Fail the client transactions that go to the flow's address.

        With a connection number only those of that connection or of none yet.
        """
        for transaction in list(self._by_peer.get((flow.transport, flow.remote), ())):
            connection = transaction.flow.connection
            if flow.connection and connection and connection != flow.connection:
                continue
            transaction.failure = reason
            self.step(transaction, TRANSPORT_ERROR, None, now)

    # --- making and forgetting transactions -------------------------------------------------

    def new_id(self) -> TransactionId:
        self._serial += 1
        return TransactionId(str(self._serial))

    def start_client(
        self,
        request: Request,
        branch: str,
        flow: Flow,
        now: float,
        invite: Transaction | None = None,
    ) -> Transaction:
        machine = invite_client.MACHINE if request.method == "INVITE" else non_invite_client.MACHINE
        key = client_key(branch, request.method)
        transaction = Transaction(machine, self.new_id(), key, request, flow, machine.initial)
        transaction.invite = invite
        self.by_id[transaction.id] = self.clients[key] = transaction
        self._by_peer.setdefault((flow.transport, flow.remote), {})[transaction] = None
        for action in machine.on_start:
            self._perform[action](transaction, request, now, None)
        return transaction

    def start_server(
        self, request: Request, key: str, flow: Flow, stranger: str = ""
    ) -> Transaction:
        """Make a server transaction for a request that just came; `stranger` is the host of one."""
        is_invite = request.method == "INVITE"
        machine = invite_server.MACHINE if is_invite else non_invite_server.MACHINE
        way = for_responses(request, flow)
        transaction = Transaction(machine, self.new_id(), key, request, way, machine.initial)
        self.by_id[transaction.id] = self.servers[key] = transaction
        if stranger:
            self.strangers.add(transaction, stranger)
        return transaction

    def send_trying(self) -> None:
        """Send 100 to the INVITEs that got no other response in the turn in which they came.

        To the others it would say nothing new (RFC 3261 section 17.2.1).
        """
        untried, self.untried = self.untried, []
        for transaction, came_at in untried:
            is_open = transaction.state == invite_server.State.PROCEEDING
            if is_open and transaction.response is None and transaction.request is not None:
                trying = make_trying(transaction.request)
                self.step(transaction, invite_server.Input.SEND_PROVISIONAL, trying, came_at)

    @property
    def resting(self) -> int:
        """Transactions that would give way to others."""
        return len(self._resting) + len(self._yielding)

    def make_room(self) -> bool:
        """Forget the transaction that has rested longest, else the INVITE that was refused first.

        At worst a retransmission of its request is then taken for a new one. False where there is
        none.
        """
        oldest = next(iter(self._resting or self._yielding), None)
        if oldest is None:
            return False
        oldest.state = TERMINATED
        self.counters.rests_cut_short += 1
        self._forget(oldest)
        return True

    # --- transactions of an earlier process -------------------------------------------------

    def resume_client(
        self, invite: Request, flow: Flow, now: float, *, is_under_way: bool
    ) -> Transaction:
        """An INVITE of before. `is_under_way`: a 1xx came, or its transport does not lose it.

        Another is sent again after T1, which a peer that has it answers with its last 1xx.
        """
        key = client_key(invite.top_via.branch, invite.method)
        state = invite_client.State.PROCEEDING if is_under_way else invite_client.State.RESUMED
        transaction = Transaction(invite_client.MACHINE, self.new_id(), key, invite, flow, state)
        self.by_id[transaction.id] = self.clients[key] = transaction
        self._by_peer.setdefault((flow.transport, flow.remote), {})[transaction] = None
        if not is_under_way:
            transaction.datagram = serialize(invite)
            for timer in (Timer.A, Timer.B):
                self._start_timer(timer, transaction, None, now, None)
        return transaction

    def resume_server(
        self, invite: Request, flow: Flow, now: float, *, is_answered: bool
    ) -> Transaction:
        """An INVITE that was received before; its 2xx, if it had one, may still need its ACK."""
        transaction = self.start_server(invite, server_key(invite, invite.method), flow)
        if is_answered:
            transaction.state = invite_server.State.ACCEPTED
            self._start_timer(Timer.L, transaction, None, now, None)
        else:
            transaction.datagram = serialize(make_trying(invite))
            transaction.merge_key = merge_key(invite)
            self.merging[transaction.merge_key] = transaction
        return transaction

    def _forget(self, transaction: Transaction) -> None:
        self.queue.stop_all(transaction)
        self._resting.pop(transaction, None)
        self._yielding.pop(transaction, None)
        if transaction.stranger:
            self.strangers.release(transaction)
        del self.by_id[transaction.id]
        if transaction.merge_key is not None:
            self.merging.pop(transaction.merge_key, None)
        if not transaction.machine.is_client:
            del self.servers[transaction.key]
            return
        del self.clients[transaction.key]
        peer = (transaction.flow.transport, transaction.flow.remote)
        others = self._by_peer[peer]
        del others[transaction]
        if not others:
            del self._by_peer[peer]

    # --- the one place that applies the tables ----------------------------------------------

    def step(
        self,
        transaction: Transaction,
        given: str,
        message: Message | None,
        now: float,
        fired: Timer | None = None,
    ) -> bool:
        """Apply an input; False where the table ignores it."""
        before, machine = transaction.state, transaction.machine
        found = machine.transitions.get((before, given))
        if found is None:
            if (before, given) not in machine.ignored:
                raise LocalProtocolError(f"{given!r} is no input of {transaction!r}")
            return False
        after, actions = found
        transaction.state = after
        for action in actions:
            self._perform[action](transaction, message, now, fired)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s %s: %s, %s -> %s", machine.name, transaction.id, given, before, after)
        if after == TERMINATED:
            self._forget(transaction)
        elif transaction.zero_timer is not None:
            timer, transaction.zero_timer = transaction.zero_timer, None
            self.step(transaction, timer, None, now, timer)
        return True

    # --- actions ----------------------------------------------------------------------------

    def _send(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        assert message is not None
        if isinstance(message, Response):
            transaction.response = message
        transaction.datagram = serialize(message)
        self.out.append((transaction.datagram, self._way(transaction)))

    def _way(self, transaction: Transaction) -> Flow:
        """Where its messages go: a server finds another way when the connection is gone."""
        flow, request = transaction.flow, transaction.request
        if transaction.machine.is_client or request is None:
            return flow
        if flow.connection and not self.lives(flow):
            transaction.flow = for_late_responses(request, flow)
        return transaction.flow

    def _resend(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        if transaction.datagram:
            self.counters.retransmissions_sent += 1
            self.out.append((transaction.datagram, self._way(transaction)))

    def _send_once(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        assert message is not None
        self.out.append((serialize(message), self._way(transaction)))

    def _yield(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self._yielding[transaction] = None
        request = transaction.request
        transaction.let_go()
        if request is not None and transaction.flow.connection:
            # Its Via leads to where the peer listens, should the connection go (section 18.2.2).
            transaction.request = request.without_body()

    def _rest(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self._yielding.pop(transaction, None)
        self._resting[transaction] = None
        is_refused = transaction.machine is invite_client.MACHINE and (
            transaction.state == invite_client.State.COMPLETED
        )
        if not is_refused:  # that one makes an ACK for each copy of the refusal
            transaction.let_go()
        if transaction.stranger:
            self.strangers.release(transaction)

    def _send_failure_ack(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        assert isinstance(message, Response)
        assert transaction.request is not None
        ack = make_failure_ack(transaction.request, message)
        self.out.append((serialize(ack), transaction.flow))

    def _send_cancel(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        transaction.cancel = CancelWish.SENT
        assert transaction.request is not None
        branch = transaction.request.top_via.branch or ""
        cancel = make_cancel(transaction.request, transaction.cancel_headers)
        self.start_client(cancel, branch, transaction.flow, now, invite=transaction)

    def _postpone_cancel(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        transaction.cancel = CancelWish.POSTPONED

    def _deliver(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        if transaction.invite is not None:
            return
        if isinstance(message, Response):
            self.events.append(
                ResponseReceived(
                    transaction=transaction.id, response=message, flow=transaction.flow
                )
            )
        elif message is not None:
            self.events.append(AckReceived(request=message, flow=transaction.flow))

    def _inform_timeout(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self.counters.timeouts += 1
        if not transaction.machine.is_client:
            self.half_open(transaction.flow, now)
        if transaction.invite is None and fired is not None:
            self.events.append(TransactionTimedOut(transaction=transaction.id, timer=fired.name))

    def _inform_transport(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self.counters.transport_failures += 1
        if transaction.invite is None:
            self.events.append(
                TransportFailed(transaction=transaction.id, reason=transaction.failure)
            )

    def _stop_timers(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self.queue.stop_all(transaction)

    def _start_timer(
        self,
        timer: Timer,
        transaction: Transaction,
        message: Message | None,
        now: float,
        fired: Timer | None,
    ) -> None:
        delay = self._delays[transaction.flow.transport][timer]
        if delay is None:
            return
        if delay == 0:
            transaction.zero_timer = timer
            return
        if timer in (Timer.A, Timer.E, Timer.G):
            transaction.interval = delay
        when = now + delay
        self.queue.start(transaction, timer, together(when) if timer in PATIENT else when)

    def _double(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self._again(transaction, transaction.interval * 2, now, fired)

    def _double_to_t2(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self._again(transaction, min(transaction.interval * 2, self._t2_s), now, fired)

    def _pause_t2(
        self, transaction: Transaction, message: Message | None, now: float, fired: Timer | None
    ) -> None:
        self._again(transaction, self._t2_s, now, fired)

    def _again(
        self, transaction: Transaction, interval: float, now: float, fired: Timer | None
    ) -> None:
        assert fired is not None
        transaction.interval = interval
        self.queue.start(transaction, fired, now + interval)
