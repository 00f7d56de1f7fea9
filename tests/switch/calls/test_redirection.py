"""A callee sends the call on (3xx): followed as far as the caller could have dialled, and no further."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from switch.calls.attempt import Rights
from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegRedirected, LegStarted
from switch.registrar.location import Binding, contact_key
from switch.sdp.transport import SrtpPolicy
from switch.sip.events import Invited
from switch.sip.flow import Flow, Transport
from switch.sip.message import Request
from switch.sip.uri import Uri
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.groups import GroupSettings, Member
from switch.trunks.identity import CallerHeader, CallerPolicy
from switch.trunks.settings import DtmfMode, RouteSettings
from switch.trunks.source import Source
from tests.switch.calls.bench import CARRIER, PLAN, SWITCH, TRUNKS, Bench
from tests.switch.calls.phone import Phone


def send_on(phone: Phone, *contacts: str, status: int = 302, diversion: str = "") -> None:
    """Refuse the call that rings with a 3xx to these contacts."""
    headers = {"Contact": ", ".join(contacts)}
    if diversion:
        headers["Diversion"] = diversion
    phone.user_agent.reject(phone.live, status, None, phone._clock.now(), headers)
    phone._pump()


def to(number: str, host: str = "127.0.0.1:5060") -> str:
    return f"<sip:{number}@{host}>"


def invite_of(phone: Phone) -> Request:
    invited = phone.last(Invited)
    assert invited is not None, f"phone {phone.number} was not called"
    return invited.request


def ringing(caller: str = "1001") -> tuple[Bench, Phone, Phone, Phone]:
    """The caller calls 1003; 1004 may be sent on to."""
    bench = Bench()
    ann, bob, eve = bench.phone(caller), bench.phone("1003"), bench.phone("1004")
    ann.call("1003")
    return bench, ann, bob, eve


@pytest.mark.parametrize("host", ["127.0.0.1:5060", "phone.example.com", "192.0.2.7"])
def test_another_phone_is_called_instead(host: str) -> None:
    """The user of the Contact counts; where it is, the registrar knows better."""
    bench, ann, bob, eve = ringing()
    leg = bench.leg_of("1003")
    send_on(bob, to("1004", host))
    assert bob.is_idle
    assert invite_of(eve).to.uri.username == "1004"
    eve.ring()
    eve.answer()
    assert ann.statuses() == [401, 180, 200]
    assert bench.heard() == {leg: {bench.leg_of("1001")}, bench.leg_of("1001"): {leg}}
    (told,) = bench.of(LegRedirected)
    assert (told.leg, told.number, told.phone, told.by) == (leg, "1004", "1004", "1003")
    assert told.reason == "unconditional"
    assert len(bench.of(LegStarted)) == 2, "it is the same leg"
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_who_sent_it_on_is_told_and_why() -> None:
    bench, ann, bob, eve = ringing()
    bob.ring()
    send_on(bob, to("1004"))
    headers = invite_of(eve).headers
    assert headers.get("Diversion") == "<sip:1003@127.0.0.1>;reason=deflection;counter=1"
    assert headers.get("History-Info") == (
        "<sip:1003@127.0.0.1?Reason=SIP%3Bcause%3D302>;index=1, <sip:1004@127.0.0.1>;index=1.1;mp=1"
    )
    send_on(eve, to("1005"))
    assert ann.statuses()[-1] == 480, "1005 is not registered"
    bench.check_forgotten()


def test_a_phone_may_say_why_itself() -> None:
    bench, ann, bob, eve = ringing()
    send_on(bob, to("1004"), diversion=f"{to('1003')};reason=do-not-disturb")
    assert "reason=do-not-disturb" in (invite_of(eve).headers.get("Diversion") or "")
    ann.cancel()
    bench.check_forgotten()


def test_a_number_outside_is_called_with_the_rights_of_the_caller() -> None:
    bench, ann, bob, _ = ringing()
    carrier = bench.stranger("carrier", CARRIER)
    send_on(bob, "<tel:+1-202-555-0123>")
    assert invite_of(carrier).uri == "sip:+12025550123@127.0.0.1:5090"
    assert bench.calls.limits.live("out") == 1
    carrier.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    assert carrier.is_idle
    assert bench.calls.limits.live("out") == 0
    bench.check_forgotten()


def test_who_is_called_instead_is_offered_what_its_own_trunk_is_to_be_offered() -> None:
    """Encryption that a trunk demands is not lost where a phone sends the call there."""
    trunk = replace(TRUNKS["out"], srtp=SrtpPolicy.REQUIRED, dtmf=DtmfMode.IN_BAND)
    bench = Bench(plan=replace(PLAN, trunks={**TRUNKS, "out": trunk}))
    ann, bob, eve = bench.phone("1001"), bench.phone("1003"), bench.phone("1004")
    carrier = bench.stranger("carrier", CARRIER)
    ann.call("1003")
    send_on(bob, "<tel:+1-202-555-0123>", to("1004"))
    offer = invite_of(carrier).body
    assert b"RTP/SAVP " in offer
    assert b"a=crypto:" in offer
    assert b"telephone-event" not in offer
    carrier.reject(486)
    offer = invite_of(eve).body
    assert b"RTP/AVP " in offer, "the trunk's policy is not that of the phone"
    assert b"telephone-event" in offer
    ann.cancel()
    bench.check_forgotten()


@pytest.mark.parametrize("is_answered", [False, True])
def test_how_digits_travel_on_its_trunk_is_known_after_a_restart(is_answered: bool) -> None:
    trunk = replace(TRUNKS["out"], dtmf=DtmfMode.IN_BAND)
    bench = Bench(plan=replace(PLAN, trunks={**TRUNKS, "out": trunk}))
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550123")
    if is_answered:
        carrier.answer()
    bench.restart()
    assert {leg.dtmf for leg in bench.calls.legs if leg.trunk} == {"inband"}
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("target", ["+12025550123", "4000", "9999", "1003", "1001%00", ""])
def test_what_the_caller_may_not_dial_is_not_followed(target: str) -> None:
    """1011 has no right to call out; a phone that it calls cannot lend it one (toll fraud)."""
    bench, ann, bob, _ = ringing("1011")
    carrier = bench.stranger("carrier", CARRIER)
    send_on(bob, to(target) if target else "<sip:127.0.0.1:5090>")
    assert ann.statuses()[-1] == 480
    assert carrier.last(Invited) is None
    assert bench.ends()[bench.leg_of("1003")] == EndCause(Result.UNREACHABLE, "redirected", 302)
    bench.check_forgotten()


@pytest.mark.parametrize("status", [305, 380])
def test_neither_proxies_nor_other_services_are_followed(status: int) -> None:
    bench, ann, bob, eve = ringing()
    send_on(bob, to("1004"), status=status)
    assert eve.last(Invited) is None
    assert ann.statuses()[-1] == 480
    bench.check_forgotten()


def test_the_rights_of_a_trunk_reach_no_trunk() -> None:
    bench = Bench()
    bob, eve = bench.phone("1003"), bench.phone("1004")
    carrier = bench.stranger("carrier", CARRIER)
    leg = bench.calls.call_phone(
        "1003",
        call=bench.new_call(),
        caller_number="+12025550101",
        caller_name="",
        ring_timeout_s=20,
        headers={},
        rights=Rights(Source.TRUNK, "lab"),
    )
    bench.pump()
    send_on(bob, to("+12025550123"), to("1004"))
    assert carrier.last(Invited) is None
    assert eve.last(Invited) is None, "callers of this trunk do not reach phones either"
    assert bench.ends()[leg].reason == "redirected"
    bench.check_forgotten()


def test_an_offer_to_an_agent_is_not_sent_on() -> None:
    """Without rights nothing is followed: the distribution finds the next agent itself."""
    bench = Bench()
    bob, eve = bench.phone("1003"), bench.phone("1004")
    leg = bench.calls.call_phone(
        "1003",
        call=bench.new_call(),
        caller_number="",
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    send_on(bob, to("1004"))
    assert eve.last(Invited) is None
    assert bench.ends()[leg].reason == "redirected"
    bench.check_forgotten()


def test_two_phones_that_send_on_to_each_other_do_not_do_so_for_ever() -> None:
    bench, ann, bob, eve = ringing()
    send_on(bob, to("1004"))
    send_on(eve, to("1003"))
    assert ann.statuses()[-1] == 480
    bench.check_forgotten()


def test_a_call_is_sent_on_five_times_at_most() -> None:
    bench = Bench()
    phones = [bench.phone(str(number)) for number in range(1001, 1009)]
    phones[0].call("1002")
    for phone, following in pairwise(phones[1:]):
        send_on(phone, to(following.number))
    assert phones[6].last(Invited) is not None
    assert phones[7].last(Invited) is None
    assert phones[0].statuses()[-1] == 480
    bench.check_forgotten()


def test_one_after_the_other_is_tried() -> None:
    bench, ann, bob, eve = ringing()
    last = bench.phone("1005")
    send_on(bob, f"{to('1005')};q=0.1", f"{to('1004')};q=0.9")
    assert last.last(Invited) is None
    eve.reject(486)
    assert invite_of(last).to.uri.username == "1005"
    last.answer()
    assert ann.statuses()[-1] == 200
    assert [told.number for told in bench.of(LegRedirected)] == ["1004", "1005"]
    ann.hang_up()
    bench.check_forgotten()


def test_who_sends_on_does_so_for_all_places() -> None:
    bench = Bench()
    ann, eve = bench.phone("1001"), bench.phone("1004")
    desk, mobile = bench.phone("1003"), bench.phone("1003")
    ann.call("1003")
    mobile.ring()
    send_on(desk, to("1004"))
    assert mobile.is_idle
    eve.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_a_call_that_was_sent_on_goes_on_after_a_restart() -> None:
    bench, ann, bob, eve = ringing()
    send_on(bob, to("1004"))
    bench.restart()
    send_on(eve, to("1005"))
    assert ann.statuses()[-1] == 480, "1005 is not there; but 1003 would have rung again otherwise"
    assert bob.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize("restarts_while_it_rings", [False, True])
def test_a_trunk_is_called_after_a_restart_as_it_would_have_been(
    restarts_while_it_rings: bool,
) -> None:
    """Under the account that it knows, without SDP, and the answer to its challenge is not lost."""
    trunk = replace(
        TRUNKS["out"],
        late_offer=True,
        credentials=TrunkCredentials(username="account", password="secret"),
        caller=CallerPolicy(header=CallerHeader.ACCOUNT, domain="carrier.example.com"),
    )
    bench = Bench(plan=replace(PLAN, trunks={**TRUNKS, "out": trunk}))
    ann, bob, eve = bench.phone("1001"), bench.phone("1003"), bench.phone("1004")
    carrier = bench.stranger("carrier", CARRIER)
    ann.call("1003")
    send_on(bob, to("1004"), "<tel:+1-202-555-0123>")
    assert invite_of(eve).body
    if restarts_while_it_rings:
        eve.reject(486)
        bench.restart()
    else:
        bench.restart()
        eve.reject(486)
    challenge = {"Proxy-Authenticate": 'Digest realm="carrier", nonce="n", qop="auth"'}
    carrier.user_agent.reject(carrier.live, 407, None, bench.clock.now(), challenge)
    carrier._pump()
    invite = invite_of(carrier)
    assert 'username="account"' in (invite.headers.get("Proxy-Authorization") or "")
    assert str(invite.from_.uri) == "sip:account@carrier.example.com"
    assert str(invite.to.uri) == "sip:+12025550123@127.0.0.1"
    assert invite.headers.get("P-Asserted-Identity") == "<sip:1001@carrier.example.com>"
    assert not invite.body
    assert carrier.sound is not None
    carrier.answer(body=carrier.sound.make_offer())
    assert ann.statuses()[-1] == 200
    a, b = bench.leg_of("1001"), bench.of(LegRedirected)[-1].leg
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    assert carrier.is_idle
    bench.check_forgotten()


def test_the_caller_may_give_up_while_it_is_sent_on() -> None:
    bench, ann, bob, eve = ringing()
    send_on(bob, to("1004"))
    ann.cancel()
    assert eve.is_idle
    bench.check_forgotten()


# --- what trunks say ----------------------------------------------------------------------------


def test_the_application_learns_who_sent_a_call_to_us() -> None:
    bench = Bench()
    caller = bench.stranger("+12025550101")
    caller.headers = {"Diversion": "<sip:+12025550199@carrier.example.com>;reason=no-answer"}
    caller.call("4000")
    (told,) = bench.of(IncomingLeg)
    assert (told.redirected_by, told.redirect_reason) == ("+12025550199", "no-answer")
    caller.cancel()
    bench.check_forgotten()


def test_a_phone_is_not_believed_who_sent_it_a_call() -> None:
    bench = Bench()
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.headers = {"Diversion": "<sip:+12025550199@x>;reason=away"}
    ann.call("4000")
    (told,) = bench.of(IncomingLeg)
    assert told.redirected_by == ""
    ann.cancel()
    ann.call("+12025550100")
    assert invite_of(carrier).headers.get("Diversion") is None
    ann.cancel()
    bench.check_forgotten()


def test_a_phone_may_withhold_its_number_and_must_prove_itself_all_the_same() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.shows = "anonymous"
    ann.headers = {"Privacy": "id", "P-Preferred-Identity": "<sip:1001@example.com>"}
    ann.call("1002")
    invite = invite_of(bob)
    assert ann.statuses()[0] == 401
    assert invite.from_.uri.username == "anonymous"
    assert invite.headers.get("Privacy") == "id"
    assert "1001" not in str(invite.from_)
    ann.cancel()
    ann.headers = {"P-Preferred-Identity": "<sip:1002@example.com>"}
    ann.call("1002")
    assert ann.statuses()[-1] == 403, "it is not that phone"
    bench.check_forgotten()


def test_a_withheld_number_stays_so_where_the_call_is_sent_on_to_the_outside() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1003")
    carrier = bench.stranger("carrier", CARRIER)
    ann.shows = "anonymous"
    ann.headers = {"Privacy": "id", "P-Preferred-Identity": "<sip:1001@example.com>"}
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    invite = invite_of(carrier)
    assert invite.from_.uri.username == "anonymous"
    assert invite.headers.get("Privacy") == "id"
    assert "1001" not in str(list(invite.headers.items()))
    ann.cancel()
    bench.check_forgotten()


def test_a_binding_elsewhere_is_never_called_by_address() -> None:
    """A Contact is a number to us; its host could be anybody's."""
    bench, ann, bob, _ = ringing()
    thief = bench.stranger("thief", ("127.0.0.1", 9999))
    send_on(bob, "<sip:+12025550123@127.0.0.1:9999>", "<sip:thief@127.0.0.1:9999>")
    assert thief.last(Invited) is None
    ann.cancel()
    bench.check_forgotten()


def test_a_static_place_of_the_next_number_rings_in_all_its_places() -> None:
    bench, ann, bob, eve = ringing()
    uri = "sip:1004@127.0.0.1:7900"
    there = bench.stranger("1004", ("127.0.0.1", 7900))
    binding = Binding(
        contact_uri=uri,
        flow=Flow(Transport.UDP, there.address, SWITCH),
        expires_at=math.inf,
        static=True,
    )
    bench.location.put("1004", contact_key(Uri.parse(uri)), binding)
    send_on(bob, to("1004"))
    assert invite_of(eve)
    assert invite_of(there)
    there.answer()
    assert eve.is_idle
    ann.hang_up()
    bench.check_forgotten()


def test_a_carrier_may_send_a_call_on_to_a_phone_of_ours() -> None:
    bench = Bench()
    ann, eve = bench.phone("1001"), bench.phone("1004")
    carrier = bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    send_on(carrier, to("1004", "carrier.example.com"))
    assert invite_of(eve).to.uri.username == "1004"
    assert bench.calls.limits.live("out") == 0
    eve.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("target", ["+12025550177", "2025550177"])
def test_a_number_outside_sends_a_call_nowhere_outside(target: str) -> None:
    """The caller may dial both numbers; but who answers out there could earn by the second."""
    bench = Bench()
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    send_on(carrier, to(target))
    called = [e.request.to.uri.username for e in carrier.events if isinstance(e, Invited)]
    assert called == ["+12025550100"]
    assert ann.statuses()[-1] == 480
    assert bench.calls.limits.live("out") == 0
    bench.check_forgotten()


def through_a_group(*, redirects_out: bool = False) -> Bench:
    out = TRUNKS["out"]
    trunk = replace(out, redirects_out=redirects_out, max_calls_per_second=9)
    group = GroupSettings(
        name="pstn",
        members=(Member(trunk="out"),),
        callers=out.callers,
        max_calls=9,
        max_calls_per_second=9,
    )
    routes = (RouteSettings(trunk="pstn", prefixes=("+",)),)
    return Bench(plan=replace(PLAN, trunks={"out": trunk}, groups={"pstn": group}, routes=routes))


def test_a_trunk_that_is_set_so_may_send_a_call_on_to_what_the_caller_may_dial() -> None:
    bench = through_a_group(redirects_out=True)
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    send_on(carrier, to("+12025550177"))
    assert invite_of(carrier).to.uri.username == "+12025550177"
    assert bench.calls.limits.live("pstn") == bench.calls.limits.live("out") == 1
    carrier.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    assert bench.calls.limits.live("pstn") == 0
    bench.check_forgotten()


def test_a_call_that_is_sent_on_through_a_group_counts_there_and_as_begun() -> None:
    bench = through_a_group()
    ann, bob = bench.phone("1001"), bench.phone("1003")
    bench.stranger("carrier", CARRIER)
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    limits, now = bench.calls.limits, bench.clock.now()
    assert [limits.live(name) for name in ("out", "pstn")] == [1, 1]
    assert [limits.begun_lately(name, now) for name in ("out", "pstn")] == [1, 1]
    bench.restart()
    assert [bench.calls.limits.live(name) for name in ("out", "pstn")] == [1, 1]
    ann.cancel()
    assert [bench.calls.limits.live(name) for name in ("out", "pstn")] == [0, 0]
    bench.check_forgotten()


SECOND = ("127.0.0.1", 5092)


def two_ways_out() -> tuple[Bench, Phone, Phone, Phone, Phone]:
    """The caller, a phone that sends calls on, and the carriers of a group."""
    out = TRUNKS["out"]
    other = replace(out, name="other", proxy_port=SECOND[1])
    members = (Member(trunk="out", order=1), Member(trunk="other", order=2))
    group = GroupSettings(name="pstn", members=members, callers=out.callers)
    routes = (RouteSettings(trunk="pstn", prefixes=("+",)),)
    trunks = {"out": out, "other": other}
    bench = Bench(plan=replace(PLAN, trunks=trunks, groups={"pstn": group}, routes=routes))
    carriers = bench.stranger("carrier", CARRIER), bench.stranger("carrier", SECOND)
    return bench, bench.phone("1001"), bench.phone("1003"), *carriers


def live(bench: Bench) -> dict[str, int]:
    limits = bench.calls.limits
    return {name: limits.live(name) for name in ("out", "other", "pstn") if limits.live(name)}


@pytest.mark.parametrize("status", [503, 408, 500])
def test_a_call_that_is_sent_on_goes_by_the_next_trunk_too(status: int) -> None:
    bench, ann, bob, first, second = two_ways_out()
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    assert live(bench) == {"out": 1, "pstn": 1}
    first.reject(status)
    assert live(bench) == {"other": 1, "pstn": 1}
    assert invite_of(second).uri == "sip:+12025550123@127.0.0.1:5092"
    assert "Diversion" in invite_of(second).headers
    second.ring()
    second.answer()
    assert ann.statuses() == [401, 180, 200]
    assert len(bench.of(LegRedirected)) == 1
    ann.hang_up()
    assert second.is_idle
    assert live(bench) == {}
    bench.check_forgotten()


def test_and_not_where_its_callee_has_spoken() -> None:
    bench, ann, bob, first, second = two_ways_out()
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    first.reject(486)
    assert second.last(Invited) is None
    assert ann.statuses()[-1] == 486
    bench.check_forgotten()


def test_nor_after_ringing_and_the_next_contact_is_called_when_no_trunk_is_left() -> None:
    bench, ann, bob, first, second = two_ways_out()
    eve = bench.phone("1004")
    ann.call("1003")
    send_on(bob, to("+12025550123") + ";q=0.9", to("1004") + ";q=0.1")
    first.reject(503)
    second.ring()
    assert eve.last(Invited) is None
    second.reject(503)
    assert live(bench) == {}
    eve.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_a_trunk_that_is_silent_is_left_for_the_next() -> None:
    bench, ann, bob, first, second = two_ways_out()
    bench.lose = lambda data: data.startswith(b"INVITE sip:+12025550123@127.0.0.1:5090")
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    bench.advance(3.5)
    assert second.last(Invited) is None
    bench.advance(1)
    second.answer()
    assert ann.statuses()[-1] == 200
    assert live(bench) == {"other": 1, "pstn": 1}
    ann.hang_up()
    bench.advance(40)
    assert first.is_idle
    bench.check_forgotten()


def test_what_a_call_that_was_sent_on_learns_of_a_trunk_is_known_to_the_next() -> None:
    bench, ann, bob, first, second = two_ways_out()
    ann.call("1003")
    send_on(bob, to("+12025550123"))
    first.reject(503)
    second.reject(486)
    ann.call("+12025550123")
    assert [isinstance(e, Invited) for e in first.events].count(True) == 1, "it is avoided"
    second.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()
