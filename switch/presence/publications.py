"""What phones publish of themselves: PUBLISH with entity-tags (RFC 3903)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree

from msgspec import Struct

from switch.presence.door import Door, RefusedError
from switch.presence.expires import expires_of
from switch.presence.settings import PresenceSettings
from switch.presence.subscription import ALLOW_EVENTS, CONTENT_TYPES, Package
from switch.sip.deadlines import Deadlines
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.writing import make_response

_MOST_OCTETS: Final = 8192
"""Of a document."""
_MOST_ACTIVITIES: Final = 4
_MOST_NOTE: Final = 120
_PIDF: Final = "{urn:ietf:params:xml:ns:pidf}"
_RPID: Final = "{urn:ietf:params:xml:ns:pidf:rpid}"
_DATA_MODEL: Final = "{urn:ietf:params:xml:ns:pidf:data-model}"
_NAME: Final = re.compile(r"[a-z][a-z-]{0,31}")
_TYPE: Final = CONTENT_TYPES[Package.PRESENCE]


class Published(Struct, frozen=True, array_like=True):
    """What of a published document is passed on."""

    basic: str
    """`open` or `closed`."""
    activities: tuple[str, ...] = ()
    """Names of RFC 4480."""
    note: str = ""


class Publication(Struct, frozen=True, array_like=True):
    """One publication, by its entity-tag."""

    phone: str
    published: Published
    expires_at: float
    """Monotonic seconds; in records seconds since the epoch."""


class Publications:
    """The event state compositor of the package `presence`.

    `new_token` gives unguessable text; `on_change` hears whose presence changed.
    """

    __slots__ = (
        "_by_phone",
        "_by_tag",
        "_door",
        "_ends",
        "_new_token",
        "_settings",
        "on_change",
        "on_record",
    )

    def __init__(
        self, *, door: Door, settings: PresenceSettings, new_token: Callable[[], str]
    ) -> None:
        self._door = door
        self._settings = settings
        self._new_token = new_token
        self._by_tag: dict[str, Publication] = {}
        self._by_phone: dict[str, dict[str, None]] = {}
        """Entity-tags, the oldest first."""
        self._ends: Deadlines[str] = Deadlines()
        self.on_record: Callable[[str], None] = lambda tag: None
        """Hears of each entity-tag whose record is to be written, or to be removed."""
        self.on_change: Callable[[str], None] = lambda phone: None

    def __len__(self) -> int:
        return len(self._by_tag)

    def of_phone(self, phone: str) -> tuple[Published, ...]:
        """What a phone published, the oldest first."""
        return tuple(self._by_tag[tag].published for tag in self._by_phone.get(phone, ()))

    def handle(self, request: Request, flow: Flow, now: float) -> Response:
        """Answer a PUBLISH. Nothing is changed unless the answer is 200."""
        try:
            return self._publish(request, flow, now)
        except RefusedError as refused:
            return refused.response(request)

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return self._ends.next_due()

    def handle_timer(self, now: float) -> None:
        """Drop what expired."""
        while (tag := self._ends.pop_due(now)) is not None:
            self._forget(tag)

    # --- over a restart -------------------------------------------------------------------------

    def record(self, tag: str, wall: Callable[[float], float]) -> Publication | None:
        """A publication as a record."""
        found = self._by_tag.get(tag)
        if found is None:
            return None
        return Publication(found.phone, found.published, wall(found.expires_at))

    def restore(self, tag: str, record: Publication, mono: Callable[[float], float]) -> None:
        """Take up a publication of an earlier process."""
        self._put(tag, Publication(record.phone, record.published, mono(record.expires_at)))

    # --- inside ---------------------------------------------------------------------------------

    def _publish(self, request: Request, flow: Flow, now: float) -> Response:
        user = self._door.user(request, flow, now)
        event = (request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if event != Package.PRESENCE:
            raise RefusedError(489, None, ("Allow-Events", ALLOW_EVENTS))
        if request.request_uri.username != user:
            raise RefusedError(403 if self._door.knows(request.request_uri.username) else 404)
        expires_s = expires_of(request, self._settings)
        old = request.headers.get("SIP-If-Match")
        known = None if old is None else self._by_tag.get(old)
        if old is not None and (known is None or known.phone != user):
            raise RefusedError(412, "Conditional Request Failed")
        published = _published(request) if request.body else None
        if published is None and known is None:
            raise RefusedError(400, "Nothing To Publish")
        if old is not None:
            self._remove(old)
        tag = self._new_token()
        if expires_s and (published or known):
            self._make_room(user)
            kept = published or (known.published if known else Published("open"))
            self._put(tag, Publication(user, kept, now + expires_s))
        if published is not None or not expires_s:
            self.on_change(user)
        headers = [("SIP-ETag", tag), ("Expires", str(expires_s))]
        return make_response(request, 200, headers=headers)

    def _make_room(self, phone: str) -> None:
        tags = self._by_phone.get(phone, {})
        while len(tags) >= self._settings.most_publications:
            self._remove(next(iter(tags)))

    def _put(self, tag: str, publication: Publication) -> None:
        self._by_tag[tag] = publication
        self._by_phone.setdefault(publication.phone, {})[tag] = None
        self._ends.set(tag, publication.expires_at)
        self.on_record(tag)

    def _remove(self, tag: str) -> str | None:
        """Take it out; gives whose it was."""
        found = self._by_tag.pop(tag, None)
        if found is None:
            return None
        self._ends.cancel(tag)
        self.on_record(tag)
        tags = self._by_phone[found.phone]
        del tags[tag]
        if not tags:
            del self._by_phone[found.phone]
        return found.phone

    def _forget(self, tag: str) -> None:
        phone = self._remove(tag)
        if phone is not None:
            self.on_change(phone)


def _published(request: Request) -> Published:
    """What the document says. Raises RefusedError."""
    if request.content_type != _TYPE:
        raise RefusedError(415, None, ("Accept", _TYPE))
    if len(request.body) > _MOST_OCTETS:
        raise RefusedError(413)
    try:
        text = request.body.decode()
        # A document type could name files, and entities that grow to any size.
        if "<!DOCTYPE" in text:
            raise RefusedError(400, "Document Types Are Not Read")
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RefusedError(400, "Malformed Presence Document") from error
    if root.tag != f"{_PIDF}presence":
        raise RefusedError(400, "No Presence Document")
    basic = (root.findtext(f"{_PIDF}tuple/{_PIDF}status/{_PIDF}basic") or "").strip().lower()
    activities = [
        each.tag.removeprefix(_RPID)
        for each in root.findall(f".//{_RPID}activities/*")
        if each.tag.startswith(_RPID)
    ]
    named = [name for name in activities if _NAME.fullmatch(name)]
    notes = [root.findtext(f".//{space}note") for space in (_DATA_MODEL, _PIDF, _RPID)]
    note = next((note.strip() for note in notes if note and note.strip()), "")
    return Published(
        basic="closed" if basic == "closed" else "open",
        activities=tuple(dict.fromkeys(named))[:_MOST_ACTIVITIES],
        note="".join(c for c in note if c.isprintable())[:_MOST_NOTE],
    )
