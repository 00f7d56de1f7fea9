"""What came of a contact: the outcomes to choose from, and the command that comes of it."""

from __future__ import annotations

from typing import Final

from cti.client import ApiClient
from cti.desk.agent.party_dialogs import Try
from cti.desk.agent.window_screen import Show
from cti.desk.outbound import person_of
from cti.desk.state import DeskState
from cti.desk.text import Words, fit
from cti.desk.widgets.picker import Choice, Picker

_WHO_CELLS: Final = 32


async def ask_disposition(
    show: Show, words: Words, api: ApiClient, state: DeskState, attempt: Try
) -> None:
    """Ask for the outcome of the contact on the card, and note it.

    It stays with that contact, also when the next card comes meanwhile.
    """
    contact, card = state.contact_id, state.card
    title = words("pick.disposition")
    if card is not None:
        title = words("pick.disposition_of", who=fit(person_of(card), _WHO_CELLS))
    choices = [
        Choice(each.code, words.title(each.title, each.code)) for each in state.offered_dispositions
    ]
    code = await show(Picker(words, title, choices))
    if code is not None and contact is not None:
        await attempt(api.set_disposition(contact, code))
