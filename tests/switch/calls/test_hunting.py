"""A call through trunks: what leads on to the next, what does not, and who is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import EmergencyCalled, LegAnswered, LegRinging, LegStarted
from switch.sip.events import Invited
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.emergency import EmergencySettings
from switch.trunks.groups import GroupSettings, Member
from switch.trunks.health import HealthSettings
from switch.trunks.identity import CallerHeader, CallerPolicy
from switch.trunks.number_format import NumberFormat
from switch.trunks.settings import NumberPlanSettings, PhoneRange, RouteSettings, TrunkSettings
from tests.switch.calls.bench import Bench

FIRST, SECOND, THIRD = ("127.0.0.1", 5091), ("127.0.0.1", 5092), ("127.0.0.1", 5093)
NUMBER = "+12025550123"


def trunk(name: str, address: tuple[str, int], **more: object) -> TrunkSettings:
    settings = TrunkSettings(name=name, proxy_host=address[0], proxy_port=address[1])
    return replace(settings, **more)  # type: ignore[arg-type]


def plan(*trunks: TrunkSettings, max_calls: int = 0, per_second: int = 0) -> NumberPlanSettings:
    """All trunks in one group, in this order."""
    group = GroupSettings(
        name="pstn",
        members=tuple(Member(trunk=t.name, order=n) for n, t in enumerate(trunks)),
        callers=frozenset({"1001"}),
        max_calls=max_calls,
        max_calls_per_second=per_second,
    )
    return NumberPlanSettings(
        phones=(PhoneRange(first="1001", last="1050"),),
        routes=(RouteSettings(trunk="pstn", prefixes=("+",), min_digits=7),),
        trunks={t.name: t for t in trunks},
        groups={"pstn": group},
        emergency=EmergencySettings(
            numbers=frozenset({"911"}), way="pstn", locations=(("1001", "+12025550199"),)
        ),
    )


class Site:
    """A phone, and carriers that do what a test tells them."""

    def __init__(self, settings: NumberPlanSettings, *present: tuple[str, int]) -> None:
        self.bench = Bench(plan=settings)
        self.ann = self.bench.phone("1001")
        self.at = {address: self.bench.stranger("carrier", address) for address in present}

    def call(self, number: str = NUMBER) -> None:
        self.ann.call(number)

    def invited(self, address: tuple[str, int]) -> list[Invited]:
        return [e for e in self.at[address].events if isinstance(e, Invited)]

    def live(self) -> dict[str, int]:
        limits = self.bench.calls.limits
        return {name: limits.live(name) for name in ("a", "b", "pstn") if limits.live(name)}


def two(**more: object) -> Site:
    settings = plan(trunk("a", FIRST, **more), trunk("b", SECOND, **more))
    return Site(settings, FIRST, SECOND)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 401, 407])
def test_a_failure_of_the_trunk_leads_on_and_the_caller_hears_nothing_of_it(status: int) -> None:
    site = two()
    site.call()
    first, second = site.at[FIRST], site.at[SECOND]
    assert site.live() == {"a": 1, "pstn": 1}
    first.reject(status)
    assert site.live() == {"b": 1, "pstn": 1}
    assert site.ann.statuses() == [401]
    second.ring()
    second.answer()
    assert site.ann.statuses() == [401, 180, 200]
    bench = site.bench
    assert len(bench.of(LegStarted)) == len(bench.gateway.legs) == 2
    assert len(bench.of(LegRinging)) == 1
    assert len(bench.of(LegAnswered)) == 2
    assert bench.calls.hunting.moved == 1
    site.ann.hang_up()
    assert second.is_idle
    assert site.live() == {}
    bench.check_forgotten()


@pytest.mark.parametrize("status", [486, 600, 603, 404, 480, 302, 403, 488])
def test_what_the_callee_or_the_network_said_is_told_and_nobody_else_is_asked(status: int) -> None:
    site = two()
    site.call()
    site.at[FIRST].reject(status)
    assert site.invited(SECOND) == []
    assert site.live() == {}
    assert site.ann.statuses()[-1] >= 400
    site.bench.check_forgotten()


def test_a_trunk_may_name_statuses_of_its_own_but_never_busy() -> None:
    site = two(failover_statuses=frozenset({403, 486}))
    site.call()
    site.at[FIRST].reject(403)
    site.at[SECOND].reject(486)
    assert site.ann.statuses() == [401, 486]
    site.bench.check_forgotten()


def test_after_ringing_nothing_leads_on() -> None:
    site = two()
    site.call()
    site.at[FIRST].ring()
    site.at[FIRST].reject(503)
    assert site.invited(SECOND) == []
    assert site.ann.statuses()[-1] == 480
    site.bench.check_forgotten()


def test_a_carrier_that_is_silent_is_left_after_its_time() -> None:
    site = Site(plan(trunk("a", FIRST), trunk("b", SECOND)), SECOND)
    site.call()
    site.bench.advance(4.9)
    assert site.invited(SECOND) == []
    site.bench.advance(0.2)
    site.at[SECOND].answer()
    assert site.ann.statuses() == [401, 200]
    assert site.live() == {"b": 1, "pstn": 1}
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_a_100_is_a_sign_of_life() -> None:
    site = two()
    site.call()
    site.bench.advance(20)
    assert site.invited(SECOND) == []
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_an_answer_of_a_carrier_that_was_left_is_hung_up() -> None:
    site = two()
    site.bench.lose = lambda data: data.startswith(b"SIP/2.0 100")
    site.call()
    site.bench.advance(5.1)
    site.bench.lose = lambda data: False
    first, second = site.at[FIRST], site.at[SECOND]
    first.answer()
    second.answer()
    site.bench.advance(1)
    assert first.is_idle
    assert not second.is_idle
    assert site.ann.statuses() == [401, 200]
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_when_all_fail_the_caller_hears_480_and_nothing_is_left() -> None:
    site = two()
    site.call()
    site.at[FIRST].reject(503)
    site.at[SECOND].reject(500)
    assert site.ann.statuses()[-1] == 500
    site.bench.check_forgotten()


def test_the_caller_hangs_up_between_two_trunks() -> None:
    site = Site(plan(trunk("a", FIRST), trunk("b", SECOND)), SECOND)
    site.call()
    site.bench.advance(5.1)
    site.ann.hang_up()
    site.bench.advance(40)
    assert site.at[SECOND].is_idle
    assert site.live() == {}
    site.bench.check_forgotten()


def test_the_next_call_goes_where_the_last_one_succeeded() -> None:
    site = two(health=HealthSettings(avoid_s=30))
    site.call()
    site.at[FIRST].reject(503)
    site.at[SECOND].answer()
    site.ann.hang_up()
    site.call()
    assert len(site.invited(FIRST)) == 1
    assert len(site.invited(SECOND)) == 2
    site.ann.hang_up()
    site.bench.advance(31)
    site.call()
    assert len(site.invited(FIRST)) == 2
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_a_full_trunk_is_passed_over_and_a_full_group_refuses() -> None:
    site = Site(
        plan(trunk("a", FIRST, max_calls=1), trunk("b", SECOND), max_calls=2), FIRST, SECOND
    )
    bench = site.bench
    for _ in range(3):
        bench.calls.call_trunk(
            "pstn",
            NUMBER,
            call=bench.new_call(),
            caller_number="1001",
            caller_name="",
            ring_timeout_s=30,
        )
    bench.pump()
    assert len(site.invited(FIRST)) == len(site.invited(SECOND)) == 1
    assert list(bench.ends().values()) == [EndCause(Result.REJECTED, "trunk-full", 503)]
    assert site.live() == {"a": 1, "b": 1, "pstn": 2}
    site.at[FIRST].reject(486)
    site.at[SECOND].reject(486)
    assert site.live() == {}
    bench.check_forgotten()


def dial(site: Site, ring_s: float, alert_within_s: float) -> None:
    site.bench.calls.call_trunk(
        "pstn",
        NUMBER,
        call=site.bench.new_call(),
        caller_number="1001",
        caller_name="",
        ring_timeout_s=ring_s,
        alert_within_s=alert_within_s,
    )
    site.bench.pump()


@pytest.mark.parametrize("restarts", [False, True])
def test_the_time_to_ring_may_count_from_the_first_ring(restarts: bool) -> None:
    site = two()
    dial(site, ring_s=15, alert_within_s=25)
    site.bench.advance(6)
    site.at[FIRST].reject(503)
    site.bench.advance(6)
    if restarts:
        site.bench.restart()
    site.at[SECOND].ring()
    site.bench.advance(14)
    assert site.bench.ends() == {}
    site.at[SECOND].ring()  # once more, as 180 is repeated
    site.bench.advance(1.1)
    assert list(site.bench.ends().values()) == [EndCause(Result.NO_ANSWER, "ring-timeout")]
    assert site.at[SECOND].is_idle
    site.bench.check_forgotten()


def test_so_long_is_waited_for_the_first_ring() -> None:
    site = two()
    dial(site, ring_s=15, alert_within_s=25)
    site.bench.advance(20)
    site.at[FIRST].reject(503)
    site.bench.advance(4)
    assert site.bench.ends() == {}
    site.bench.advance(1.1)
    assert list(site.bench.ends().values()) == [EndCause(Result.NO_ANSWER, "ring-timeout")]
    site.bench.check_forgotten()


def test_calls_per_second_are_of_any_second() -> None:
    site = Site(plan(trunk("a", FIRST, max_calls_per_second=1), trunk("b", SECOND)), FIRST, SECOND)
    bench = site.bench
    for pause in (0.6, 0.6, 0.6):
        bench.calls.call_trunk(
            "pstn",
            NUMBER,
            call=bench.new_call(),
            caller_number="1001",
            caller_name="",
            ring_timeout_s=30,
        )
        bench.pump()
        bench.advance(pause)
    assert (len(site.invited(FIRST)), len(site.invited(SECOND))) == (2, 1)


def test_emergency_calls_know_no_limit_and_show_where_the_caller_is() -> None:
    settings = plan(trunk("a", FIRST, max_calls=1), max_calls=1)
    site = Site(settings, FIRST)
    bench = site.bench
    bench.calls.call_trunk(
        "pstn",
        NUMBER,
        call=bench.new_call(),
        caller_number="1002",
        caller_name="",
        ring_timeout_s=30,
    )
    bench.pump()
    site.call("911")
    invites = site.invited(FIRST)
    assert len(invites) == 2
    assert invites[1].request.request_uri.username == "911"
    assert invites[1].request.from_.uri.username == "+12025550199"
    (event,) = bench.of(EmergencyCalled)
    assert (event.number, event.caller_number, event.location) == ("911", "1001", "+12025550199")
    site.at[FIRST].answer()
    assert site.ann.statuses()[-1] == 200


@pytest.mark.parametrize(
    ("shows", "privacy"),
    [("anonymous", "id"), ("1001", "id"), ("anonymous", "none"), ("10-01", "")],
)
def test_an_emergency_call_shows_where_the_caller_is_whatever_it_shows(
    shows: str, privacy: str
) -> None:
    site = Site(plan(trunk("a", FIRST)), FIRST)
    site.ann.shows = shows
    site.ann.headers = {"P-Preferred-Identity": "<sip:1001@example.com>"}
    if privacy:
        site.ann.headers["Privacy"] = privacy
    site.call("911")
    (invited,) = site.invited(FIRST)
    assert invited.request.from_.uri.username == "+12025550199"
    assert "Privacy" not in invited.request.headers
    (event,) = site.bench.of(EmergencyCalled)
    assert (event.caller_number, event.location) == ("1001", "+12025550199")
    site.ann.cancel()
    site.bench.check_forgotten()


@pytest.mark.parametrize("status", [403, 404, 480, 484, 486, 488, 503, 600, 603])
@pytest.mark.parametrize("rings", [False, True])
def test_an_emergency_call_is_tried_wherever_it_may_be_taken(status: int, rings: bool) -> None:
    site = two()
    site.call("911")
    if rings:
        site.at[FIRST].ring()
    site.at[FIRST].reject(status)
    (invited,) = site.invited(SECOND)
    assert invited.request.request_uri.username == "911"
    site.at[SECOND].answer()
    assert site.ann.statuses() == [401, 180, 200] if rings else [401, 200]
    assert len(site.bench.of(EmergencyCalled)) == 1
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_an_emergency_call_leaves_a_carrier_that_rang_and_one_that_is_silent() -> None:
    """What the first one let be heard before is heard no more."""
    settings = plan(trunk("a", FIRST), trunk("b", SECOND), trunk("c", THIRD))
    site = Site(settings, FIRST, THIRD)
    site.call("911")
    first = site.at[FIRST]
    invited = first.last(Invited)
    assert invited is not None
    assert invited.offer is not None
    assert first.sound is not None
    announcement = first.sound.answer(invited.offer)[1]
    first.user_agent.ring(first.live, site.bench.clock.now(), 183, body=announcement)
    site.bench.pump()
    assert site.bench.heard() != {}
    first.reject(404)
    assert site.bench.heard() == {}
    site.bench.advance(5.1)
    site.at[THIRD].answer()
    assert site.ann.statuses()[-1] == 200
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_a_password_for_the_carrier_stays_in_the_trunks_settings() -> None:
    credentials = TrunkCredentials(username="acct", password="not-to-be-seen")
    assert "not-to-be-seen" not in repr(trunk("a", FIRST, credentials=credentials))


def test_each_trunk_writes_numbers_and_callers_in_its_own_way() -> None:
    policy = CallerPolicy(
        header=CallerHeader.ACCOUNT, main="+12025550100", domain="carrier.example.com"
    )
    account = TrunkCredentials(username="acct", password="secret")
    one = trunk("a", FIRST, number_format=NumberFormat.E164)
    two_ = trunk(
        "b",
        SECOND,
        number_format=NumberFormat.NATIONAL,
        caller=policy,
        credentials=account,
        codecs=("PCMA",),
    )
    site = Site(plan(one, two_), FIRST, SECOND)
    site.call("2025550123")
    (first,) = site.invited(FIRST)
    assert first.request.request_uri.username == "12025550123"
    assert first.request.from_.uri.username == "1001"
    site.at[FIRST].reject(503)
    (second,) = site.invited(SECOND)
    request = second.request
    assert request.request_uri.username == request.to.uri.username == "2025550123"
    assert str(request.from_.uri) == "sip:acct@carrier.example.com"
    asserted = "Phone 1001 <sip:2025550100@carrier.example.com>"
    assert request.headers.get("P-Asserted-Identity") == asserted
    assert second.offer is not None
    assert b"PCMU" not in second.offer
    assert b"RTP/AVP 8 " in second.offer
    site.ann.hang_up()
    site.bench.check_forgotten()


def test_a_call_survives_a_restart_while_it_hunts() -> None:
    site = two()
    site.call()
    site.at[FIRST].reject(503)
    site.bench.restart()
    assert site.live() == {"b": 1, "pstn": 1}
    site.at[SECOND].answer()
    assert site.ann.statuses() == [401, 200]
    site.ann.hang_up()
    assert site.live() == {}
