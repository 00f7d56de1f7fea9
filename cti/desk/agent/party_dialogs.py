"""What the agent is asked about others on a call, and the commands that come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cti.client import ApiClient
from cti.desk.agent.target_dialog import TargetDialog
from cti.desk.agent.window_screen import Show
from cti.desk.state import ASKED
from cti.desk.text import Words, name_and_number
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import InteractionView

_STEPS = ("complete", "join", "toggle", "cancel")
_REMOVE = "remove "


class Try(Protocol):
    """Carries a command out, and tells the agent when that fails."""

    def __call__(self, command: Awaitable[object]) -> Awaitable[bool]: ...


async def ask_target(show: Show, words: Words, api: ApiClient, contact: str, attempt: Try) -> None:
    """Whom, and how: consult first, or transfer at once."""
    entries: list[Any] = []

    async def load() -> None:
        entries.extend(await api.directory())

    if not await attempt(load()):
        return
    target = await show(TargetDialog(words, entries))
    if target is None:
        return
    ways = ("end", "head") if target.kind == "queue" else ("consult", "transfer")
    choices = [Choice(way, words(f"target.{way}")) for way in ways]
    title = f"{words('target.how')}  {target.name or target.id}"
    way = await show(Picker(words, title, choices))
    match way:
        case "consult":
            await attempt(api.consult(contact, target.id))
        case "transfer":
            await attempt(api.transfer(contact, number=target.id))
        case "end" | "head":
            await attempt(api.transfer(contact, queue=target.id, head=way == "head"))
        case _:
            pass


async def ask_step(
    show: Show,
    words: Words,
    api: ApiClient,
    interaction: InteractionView,
    attempt: Try,
    again: Callable[[], object],
) -> None:
    """How to go on with the consultation or the conference; `again` consults one more."""
    is_asking = any(party.state in ASKED for party in interaction.parties)
    choices = [Choice(step, words(f"step.{step}")) for step in _STEPS] if is_asking else []
    choices += [
        Choice(
            _REMOVE + party.number,
            words("step.remove", number=name_and_number(party.name, party.number)),
        )
        for party in interaction.parties
        if party.state == "joined"
    ]
    if not is_asking:
        choices.append(Choice("again", words("key.consult")))
    step = await show(Picker(words, words("step.title"), choices))
    contact = interaction.interaction_id
    if step == "again":
        again()
    elif step is not None and step.startswith(_REMOVE):
        await attempt(api.remove_party(contact, step.removeprefix(_REMOVE)))
    elif step is not None:
        await attempt(api.consult_step(contact, step))
