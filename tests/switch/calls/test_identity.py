"""Whom a call is shown to come from (RFC 3323, RFC 3325)."""

from __future__ import annotations

import pytest

from switch.calls.identity import Identity, asks_for_privacy, preferred, shown
from switch.sip.headers import Headers
from switch.sip.uri import NameAddr

FROM = NameAddr.parse('"Ann" <sip:+12025550101@a.example.com>')
ANONYMOUS = NameAddr.parse('"Anonymous" <sip:anonymous@anonymous.invalid>')
ASSERTED = ("P-Asserted-Identity", '"Bob" <sip:+12025550102@a.example.com>, <tel:+12025550102>')
PARTY = ("Remote-Party-ID", '"Eve" <sip:+12025550103@a.example.com>;party=calling;screen=yes')


@pytest.mark.parametrize(
    ("headers", "trusted", "told"),
    [
        ([], False, Identity("+12025550101", "Ann")),
        ([ASSERTED], False, Identity("+12025550101", "Ann")),
        ([ASSERTED], True, Identity("+12025550102", "Bob")),
        ([PARTY], False, Identity("+12025550101", "Ann")),
        ([PARTY], True, Identity("+12025550103", "Eve")),
        ([PARTY, ASSERTED], True, Identity("+12025550102", "Bob")),
        ([(PARTY[0], PARTY[1] + ";privacy=full")], True, Identity("", "", True)),
        ([(PARTY[0], PARTY[1] + ";privacy=off")], True, Identity("+12025550103", "Eve")),
        ([("P-Asserted-Identity", "<sip:x")], True, Identity("+12025550101", "Ann")),
        (
            [("P-Asserted-Identity", "<sip:host.example.com>")],
            True,
            Identity("+12025550101", "Ann"),
        ),
        ([ASSERTED, ("Privacy", "id")], True, Identity("", "", True)),
        ([("Privacy", "user; critical")], False, Identity("", "", True)),
        ([("Privacy", "none")], False, Identity("+12025550101", "Ann")),
        ([("Privacy", "id;none")], False, Identity("+12025550101", "Ann")),
        ([("P-Asserted-Identity", "<tel:+12025550102>")], True, Identity("+12025550102", "")),
    ],
)
def test_who_is_shown(headers: list[tuple[str, str]], trusted: bool, told: Identity) -> None:
    assert shown(Headers(headers), FROM, is_trusted=trusted) == told


def test_an_anonymous_from_is_withheld_unless_somebody_vouches() -> None:
    assert shown(Headers(), ANONYMOUS, is_trusted=True) == Identity("", "Anonymous", True)
    assert shown(Headers([ASSERTED]), ANONYMOUS, is_trusted=True) == Identity("+12025550102", "Bob")


def test_a_number_cannot_forge_a_line() -> None:
    headers = Headers([("P-Asserted-Identity", "<sip:1%0D%0A2@x>")])
    assert shown(headers, FROM, is_trusted=True).number == "12"


def test_what_a_phone_prefers() -> None:
    assert preferred(Headers([("P-Preferred-Identity", "<sip:1001@x>")])) == "1001"
    assert preferred(Headers([("P-Asserted-Identity", "<sip:1001@x>")])) == "1001"
    assert preferred(Headers()) == ""


def test_privacy_is_asked_for_in_any_spelling() -> None:
    assert asks_for_privacy(Headers([("Privacy", "Header;ID")]))
    assert asks_for_privacy(Headers([("Privacy", "session, id")]))
    assert not asks_for_privacy(Headers([("Privacy", "session")]))
