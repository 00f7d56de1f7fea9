"""Diversion and History-Info, read and written (RFC 5806, RFC 7044)."""

from __future__ import annotations

import pytest

from switch.calls.diversion import Diverted, carried, diverted, reason_of, sent_on
from switch.sip.headers import Headers

HOST = "switch.example.com"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (
            "Diversion",
            "<sip:+12025550123@a.example.com>;reason=user-busy;counter=1",
            ("+12025550123", "user-busy"),
        ),
        ("Diversion", "<tel:+12025550123>;reason=No-Answer", ("+12025550123", "no-answer")),
        ("Diversion", '"Ann" <sip:1002@x>', ("1002", "unknown")),
        ("Diversion", "<sip:1002@x>;reason=because", ("1002", "unknown")),
        ("Diversion", "<sip:1003@x>;reason=away, <sip:1002@x>;reason=no-answer", ("1003", "away")),
        ("Diversion", "<sip:x", None),
        ("Diversion", "<sip:host.example.com>;reason=away", None),
        ("Diversion", "", None),
        (
            "History-Info",
            "<sip:1002@x?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1, <sip:1003@x>;index=1.1",
            ("1002", "user-busy"),
        ),
        (
            "History-Info",
            "<sip:1@x?reason=SIP%3Bcause%3D302>;index=1, <sip:2@x?Reason=SIP%3Bcause%3D408>;index=1.1,"
            " <sip:3@x>;index=1.1.1",
            ("2", "no-answer"),
        ),
        ("History-Info", "<sip:1002@x>;index=1", None),
        ("History-Info", "<sip:1002@x?Reason=%00>;index=1", ("1002", "unknown")),
        ("History-Info", "<sip:1002@x?Reason=SIP%3Bcause%3D9999999>;index=1", ("1002", "unknown")),
    ],
)
def test_who_sent_the_call_on(name: str, value: str, found: tuple[str, str] | None) -> None:
    told = diverted(Headers([(name, value)]))
    assert told == (None if found is None else Diverted(*found))


def test_diversion_goes_before_history() -> None:
    headers = Headers(
        [
            ("History-Info", "<sip:1@x?Reason=SIP%3Bcause%3D302>;index=1"),
            ("Diversion", "<sip:2@x>;reason=away"),
        ]
    )
    assert diverted(headers) == Diverted("2", "away")


def test_a_number_cannot_forge_a_line() -> None:
    told = diverted(Headers([("Diversion", "<sip:1002%0D%0Ax@h>;reason=away")]))
    assert told == Diverted("1002x", "away")


def test_only_so_much_is_carried_on() -> None:
    many = ", ".join(f"<sip:{n}@x>;reason=away" for n in range(40))
    kept = carried(Headers([("Diversion", many), ("Subject", "x")]))
    assert kept == {"Diversion": ", ".join(many.split(", ")[:10])}
    long = "<sip:1@x>;reason=away;" + "y" * 1100
    assert carried(Headers([("Diversion", long)])) == {}


def test_each_that_sends_on_is_put_before_the_others() -> None:
    passed = [Diverted("1002", "unconditional"), Diverted("1003", "no-answer")]
    assert sent_on({}, passed, "1004", HOST) == {
        "Diversion": f"<sip:1003@{HOST}>;reason=no-answer;counter=1,"
        f" <sip:1002@{HOST}>;reason=unconditional;counter=1",
        "History-Info": f"<sip:1002@{HOST}?Reason=SIP%3Bcause%3D302>;index=1,"
        f" <sip:1003@{HOST}?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1,"
        f" <sip:1004@{HOST}>;index=1.1.1;mp=1.1",
    }


def test_what_a_trunk_said_stays() -> None:
    before = {"Diversion": "<sip:9@t>;reason=away", "History-Info": "<sip:9@t>;index=1.2"}
    told = sent_on(before, [Diverted("1002", "away")], "1003", HOST)
    assert told["Diversion"].endswith(", <sip:9@t>;reason=away")
    assert told["History-Info"].startswith("<sip:9@t>;index=1.2, <sip:1002@")
    assert ";index=1.2.1;mp=1.2, " in told["History-Info"]
    assert told["History-Info"].endswith(";index=1.2.1.1;mp=1.2.1")
    assert diverted(Headers(told.items())) == Diverted("1002", "away")


@pytest.mark.parametrize(
    ("header", "rang", "reason"),
    [
        (None, False, "unconditional"),
        (None, True, "deflection"),
        ("<sip:1002@x>;reason=do-not-disturb", True, "do-not-disturb"),
        ("<sip:1002@x>;reason=unknown", False, "unconditional"),
        ("nonsense<", True, "deflection"),
    ],
)
def test_why_a_phone_sends_on(header: str | None, rang: bool, reason: str) -> None:
    headers = Headers([("Diversion", header)] if header else [])
    assert reason_of(headers, rang=rang) == reason
