"""`switchroom trunks` in words."""

from __future__ import annotations

import pytest

from cti.cli.main import main
from cti.cli.trunks import told_route, told_trunk
from cti.schema import (
    EmergencyView,
    Event,
    EventType,
    RouteAttemptView,
    RouteStepView,
    RouteView,
    TrunkAddressView,
    TrunkRegistrationView,
    TrunkView,
)


def test_a_trunk_that_is_not_registered_says_why_and_when_it_tries_again() -> None:
    trunk = TrunkView(
        name="alpha",
        up=False,
        calls=2,
        max_calls=30,
        max_calls_per_second=5,
        registrations=(
            TrunkRegistrationView(
                registrar="sip:192.0.2.1",
                registered=False,
                failures=3,
                last_failure="403 Forbidden",
                next_at=1_800_000_000.0,
            ),
        ),
        addresses=(
            TrunkAddressView(
                address="192.0.2.1:5060 UDP",
                state="held",
                last_failure="503",
                last_failure_at=1_800_000_000.0,
            ),
        ),
    )
    head, registration, address = told_trunk(trunk)
    assert "DOWN" in head
    assert "2 of 30 calls, 0 of 5 a second" in head
    assert "NOT REGISTERED, tried again at 2027-" in registration
    assert "3 failures, 403 Forbidden" in registration
    assert "192.0.2.1:5060 UDP  held; last failure 2027-" in address


def test_a_route_is_told_step_by_step_with_its_costs() -> None:
    route = RouteView(
        number="2025550123",
        caller="201",
        outcome="trunk",
        words="It leaves by alpha to 192.0.2.1:5060 UDP",
        steps=(RouteStepView(what="dialled", words="2025550123 is read as 2025550123"),),
        attempts=(
            RouteAttemptView(
                trunk="alpha",
                address="192.0.2.1:5060 UDP",
                number="12025550123",
                caller="",
                cost="0.0060",
            ),
        ),
    )
    assert told_route(route) == [
        "  1. 2025550123 is read as 2025550123",
        "It leaves by alpha to 192.0.2.1:5060 UDP.",
        "  1. alpha at 192.0.2.1:5060 UDP: the number sent is 12025550123, "
        "the caller shown withheld, 0.0060 a minute",
    ]


def test_nobody_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    file = f"{tmp_path}/password"
    with open(file, "w") as out:
        out.write("x\n")
    args = ["trunks", "--server", "http://127.0.0.1:9", "--login", "super", "--password-file", file]
    assert main([*args, "route", "+12025550123", "--from", "1001"]) == 1
    told = capsys.readouterr().err
    assert "no answer from http://127.0.0.1:9" in told
    assert "Does the server run there?" in told
    assert "--server" in told


def test_an_emergency_call_is_an_event_of_its_own() -> None:
    data = EmergencyView(call_id="c", number="911", caller_number="1001", location="+12025550100")
    event = Event(seq=1, id="x", at=0.0, type=EventType.EMERGENCY_CALLED, data=data)
    assert event.data == data
