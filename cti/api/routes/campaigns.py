"""Campaigns: what supervisors see and steer, and what agents do for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cti.api.answers import JsonAnswer
from cti.api.campaign_ports import CampaignDesk
from cti.api.context import Caller, Context, TheCaller, TheContext
from cti.api.routes.interactions import on_any
from cti.errors import NotAllowed, NotFound
from cti.schema import CampaignView, PreviewView
from cti.schema_campaign_requests import (
    AuditView,
    CallBackRequest,
    CampaignChangeRequest,
    CampaignCopyRequest,
    CampaignRequest,
    CampaignStopRequest,
    SkipRequest,
)
from cti.schema_campaigns import CampaignDetail, DecisionView, ReplayView, WhyCampaignView

router = APIRouter(prefix="/api/v1", tags=["campaigns"])

Most = Annotated[int, Query(ge=1, le=1000)]


# --- what is seen -------------------------------------------------------------------------------


@router.get("/campaigns", response_model=list[CampaignView])
async def campaigns(caller: TheCaller, context: TheContext) -> Response:
    """All campaigns as they stand; for an agent those of its queues. After a start it waits for all."""
    return JsonAnswer(await _desk(context).listed(caller.account))


@router.get("/campaigns/schema")
async def schema(caller: TheCaller, context: TheContext) -> Response:
    """The JSON schema of a campaign's settings."""
    return JsonAnswer(_desk(context).schema())


@router.get("/campaigns/{name}", response_model=CampaignDetail)
async def campaign(name: str, caller: TheCaller, context: TheContext) -> Response:
    """A campaign with its settings. For supervisors, as all that follows without another word."""
    return JsonAnswer(await steered(caller, context).detail(name))


@router.get("/campaigns/{name}/panel", response_model=CampaignView)
async def panel(name: str, caller: TheCaller, context: TheContext) -> Response:
    """It as it stands, with its list counted now."""
    return JsonAnswer(await steered(caller, context).panel(name))


@router.get("/campaigns/{name}/why", response_model=WhyCampaignView)
async def why(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Why it dials as it does: what each filter leaves of its list, and what else is in the way."""
    return JsonAnswer(await steered(caller, context).why(name))


@router.get("/campaigns/{name}/audit", response_model=list[AuditView])
async def audit(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Who did what to it, newest first."""
    return JsonAnswer(await steered(caller, context).audit(name))


@router.get("/campaigns/{name}/decisions", response_model=list[DecisionView])
async def decisions(
    name: str, caller: TheCaller, context: TheContext, limit: Most = 100
) -> Response:
    """The pacer's latest decisions with all that they were made of, newest first."""
    return JsonAnswer(await steered(caller, context).decisions(name, limit))


@router.get("/campaigns/{name}/decisions/replay", response_model=ReplayView)
async def replay(name: str, caller: TheCaller, context: TheContext, limit: Most = 1000) -> Response:
    """The latest decisions made again: those that come out otherwise today."""
    return JsonAnswer(await steered(caller, context).replay(name, limit))


# --- what supervisors do ------------------------------------------------------------------------


@router.post("/campaigns", status_code=201, response_model=CampaignDetail)
async def create(body: CampaignRequest, caller: TheCaller, context: TheContext) -> Response:
    """A new campaign, as a draft."""
    return JsonAnswer(await steered(caller, context).create(body, caller.account), 201)


@router.post("/campaigns/{name}/settings", response_model=CampaignDetail)
async def change(
    name: str, body: CampaignChangeRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Other settings from now on, also while it runs."""
    desk = steered(caller, context)
    return JsonAnswer(await desk.change(name, body.settings, caller.account))


@router.post("/campaigns/{name}/copy", status_code=201, response_model=CampaignDetail)
async def copy(
    name: str, body: CampaignCopyRequest, caller: TheCaller, context: TheContext
) -> Response:
    """A new campaign like this one, as a draft."""
    return JsonAnswer(await steered(caller, context).copy(name, body, caller.account), 201)


@router.post("/campaigns/{name}/remove", status_code=204)
async def remove(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Delete campaign and list; attempts are kept. Not while it runs."""
    await steered(caller, context).remove(name, caller.account)
    return Response(status_code=204)


@router.post("/campaigns/{name}/start", response_model=CampaignView)
async def start(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Let it dial; one that was paused or finished goes on."""
    return JsonAnswer(steered(caller, context).move(name, "start", caller.account))


@router.post("/campaigns/{name}/pause", response_model=CampaignView)
async def pause(
    name: str, caller: TheCaller, context: TheContext, body: CampaignStopRequest | None = None
) -> Response:
    """Dial no more; what is in flight goes on."""
    reason = "" if body is None else body.reason
    return JsonAnswer(steered(caller, context).move(name, "pause", caller.account, reason))


@router.post("/campaigns/{name}/finish", response_model=CampaignView)
async def finish(
    name: str, caller: TheCaller, context: TheContext, body: CampaignStopRequest | None = None
) -> Response:
    """It is over; what is in flight goes on, since phones that ring have to ring long enough."""
    reason = "" if body is None else body.reason
    return JsonAnswer(steered(caller, context).move(name, "finish", caller.account, reason))


# --- what agents do -----------------------------------------------------------------------------


@router.post("/campaigns/{name}/click", status_code=202)
async def click(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Let it dial one number; who clicked is kept. For agents of its queue and supervisors."""
    _desk(context).click(name, caller.account)
    return Response(status_code=202)


@router.post("/campaigns/{name}/take", response_model=PreviewView)
async def take(name: str, caller: TheCaller, context: TheContext) -> Response:
    """Take the next record; it is shown as a preview. For agents of the campaign's queue."""
    return JsonAnswer(await _desk(context).take(name, caller.agent_id, caller.account))


@router.post("/agents/me/preview/dial", status_code=202)
async def dial(caller: TheCaller, context: TheContext) -> Response:
    """Dial the record that one reads: one's own phone rings first, then the number."""
    _desk(context).dial(caller.agent_id, caller.account)
    return Response(status_code=202)


@router.post("/agents/me/preview/skip", status_code=202)
async def skip(caller: TheCaller, context: TheContext, body: SkipRequest | None = None) -> Response:
    """Give the record back."""
    reason = "" if body is None else body.reason
    _desk(context).skip(caller.agent_id, reason, caller.account)
    return Response(status_code=202)


@router.post("/interactions/{interaction_id}/call-back", status_code=202)
async def call_back(
    interaction_id: str, body: CallBackRequest, caller: TheCaller, context: TheContext
) -> Response:
    """The customer wants to be called then: by the agent on it or anyone."""
    desk = _desk(context)
    if not caller.is_supervisor:
        await on_any(interaction_id, caller, context)
    await desk.call_back(interaction_id, body, caller.account)
    return Response(status_code=202)


def _desk(context: Context) -> CampaignDesk:
    if context.ports.campaigns is None:
        raise NotFound("no-campaigns", "There are no campaigns here.")
    return context.ports.campaigns


def steered(caller: Caller, context: Context) -> CampaignDesk:
    """Campaigns for one who may steer them. Raises `NotAllowed`."""
    must_be_supervisor(caller)
    return _desk(context)


def must_be_supervisor(caller: Caller) -> None:
    """Raises `NotAllowed`."""
    if not caller.is_supervisor:
        words = "Only supervisors see and steer campaigns, their lists and attempts."
        raise NotAllowed("supervisors-only", words)
