"""What the supervisor is asked before listening in: which call, in which role, by which phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App

from cti.client import ApiClient
from cti.desk.agent.dial_dialog import DialDialog
from cti.desk.attended import act_of
from cti.desk.state import DeskState
from cti.desk.supervisor.contact_list import in_order
from cti.desk.text import Words, spaced_number
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import AgentView, InteractionView

_ROLES = ("monitor", "whisper", "barge", "take-over", "stop")
_TALKS = ("talking", "held", "direct")


async def ask_role(
    app: App[Any],
    words: Words,
    api: ApiClient,
    state: DeskState,
    phone: str,
) -> str:
    """Ask and command; gives the supervisor's phone, asked for where it is not known."""
    talks = [each for each in in_order(state) if each.stage in _TALKS and each.answered is not None]
    choices = [
        Choice(
            each.interaction_id,
            each.customer_name or spaced_number(each.caller_number) or words("contact.withheld"),
            f"{words.get(f'stage.{each.stage}', each.stage)}  {_agent(state.agents, each)}".strip(),
        )
        for each in talks
    ]
    chosen = await app.push_screen_wait(
        Picker(words, words("supervise.whom"), choices, nothing=words("supervise.nobody"))
    )
    if chosen is None:
        return phone
    login = "" if api.signed_on is None else api.signed_on.login
    mine = act_of(state.attended.get(chosen, ()), login)
    roles = [
        Choice(
            role,
            words(f"supervise.{role}"),
            words("supervise.now") if mine is not None and role == mine.role else "",
        )
        for role in _ROLES
        if mine is not None or role != "stop"
    ]
    who = next(choice.title for choice in choices if choice.id == chosen)
    title = f"{words('supervise.how')}  {who}"
    role = await app.push_screen_wait(Picker(words, title, roles))
    if role is None:
        return phone
    if role == "stop":
        await api.stop_supervising(chosen)
        return phone
    phone = await ask_phone(app, words, phone)
    if phone:
        await api.supervise(chosen, role, phone)
    return phone


def _agent(agents: Mapping[str, AgentView], contact: InteractionView) -> str:
    """Who talks to the customer, by name and number."""
    agent = agents.get(contact.agent_id or "")
    name = "" if agent is None else agent.name
    number = contact.agent_id or ""
    return name if number in name else f"{name} {number}".strip()


async def ask_phone(app: App[Any], words: Words, phone: str) -> str:
    """The number of the supervisor's phone, if it is not known yet; empty: none was given."""
    if phone:
        return phone
    said: str | None = await app.push_screen_wait(DialDialog(words, "supervise.phone"))
    return said or ""
