"""Who may call what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from switch.calls.admission import Admission, Admitted, Denied
from switch.ids import LegId
from switch.sip.digest import Challenger, DigestSettings
from switch.sip.events import Invited, SessionId
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.trunks.addresses import TrunkAddresses
from switch.trunks.limits import TrunkLimits
from switch.trunks.number_plan import NumberPlan, ToEntry
from switch.trunks.settings import EntrySettings, NumberPlanSettings, PhoneRange, TrunkSettings
from switch.trunks.source import Source

LAB = TrunkSettings(name="lab", match=("127.0.0.1",), max_calls=1)


def nobody(user: str, algorithm: str) -> Sequence[str]:
    return ()


def admission() -> tuple[Admission, TrunkLimits]:
    trunks = {"lab": LAB}
    limits = TrunkLimits(trunks)
    plan = NumberPlanSettings(
        entries=(EntrySettings(name="menu", numbers=("4000",)),),
        phones=(PhoneRange(first="1001", last="1050"),),
        trunks=trunks,
    )
    made = Admission(
        challenger=Challenger(
            settings=DigestSettings(realm="test"), secret=b"s" * 32, new_token=lambda: "token"
        ),
        credentials=nobody,
        number_plan=NumberPlan(plan),
        addresses=TrunkAddresses(trunks.values()),
        limits=limits,
    )
    return made, limits


def invite(from_: str, *, to: str = "4000", host: str = "127.0.0.1") -> Invited:
    headers = Headers(
        [
            ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx"),
            ("From", f"{from_};tag=1"),
            ("To", f"<sip:{to}@example.com>"),
            ("Call-ID", "x"),
            ("CSeq", "1 INVITE"),
        ]
    )
    request = Request("INVITE", f"sip:{to}@example.com", headers)
    flow = Flow(Transport.UDP, (host, 5080), ("127.0.0.1", 5060))
    return Invited(session=SessionId("s"), request=request, flow=flow, offer=None)


def test_a_caller_from_a_trunks_address_is_let_in_with_its_name_and_number() -> None:
    judged = admission()[0].judge(invite('"Ann" <sip:+12025550100@example.com>'), 0.0)
    assert judged == Admitted(
        source=Source.TRUNK,
        source_name="lab",
        caller_number="+12025550100",
        caller_name="Ann",
        called="4000",
        destination=ToEntry("menu", "4000"),
    )


@pytest.mark.parametrize("user", ["anonymous", "Anonymous", "unknown"])
def test_a_withheld_number_is_empty(user: str) -> None:
    judged = admission()[0].judge(invite(f"<sip:{user}@anonymous.invalid>"), 0.0)
    assert isinstance(judged, Admitted)
    assert judged.caller_number == ""


@pytest.mark.parametrize("user", ["1001", "10-01", "1001;x=y"])
def test_whoever_claims_to_be_a_phone_is_challenged_even_at_a_trunks_address(user: str) -> None:
    judged = admission()[0].judge(invite(f"<sip:{user}@example.com>"), 0.0)
    assert isinstance(judged, Denied)
    assert judged.status == 401
    assert judged.is_routine
    assert [name for name, _ in judged.headers] == ["WWW-Authenticate", "WWW-Authenticate"]


@pytest.mark.parametrize("user", ["alice", "1001"])
def test_strangers_are_challenged_whether_the_phone_exists_or_not(user: str) -> None:
    judged = admission()[0].judge(invite(f"<sip:{user}@example.com>", host="192.0.2.9"), 0.0)
    assert isinstance(judged, Denied)
    assert judged.status == 401


@pytest.mark.parametrize("to", ["1001", "+12025550100", "9999"])
def test_a_trunk_caller_reaches_entries_only(to: str) -> None:
    judged = admission()[0].judge(invite("<sip:caller@example.com>", to=to), 0.0)
    assert isinstance(judged, Denied)
    assert judged.status == 404


def test_a_full_trunk_takes_no_more() -> None:
    door, limits = admission()
    limits.add("lab", LegId("a"))
    judged = door.judge(invite("<sip:caller@example.com>"), 0.0)
    assert judged == Denied(status=503, reason="trunk-full")


def test_numbers_and_names_cannot_forge_lines_and_are_bounded() -> None:
    name = "An\u202en" + "x" * 500
    sender = f'"{name}" <sip:%0D%0A2026%20ERROR%1B[2J{"9" * 500}@example.com>'
    judged = admission()[0].judge(invite(sender, to="4000%3B%0A"), 0.0)
    assert isinstance(judged, Admitted)
    assert judged.caller_number.startswith("2026 ERROR[2J9")
    assert judged.caller_name.startswith("Annx")
    assert judged.called == "4000;"
    assert len(judged.caller_number) == len(judged.caller_name) == 128
