"""Our registrations at a carrier: refreshed ahead, 423 followed, failures paused, no storm."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.sip.client_digest import ClientCredentials
from switch.sip.events import RequestAnswered, TransactionId
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.registration import (
    IGNORED,
    TRANSITIONS,
    Input,
    State,
    read_answer,
    refresh_after,
    retry_after,
    step,
)
from switch.trunks.registrations import Registration, Registrations
from switch.trunks.settings import RegistrationSettings, TrunkSettings
from switch.trunks.targets import AddressesOnly, Server, Target

LOCAL = ("192.0.2.1", 5060)


class Carrier:
    """Keeps what was sent, and what it was sent with."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request, Flow, ClientCredentials | None]] = []
        self._numbers = count(1)

    def send_request(
        self,
        request: Request,
        flow: Flow,
        now: float,
        *,
        credentials: ClientCredentials | None = None,
    ) -> TransactionId:
        self.sent.append((request, flow, credentials))
        return TransactionId(f"t{len(self.sent)}")


class Names:
    """A name with several addresses."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = list(hosts)

    def targets(self, server: Server) -> list[Target]:
        return [Target(Transport.UDP, host, 5060) for host in self.hosts]


def trunk(name: str = "a", *registrars: str) -> TrunkSettings:
    servers = tuple(map(Server.parse, registrars or ("sip:192.0.2.10",)))
    return TrunkSettings(
        name=name,
        credentials=TrunkCredentials(username="acct", password="secret"),
        registration=RegistrationSettings(registrars=servers, expires_s=600),
    )


class Bench:
    def __init__(
        self,
        *trunks: TrunkSettings,
        draw: Callable[[], float] = lambda: 0.5,
        names: Names | None = None,
    ) -> None:
        self.carrier = Carrier()
        numbers = count(1)
        self.all = Registrations(
            {each.name: each for each in trunks or (trunk(),)},
            requests=self.carrier,
            addresses=names or AddressesOnly(),
            contact=lambda flow: "sip:switchroom@192.0.2.1:5060",
            local=LOCAL,
            new_token=lambda: f"tok{next(numbers)}",
            draw=draw,
        )
        self.now = 1000.0
        self.all.start(self.now)
        self.fire()

    def fire(self) -> None:
        """Let pass what is due now."""
        self.all.handle_timer(self.now)

    def wait(self) -> float:
        """Let time pass until something is due; how long that was."""
        due = self.all.get_timer()
        assert due is not None
        waited, self.now = due - self.now, due
        self.fire()
        return waited

    def answer(self, status: int, *headers: tuple[str, str], index: int = -1) -> None:
        sent = len(self.carrier.sent) + 1 + index
        request = self.carrier.sent[index][0]
        response = Response(status, "", Headers(headers)) if status else None
        event = RequestAnswered(
            transaction=TransactionId(f"t{sent}"),
            status=status or 408,
            reason="x",
            response=response,
            seq=request.cseq.seq + 1,
        )
        assert self.all.take(event, self.now)

    @property
    def one(self) -> Registration:
        return next(iter(self.all))


CONTACT = ("Contact", "<sip:acct@192.0.2.1:5060>;expires=300")


def test_every_state_knows_what_to_do_with_every_input() -> None:
    for state in State:
        for event in Input:
            assert ((state, event) in TRANSITIONS) != ((state, event) in IGNORED)
            step(state, event)


def test_a_register_names_the_account_and_carries_the_password_to_nobody_else() -> None:
    bench = Bench()
    ((request, flow, credentials),) = bench.carrier.sent
    assert request.method == "REGISTER"
    assert request.uri == "sip:192.0.2.10"
    assert str(request.to.uri) == str(request.from_.uri) == "sip:acct@192.0.2.10"
    assert request.headers.get("Contact") == "<sip:acct@192.0.2.1:5060>"
    assert request.headers.get("Expires") == "600"
    assert flow.remote == ("192.0.2.10", 5060)
    assert credentials is not None
    assert credentials.password == "secret"
    assert "secret" not in repr(request.headers)
    assert "secret" not in repr(bench.one)


def test_it_is_refreshed_ahead_of_its_end_under_the_same_call_id() -> None:
    bench = Bench()
    bench.answer(200, CONTACT)
    assert bench.all.is_registered("a", bench.now)
    assert bench.one.until == 1300
    assert 200 < bench.wait() < 280
    first, second = (sent[0] for sent in bench.carrier.sent)
    assert first.call_id == second.call_id
    assert second.cseq.seq > first.cseq.seq + 1, "the challenge took one"


def test_a_refresh_that_fails_leaves_the_binding_until_its_end() -> None:
    bench = Bench()
    bench.answer(200, CONTACT)
    bench.wait()
    bench.answer(0)
    assert bench.all.is_registered("a", bench.now)
    assert bench.one.last_failure == "408 x"
    assert not bench.all.is_registered("a", 1301)
    bench.wait()
    bench.answer(200, CONTACT)
    assert bench.one.failures == 0


def test_423_asks_for_longer_but_not_for_ever() -> None:
    bench = Bench()
    bench.answer(423, ("Min-Expires", "1800"))
    assert bench.carrier.sent[-1][0].headers.get("Expires") == "1800"
    for longer in range(3):
        bench.answer(423, ("Min-Expires", str(1801 + longer)))
    assert len(bench.carrier.sent) == 4, "a registrar that only wants more and more is left alone"
    assert bench.wait() >= 1


@pytest.mark.parametrize("least", ["600", "1", "x", "", "99999999", "1" * 400, "-5"])
def test_a_423_that_makes_no_sense_is_a_failure(least: str) -> None:
    bench = Bench()
    bench.answer(423, ("Min-Expires", least))
    assert len(bench.carrier.sent) == 1
    assert bench.one.failures == 1


def test_failures_are_paused_longer_each_time_and_by_chance() -> None:
    pauses = []
    bench = Bench()
    for _ in range(12):
        bench.answer(500)
        pauses.append(bench.wait())
    assert pauses[:4] == [1.5, 3, 6, 12]
    assert max(pauses) <= 300
    assert retry_after(3, 0.0, is_refused=False) < retry_after(3, 0.9, is_refused=False)


def test_a_wrong_password_is_not_tried_in_haste() -> None:
    bench = Bench()
    bench.answer(403)
    assert bench.wait() >= 30
    assert bench.one.last_failure == "403 x"


def test_what_a_registrar_says_forges_no_line_of_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """C1 controls and line separators may stand in a reason; a terminal obeys them."""
    bench = Bench()
    reason = "No\x9b2J\u2028WARNING trunk b is down\u202e"
    event = RequestAnswered(
        transaction=TransactionId("t1"), status=403, reason=reason, response=None, seq=1
    )
    bench.all.take(event, bench.now)
    assert bench.one.last_failure == "403 No2JWARNING trunk b is down"
    assert all(record.getMessage().isprintable() for record in caplog.records)


def test_retry_after_is_heeded() -> None:
    bench = Bench()
    bench.answer(503, ("Retry-After", "120 (busy);duration=10"))
    assert bench.wait() >= 120


def test_a_failure_moves_on_to_the_next_address_of_the_registrar() -> None:
    names = Names("192.0.2.11", "192.0.2.12")
    bench = Bench(trunk("a", "sip:sip.example.com"), names=names)
    bench.answer(0)
    bench.wait()
    bench.answer(200)
    assert [flow.remote[0] for _, flow, _ in bench.carrier.sent] == names.hosts


def test_a_name_without_an_address_is_waited_for() -> None:
    names = Names()
    bench = Bench(trunk("a", "sip:sip.example.com"), names=names)
    assert bench.carrier.sent == []
    names.hosts.append("192.0.2.11")
    bench.wait()
    assert len(bench.carrier.sent) == 1
    assert bench.carrier.sent[0][0].uri == "sip:sip.example.com"


def test_several_registrars_know_nothing_of_each_other() -> None:
    bench = Bench(trunk("a", "sip:192.0.2.10", "sip:192.0.2.20"))
    bench.wait()
    bench.answer(200, CONTACT, index=-1)
    bench.answer(503, index=-2)
    assert [each.holds(bench.now) for each in bench.all.of("a")] == [False, True]
    assert bench.all.is_registered("a", bench.now)


def test_many_registrations_begin_one_after_the_other() -> None:
    bench = Bench(*(trunk(f"t{n}") for n in range(100)))
    assert len(bench.carrier.sent) == 1
    while len(bench.carrier.sent) < 100:
        bench.wait()
    assert bench.now - 1000 == pytest.approx(99 * 0.05)


def test_leaving_removes_the_binding_and_nothing_comes_after_it() -> None:
    bench = Bench()
    bench.answer(200, CONTACT)
    bench.all.leave(bench.now)
    assert bench.carrier.sent[-1][0].headers.get("Expires") == "0"
    assert bench.all.get_timer() is None
    event = RequestAnswered(
        transaction=TransactionId("t2"), status=200, reason="", response=None, seq=9
    )
    assert not bench.all.take(event, bench.now)
    unregistered = Bench()
    unregistered.all.leave(unregistered.now)
    assert len(unregistered.carrier.sent) == 1, "there is nothing to remove"


def test_the_route_of_the_registrar_is_kept() -> None:
    bench = Bench()
    bench.answer(200, CONTACT, ("Service-Route", "<sip:edge.example.com;lr>"))
    assert bench.one.routes == ("<sip:edge.example.com;lr>",)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Expires", "120")], 120),
        ([], 600),
        ([("Contact", "<sip:acct@x.example.com>;expires=90"), ("Expires", "5000")], 90),
        ([("Contact", "<sip:other@x.example.com>;expires=90")], None),
        ([("Contact", "<sip:acct@x.example.com>;expires=0")], None),
        ([("Contact", "<sip:acct@x.example.com>;expires=zzz")], 600),
        ([("Contact", "<<<>>"), ("Expires", "100")], None),
        ([("Expires", "999999999999")], 7 * 86400),
    ],
)
def test_what_the_registrar_granted(headers: list[tuple[str, str]], seconds: float | None) -> None:
    response = Response(200, "OK", Headers(headers))
    granted = read_answer(200, response, contact_user="acct", asked_s=600)
    if seconds is None:
        assert granted.input is Input.FAILED
    else:
        assert (granted.input, granted.seconds) == (Input.ACCEPTED, seconds)


HOSTILE = st.text(alphabet=st.characters(exclude_characters="\r\n\0"), max_size=60)


@given(
    status=st.integers(200, 699),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Contact", "Expires", "Min-Expires", "Retry-After", "Service-Route"]),
            HOSTILE | st.sampled_from(["<sip:acct@h>;expires=", "*", "1e9", "٣"]),
        ),
        max_size=6,
    ),
)
def test_whatever_a_registrar_answers_something_sane_follows(
    status: int, headers: list[tuple[str, str]]
) -> None:
    bench = Bench()
    bench.answer(status, *headers)
    due = bench.all.get_timer()
    if due is None:
        assert len(bench.carrier.sent) == 2, "asked again at once, for longer"
    else:
        assert 1 <= due - bench.now <= 7 * 86400


@given(granted=st.floats(5, 7 * 86400), draw=st.floats(0, 0.999))
def test_a_refresh_is_always_ahead(granted: float, draw: float) -> None:
    assert 0 < refresh_after(granted, draw) < granted
