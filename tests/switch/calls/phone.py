"""A telephone for tests: a real user agent that does what a test tells it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from switch.sdp.description import Direction
from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import PLAIN
from switch.sip.endpoint import Endpoint
from switch.sip.events import (
    Answered,
    Confirmed,
    DigitInfo,
    Ended,
    Failed,
    Invited,
    Progress,
    ReferProgress,
    ReofferAnswered,
    ReofferFailed,
    ReofferReceived,
    SessionChanged,
    SessionEvent,
    SessionId,
)
from switch.sip.flow import Flow, Transport
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent import UserAgent, UserAgentSettings
from tests.kit.virtual_clock import VirtualClock

E_ = TypeVar("E_")


class Phone:
    """One phone with at most one call of interest at a time: the last one."""

    def __init__(
        self,
        number: str,
        address: tuple[str, int],
        switch: tuple[str, int],
        clock: VirtualClock,
        new_token: Callable[[], str],
        pump: Callable[[], None],
    ) -> None:
        self.number = number
        self.address = address
        self.password = f"lab-{number}"
        self.events: list[SessionEvent] = []
        self.session: SessionId | None = None
        self.sound: AudioNegotiation | None = None
        self.codecs: tuple[str, ...] = ("PCMU", "PCMA")
        self.terms = PLAIN
        """How its packets travel."""
        self.max_forwards = "70"
        self.headers: dict[str, str] = {}
        """Of its own INVITEs, besides the usual ones."""
        self.offers = True
        """False: its INVITEs have no SDP."""
        self.shows = number
        """The user in its From."""
        self.on_invite: Callable[[], None] = lambda: None
        self._flow = Flow(Transport.UDP, switch, address)
        self._clock = clock
        self._new_token = new_token
        self._pump = pump
        self.rtp_address = "127.0.0.1"
        """In its SDP."""
        self.rtp_port = 30000 + address[1] % 1000 * 2
        self._dialled = ""
        self._offer = b""
        self._has_tried = False
        self.is_offering = False
        """A re-INVITE of this phone is under way."""
        self.endpoint = Endpoint(new_branch=new_token)
        self.user_agent = UserAgent(
            self.endpoint,
            settings=UserAgentSettings(),
            new_token=new_token,
            contact=lambda flow: f"sip:{number}@{address[0]}:{address[1]}",
        )

    # --- calling --------------------------------------------------------------------------------

    def call(self, number: str, *, offer: bytes | None = None) -> None:
        """Call a number; a challenge is answered with the password."""
        self._dialled = number
        self._has_tried = False
        self._new_sound()
        assert self.sound is not None
        self._offer = offer or self.sound.make_offer() if self.offers else b""
        self._invite({})
        self._pump()

    def cancel(self) -> None:
        self.hang_up()

    # --- being called ---------------------------------------------------------------------------

    def ring(self) -> None:
        self.user_agent.ring(self.live, self._now())
        self._pump()

    def answer(
        self, *, body: bytes | None = None, direction: Direction = Direction.SENDRECV
    ) -> None:
        """Answer the INVITE that came last."""
        invited = self.last(Invited)
        assert invited is not None
        if body is None:
            assert self.sound is not None
            assert invited.offer is not None
            body = self.sound.answer(invited.offer, direction=direction)[1]
        self.user_agent.answer(self.live, body, self._now())
        self._pump()

    def reject(self, status: int) -> None:
        self.user_agent.reject(self.live, status, None, self._now())
        self._pump()

    def call_instead(self, replaces: str) -> None:
        """Call with a Replaces header: take over a call."""
        self.headers = {"Replaces": replaces}
        self.call("switchroom")
        self.headers = {}

    def refer(self, number: str, *, to_call: Phone | None = None) -> None:
        """Refer whom this phone talks to to a number; `to_call`: to whom another call is with."""
        target = NameAddr(Uri("sip", number, "example.com"))
        if to_call is not None:
            assert to_call.session is not None
            target = NameAddr(
                Uri("sip", number, "example.com", headers=f"Replaces={quote(to_call.replaces())}")
            )
        self.user_agent.refer(self.live, target, self._now())
        self._pump()

    def replaces(self) -> str:
        """The call of this phone as the switch sees it, to be replaced."""
        found = self.user_agent._table.by_id[self.live]
        remote = next(iter(found.early)) if found.dialog is None else found.dialog.remote.tag
        return f"{found.invite.call_id};to-tag={remote};from-tag={found.local_tag}"

    def news(self) -> list[int]:
        """What was told of the last REFER."""
        return [event.status for event in self.events if isinstance(event, ReferProgress)]

    # --- both -----------------------------------------------------------------------------------

    def hang_up(self) -> None:
        self.user_agent.end(self.live, self._now())
        self._pump()

    def reoffer(self, direction: Direction) -> None:
        """Send a re-INVITE."""
        assert self.sound is not None
        self.send_reoffer(self.sound.make_offer(direction))

    def send_reoffer(self, body: bytes) -> None:
        self.is_offering = True
        self.user_agent.reoffer(self.live, body, self._now())
        self._pump()

    def hold(self) -> None:
        self.reoffer(Direction.SENDONLY)

    def resume(self) -> None:
        self.reoffer(Direction.SENDRECV)

    # --- looking --------------------------------------------------------------------------------

    def last(self, kind: type[E_]) -> E_ | None:
        found = [event for event in self.events if isinstance(event, kind)]
        return found[-1] if found else None

    def statuses(self) -> list[int]:
        """Provisional and final statuses that came for our INVITEs; 200 for an answer."""
        told: list[int] = []
        for event in self.events:
            match event:
                case Progress(status=status) | Failed(status=status):
                    told.append(status)
                case Answered():
                    told.append(200)
                case _:
                    pass
        return told

    @property
    def is_idle(self) -> bool:
        return self.session is None

    # --- the shell ------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow) -> None:
        self.endpoint.receive_datagram(data, flow, self._now())
        self._process()

    def get_timer(self) -> float | None:
        timers = (self.endpoint.get_timer(), self.user_agent.get_timer())
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self) -> None:
        self.endpoint.handle_timer(self._now())
        self.user_agent.process(self._now())
        self.user_agent.handle_timer(self._now())
        self._process()

    def _process(self) -> None:
        self.user_agent.process(self._now())
        while (event := self.user_agent.next_event()) is not None:
            self.events.append(event)
            match event:
                case Invited(session=session):
                    self.session = session
                    self._new_sound()
                    self.on_invite()
                case Answered(answer=answer) | ReofferAnswered(answer=answer):
                    self.is_offering = False
                    is_now = event.session == self.session
                    # Where no offer is open a provisional response had the answer.
                    if self.sound is not None and is_now and self.sound.is_offering:
                        self.sound.accept_answer(answer)
                case ReofferFailed():
                    self.is_offering = False
                    if self.sound is not None:
                        self.sound.drop_offer()
                case ReofferReceived(session=session, offer=offer):
                    assert self.sound is not None
                    assert offer is not None
                    answer = self.sound.answer(offer)[1]
                    self.user_agent.accept_reoffer(session, answer, self._now())
                case Failed(session=session) | Ended(session=session):
                    if session == self.session and not self._tried_again(event):
                        self.session = None
                case Confirmed() | Progress() | ReferProgress() | SessionChanged() | DigitInfo():
                    pass
                case _:
                    raise AssertionError(event)

    def _tried_again(self, event: Failed | Ended) -> bool:
        """Answer the first challenge of a call with the password."""
        if isinstance(event, Ended) or event.response is None or event.status != 401:
            return False
        challenges = event.response.headers.get_all("WWW-Authenticate")
        if self._has_tried or not challenges:
            return False
        self._has_tried = True
        self._invite({"Authorization": self._credentials(challenges[-1])})
        return True

    def _new_sound(self) -> None:
        self.is_offering = False
        self.sound = AudioNegotiation(
            session_id=1,
            address=self.rtp_address,
            port=self.rtp_port,
            codecs=self.codecs,
            terms=self.terms,
        )

    def _invite(self, headers: dict[str, str]) -> None:
        self.session = self.user_agent.invite(
            request_uri=self._request_uri(),
            flow=self._flow,
            from_=NameAddr(Uri("sip", self.shows, "example.com"), f"Phone {self.shows}"),
            to=NameAddr(Uri("sip", self._dialled, "example.com")),
            offer=self._offer,
            headers=self.headers | headers | {"Max-Forwards": self.max_forwards},
            now=self._now(),
        )

    def _request_uri(self) -> str:
        return f"sip:{self._dialled}@{self._flow.remote[0]}:{self._flow.remote[1]}"

    def _credentials(self, challenge: str) -> str:
        """Answer an MD5 challenge (RFC 7616)."""
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.removeprefix("Digest ")))
        assert given["algorithm"] == "MD5"
        uri = self._request_uri()
        secret = _md5(f"{self.number}:{given['realm']}:{self.password}")
        middle = f"{given['nonce']}:00000001:c0ffee:auth"
        response = _md5(f"{secret}:{middle}:{_md5(f'INVITE:{uri}')}")
        return (
            f'Digest username="{self.number}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="{uri}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0ffee", '
            f'response="{response}"'
        )

    @property
    def live(self) -> SessionId:
        assert self.session is not None, f"phone {self.number} is idle"
        return self.session

    def _now(self) -> float:
        return self._clock.now()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
