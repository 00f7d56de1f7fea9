"""OPTIONS to the addresses of trunks: whether they work is known before a call needs them.

Pure, like the registrations. An address that is down is asked as often as one that is up; the first
OPTIONS after the start are spread over the trunk's own pause between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from switch.sip.client_digest import ClientCredentials
from switch.sip.deadlines import Deadlines
from switch.sip.events import RequestAnswered, TransactionId
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.trunks.credentials import client_credentials
from switch.trunks.failover import Failure, retry_after_of
from switch.trunks.health import is_alive
from switch.trunks.hunt import USER_SAFE
from switch.trunks.ports import Requests
from switch.trunks.settings import TrunkSettings
from switch.trunks.targets import Target
from switch.trunks.trunks import Trunks

_FIRST_WITHIN_S: Final = 5.0
"""The first OPTIONS of a trunk leave within this time; soon, as calls wait for nobody."""


class Probes:
    """Asks every address of every trunk that wants it. `draw` gives numbers from 0 to below 1."""

    def __init__(
        self,
        trunks: Trunks,
        *,
        requests: Requests,
        local: tuple[str, int],
        host: str,
        new_token: Callable[[], str],
        draw: Callable[[], float],
    ) -> None:
        """`host` stands in From: our domain or address."""
        self._trunks = trunks
        self._requests = requests
        self._local = local
        self._host = host
        self._new_token = new_token
        self._draw = draw
        self._deadlines: Deadlines[str] = Deadlines()
        self._under_way: dict[TransactionId, tuple[str, Target]] = {}
        self._asked: set[tuple[str, Target]] = set()
        """Addresses whose answer is still to come: nobody is asked twice at a time."""
        self._credentials: Mapping[str, ClientCredentials | None] = {
            trunk.name: client_credentials(trunk.credentials) for trunk in trunks
        }

    def start(self, now: float) -> None:
        """Begin, each trunk at a time of its own."""
        for trunk in self._trunks:
            if trunk.server is not None and trunk.health.probe_s > 0:
                first = min(trunk.health.probe_s, _FIRST_WITHIN_S) * self._draw()
                self._deadlines.set(trunk.name, now + first)

    def stop(self) -> None:
        """Ask nobody any more."""
        while (due := self._deadlines.next_due()) is not None:
            self._deadlines.pop_due(due)

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._deadlines.next_due()

    def handle_timer(self, now: float) -> None:
        """Ask the addresses of the trunks that are due."""
        while (name := self._deadlines.pop_due(now)) is not None:
            trunk = self._trunks.settings[name]
            # Trunks that began together drift apart.
            self._deadlines.set(name, now + trunk.health.probe_s * (0.9 + 0.2 * self._draw()))
            self._trunks.forget_addresses(name)
            for target, health in self._trunks.health_of(name).items():
                if (name, target) not in self._asked and not health.is_held(now):
                    self._ask(trunk, target, now)

    def take(self, event: RequestAnswered, now: float) -> bool:
        """Take the answer to a request, if it is one of these."""
        asked = self._under_way.pop(event.transaction, None)
        if asked is None:
            return False
        self._asked.discard(asked)
        name, target = asked
        response = event.response
        if response is None:
            failure = Failure(event.status, heard_back=False)
        elif is_alive(event.status):
            failure = Failure(200, heard_back=True)
        else:
            pause = retry_after_of(response.headers.get("Retry-After"))
            # Whatever it is, it is no sign that calls go through there.
            status = event.status if event.status == 503 else 500
            failure = Failure(status, heard_back=True, retry_after_s=pause)
        self._trunks.judge(name, target, failure, now)
        return True

    def _ask(self, trunk: TrunkSettings, target: Target, now: float) -> None:
        server = trunk.server
        assert server is not None
        own = trunk.credentials
        user = "ping" if own is None else quote(own.username, USER_SAFE)
        host = trunk.caller.domain or self._host
        headers = [
            ("From", f"<sip:{user}@{host}>;tag={self._new_token()}"),
            ("To", f"<sip:{server.uri_host}>"),
            ("Call-ID", self._new_token()),
            ("CSeq", "1 OPTIONS"),
            ("Accept", "application/sdp"),
        ]
        request = Request(
            "OPTIONS", f"sip:{_address(server.uri_host, server.port)}", Headers(headers)
        )
        flow = Flow(target.transport, (target.host, target.port), self._local)
        transaction = self._requests.send_request(
            request, flow, now, credentials=self._credentials[trunk.name]
        )
        self._under_way[transaction] = (trunk.name, target)
        self._asked.add((trunk.name, target))


def _address(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"
