"""What a subscription is told now: the document of its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never
from zlib import crc32

from switch.presence import documents
from switch.presence.documents import Detail, Sight
from switch.presence.publications import Publications
from switch.presence.settings import PresenceSettings
from switch.presence.states import States
from switch.presence.subscription import Package, Subscription
from switch.registrar.location import Binding

Registered = Callable[[str], Iterable[Binding]]
"""The bindings of a phone."""


class Telling:
    """Writes documents of what is known of phones."""

    def __init__(
        self,
        states: States,
        publications: Publications,
        settings: PresenceSettings,
        registered: Registered,
    ) -> None:
        self._states = states
        self._publications = publications
        self._settings = settings
        self._registered = registered

    def document(self, each: Subscription, contact: str) -> str:
        """The body of the next NOTIFY, in which `contact` is our URI."""
        states, phone = self._states, each.phone
        match each.package:
            case Package.DIALOG:
                lines = states.lines(phone)
                here = {line.id: line.direction.value for line in lines}
                gone = {id: way for id, way in each.told.items() if id not in here}
                version, each.version, each.told = each.version, each.version + 1, here
                sight = Sight(self._detail(each), self._settings.host, contact)
                return documents.dialog_info(each.entity, version, lines, gone, sight)
            case Package.MESSAGE_SUMMARY:
                return documents.message_summary(each.entity, states.mailbox(phone))
            case Package.PRESENCE:
                return documents.presence(
                    each.entity,
                    states.person(phone),
                    self._publications.of_phone(phone),
                    is_talking=bool(states.lines(phone)),
                )
            case Package.REG:
                bound = {_id_of(each_one): each_one for each_one in self._registered(phone)}
                left = {id: uri for id, uri in each.told.items() if id not in bound}
                version, each.version = each.version, each.version + 1
                each.told = {id: binding.contact_uri for id, binding in bound.items()}
                return documents.reginfo(each.entity, version, phone, bound, left)
            case _:
                assert_never(each.package)

    def _detail(self, each: Subscription) -> Detail:
        if each.watcher == each.phone:
            return Detail.OWN
        return Detail.NUMBERS if each.watcher in self._settings.see_numbers else Detail.STATES


def _id_of(binding: Binding) -> str:
    """The same for the same Contact."""
    return f"c{crc32(binding.contact_uri.encode()):x}"
