import msgspec
import pytest

from switch.presence.publications import Publication, Published
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from tests.switch.presence.watching import FLOW, Site, Watcher

MEETING = b"""<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
 xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:1002@example.com">
<tuple id="x"><status><basic>open</basic></status></tuple>
<dm:person id="p"><rpid:activities><rpid:meeting/></rpid:activities><dm:note>until three</dm:note>
</dm:person></presence>"""
GONE = MEETING.replace(b"open", b"closed").replace(b"meeting", b"away")


class Publisher:
    """The phone 1002, which publishes."""

    def __init__(self, site: Site, user: str = "1002") -> None:
        self.site = site
        self.user = user
        self.tag = ""

    def publish(
        self, body: bytes = b"", *, to: str = "1002", tag: str | None = None, **headers: str
    ) -> Response:
        fields = {
            "Via": "SIP/2.0/UDP 192.0.2.77:31000;branch=z9hG4bK1;rport",
            "From": f"<sip:{self.user}@example.com>;tag=p",
            "To": f"<sip:{to}@example.com>",
            "Call-ID": self.site.token(),
            "CSeq": "1 PUBLISH",
            "Event": "presence",
            "Expires": "600",
            "SIP-If-Match": self.tag if tag is None else tag,
            "Content-Type": "application/pidf+xml" if body else "",
        }
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name, value) for name, value in fields.items() if value]
        request = Request("PUBLISH", f"sip:{to}@example.com", Headers(pairs), body)
        site = self.site
        response = site.publications.handle(site.proven(request, self.user), FLOW, site.now)
        if response.status == 200:
            self.tag = response.headers.get("SIP-ETag") or ""
        return response


def seen(site: Site) -> Published:
    (own,) = site.publications.of_phone("1002")
    return own


def test_who_watches_sees_what_the_phone_publishes_changes_and_takes_back() -> None:
    site = Site()
    watcher = Watcher(site, event="presence")
    watcher.subscribe()
    phone = Publisher(site)
    assert phone.publish(MEETING).status == 200
    site.run(site.now + 2)
    assert "<rpid:meeting/>" in watcher.body
    assert "until three" in watcher.body
    first = phone.tag
    assert phone.publish(GONE).status == 200
    assert phone.tag != first
    assert seen(site).basic == "closed"
    site.run(site.now + 2)
    assert "<rpid:away/>" in watcher.body
    assert phone.publish(Expires="0").status == 200
    assert site.publications.of_phone("1002") == ()
    site.run(site.now + 2)
    assert "rpid:away" not in watcher.body


def test_a_refresh_has_no_body_and_gets_a_new_tag() -> None:
    site = Site()
    phone = Publisher(site)
    phone.publish(MEETING)
    first = phone.tag
    site.now += 500
    assert phone.publish().status == 200
    assert phone.tag != first
    site.now += 500
    site.publications.handle_timer(site.now)
    assert seen(site).activities == ("meeting",)
    site.now += 101
    site.publications.handle_timer(site.now)
    assert len(site.publications) == 0
    assert phone.publish().status == 412


def test_a_publication_of_another_phone_cannot_be_changed() -> None:
    site = Site()
    phone = Publisher(site)
    phone.publish(MEETING)
    other = Publisher(site, "1003")
    assert other.publish(GONE, to="1003", tag=phone.tag).status == 412
    assert other.publish(GONE, to="1002").status == 403
    assert other.publish(GONE, to="9999").status == 404
    assert seen(site).activities == ("meeting",)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (MEETING, {"Event": "dialog"}, 489),
        (MEETING, {"Event": ""}, 489),
        (MEETING, {"Content-Type": "text/plain"}, 415),
        (MEETING, {"Expires": "3"}, 423),
        (MEETING, {"SIP-If-Match": "nobody"}, 412),
        (b"<presence", {}, 400),
        (b"<html/>", {}, 400),
        (MEETING + b" " * 9000, {}, 413),
        (MEETING.decode().replace("UTF-8", "UTF-16").encode("utf-16"), {}, 400),
        (b'<!DOCTYPE p [<!ENTITY a "b">]><presence xmlns="urn:ietf:params:xml:ns:pidf"/>', {}, 400),
    ],
)
def test_what_is_no_publication_is_refused(
    body: bytes, headers: dict[str, str], status: int
) -> None:
    site = Site()
    given = {name.replace("-", "_"): value for name, value in headers.items()}
    assert Publisher(site).publish(body, **given).status == status
    assert len(site.publications) == 0


def test_notes_and_activities_are_bounded_and_clean() -> None:
    site = Site()
    many = "".join(f"<rpid:a{chr(97 + n)}/>" for n in range(26))
    body = MEETING.replace(b"<rpid:meeting/>", many.encode()).replace(b"until", b"u" * 500)
    assert Publisher(site).publish(body).status == 200
    assert len(seen(site).activities) == 4
    assert len(seen(site).note) == 120


def test_a_phone_has_so_many_publications_and_its_oldest_gives_way() -> None:
    site = Site()
    for _ in range(50):
        assert Publisher(site).publish(MEETING).status == 200
    assert len(site.publications) == 4


def test_a_publication_goes_on_after_a_restart() -> None:
    site = Site()
    phone = Publisher(site)
    noted: list[str] = []
    site.publications.on_record = noted.append
    phone.publish(MEETING)
    assert noted == [phone.tag]
    record = site.publications.record(phone.tag, lambda moment: moment)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Publication)
    phone.site = after = Site()
    after.publications.restore(phone.tag, kept, lambda moment: moment)
    assert phone.publish().status == 200
    assert seen(after).note == "until three"
