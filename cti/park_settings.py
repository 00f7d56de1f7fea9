"""The section `park` of the configuration: parked calls, and picking up what rings at others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from cti.ranges import SettingsError, expand

if TYPE_CHECKING:
    from cti.settings import Settings

DialCode = Annotated[str, msgspec.Meta(pattern=r"^\*[0-9*#]{1,8}$")]


class ParkSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parked calls, and picking up what rings at others."""

    slots: str = ""
    """The places, as `701-720`: numbers that phones dial. Empty: nothing is parked here."""
    code: DialCode = "*68"
    """Parks the call that the phone has on hold; `*68705`: in that place."""
    ring_back_s: Annotated[float, msgspec.Meta(ge=5.0, le=3600.0)] = 90.0
    """So long nobody may fetch a call before who parked it is called."""
    ring_backs: Annotated[int, msgspec.Meta(ge=1, le=10)] = 2
    """Who parked it is called so often; then it goes back to its queue."""
    otherwise: str = ""
    """The entry that has calls then which came from no queue; empty: they are told, and end."""
    music: str = ""
    """A prompt, or a folder of them, in the prompt folders; empty: that of the queue, or everybody's."""
    pick_up_code: DialCode = "*8"
    """Picks up what rings at agents of the same queues; with a number behind it, what rings there."""
    pick_up: Literal["all", "queue", "nobody"] = "all"
    """Whose direct calls one may pick up; offers of a queue only its agents may."""


def park_slots(section: ParkSection) -> tuple[str, ...]:
    """The places. Raises SettingsError."""
    return tuple(expand(section.slots, "park.slots")) if section.slots else ()


def park_problems(settings: Settings, phones: set[str]) -> Iterator[str]:
    """What is wrong with it; `phones` are all numbers of phones."""
    park = settings.park
    try:
        slots = park_slots(park)
    except SettingsError as error:
        yield str(error)
        return
    entries = {entry.number for entry in settings.entries}
    for slot in slots:
        if not (slot.isascii() and slot.isdigit()):
            yield f"park.slots: {slot!r} is no number; write a range, as 701-720"
            return
        if slot in phones or slot in entries:
            yield f"park.slots: {slot} is a phone or an entry already; take other numbers"
            return
    if park.code == park.pick_up_code:
        yield f"park.code: {park.code} picks up calls already (park.pick_up_code)"
    if park.otherwise and park.otherwise not in entries:
        yield f"park.otherwise: there is no entry {park.otherwise}; give the number of one"
