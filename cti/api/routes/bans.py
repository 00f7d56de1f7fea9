"""Who is shut out, and letting them in again."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext
from cti.errors import NotAllowed
from cti.schema import BanView, LiftBanRequest, Role

router = APIRouter(prefix="/api/v1/bans", tags=["service"])


@router.get("", response_model=list[BanView])
async def bans(caller: TheCaller, context: TheContext) -> Response:
    """The sources that are banned now, and why. For supervisors and administrators."""
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see who is banned.")
    return JsonAnswer(context.ports.bans.list())


@router.post("/lift", status_code=204)
async def lift(body: LiftBanRequest, caller: TheCaller, context: TheContext) -> Response:
    """End the ban of a source, named as in the list. For administrators."""
    if caller.account.role is not Role.ADMINISTRATOR:
        raise NotAllowed("administrators-only", "Only administrators lift bans.")
    context.ports.bans.lift(body.source.strip(), caller.account)
    return Response(status_code=204)
