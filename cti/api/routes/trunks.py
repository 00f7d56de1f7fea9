"""Carriers: how trunks stand, and why a number leaves where it leaves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cti.api.answers import JsonAnswer
from cti.api.context import Caller, TheCaller, TheContext
from cti.errors import NotAllowed
from cti.schema import RouteView, TrunkView

router = APIRouter(prefix="/api/v1/trunks", tags=["service"])


@router.get("", response_model=list[TrunkView])
async def trunks(caller: TheCaller, context: TheContext) -> Response:
    """Trunks and groups: registrations, addresses, calls. For supervisors and administrators."""
    _must_be_supervisor(caller)
    return JsonAnswer(context.ports.trunks.view())


@router.get("/route", response_model=RouteView)
async def route(
    caller: TheCaller,
    context: TheContext,
    number: Annotated[str, Query(max_length=64)],
    by: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Where `number` leads that the phone `by` dials now, step by step. Nothing is called."""
    _must_be_supervisor(caller)
    return JsonAnswer(context.ports.trunks.route(number, by))


def _must_be_supervisor(caller: Caller) -> None:
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see the trunks.")
