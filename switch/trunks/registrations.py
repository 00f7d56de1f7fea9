"""Our registrations at carriers: sends REGISTER, reads the answers, keeps them fresh.

Pure, like the user agent: whoever owns it calls `handle_timer` when `get_timer` says so, and hands
over each `RequestAnswered` by `take`. At the start they begin one after the other, so that a server
that comes back with many trunks brings no storm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, assert_never
from urllib.parse import quote

from msgspec import Struct

from switch.legible import legible
from switch.sip.client_digest import ClientCredentials
from switch.sip.deadlines import Deadlines
from switch.sip.events import RequestAnswered, TransactionId
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.uri import Uri
from switch.trunks.credentials import client_credentials
from switch.trunks.hunt import USER_SAFE
from switch.trunks.ports import Requests
from switch.trunks.registration import (
    Action,
    Granted,
    Input,
    State,
    read_answer,
    refresh_after,
    retry_after,
    step,
)
from switch.trunks.settings import TrunkSettings
from switch.trunks.targets import Server, Target, TargetSource

log = logging.getLogger(__name__)

BETWEEN_FIRST_S: Final = 0.05
"""Between the first REGISTERs after the start."""
_LOOK_UP_AGAIN_S: Final = 2.0
"""A registrar whose name is not looked up yet is tried again after so long."""
_MOST_BRIEF: Final = 3
"""423 in a row that are followed."""


class Registration(Struct, eq=False, kw_only=True):
    """One registration; changed by `Registrations` alone."""

    trunk: str
    registrar: Server
    aor: str
    contact_user: str
    call_id: str
    tag: str
    asked_s: int
    credentials: ClientCredentials | None
    state: State = State.WAITING
    cseq: int = 0
    target: Target | None = None
    next_target: int = 0
    """Which address of the registrar is asked next; a failure moves on."""
    until: float = 0.0
    """The binding holds until then; 0: there was none yet."""
    asked_at: float = 0.0
    due: float = 0.0
    """When it is its turn next."""
    failures: int = 0
    """In a row."""
    brief: int = 0
    last_status: int = 0
    last_failure: str = ""
    last_failure_at: float = 0.0
    routes: tuple[str, ...] = ()
    """Service-Route of the registrar."""

    def holds(self, now: float) -> bool:
        """Tell whether the carrier has a binding of ours."""
        return now < self.until


class Registrations:
    """All registrations of all trunks. `draw` gives numbers from 0 to below 1."""

    def __init__(
        self,
        trunks: Mapping[str, TrunkSettings],
        *,
        requests: Requests,
        addresses: TargetSource,
        contact: Callable[[Flow], str],
        local: tuple[str, int],
        new_token: Callable[[], str],
        draw: Callable[[], float],
    ) -> None:
        """`contact` gives our Contact URI on a flow, `local` is where our requests leave from."""
        self._requests = requests
        self._addresses = addresses
        self._contact = contact
        self._local = local
        self._draw = draw
        self._deadlines: Deadlines[Registration] = Deadlines()
        self._under_way: dict[TransactionId, Registration] = {}
        self._all = [
            _registration(trunk, registrar, new_token)
            for trunk in trunks.values()
            if trunk.registration is not None
            for registrar in trunk.registration.registrars
        ]
        self._by_trunk: dict[str, list[Registration]] = {}
        for each in self._all:
            self._by_trunk.setdefault(each.trunk, []).append(each)

    def start(self, now: float) -> None:
        """Begin: one registration after the other."""
        for index, registration in enumerate(self._all):
            self._plan(registration, now + index * BETWEEN_FIRST_S)

    def leave(self, now: float) -> None:
        """Remove our bindings; nothing is registered any more after this."""
        for registration in self._all:
            self._feed(registration, Input.LEAVE, now)

    # --- the owner's verbs ----------------------------------------------------------------------

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._deadlines.next_due()

    def handle_timer(self, now: float) -> None:
        """Register what is due."""
        while (registration := self._deadlines.pop_due(now)) is not None:
            self._feed(registration, Input.DUE, now)

    def take(self, event: RequestAnswered, now: float) -> bool:
        """Take the answer to a request, if it is one of these."""
        registration = self._under_way.pop(event.transaction, None)
        if registration is None:
            return False
        granted = read_answer(
            event.status,
            event.response,
            contact_user=registration.contact_user,
            asked_s=registration.asked_s,
        )
        registration.last_status = event.status
        registration.cseq = max(registration.cseq, event.seq)  # a challenge took one of its own
        if granted.input is Input.BRIEF and registration.brief >= _MOST_BRIEF:
            granted = Granted(Input.FAILED)
        if granted.input in (Input.FAILED, Input.REFUSED):
            why = legible(f"{event.status} {event.reason}")[:100]
            self._note_failure(registration, why, now)
        self._feed(registration, granted.input, now, granted)
        return True

    # --- looking --------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Registration]:
        return iter(self._all)

    def of(self, trunk: str) -> Sequence[Registration]:
        """The registrations of a trunk; none for one that does not register."""
        return self._by_trunk.get(trunk, ())

    def is_registered(self, trunk: str, now: float) -> bool:
        """Tell whether a trunk has a binding somewhere; one that registers nowhere needs none."""
        mine = self._by_trunk.get(trunk)
        return mine is None or any(each.holds(now) for each in mine)

    # --- carrying out ---------------------------------------------------------------------------

    def _feed(
        self,
        registration: Registration,
        event: Input,
        now: float,
        granted: Granted | None = None,
    ) -> None:
        found = step(registration.state, event)
        if found is None:
            return
        state, actions = found
        log.debug(
            "registration of trunk %s at %s: %s, %s: %s",
            *(registration.trunk, registration.registrar, registration.state, event, state),
        )
        registration.state = state
        for action in actions:
            self._carry_out(registration, action, granted or Granted(event), now)

    def _carry_out(
        self, registration: Registration, action: Action, granted: Granted, now: float
    ) -> None:
        match action:
            case Action.SEND:
                self._send(registration, now)
            case Action.SEND_REMOVAL:
                self._deadlines.cancel(registration)
                if registration.holds(now):
                    self._remove(registration, now)
            case Action.NOTE_BINDING:
                if not registration.holds(now):
                    log.info(
                        "trunk %s is registered at %s", registration.trunk, registration.registrar
                    )
                registration.failures = registration.brief = 0
                # The registrar counts from when it answered; we count from when we asked.
                registration.until = registration.asked_at + granted.seconds
                registration.routes = granted.routes
            case Action.NOTE_MINIMUM:
                registration.brief += 1
                registration.asked_s = int(granted.seconds)
            case Action.PLAN_REFRESH:
                pause = refresh_after(granted.seconds, self._draw())
                self._plan(registration, registration.asked_at + pause)
            case Action.PLAN_RETRY | Action.PLAN_LATER_RETRY:
                pause = retry_after(
                    registration.failures,
                    self._draw(),
                    is_refused=action is Action.PLAN_LATER_RETRY,
                    wanted_s=granted.seconds,
                )
                self._plan(registration, now + pause)
            case _:
                assert_never(action)

    def _send(self, registration: Registration, now: float) -> None:
        targets = self._addresses.targets(registration.registrar)
        if not targets:
            self._put_off(registration, "its name has no address", now)
            return
        registration.target = targets[registration.next_target % len(targets)]
        registration.asked_at = now
        try:
            transaction = self._register(registration, registration.asked_s, now)
        except Exception as error:
            # Without a next time the trunk would stay unregistered until a restart.
            log.exception("trunk %s cannot ask %s", registration.trunk, registration.registrar)
            self._put_off(registration, f"not asked: {error!r}"[:100], now)
            return
        self._under_way[transaction] = registration

    def _remove(self, registration: Registration, now: float) -> None:
        try:
            self._register(registration, 0, now)
        except Exception:
            # The others are to be told all the same, and the server is to come to its end.
            log.exception(
                "trunk %s cannot tell %s that we leave", registration.trunk, registration.registrar
            )

    def _put_off(self, registration: Registration, why: str, now: float) -> None:
        """Nothing was sent; try again soon."""
        self._note_failure(registration, why, now)
        registration.state = State.WAITING
        self._plan(registration, now + _LOOK_UP_AGAIN_S * (1 + self._draw()))

    def _register(self, registration: Registration, expires_s: int, now: float) -> TransactionId:
        target = registration.target
        assert target is not None
        flow = Flow(target.transport, (target.host, target.port), self._local)
        registration.cseq += 1
        user = quote(registration.contact_user, USER_SAFE)
        contact = Uri.parse(self._contact(flow))
        contact = Uri("sip", user, contact.host, contact.port, contact.params)
        headers = [
            ("From", f"<{registration.aor}>;tag={registration.tag}"),
            ("To", f"<{registration.aor}>"),
            ("Call-ID", registration.call_id),
            ("CSeq", f"{registration.cseq} REGISTER"),
            ("Contact", f"<{contact}>"),
            ("Expires", str(expires_s)),
            ("Supported", "path"),
        ]
        request = Request("REGISTER", str(_registrar_uri(registration)), Headers(headers))
        return self._requests.send_request(request, flow, now, credentials=registration.credentials)

    def _plan(self, registration: Registration, when: float) -> None:
        registration.due = when
        self._deadlines.set(registration, when)

    def _note_failure(self, registration: Registration, why: str, now: float) -> None:
        if registration.last_failure != why or not registration.failures:
            log.warning(
                "trunk %s is not registered at %s: %s",
                *(registration.trunk, registration.registrar, why),
            )
        registration.failures += 1
        registration.next_target += 1
        registration.brief = 0
        registration.last_failure, registration.last_failure_at = why, now


def _registration(
    trunk: TrunkSettings, registrar: Server, new_token: Callable[[], str]
) -> Registration:
    assert trunk.registration is not None
    own = trunk.credentials
    user = trunk.name if own is None else own.username
    domain = trunk.registration.domain or registrar.uri_host
    return Registration(
        trunk=trunk.name,
        registrar=registrar,
        aor=f"sip:{quote(user, USER_SAFE)}@{domain}",
        contact_user=user,
        call_id=new_token(),
        tag=new_token(),
        asked_s=trunk.registration.expires_s,
        credentials=client_credentials(trunk.credentials),
    )


def _registrar_uri(registration: Registration) -> Uri:
    """Without a user (RFC 3261 section 10.2)."""
    return Uri("sip", None, registration.aor.rpartition("@")[2])
