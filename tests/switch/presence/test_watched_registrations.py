"""A phone watches where it is registered (RFC 3680)."""

from __future__ import annotations

from xml.etree import ElementTree

from switch.registrar.location import Binding, contact_key
from switch.sip.uri import Uri
from tests.switch.presence.watching import FLOW, Site, Watcher

NAMES = {"r": "urn:ietf:params:xml:ns:reginfo"}


def put(site: Site, uri: str) -> None:
    binding = Binding(contact_uri=uri, flow=FLOW, expires_at=site.now + 600)
    site.location.put("1001", contact_key(Uri.parse(uri)), binding)


def told(watcher: Watcher) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """Version, state, and the contacts by address, of what was told last."""
    root = ElementTree.fromstring(watcher.body)
    (registration,) = root.findall("r:registration", NAMES)
    assert registration.get("aor") == "sip:1001@example.com"
    contacts = {
        each.findtext("r:uri", "", NAMES): (each.get("state", ""), each.get("event", ""))
        for each in registration
    }
    assert len({each.get("id") for each in registration}) == len(contacts)
    return root.get("version", ""), registration.get("state", ""), contacts


def test_a_phone_is_told_of_each_contact_that_comes_and_goes() -> None:
    site = Site()
    watcher = Watcher(site, watched="1001", event="reg")
    assert watcher.subscribe().status == 200
    assert told(watcher) == ("0", "terminated", {})
    first, second = "sip:1001@192.0.2.7:5062", "sip:1001@[2001:db8::7];x=%3C"
    site.run(site.now + 2)
    put(site, first)
    put(site, second)
    site.run(site.now + 2)
    here = {first: ("active", "registered"), second: ("active", "registered")}
    assert told(watcher) == ("1", "active", here)
    before = len(watcher.notified)
    put(site, first)  # a refresh is nothing new
    site.run(site.now + 2)
    assert len(watcher.notified) == before
    site.location.drop("1001", contact_key(Uri.parse(first)))
    site.run(site.now + 2)
    assert told(watcher)[2][first] == ("terminated", "unregistered")
    site.location.drop_all("1001")
    site.run(site.now + 2)
    version, state, contacts = told(watcher)
    assert (version, state) == ("3", "terminated")
    assert first not in contacts, "it was told"


def test_nobody_is_told_where_others_are() -> None:
    watcher = Watcher(Site(), user="1001", watched="1002", event="reg")
    assert watcher.subscribe().status == 403


def test_fixed_contacts_are_told_as_made_by_the_administrator() -> None:
    site = Site()
    site.location.add_static("1001", "sip:1001@127.0.0.1:6000", FLOW)
    watcher = Watcher(site, watched="1001", event="reg")
    watcher.subscribe()
    assert told(watcher)[2] == {"sip:1001@127.0.0.1:6000": ("active", "created")}
