"""Which parked call to fetch, or whose ringing one to pick up: for desk and wallboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from cti.client import ApiClient
from cti.desk.agent.dial_dialog import DialDialog
from cti.desk.agent.party_dialogs import Try
from cti.desk.agent.window_screen import Show
from cti.desk.text import Words, clock, spaced_number
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import ParkedView

_GROUP: Final = "+group"
_NUMBER: Final = "+number"


def parked_choices(words: Words, parked: Iterable[ParkedView], now: float) -> list[Choice]:
    """The taken places, with who waits there, for how long, and what happens."""
    choices = []
    for place in sorted(parked, key=lambda each: each.slot):
        caller = place.customer_name or spaced_number(place.caller_number)
        title = words("park.line", slot=place.slot, caller=caller or words("contact.withheld"))
        detail = words(
            "park.detail", time=clock(now - place.since), by=place.by_name or place.by or "?"
        )
        if place.state in ("fetching", "recalling"):
            detail += "  ·  " + words(f"park.{place.state}", number=place.number)
        choices.append(Choice(place.slot, title, detail))
    return choices


async def ask_parked(
    show: Show,
    words: Words,
    api: ApiClient,
    parked: Iterable[ParkedView],
    attempt: Try,
    ask_phone: Callable[[], Awaitable[str]] | None = None,
) -> None:
    """Ask, and command; `ask_phone` gives who is to be called, if not the agent's own phone."""
    choices = parked_choices(words, parked, api.server_time())
    choices += [Choice(_GROUP, words("park.group")), Choice(_NUMBER, words("park.number"))]
    chosen = await show(Picker(words, words("park.title"), choices))
    number: str | None = ""
    if chosen == _NUMBER:
        number = await show(DialDialog(words, "park.whose"))
    if chosen is None or number is None:
        return
    phone = "" if ask_phone is None else await ask_phone()
    if ask_phone is not None and not phone:
        return
    if chosen in (_GROUP, _NUMBER):
        await attempt(api.pick_up(number, phone))
    else:
        await attempt(api.fetch(chosen, phone))
