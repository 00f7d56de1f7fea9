"""The notifier: SUBSCRIBE in, NOTIFY out (RFC 6665 section 4.2).

Pure. `subscribe` answers requests, `changed` hears that there is something to tell, `answered` takes
the responses to notifications, `handle_timer` sends what is due and ends what expired. A change only
sets a deadline: who calls does not wait until all who watch are told.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final, assert_never

from switch.errors import RemoteProtocolError
from switch.presence.door import Door, RefusedError
from switch.presence.expires import expires_of
from switch.presence.publications import Publications
from switch.presence.records import SubscriptionRecord, record_of, subscription_of
from switch.presence.settings import PresenceSettings, Watch
from switch.presence.states import States
from switch.presence.subscription import (
    ALLOW_EVENTS,
    CONTENT_TYPES,
    Action,
    Input,
    Package,
    Subscription,
    step,
)
from switch.presence.subscriptions import Subscriptions
from switch.presence.telling import Registered, Telling
from switch.presence.wanted import check_acceptable, package_of
from switch.sip.deadlines import Deadlines
from switch.sip.dialog import Dialog
from switch.sip.events import TransactionId
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.secured import contact_for
from switch.sip.uri import Uri
from switch.sip.writing import make_response

_MOST_PAUSES: Final = 3
"""A watcher that puts us off more often, one time after the other, is given up."""
_LONGEST_PAUSE_S: Final = 60.0
_OWN_ALONE: Final = frozenset({Package.MESSAGE_SUMMARY, Package.REG})
_PATIENCE_S: Final = 0.05
"""So long nothing is sent when as many notifications as may be are on their way."""
_AFTER_RESTART_S: Final = 0.005
"""Between two first notifications of a new process: all subscriptions are due at once."""


class Alarm(StrEnum):
    """What a subscription waits for."""

    SEND = "send"
    EXPIRE = "expire"


class Notifier:
    """All subscriptions of this node.

    `send` starts a transaction of ours and gives its id; `contact` gives our Contact URI on a flow; `lives`
    says whether a connection is there.
    """

    def __init__(
        self,
        *,
        door: Door,
        states: States,
        publications: Publications,
        settings: PresenceSettings,
        send: Callable[[Request, Flow, float], TransactionId],
        contact: Callable[[Flow], str],
        new_token: Callable[[], str],
        lives: Callable[[Flow], bool] = lambda flow: True,
        registered: Registered = lambda phone: (),
    ) -> None:
        self._door = door
        self._telling = Telling(states, publications, settings, registered)
        self.settings = settings
        self._send_request = send
        self._contact = contact
        self._new_token = new_token
        self._lives = lives
        self.subscriptions = Subscriptions()
        self._deadlines: Deadlines[tuple[str, Alarm]] = Deadlines()
        self._transactions: dict[TransactionId, str] = {}
        self._parting: deque[tuple[Request, Flow]] = deque()
        """Last notifications, sent behind the answer to the request that ended the subscription."""
        self._full_until = 0.0
        self.counted: Counter[str] = Counter()
        """SUBSCRIBEs by status, `notified`, and subscriptions `ended` by why."""

    # --- inputs ---------------------------------------------------------------------------------

    def subscribe(self, request: Request, flow: Flow, now: float) -> Response:
        """Answer a SUBSCRIBE, in a dialog of ours or outside of any."""
        try:
            if request.to.tag is None:
                response = self._begin(request, flow, now)
            else:
                response = self._refresh(request, flow, now)
        except RefusedError as refused:
            response = refused.response(request)
        self.counted[str(response.status)] += 1
        return response

    def changed(self, package: Package, phone: str, now: float) -> None:
        """There is something new to tell of a phone."""
        for each in self.subscriptions.watching(package, phone):
            self._step(each, Input.CHANGED, now)

    def answered(
        self, transaction: TransactionId, status: int, response: Response | None, now: float
    ) -> bool:
        """Take the final answer to a NOTIFY; False when it is none of ours."""
        id = self._transactions.pop(transaction, None)
        if id is None:
            return False
        each = self.subscriptions.get(id)
        if each is None or each.transaction != transaction:
            return True  # the last notification, or one that was overtaken by it
        each.transaction = None
        if 200 <= status < 300:
            each.failures = 0
            self._step(each, Input.ANSWERED, now)
            return True
        if response is None and each.sent_by is not None and not self._lives(each.sent_by):
            # It comes back by another connection (`came_back`), or has already, or the subscription expires.
            each.not_before = now if each.dialog.flow != each.sent_by else each.expires_at
            self._step(each, Input.PUT_OFF, now)
            return True
        pause = _pause(status, response)
        if pause is None or each.failures >= _MOST_PAUSES:
            self.counted["ended-refused"] += 1
            self._step(each, Input.REFUSED, now)
            return True
        each.failures += 1
        each.not_before = max(each.not_before, now + pause)
        self._step(each, Input.PUT_OFF, now)
        return True

    def came_back(
        self,
        watcher: str,
        flow: Flow,
        now: float,
        takes: Callable[[Flow, Uri], bool],
    ) -> None:
        """A phone has a connection that it had not before: what it watches is told by that.

        `takes` judges by the way of a subscription until now, and its Contact.
        """
        for each in self.subscriptions.of_watcher(watcher):
            dialog = each.dialog
            if takes(dialog.flow, dialog.target):
                dialog.flow, each.not_before = flow, now
                self.subscriptions.on_record(each.id)
                self._step(each, Input.CHANGED, now)

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        if self._parting:
            return 0.0
        due = self._deadlines.next_due()
        return None if due is None else max(due, self._full_until)

    def handle_timer(self, now: float) -> None:
        """Send what is due, and end what expired; at most a burst of them, the rest is due still.

        Also to be called when an answer of `subscribe` is sent: notifications follow it.
        """
        for _ in range(self.settings.burst):
            if len(self._transactions) >= self.settings.most_on_their_way:
                self._full_until = now + _PATIENCE_S
                break
            due = self._deadlines.pop_due(now)
            if due is None:
                break
            self._fire(*due, now)
        for _ in range(min(len(self._parting), self.settings.burst)):
            request, flow = self._parting.popleft()
            self._transactions[self._send_request(request, flow, now)] = ""

    def _fire(self, id: str, alarm: Alarm, now: float) -> None:
        each = self.subscriptions.get(id)
        if each is None:
            return
        if alarm is Alarm.SEND:
            self._step(each, Input.DUE, now)
        else:
            self._end(each, "timeout", now)

    @property
    def on_their_way(self) -> int:
        """Notifications without an answer yet."""
        return len(self._transactions)

    # --- over a restart -------------------------------------------------------------------------

    def record(self, id: str, wall: Callable[[float], float]) -> SubscriptionRecord | None:
        """What another process needs to go on with a subscription; None when it is over."""
        each = self.subscriptions.get(id)
        return None if each is None else record_of(each, wall)

    def restore(self, id: str, record: SubscriptionRecord, mono: Callable[[float], float]) -> None:
        """Go on with a subscription of an earlier process; `resume` tells the watcher.

        Raises:
            ValueError: the record is of no use.
        """
        each = subscription_of(id, record, mono)
        is_there = self._door.knows(each.phone) or each.phone in self.settings.places
        if not self._door.knows(each.watcher) or not is_there:
            raise ValueError(f"{each.watcher} or {each.phone} is no phone any more")
        self._add(each)

    def resume(self, now: float) -> None:
        """Send the full state to everybody, one after the other."""
        for number, each in enumerate(self.subscriptions):
            each.not_before = now + number * _AFTER_RESTART_S
            self._step(each, Input.CHANGED, now)

    # --- SUBSCRIBE ------------------------------------------------------------------------------

    def _begin(self, request: Request, flow: Flow, now: float) -> Response:
        watcher = self._door.user(request, flow, now)
        package = package_of(request)
        phone = self._watched(request, watcher, package)
        check_acceptable(request, package)
        expires_s = expires_of(request, self.settings)
        tag = self._new_token()
        try:
            dialog = Dialog.of_invited(request, tag, flow)
        except RemoteProtocolError as error:
            raise RefusedError(400, "SUBSCRIBE Needs One Contact") from error
        each = Subscription(
            id=tag,
            watcher=watcher,
            phone=phone,
            package=package,
            event=request.headers.get("Event") or package,
            entity=f"sip:{phone}@{request.request_uri.host or self.settings.host}",
            dialog=dialog,
            expires_at=now + expires_s,
        )
        if expires_s:
            self._make_room(each, now)
            self._add(each)
            self._step(each, Input.CHANGED, now)
        else:  # a look, and nothing else
            self._say_over(each, "timeout")
        return self._granted(request, each, expires_s)

    def _refresh(self, request: Request, flow: Flow, now: float) -> Response:
        each = self.subscriptions.of_dialog(request.call_id, request.to.tag or "")
        if each is None or each.dialog.remote.tag != request.from_.tag:
            raise RefusedError(481)
        if self._door.user(request, flow, now) != each.watcher:
            raise RefusedError(403)
        if (request.headers.get("Event") or "") != each.event:
            raise RefusedError(489, None, ("Allow-Events", ALLOW_EVENTS))
        if not each.dialog.is_newer(request):
            raise RefusedError(500, "CSeq Out Of Order")
        expires_s = expires_of(request, self.settings)
        each.dialog.refresh_flow(request, flow)
        each.dialog.refresh_target(request)
        if expires_s:
            each.expires_at = now + expires_s
            if each.not_before > now + self.settings.interval_s:
                each.not_before = (
                    now  # its connection was lost, or it had put us off: it is there now
                )
            self._deadlines.set((each.id, Alarm.EXPIRE), each.expires_at)
            self.subscriptions.on_record(each.id)
            self._step(each, Input.CHANGED, now)
        else:
            self._end(each, "timeout", now)
        return self._granted(request, each, expires_s)

    def _watched(self, request: Request, watcher: str, package: Package) -> str:
        """The phone that may be watched. Raises RefusedError."""
        phone = request.request_uri.username
        watch = self.settings.watch
        if watch is Watch.NOBODY:
            raise RefusedError(403)
        if phone == watcher or (phone in self.settings.places and package is Package.DIALOG):
            return phone
        if watch is Watch.OWN or package in _OWN_ALONE:
            raise RefusedError(403)
        if not self._door.knows(phone):
            raise RefusedError(404)
        return phone

    def _make_room(self, each: Subscription, now: float) -> None:
        """A phone that restarted must not be locked out by its former self; others wait."""
        settings, table = self.settings, self.subscriptions
        own = table.of_watcher(each.watcher)
        if len(own) >= settings.most_of_watcher:
            self._end(own[0], "rejected", now)
        is_full = table.count_of_phone(each.phone) >= settings.most_of_phone
        if is_full or len(table) >= settings.most:
            raise RefusedError(480, "Too Many Subscriptions", ("Retry-After", "60"))

    def _granted(self, request: Request, each: Subscription, expires_s: int) -> Response:
        response = make_response(request, 200, to_tag=each.id)
        own = response.headers
        for route in request.headers.values_of("Record-Route") or ():
            own.add("Record-Route", route)
        flow = each.dialog.flow
        own.set("Contact", f"<{contact_for(request, flow, self._contact(flow))}>")
        own.set("Expires", str(expires_s))
        return response

    # --- steps ----------------------------------------------------------------------------------

    def _add(self, each: Subscription) -> None:
        self.subscriptions.add(each)
        self._deadlines.set((each.id, Alarm.EXPIRE), each.expires_at)

    def _end(self, each: Subscription, why: str, now: float) -> None:
        self.counted[f"ended-{why}"] += 1
        self._step(each, Input.END, now, why)

    def _step(self, each: Subscription, given: Input, now: float, why: str = "") -> None:
        found = step(each.state, given)
        if found is None:
            return
        each.state, actions = found
        for action in actions:
            self._carry_out(each, action, now, why)

    def _carry_out(self, each: Subscription, action: Action, now: float, why: str) -> None:
        match action:
            case Action.SCHEDULE:
                self._deadlines.set((each.id, Alarm.SEND), max(now, each.not_before))
            case Action.NOTE:
                each.is_noted = True
            case Action.RESUME:
                if each.is_noted:
                    each.is_noted = False
                    self._step(each, Input.CHANGED, now)
            case Action.SEND:
                self._notify(each, now)
            case Action.SAY_OVER:
                self._say_over(each, why)
            case Action.FORGET:
                self.subscriptions.remove(each)
                self._deadlines.cancel((each.id, Alarm.SEND))
                self._deadlines.cancel((each.id, Alarm.EXPIRE))
            case _:
                assert_never(action)

    # --- NOTIFY ---------------------------------------------------------------------------------

    def _notify(self, each: Subscription, now: float) -> None:
        each.not_before = now + self.settings.interval_s
        left = max(1, math.ceil(each.expires_at - now))
        request = self._notification(each, f"active;expires={left}")
        each.sent_by = each.dialog.flow if each.dialog.flow.is_connected else None
        each.transaction = self._send_request(request, each.dialog.flow, now)
        self._transactions[each.transaction] = each.id

    def _say_over(self, each: Subscription, why: str) -> None:
        request = self._notification(each, f"terminated;reason={why}")
        self._parting.append((request, each.dialog.flow))

    def _notification(self, each: Subscription, state: str) -> Request:
        request = each.dialog.request("NOTIFY")
        own = request.headers
        flow = each.dialog.flow
        contact = contact_for(request, flow, self._contact(flow))
        own.set("Contact", f"<{contact}>")
        own.set("Event", each.event)
        own.set("Subscription-State", state)
        own.set("Content-Type", CONTENT_TYPES[each.package])
        request.body = self._telling.document(each, contact).encode()
        self.counted["notified"] += 1
        return request


def _pause(status: int, response: Response | None) -> float | None:
    """The pause that a watcher asks for; None where it does not know the subscription any more."""
    if response is None or status not in (480, 486, 500, 503):
        return None
    written = (response.headers.get("Retry-After") or "").partition(";")[0].strip()
    written = written.partition("(")[0].strip()
    if not (written.isascii() and written.isdigit() and len(written) <= 6):
        return None
    return min(max(1.0, float(written)), _LONGEST_PAUSE_S)
