"""Parked calls: park, see, fetch; and picking up what rings at somebody else."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import Caller, Context, TheCaller, TheContext
from cti.api.ports import Parked
from cti.api.routes.agents import number_of
from cti.api.routes.interactions import on_live
from cti.errors import Invalid, NotAllowed
from cti.schema import FetchRequest, ParkedView, ParkReply, ParkRequest, PickUpRequest

router = APIRouter(prefix="/api/v1", tags=["parked calls, pick-up"])


@router.post("/interactions/{interaction_id}/park", response_model=ParkReply)
async def park(
    interaction_id: str, body: ParkRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Park the call in a place, from which any phone fetches it; the answer names the place."""
    slot = number_of(body.slot) if body.slot else ""
    await on_live(interaction_id, caller, context, supervisors=True)
    return JsonAnswer(ParkReply(slot=_parked(context).park(interaction_id, slot)))


@router.get("/parked", response_model=list[ParkedView])
async def parked(caller: TheCaller, context: TheContext) -> Response:
    """The parking places that are taken."""
    return JsonAnswer(_parked(context).list())


@router.post("/parked/{slot}/fetch", status_code=202)
async def fetch(slot: str, body: FetchRequest, caller: TheCaller, context: TheContext) -> Response:
    """Call the phone of who asks, which is asked to answer by itself; then it has the parked call."""
    phone = _phone(body.phone, caller)
    _parked(context).fetch(number_of(slot), phone, own=phone == caller.account.agent_id)
    return Response(status_code=202)


@router.post("/parked/pick-up", status_code=202)
async def pick_up(body: PickUpRequest, caller: TheCaller, context: TheContext) -> Response:
    """Call the phone of who asks, which is asked to answer by itself; then it has what rings elsewhere."""
    number = number_of(body.number) if body.number else ""
    phone = _phone(body.phone, caller)
    _parked(context).pick_up(number, phone, own=phone == caller.account.agent_id)
    return Response(status_code=202)


def _parked(context: Context) -> Parked:
    parked = context.ports.parked
    assert parked is not None, "the server was put together without calls"
    return parked


def _phone(wanted: str, caller: Caller) -> str:
    """The phone to ring: one's own; supervisors name any."""
    own = caller.account.agent_id or ""
    if wanted and wanted != own and not caller.is_supervisor:
        raise NotAllowed("not-yours", "Only supervisors have another phone called than their own.")
    phone = number_of(wanted) if wanted else own
    if not phone:
        raise Invalid("phone-needed", "Say with `phone` which phone of yours is to be called.")
    return phone
