"""The transaction layer: datagrams and the time go in, datagrams and events come out.

Every message finds its transaction or makes one; what happens then stands in the tables of the four
machines, and this file performs their actions. It opens no socket and reads no clock: the shell in
`switch.transport` does both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sip import invite_client, invite_server, non_invite_server
from switch.sip.admission import DEFAULT_ALLOW, DEFAULT_SUPPORTED, Admission, answer
from switch.sip.counters import EndpointCounters
from switch.sip.events import (
    AckReceived,
    CancelReceived,
    EndpointEvent,
    RequestReceived,
    TransactionId,
    TransportFailed,
)
from switch.sip.flow import Flow
from switch.sip.glimpse import is_keepalive
from switch.sip.inputs import CHALLENGES, input_of_received, input_of_sent
from switch.sip.limits import EndpointLimits
from switch.sip.message import KNOWN_METHODS, Request, Response
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.ports import Doorkeeper, Unguarded
from switch.sip.room import Room
from switch.sip.surplus import Surplus
from switch.sip.timers import SipTimers
from switch.sip.transaction import (
    CancelWish,
    client_key,
    merge_key,
    server_key,
    stateless_tag,
)
from switch.sip.transactions import TransactionTable
from switch.sip.way_back import for_responses, mark_via
from switch.sip.writing import REASONS, make_response, serialize

_UNSUPPORTED_SCHEME: Final = 416


class Endpoint:
    """All transactions of one user agent.

    `new_branch` gives the unique part of a branch, without the magic cookie. `sent_by` gives host and
    port for the Via of requests on a flow; without it they are the flow's local address.
    """

    def __init__(
        self,
        *,
        new_branch: Callable[[], str],
        timers: SipTimers | None = None,
        limits: EndpointLimits | None = None,
        allow: Sequence[str] = DEFAULT_ALLOW,
        supported: Sequence[str] = DEFAULT_SUPPORTED,
        sent_by: Callable[[Flow], str] | None = None,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self.counters = EndpointCounters()
        self.answered: Counter[int] = Counter()
        """Responses by status, those without a transaction included; 100 is left out."""
        self.malformed: Counter[int] = Counter()
        """Messages that the parser refused, by the status they deserve; 0 for none."""
        self._new_branch = new_branch
        self._sent_by = sent_by or _local_address
        self.limits = self._limits = limits or EndpointLimits()
        self._admission = Admission(allow, supported, self._limits.retry_after_s)
        self._table = TransactionTable(timers or SipTimers(), self.counters)
        self._room = Room(self._table, self._limits)
        self.surplus = Surplus(
            self._table, self._admission, self.answered, self._limits.max_transactions
        )
        """What more comes than can be served goes there instead of to `receive_datagram`."""
        self._door = doorkeeper or Unguarded()
        self._table.half_open = self._half_open

    def asks_for_connections(self, lives: Callable[[Flow], bool]) -> None:
        """Whoever has the connections tells whether that of a flow is there."""
        self._table.lives = lives

    def lives(self, flow: Flow) -> bool:
        """Whether the connection of a flow is there; True where there need be none."""
        return not flow.connection or self._table.lives(flow)

    # --- the five verbs ---------------------------------------------------------------------

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one UDP datagram or one message cut out of a stream. Never raises for its content."""
        if is_keepalive(data):
            self.counters.keepalives += 1
            return
        try:
            message = parse(data, self._limits.message)
        except MalformedMessageError as error:
            self._refuse_malformed(error, flow, now)
            return
        if isinstance(message, Request):
            self.counters.requests += 1
            mark_via(message, flow)
            self._receive_request(message, flow, now)
        else:
            self.counters.responses += 1
            self._receive_response(message, flow, now)

    def refuse_unframed(self, head: bytes, fault: RemoteProtocolError, flow: Flow) -> None:
        """Answer a message that could not be cut out of its stream, as far as `head` can be read."""
        try:
            parse(head, self._limits.message, fault)
        except MalformedMessageError as error:
            self._answer_malformed(error, flow)

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        """What is to be sent, oldest first; it is the caller's from now on."""
        table = self._table
        if table.untried:
            table.send_trying()
        out, table.out = table.out, []
        return out

    def next_event(self) -> EndpointEvent | None:
        """The oldest event not taken yet."""
        events = self._table.events
        return events.popleft() if events else None

    @property
    def has_event(self) -> bool:
        """Whether `next_event` has one."""
        return bool(self._table.events)

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called (monotonic seconds)."""
        return self._table.queue.next_due()

    def handle_timer(self, now: float) -> None:
        """Fire every timer due at `now`."""
        self._table.fire_due(now)

    # --- commands of the layer above --------------------------------------------------------

    def send_request(self, request: Request, flow: Flow, now: float) -> TransactionId:
        """Start a client transaction. The request gets its one Via, and Max-Forwards if it has none.

        For want of room the transaction fails at once with `TransportFailed`.
        """
        if request.method == "ACK":
            raise LocalProtocolError("an ACK is no transaction; use send_ack")
        branch = "z9hG4bK" + self._new_branch()
        request.headers.remove("Via")
        self._complete(request, flow, branch)
        if not self._room.has_place(self._limits.max_transactions):
            self.counters.shed += 1
            identity = self._table.new_id()
            reason = f"more than {self._limits.max_transactions} transactions"
            self._table.events.append(TransportFailed(transaction=identity, reason=reason))
            return identity
        return self._table.start_client(request, branch, flow, now).id

    def send_ack(self, request: Request, flow: Flow) -> None:
        """Send the ACK to a 2xx. Sent again, the same request goes out with the same Via."""
        if "Via" not in request.headers:
            self._complete(request, flow, "z9hG4bK" + self._new_branch())
        self._table.out.append((serialize(request), flow))

    def cancel(
        self, transaction: TransactionId, now: float, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Cancel an INVITE of ours: now, or once a provisional response came (section 9.1).

        `headers` go into the CANCEL: a Reason (RFC 3326).

        Nothing happens where the final response is there already. Otherwise the transaction ends by
        a final response, usually 487, or times out.
        """
        found = self._table.by_id.get(transaction)
        if found is None:
            return
        if found.machine is not invite_client.MACHINE:
            raise LocalProtocolError(f"only an INVITE of ours can be cancelled, not {found!r}")
        if found.cancel == CancelWish.NONE:
            found.cancel_headers = tuple(headers)
            self._table.step(found, invite_client.Input.CANCEL, None, now)

    def respond(self, transaction: TransactionId, response: Response, now: float) -> None:
        """Answer a request. Too late for the transaction: counted and dropped.

        401 and 407 are sent once, with a To tag of the endpoint's own, and leave nothing behind.
        """
        found = self._table.by_id.get(transaction)
        if found is None:
            self.counters.late_responses += 1
            return
        if found.machine.is_client:
            raise LocalProtocolError(f"cannot respond to a request of our own: {found!r}")
        request = found.request
        if response.status in CHALLENGES and request is not None and request.to.tag is None:
            self.counters.challenges_sent += 1
            to = response.to.with_tag(stateless_tag(request))
            response.headers.set("To", str(to))  # by which its ACK is known
        self.answered[response.status] += 1
        if not self._table.step(
            found, input_of_sent(found.machine, response.status), response, now
        ):
            self.counters.late_responses += 1

    def answer_by(self, transaction: TransactionId, flow: Flow) -> None:
        """Send what is still to be said to a request of a peer by another way than it came."""
        found = self._table.by_id.get(transaction)
        if found is not None and not found.machine.is_client:
            found.flow = flow

    def sent(self, transaction: TransactionId) -> bytes:
        """The octets of a request of ours, while it may have to be sent again; else empty."""
        found = self._table.by_id.get(transaction)
        return b"" if found is None or not found.machine.is_client else found.datagram

    def acknowledged(self, transaction: TransactionId, now: float) -> None:
        """Our 2xx to this INVITE is not repeated any more: from now on it may give way to others."""
        found = self._table.by_id.get(transaction)
        if found is not None and found.machine is invite_server.MACHINE:
            self._table.step(found, invite_server.Input.ACKNOWLEDGED, None, now)

    def resume_client(
        self, invite: Request, flow: Flow, now: float, *, is_under_way: bool
    ) -> TransactionId:
        """Wait on for the answer to an INVITE of an earlier process; nothing is sent now.

        One that is not known to be under way is sent again after T1, unless it is cancelled before.
        """
        return self._table.resume_client(invite, flow, now, is_under_way=is_under_way).id

    def resume_server(
        self, invite: Request, flow: Flow, now: float, *, is_answered: bool
    ) -> TransactionId:
        """Go on with an INVITE that an earlier process received, and maybe answered with 2xx."""
        return self._table.resume_server(invite, flow, now, is_answered=is_answered).id

    def transport_failed(self, flow: Flow, reason: str, now: float) -> None:
        """A message could not be sent on `flow`, or its connection is gone.

        Fails the client transactions that go there; with a connection number only those of that
        connection or of none yet.
        """
        self._table.fail_peer(flow, reason, now)

    @property
    def transactions_alive(self) -> int:
        return len(self._table.by_id)

    @property
    def transactions_under_way(self) -> int:
        """Those alive that would not give way to others for want of room."""
        return len(self._table.by_id) - self._table.resting

    @property
    def strangers_alive(self) -> int:
        """Requests of strangers that are being dealt with."""
        return self._table.strangers.alive

    @property
    def fullest_stranger(self) -> int:
        """Of those, the ones from the address that has most."""
        return self._table.strangers.fullest

    @property
    def timers_running(self) -> int:
        return len(self._table.queue)

    # --- receiving --------------------------------------------------------------------------

    def _half_open(self, flow: Flow, now: float) -> None:
        self._door.half_open(flow.remote[0], now, is_connected=flow.is_connected)

    def _refuse_malformed(self, error: MalformedMessageError, flow: Flow, now: float) -> None:
        if error.status != _UNSUPPORTED_SCHEME:  # which can be read well
            self._door.malformed(flow.remote[0], now, is_connected=flow.is_connected)
        self._answer_malformed(error, flow)

    def _answer_malformed(self, error: MalformedMessageError, flow: Flow) -> None:
        self.counters.malformed += 1
        self.malformed[error.status] += 1
        request = error.partial
        if request is None or not error.status:
            return
        mark_via(request, flow)
        tag = stateless_tag(request) if "To" in request.headers.parsed else None
        phrase = REASONS[error.status]
        reason = f"{phrase}: {error}" if error.status == 400 else phrase
        headers = (self._admission.allow_header,) if error.status == 501 else ()
        response = make_response(request, error.status, reason, to_tag=tag, headers=headers)
        self._send_stateless(request, response, flow)

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        if request.method == "ACK":
            self._receive_ack(request, flow, now)
            return
        key = server_key(request, request.method)
        known = self._table.servers.get(key)
        if known is not None:
            self.counters.retransmissions_absorbed += 1
            again = (
                invite_server.Input.INVITE
                if known.machine.is_invite
                else non_invite_server.Input.REQUEST
            )
            self._table.step(known, again, request, now)
        elif request.method == "CANCEL":
            self._receive_cancel(request, key, flow, now)
        else:
            self._receive_new(request, key, flow, now)

    def _receive_ack(self, request: Request, flow: Flow, now: float) -> None:
        invite = self._table.servers.get(server_key(request, "INVITE"))
        if invite is not None:
            self._table.step(invite, invite_server.Input.ACK, request, now)
        elif request.to.tag == stateless_tag(request):
            pass  # it acknowledges a failure that we sent without a transaction
        elif len(self._table.events) < self._limits.max_events:
            self._table.events.append(AckReceived(request=request, flow=flow))
        else:
            self.counters.acks_dropped += 1

    def _receive_cancel(self, request: Request, key: str, flow: Flow, now: float) -> None:
        invite = self._table.servers.get(server_key(request, "INVITE"))
        if invite is None:
            # Of a request that cannot be cancelled it changes nothing, and is answered all the same.
            servers = self._table.servers
            is_known = any(server_key(request, method) in servers for method in KNOWN_METHODS)
            self.counters.stray_cancels += not is_known
            self._send_stateless(request, answer(request, 200 if is_known else 481), flow)
            return
        transaction = self._table.start_server(request, key, flow)
        last = invite.response
        tag = last.to.tag if last is not None else invite.to_tag
        done = make_response(request, 200, to_tag=tag or stateless_tag(invite.request or request))
        self._table.step(transaction, non_invite_server.Input.SEND_FINAL, done, now)
        if invite.state == invite_server.State.PROCEEDING:
            self._table.events.append(CancelReceived(transaction=invite.id, request=request))

    def _receive_new(self, request: Request, key: str, flow: Flow, now: float) -> None:
        host = flow.remote[0]
        stranger = host if self._door.is_stranger(host, now) else ""
        if stranger and self._door.turns_away(
            stranger,
            request.headers.get("User-Agent") or "",
            now,
            is_connected=flow.is_connected,
        ):
            self.counters.turned_away += 1
            return
        if self.surplus.has_refused(key, now):
            refusal: Response | None = self._admission.no_room(request)
        else:
            refusal = self._refusal(request, stranger)
        if refusal is not None:
            self._send_stateless(request, refusal, flow)
            return
        transaction = self._table.start_server(request, key, flow, stranger)
        if request.to.tag is None:
            transaction.merge_key = merge_key(request)
            self._table.merging[transaction.merge_key] = transaction
        if request.method == "INVITE":
            self._table.untried.append((transaction, now))
        self._table.events.append(
            RequestReceived(transaction=transaction.id, request=request, flow=flow)
        )

    def _refusal(self, request: Request, stranger: str) -> Response | None:
        """The answer to a new request that is not let in (section 8.2)."""
        refusal = self._admission.bad_method(request)
        if refusal is not None:
            self.counters.unknown_methods += 1
            return refusal
        if request.to.tag is None and merge_key(request) in self._table.merging:
            self.counters.merged += 1
            return answer(request, 482)
        refusal = self._admission.bad_extension(request)
        if refusal is not None:
            self.counters.bad_extensions += 1
            return refusal
        if stranger and not self._room.is_there_for_stranger(stranger):
            self.counters.shed += 1
            self.counters.shed_strangers += 1
            return self._admission.no_room(request)
        if not self._room.is_there_for(request):
            self.counters.shed += 1
            return self._admission.no_room(request)
        return None

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        vias = response.vias
        transaction = self._table.clients.get(client_key(vias[0].branch, response.cseq.method))
        if transaction is None or len(vias) > 1:
            self.counters.stray_responses += 1
            return
        given = input_of_received(transaction.machine, response.status)
        state = transaction.state
        taken = self._table.step(transaction, given, response, now)
        if not taken or state == invite_client.State.COMPLETED:
            self.counters.retransmissions_absorbed += 1
        if transaction.cancel == CancelWish.POSTPONED:
            transaction.cancel = CancelWish.NONE
            self._table.step(transaction, invite_client.Input.CANCEL, None, now)

    # --- sending ----------------------------------------------------------------------------

    def _send_stateless(self, request: Request, response: Response, flow: Flow) -> None:
        self.answered[response.status] += 1
        self._table.out.append((serialize(response), for_responses(request, flow)))

    def _complete(self, request: Request, flow: Flow, branch: str) -> None:
        """What every request of ours carries beside what the layer above put into it."""
        headers = request.headers
        headers.put_first(
            "Via", f"SIP/2.0/{flow.transport} {self._sent_by(flow)};rport;branch={branch}"
        )
        if headers.values_of("Max-Forwards") is None:
            headers.put("Max-Forwards", "70")


def _local_address(flow: Flow) -> str:
    host, port = flow.local
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
