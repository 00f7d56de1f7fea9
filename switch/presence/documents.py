"""What a notification says: one function a package.

`dialog` is RFC 4235 and always the full state, `message-summary` RFC 3842, `presence` RFC 3863 (PIDF)
with the person of RFC 4479 and the activities of RFC 4480, `reg` RFC 3680, always the full state too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from switch.presence import xml
from switch.presence.publications import Published
from switch.presence.states import Line, LineState, Mailbox, Person
from switch.registrar.location import Binding
from switch.sip.session_facts import DialogNames
from switch.sip.uri import Uri

_MOST_LINES: Final = 8
"""In one document, so that it fits a datagram; the oldest ones."""
_USER_SAFE: Final = "+*#-_.!~"
"""Characters that stand as they are in the user part of a URI here."""
_LONGEST_NAMES: Final = 256
"""Call-ID and tags together; phones choose some of them. A dialog with longer ones is not named."""
_NOBODY: Final = "anonymous"


def user_part(number: str) -> str:
    """A number as it stands in a URI."""
    return quote(number, _USER_SAFE, errors="replace")


class Detail(Enum):
    """How much a watcher is told of the dialogs of a phone."""

    STATES = auto()
    NUMBERS = auto()
    """Also with whom the phone talks, and the names of dialogs that ring: to pick them up."""
    OWN = auto()
    """It is its own phone: the names of all dialogs, to go on with them from another device."""


class Sight(Struct, frozen=True):
    """What a watcher may see, and where it finds us."""

    detail: Detail
    host: str
    """Our domain or address, in identities."""
    contact: str
    """Our URI on the watcher's way."""

    def names(self, line: Line) -> DialogNames | None:
        """The names by which an INVITE with Replaces of this watcher may mean a dialog."""
        names = line.names
        is_told = self.detail is Detail.OWN or (self.detail is Detail.NUMBERS and line.rings)
        if names is None or not is_told:
            return None
        length = len(names.call_id) + len(names.local_tag) + len(names.remote_tag)
        return names if length <= _LONGEST_NAMES else None


def dialog_info(
    entity: str, version: int, lines: Iterable[Line], gone: Mapping[str, str], sight: Sight
) -> str:
    """The dialogs of a phone; `gone` are those told before that are over, with their directions."""
    parts = [
        f'{xml.HEAD}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}"'
        f' state="full" entity={xml.attribute(entity)}>\n'
    ]
    for line in tuple(lines)[:_MOST_LINES]:
        names = sight.names(line)
        if names is not None:
            ends = _local(entity) + _remote(line.remote, sight, is_reached=True)
        elif line.remote and sight.detail is not Detail.STATES:
            ends = _remote(line.remote, sight)
        else:
            ends = ""
        parts.append(_dialog(line.id, line.direction, line.state, names, ends))
    parts += [_dialog(id, way, LineState.TERMINATED) for id, way in gone.items()]
    parts.append("</dialog-info>\n")
    return "".join(parts)


def _dialog(
    id: str, direction: str, state: str, names: DialogNames | None = None, ends: str = ""
) -> str:
    named = "" if names is None else _named(names)
    return (
        f'<dialog id={xml.attribute(id)}{named} direction="{direction}">'
        f"<state>{state}</state>{ends}</dialog>\n"
    )


def _named(names: DialogNames) -> str:
    return (
        f" call-id={xml.attribute(names.call_id)}"
        f" local-tag={xml.attribute(names.local_tag)} remote-tag={xml.attribute(names.remote_tag)}"
    )


def _local(entity: str) -> str:
    """The watched phone by its number: its own address (Contact) is nobody's business."""
    return (
        f"<local><identity>{xml.text(entity)}</identity>"
        f"<target uri={xml.attribute(entity)}/></local>"
    )


def _remote(number: str, sight: Sight, *, is_reached: bool = False) -> str:
    """The other side; `is_reached`: with the target, to which phones send the INVITE that picks it up.

    That is us, on the watcher's way. The user is for people to read: some phones show the target.
    """
    user = user_part(number) or _NOBODY
    identity = f"sip:{user}@{sight.host}" if number else f"sip:{_NOBODY}@anonymous.invalid"
    target = ""
    if is_reached:
        uri = replace(Uri.parse(sight.contact), user=user)
        target = f"<target uri={xml.attribute(str(uri))}/>"
    return f"<remote><identity>{xml.text(identity)}</identity>{target}</remote>"


def message_summary(entity: str, mailbox: Mailbox) -> str:
    """How many messages wait; `entity` is the account."""
    waiting = "yes" if mailbox.new else "no"
    return (
        f"Messages-Waiting: {waiting}\r\nMessage-Account: {entity}\r\n"
        f"Voice-Message: {mailbox.new}/{mailbox.old} (0/0)\r\n"
    )


def reginfo(
    entity: str,
    version: int,
    id: str,
    bound: Mapping[str, Binding],
    gone: Mapping[str, str],
) -> str:
    """Where a phone is registered, by ids of contacts; `gone` are the addresses told before that are not."""
    state = "active" if bound else "terminated"
    parts = [
        f'{xml.HEAD}<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="{version}" state="full">\n'
        f'<registration aor={xml.attribute(entity)} id={xml.attribute(id)} state="{state}">\n'
    ]
    for key, binding in bound.items():
        event = "created" if binding.static else "registered"
        parts.append(_contact(key, "active", event, binding.contact_uri))
    parts += [_contact(key, "terminated", "unregistered", uri) for key, uri in gone.items()]
    parts.append("</registration></reginfo>\n")
    return "".join(parts)


def _contact(id: str, state: str, event: str, uri: str) -> str:
    return (
        f'<contact id={xml.attribute(id)} state="{state}" event="{event}">'
        f"<uri>{xml.text(uri)}</uri></contact>\n"
    )


def presence(
    entity: str, person: Person, published: Iterable[Published], *, is_talking: bool
) -> str:
    """Whether somebody is there and what they do.

    What the phone published of itself stands in tuples of their own, its activities and those known
    here in one person.
    """
    basic = "open" if person.is_reachable else "closed"
    tuples = [f'<tuple id="phone"><status><basic>{basic}</basic></status></tuple>\n']
    activities = ["on-the-phone"] if is_talking else []
    if person.activity:
        activities.append(person.activity)
    notes = [person.note] if person.note else []
    for number, own in enumerate(published, start=1):
        tuples.append(
            f'<tuple id="own{number}"><status><basic>{own.basic}</basic></status></tuple>\n'
        )
        activities += own.activities
        notes += [own.note] if own.note else []
    known = "".join(f"<rpid:{each}/>" for each in dict.fromkeys(activities))
    said = "".join(f"<dm:note>{xml.text(note)}</dm:note>" for note in dict.fromkeys(notes))
    doing = f"<rpid:activities>{known}</rpid:activities>" if known else ""
    who = f'<dm:person id="p">{doing}{said}</dm:person>\n' if doing or said else ""
    return (
        f'{xml.HEAD}<presence xmlns="urn:ietf:params:xml:ns:pidf"'
        ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
        ' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"'
        f" entity={xml.attribute(entity)}>\n{''.join(tuples)}{who}</presence>\n"
    )
