"""Call detail records, and traces of calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext
from cti.errors import NotAllowed
from cti.schema import Role
from cti.schema_calls import CallLegPage, TraceView

router = APIRouter(prefix="/api/v1", tags=["calls"])

Text = Annotated[str, Query(max_length=256)]
Moment = Annotated[float | None, Query(ge=0.0, le=1e11)]


@router.get("/calls", response_model=CallLegPage)
async def calls(
    caller: TheCaller,
    context: TheContext,
    since: Moment = None,
    until: Moment = None,
    number: Text = "",
    call: Text = "",
    interaction: Text = "",
    phone: Text = "",
    trunk: Text = "",
    result: Text = "",
    direction: Text = "",
    limit: int = 100,
    cursor: Text = "",
) -> Response:
    """Call detail records, one a leg, newest first. For supervisors and administrators.

    `since` and `until` are seconds since the epoch and concern the start; `number` is caller, called
    or phone; `cursor` is the `next` of the page before.
    """
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see the records of calls.")
    page = await context.ports.calls.legs(
        limit=limit,
        cursor=cursor,
        since=since,
        until=until,
        number=number,
        call_id=call,
        interaction_id=interaction,
        phone=phone,
        trunk=trunk,
        result=result,
        direction=direction,
    )
    return JsonAnswer(page)


@router.get("/trace", response_model=list[TraceView])
async def trace(
    caller: TheCaller,
    context: TheContext,
    wanted: Annotated[str, Query(min_length=1, max_length=256)],
) -> Response:
    """The signalling of calls that run or ended lately, drawn as ladders, the newest first.

    `wanted` is the id of a call, leg or interaction, or a number. Supervisors see who sent what and
    when, administrators the messages too; passwords, keys and digits are blanked.
    """
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see traces of calls.")
    is_administrator = caller.account.role is Role.ADMINISTRATOR
    return JsonAnswer(await context.ports.calls.traces(wanted, with_text=is_administrator))
