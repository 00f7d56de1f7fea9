"""Commands to live interactions, and what is written on them."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import Caller, Context, TheCaller, TheContext
from cti.errors import Conflict, Invalid, NotAllowed, NotFound
from cti.schema import (
    CustomerCard,
    CustomerRequest,
    DigitsRequest,
    DispositionRequest,
    InteractionDetail,
    MuteRequest,
    NoteAdded,
    NoteRequest,
)

router = APIRouter(prefix="/api/v1/interactions", tags=["interactions"])

_DIGITS: Final = re.compile(r"[0-9*#A-D]{1,32}")
_MAX_NOTE: Final = 10_000
_MAX_ID: Final = 64


@router.post("/{interaction_id}/hold", status_code=202)
async def hold(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """Put the customer on hold."""
    await on_live(interaction_id, caller, context, supervisors=True)
    context.ports.floor.hold(interaction_id, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/resume", status_code=202)
async def resume(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """End the hold."""
    await on_live(interaction_id, caller, context, supervisors=True)
    context.ports.floor.resume(interaction_id, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/hang-up", status_code=202)
async def hang_up(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """End the conversation."""
    await on_live(interaction_id, caller, context, supervisors=True)
    context.ports.floor.hang_up(interaction_id, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/phone-lost", status_code=202)
async def phone_lost(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """Tell that the agent's phone has died: a customer from a queue is first in line there again."""
    await on_live(interaction_id, caller, context)
    context.ports.floor.phone_lost(interaction_id, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/mute", status_code=202)
async def mute(
    interaction_id: str, body: MuteRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Let the customer hear the agent no longer, or again."""
    await on_live(interaction_id, caller, context)
    context.ports.floor.mute(interaction_id, body.muted, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/digits", status_code=202)
async def digits(
    interaction_id: str, body: DigitsRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Send keys to the customer's side."""
    keys = body.digits.upper()
    if not _DIGITS.fullmatch(keys):
        raise Invalid("bad-digits", "Digits are 1 to 32 of 0-9 * # A-D.")
    await on_live(interaction_id, caller, context)
    context.ports.floor.send_digits(interaction_id, keys, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/notes", status_code=201, response_model=NoteAdded)
async def add_note(
    interaction_id: str, body: NoteRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Write a note; also in wrap-up and after."""
    text = body.text.strip()
    if not 0 < len(text) <= _MAX_NOTE:
        raise Invalid("bad-note", f"A note has 1 to {_MAX_NOTE} characters.")
    await on_any(interaction_id, caller, context)
    await context.ports.history.add_note(interaction_id, text, caller.account)
    return JsonAnswer(NoteAdded(text=text, author=caller.account.login), 201)


@router.post("/{interaction_id}/disposition", status_code=204)
async def set_disposition(
    interaction_id: str, body: DispositionRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Set the outcome."""
    if not 0 < len(body.code) <= 64:
        raise Invalid("bad-disposition", "A disposition's code has 1 to 64 characters.")
    await on_any(interaction_id, caller, context)
    await context.ports.history.set_disposition(interaction_id, body.code, caller.account)
    return Response(status_code=204)


@router.post("/{interaction_id}/customer", response_model=CustomerCard)
async def link_customer(
    interaction_id: str, body: CustomerRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Say whose interaction it is: pick a customer, or create one."""
    if not body.customer_id and not body.name.strip():
        raise Invalid("customer-needed", "Give `customer_id`, or at least a `name` to create one.")
    await on_any(interaction_id, caller, context)
    card = await context.ports.customers.link(interaction_id, body, caller.account)
    return JsonAnswer(card)


@router.get("/{interaction_id}", response_model=InteractionDetail)
async def interaction(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """The interaction with its whole timeline; who attended it unseen is for supervisors alone."""
    if not caller.is_supervisor:
        await on_any(interaction_id, caller, context)
    _check_id(interaction_id)
    found = await context.ports.history.interaction(
        interaction_id, for_supervisor=caller.is_supervisor
    )
    return JsonAnswer(found)


async def on_live(
    interaction_id: str, caller: Caller, context: Context, *, supervisors: bool = False
) -> None:
    """Refuse with 404, 409 or 403 unless the caller may command this live interaction."""
    _check_id(interaction_id)
    try:
        agent_id = context.ports.floor.interaction_agent(interaction_id)
    except NotFound:
        await context.ports.history.interaction_agent(interaction_id)  # NotFound if never known
        raise Conflict("interaction-over", "This interaction is over.") from None
    if supervisors and caller.is_supervisor:
        return
    _check_agent(agent_id, caller)


async def on_any(interaction_id: str, caller: Caller, context: Context) -> None:
    """Refuse with 404 or 403 unless this is or was the caller's interaction."""
    _check_id(interaction_id)
    try:
        if caller.account.agent_id in context.ports.floor.earlier_agents(interaction_id):
            return
        agent_id = context.ports.floor.interaction_agent(interaction_id)
    except (NotFound, Conflict):
        agent_id = await context.ports.history.interaction_agent(interaction_id)
    _check_agent(agent_id, caller)


def _check_agent(agent_id: str | None, caller: Caller) -> None:
    if agent_id is None or agent_id != caller.account.agent_id:
        raise NotAllowed("not-yours", "Another agent is on this interaction.")


def _check_id(interaction_id: str) -> None:
    if len(interaction_id) > _MAX_ID or not interaction_id.isprintable():
        raise NotFound("no-such-interaction", "There is no such interaction.")
