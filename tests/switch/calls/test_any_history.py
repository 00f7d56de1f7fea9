"""Whatever happens in whatever order: the books are right after every step, and nothing is left.

Phones, application, gateway and wire act at random: datagrams are carried one at a time, out of
order, or lost; the application commands legs that are over; the gateway dies in between.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switch.calls.causes import EndCause, Result
from switch.calls.events import CallEvent, IncomingLeg, LegStarted, PlayFinished
from switch.gateway.protocol import DigitReceived, Prompt, RtpTimeout
from switch.ids import CallId, LegId
from switch.sdp.description import Direction
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import Invited
from tests.switch.calls.bench import CARRIER, Bench
from tests.switch.calls.phone import Phone

NUMBERS = ("4000", "1001", "1002", "1003", "+12025550100", "9999")
STATUSES = (486, 480, 503, 302, 603, 401, 488)
ENOUGH = EndCause(Result.COMPLETED, "application-has-enough")


class History:
    """One run: each step takes two small numbers that choose who and what."""

    def __init__(self, gateways: int = 1) -> None:
        self.bench = bench = Bench(gateways=gateways, ports=40 if gateways == 1 else 400)
        bench.is_stepped = True
        self.phones = [
            bench.phone("1001"),
            bench.phone("1002"),
            bench.phone("1002"),
            bench.stranger("caller"),
            bench.stranger("carrier", CARRIER),
        ]
        self.fails_next = False
        bench.react = self.application
        self.steps: list[Callable[[int, int], None]] = [
            getattr(self, name) for name in sorted(vars(History)) if name.startswith("do_")
        ]

    def application(self, event: CallEvent) -> None:
        """Commands legs from within events, as the distribution does; fails when told to."""
        if self.fails_next:
            self.fails_next = False
            self.bench.faults_made += 1
            raise RuntimeError("a fault of the application")
        if isinstance(event, IncomingLeg):
            self.bench.calls.ring(event.leg)
        self.bench.let_pick_up(event)
        if isinstance(event, PlayFinished) and not event.stopped:
            self.bench.calls.hang_up(event.leg, ENOUGH)

    # --- who ------------------------------------------------------------------------------------

    def phone(self, a: int) -> Phone:
        return self.phones[a % len(self.phones)]

    def leg(self, a: int) -> LegId:
        """One of the last legs, live or over."""
        legs = self.bench.of(LegStarted)
        return legs[-1 - a % min(len(legs), 6)].leg if legs else LegId("none")

    def call(self, a: int) -> CallId:
        legs = self.bench.of(LegStarted)
        return legs[-1 - a % len(legs)].call if legs else CallId("none")

    # --- the wire, time and the gateway -----------------------------------------------------------

    def do_deliver_in_order(self, a: int, b: int) -> None:
        for _ in range(a * 3 + b):
            self.bench.settle()
            if self.bench.wire:
                self.bench.deliver(0)

    do_deliver_a = do_deliver_b = do_deliver_c = do_deliver_d = do_deliver_in_order
    """The same again: many steps should carry something, or no call gets far."""

    def do_deliver_any(self, a: int, b: int) -> None:
        if self.bench.wire:
            self.bench.deliver((a * 8 + b) % len(self.bench.wire))

    def do_lose(self, a: int, b: int) -> None:
        if self.bench.wire:
            self.bench.wire.pop(a % len(self.bench.wire))

    def do_wait(self, a: int, b: int) -> None:
        self.bench.advance((0.1, 0.1, 0.1, 0.6, 0.6, 2, 5, 20 * b)[a])

    def do_silence(self, a: int, b: int) -> None:
        if b == 0:
            self.bench.gateway.events.append(RtpTimeout(leg=self.leg(a), silent_ms=30000))

    def do_digit(self, a: int, b: int) -> None:
        event = DigitReceived(leg=self.leg(a), digit="1", duration_ms=100)
        self.bench.gateway.events.append(event)

    def do_gateway(self, a: int, b: int) -> None:
        number = a % len(self.bench.gateways)
        if not self.bench.gateways[number].is_up:
            self.bench.restart_gateway(number)
        elif a < 2 and b == 0:
            self.bench.lose_gateway(number)

    def do_restart(self, a: int, b: int) -> None:
        if all(gateway.is_up for gateway in self.bench.gateways) and b < 3:
            self.bench.settle()
            self.bench.restart()

    def do_finish_player(self, a: int, b: int) -> None:
        gateway = self.bench.gateways[b % len(self.bench.gateways)]
        players = [p for p in gateway.players if p != self.bench.music]
        if players:
            gateway.finish(players[a % len(players)])

    def do_application_fault(self, a: int, b: int) -> None:
        self.fails_next = a == b == 0

    # --- phones -----------------------------------------------------------------------------------

    def do_dial(self, a: int, b: int) -> None:
        if self.phone(a).is_idle:
            self.phone(a).call(NUMBERS[b % len(NUMBERS)])

    def do_phone_ring(self, a: int, b: int) -> None:
        if self.is_rung(a):
            self.phone(a).ring()

    def do_phone_announce(self, a: int, b: int) -> None:
        """183 with SDP; the answer that follows is another."""
        if self.is_rung(a) and b < 4:
            phone, invited = self.phone(a), self.phone(a).last(Invited)
            assert invited is not None
            assert invited.offer is not None
            sound = AudioNegotiation(session_id=2, address="127.0.0.1", port=phone.rtp_port)
            body = sound.answer(invited.offer)[1]
            phone.user_agent.ring(phone.live, self.bench.clock.now(), 183, body=body)

    def do_hear_early(self, a: int, b: int) -> None:
        self.bench.calls.hear_early(self.leg(a), self.leg(b))

    def do_phone_send_on(self, a: int, b: int) -> None:
        if self.is_rung(a) and b < 4:
            headers = {"Contact": f"<sip:{NUMBERS[1 + b]}@127.0.0.1>"}
            phone, now = self.phone(a), self.bench.clock.now()
            phone.user_agent.reject(phone.live, 302, None, now, headers)

    def do_phone_refer(self, a: int, b: int) -> None:
        phone = self.phone(a)
        if not phone.is_idle and phone.sound is not None and phone.sound.current is not None:
            phone.refer(NUMBERS[b % len(NUMBERS)])

    def do_phone_refer_to_call(self, a: int, b: int) -> None:
        phone, other = self.phone(a), self.phone(b)
        if not phone.is_idle and self.has_dialog(phone) and self.has_dialog(other):
            phone.refer("1001", to_call=other)

    def do_phone_take_over(self, a: int, b: int) -> None:
        phone, other = self.phone(a), self.phone(b)
        if phone.is_idle and self.has_dialog(other):
            phone.call_instead(other.replaces())

    def has_dialog(self, phone: Phone) -> bool:
        found = None if phone.is_idle else phone.user_agent._table.by_id.get(phone.live)
        return found is not None and found.dialog is not None

    def do_phone_answer(self, a: int, b: int) -> None:
        if self.is_rung(a):
            self.phone(a).answer(direction=Direction.INACTIVE if b == 0 else Direction.SENDRECV)

    def do_phone_reject(self, a: int, b: int) -> None:
        if self.is_rung(a):
            self.phone(a).reject(STATUSES[b % len(STATUSES)])

    def do_phone_hang_up(self, a: int, b: int) -> None:
        if not self.phone(a).is_idle and b % 3 == 0:
            self.phone(a).hang_up()

    def do_phone_hold(self, a: int, b: int) -> None:
        phone = self.phone(a)
        if phone.is_idle or phone.sound is None or phone.sound.current is None:
            return
        if not phone.is_offering:
            phone.reoffer((Direction.SENDONLY, Direction.SENDRECV, Direction.INACTIVE)[b % 3])

    def is_rung(self, a: int) -> bool:
        phone = self.phone(a)
        invited = phone.last(Invited)
        if invited is None or phone.sound is None or phone.sound.current is not None:
            return False
        return invited.session == phone.session

    # --- the application ----------------------------------------------------------------------------

    def do_ring(self, a: int, b: int) -> None:
        self.bench.calls.ring(self.leg(a))

    def do_answer(self, a: int, b: int) -> None:
        self.bench.calls.answer(self.leg(a))

    def do_reject(self, a: int, b: int) -> None:
        if b < len(STATUSES) and a < 4:
            self.bench.calls.reject(self.leg(a), STATUSES[b], "busy")

    def do_hang_up(self, a: int, b: int) -> None:
        if b % 4 == 0:
            self.bench.calls.hang_up(self.leg(a), ENOUGH)

    def do_call_phone(self, a: int, b: int) -> None:
        self.bench.calls.call_phone(
            NUMBERS[1 + a % 3],
            call=self.call(b),
            caller_number="",
            caller_name="Ann\r\nX: y",
            ring_timeout_s=5 + b,
            headers={},
        )

    def do_call_trunk(self, a: int, b: int) -> None:
        self.bench.calls.call_trunk(
            "out",
            "+12025550100",
            call=self.call(b),
            caller_number="1001",
            caller_name="",
            ring_timeout_s=5 + b,
        )

    def do_bridge(self, a: int, b: int) -> None:
        self.bench.calls.bridge(self.leg(a), self.leg(b))

    def do_unbridge(self, a: int, b: int) -> None:
        self.bench.calls.unbridge(self.leg(a), self.leg(b))

    def do_hold(self, a: int, b: int) -> None:
        (self.bench.calls.hold if b % 2 else self.bench.calls.resume)(self.leg(a))

    def do_mute(self, a: int, b: int) -> None:
        self.bench.calls.mute(self.leg(a), b % 2 == 0)

    def do_music(self, a: int, b: int) -> None:
        self.bench.calls.music(self.leg(a), b % 2 == 0)

    def do_echo(self, a: int, b: int) -> None:
        self.bench.calls.echo(self.leg(a), b % 2 == 0)

    def do_play(self, a: int, b: int) -> None:
        player = self.bench.calls.play(self.leg(a), [Prompt(name="x")], loop=b % 2 == 0)
        if b == 7:
            self.bench.calls.stop(player)

    def do_record(self, a: int, b: int) -> None:
        recording = self.bench.calls.start_recording(
            self.call(a), customer=self.leg(a), agent=self.leg(b)
        )
        if b % 3 == 0:
            self.bench.calls.set_recording_legs(recording, self.leg(a), [self.leg(b + 1)])
        if b % 3 == 1:
            self.bench.calls.stop_recording(recording)

    # --- the end ------------------------------------------------------------------------------------

    def end(self) -> None:
        """Everybody hangs up; then nothing may be left, and every leg must have ended once."""
        bench = self.bench
        self.fails_next = False
        bench.is_stepped = False
        bench.pump()
        for number, gateway in enumerate(bench.gateways):
            if not gateway.is_up:
                bench.restart_gateway(number)
        for _ in range(2):
            for started in bench.of(LegStarted):
                bench.calls.hang_up(started.leg, ENOUGH)
            bench.pump()
            for phone in self.phones:
                if not phone.is_idle:
                    phone.hang_up()
            # An INVITE of a caller who is gone may still have been under way: once more, then.
            bench.advance(35)
        bench.check_forgotten()


STEP = st.tuples(
    st.integers(0, sum(name.startswith("do_") for name in vars(History)) - 1),
    st.integers(0, 7),
    st.integers(0, 7),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(steps=st.lists(STEP, min_size=20, max_size=200))
def test_the_books_are_right_after_every_step_and_nothing_is_left(
    steps: list[tuple[int, int, int]],
) -> None:
    history = History()
    for choice, a, b in steps:
        history.steps[choice](a, b)
        history.bench.settle()
    history.end()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(steps=st.lists(STEP, min_size=20, max_size=200))
def test_with_several_gateways_everybody_hears_whom_the_books_say(
    steps: list[tuple[int, int, int]],
) -> None:
    history = History(gateways=3)
    bench = history.bench
    for choice, a, b in steps:
        history.steps[choice](a, b)
        bench.settle()
        heard = bench.heard()
        for leg, row in bench.calls.sound.matrix.rows():
            assert heard.get(leg, set()) == row
    history.end()
