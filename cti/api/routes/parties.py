"""Transfer, consultation, conference and supervision of live interactions."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from cti.api.context import Caller, Context, TheCaller, TheContext
from cti.api.ports import Parties
from cti.api.routes.agents import number_of
from cti.api.routes.interactions import on_live
from cti.errors import Invalid, NotAllowed
from cti.schema import ConsultRequest, PartyRequest, SuperviseRequest, TransferRequest

router = APIRouter(prefix="/api/v1/interactions", tags=["transfer, conference, supervision"])

_ROLES: Final = ("monitor", "whisper", "barge", "take-over")
_STEPS: Final = ("complete", "join", "toggle", "cancel")


@router.post("/{interaction_id}/transfer", status_code=202)
async def transfer(
    interaction_id: str, body: TransferRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Give the call to a number, which may be an agent's, or to a queue; at once."""
    if bool(body.number) == bool(body.queue):
        raise Invalid("target-needed", "Give either `number` or `queue`.")
    if body.number:
        body = TransferRequest(number=number_of(body.number))
    await on_live(interaction_id, caller, context, supervisors=True)
    _parties(context).transfer(interaction_id, body)
    return Response(status_code=202)


@router.post("/{interaction_id}/consult", status_code=202)
async def consult(
    interaction_id: str, body: ConsultRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Call somebody; the customer hears music until one of the four steps."""
    number = number_of(body.number)
    await on_live(interaction_id, caller, context)
    _parties(context).consult(interaction_id, number)
    return Response(status_code=202)


@router.post("/{interaction_id}/consult/{step}", status_code=202)
async def consult_step(
    interaction_id: str, step: str, caller: TheCaller, context: TheContext
) -> Response:
    """`complete` the transfer, `join` all in conference, `toggle` between both, or `cancel`."""
    if step not in _STEPS:
        raise Invalid("bad-step", f"The step must be one of {', '.join(_STEPS)}.")
    await on_live(interaction_id, caller, context)
    _parties(context).consult_step(interaction_id, step)
    return Response(status_code=202)


@router.post("/{interaction_id}/parties/remove", status_code=202)
async def remove(
    interaction_id: str, body: PartyRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Hang up on one who joined."""
    await on_live(interaction_id, caller, context, supervisors=True)
    _parties(context).remove(interaction_id, body.number)
    return Response(status_code=202)


@router.post("/{interaction_id}/supervise", status_code=202)
async def supervise(
    interaction_id: str, body: SuperviseRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Listen, whisper, barge in or take over; the supervisor's phone rings first."""
    if body.role not in _ROLES:
        raise Invalid("bad-role", f"The role must be one of {', '.join(_ROLES)}.")
    _demand_supervisor(caller)
    await on_live(interaction_id, caller, context, supervisors=True)
    _parties(context).supervise(interaction_id, body, caller.account)
    return Response(status_code=202)


@router.post("/{interaction_id}/supervise/stop", status_code=202)
async def stop_supervising(interaction_id: str, caller: TheCaller, context: TheContext) -> Response:
    """Attend it no longer."""
    _demand_supervisor(caller)
    await on_live(interaction_id, caller, context, supervisors=True)
    _parties(context).stop_supervising(interaction_id, caller.account)
    return Response(status_code=202)


def _parties(context: Context) -> Parties:
    parties = context.ports.parties
    assert parties is not None, "the server was put together without calls"
    return parties


def _demand_supervisor(caller: Caller) -> None:
    if not caller.is_supervisor:
        raise NotAllowed("not-allowed", "Only supervisors attend the calls of others.")
