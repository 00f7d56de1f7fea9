"""What strangers and broken phones may send: an answer of the RFC, bounded memory, no exception."""

import random

from switch.sip.headers import Headers
from switch.sip.message import Request
from tests.switch.presence.test_publications import MEETING
from tests.switch.presence.watching import FLOW, Site, Watcher

_PIECES = (
    *("", "0", "-1", "1e9", "dialog", "presence;id=1", "message-summary;id=x;id=y", ";", "*"),
    *(
        "<sip:1001@192.0.2.9>",
        "<sip:a@b>, <sip:c@d>",
        "sip:",
        "<tel:+12025550101>",
        "\u202e",
        "é" * 40,
    ),
    *("application/pidf+xml", "text/plain;charset=x", "active", "9" * 30, "a" * 500, '"', "<>"),
)
_NAMES = (
    *(
        "Event",
        "Expires",
        "Contact",
        "Accept",
        "SIP-If-Match",
        "Content-Type",
        "To",
        "Record-Route",
    ),
    *("Subscription-State", "Retry-After", "Max-Forwards", "Supported"),
)
_ANSWERS = {200, 400, 401, 403, 404, 406, 412, 413, 415, 423, 480, 481, 489, 500}


def test_random_requests_of_a_phone_get_an_answer_and_leave_nothing() -> None:
    chance = random.Random(6665)
    site = Site(most=50)
    watcher = Watcher(site)
    seen = set()
    for _ in range(1500):
        method = chance.choice(("SUBSCRIBE", "SUBSCRIBE", "PUBLISH"))
        watched = chance.choice(("1001", "1002", "9999", "", "a%00b", "1001%40x"))
        request = watcher.request(chance.choice(("600", "0", "30", "5", None)))
        fields = dict(request.headers.items())
        fields["CSeq"] = f"{chance.randrange(1, 2**31)} {method}"
        fields["Call-ID"] = chance.choice((watcher.call_id, site.token()))
        for name in chance.sample(_NAMES, chance.randrange(4)):
            value = chance.choice(_PIECES)
            if name in ("To", "Contact", "Record-Route"):  # the parser lets no others through
                tag = chance.choice(("x", watcher.to_tag or "y"))
                value = f"<sip:{watched or 1001}@example.com>;tag={tag}"
            fields[name] = value
        try:
            mutated = Request(
                method,
                f"sip:{watched}@example.com" if watched else "sip:example.com",
                Headers([(name, value) for name, value in fields.items() if value]),
                _document(chance) if method == "PUBLISH" else b"",
            )
        except ValueError:
            continue
        site.proven(mutated, "1001")
        if method == "PUBLISH":
            response = site.publications.handle(mutated, FLOW, site.now)
        else:
            response = site.notifier.subscribe(mutated, FLOW, site.now)
        seen.add(response.status)
        assert response.status in _ANSWERS, response
        if chance.random() < 0.2:
            site.run(site.now + chance.random() * 3)
    assert {200, 403, 404, 481, 489, 423} <= seen
    assert len(site.notifier.subscriptions) <= 50
    site.run(site.now + 4000)
    site.publications.handle_timer(site.now)
    assert len(site.notifier.subscriptions) == len(site.publications) == 0
    assert site.notifier.get_timer() is None
    assert site.notifier._transactions == {}


def _document(chance: random.Random) -> bytes:
    data = bytearray(MEETING)
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(40)]
            case 2:
                data[at:at] = b"<a>" * chance.randrange(400)
            case _:
                data[at:at] = bytes(data[:at])
    return bytes(data)


def test_a_flood_of_strangers_leaves_nothing() -> None:
    site = Site()
    for number in range(2000):
        watcher = Watcher(site, "1001", f"{1000 + number % 60}")
        assert site.notifier.subscribe(watcher.request(), FLOW, site.now).status == 401
    assert len(site.notifier.subscriptions) == 0
    assert site.sent == []
    assert site.notifier.get_timer() is None


def test_answers_to_notifications_of_nobody_are_for_somebody_else() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    transaction, request, _ = site.sent[-1]
    site.answer(transaction, request, 200)
    before = len(site.notifier.subscriptions)
    for status in (200, 481, 503):  # again and again
        site.answer(transaction, request, status)
    assert len(site.notifier.subscriptions) == before == 1
