"""Media gateways: how they stand, and taking new calls away from one."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext
from cti.errors import NotAllowed
from cti.schema import GatewayStatus, Role

router = APIRouter(prefix="/api/v1/gateways", tags=["service"])


@router.get("", response_model=list[GatewayStatus])
async def gateways(caller: TheCaller, context: TheContext) -> Response:
    """Each media gateway: state, legs, figures. For supervisors and administrators."""
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see the media gateways.")
    return JsonAnswer(context.ports.gateways.view())


@router.post("/{name}/drain", response_model=GatewayStatus)
async def drain(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Give it no new calls; those that run, and who joins them, stay. For administrators."""
    return _drain(name, caller, context, on=True)


@router.post("/{name}/undrain", response_model=GatewayStatus)
async def undrain(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Give it new calls again. For administrators."""
    return _drain(name, caller, context, on=False)


def _drain(name: str, caller: TheCaller, context: TheContext, *, on: bool) -> Response:
    if caller.account.role is not Role.ADMINISTRATOR:
        raise NotAllowed("administrators-only", "Only administrators drain gateways.")
    return JsonAnswer(context.ports.gateways.drain(name, on=on, actor=caller.account))
