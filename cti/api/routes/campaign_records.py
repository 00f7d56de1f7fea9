"""What is kept of campaigns: lists and how they came, attempts, and who must not be called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from cti.api.answers import JsonAnswer
from cti.api.campaign_ports import CampaignRecords
from cti.api.context import Caller, Context, TheCaller, TheContext
from cti.api.routes.campaigns import must_be_supervisor
from cti.errors import Invalid, NotFound
from cti.schema_campaign_requests import (
    ForbiddenView,
    ForbidRequest,
    ImportPreviewView,
    ImportRequest,
    ImportView,
    RecycleRequest,
    UndoneView,
    UploadView,
)
from cti.schema_campaigns import AttemptView, CampaignRecordView

router = APIRouter(prefix="/api/v1", tags=["campaigns"])

LARGEST_FILE: Final = 1 << 30
"""Octets; a list of two million people has some 200 MB."""
_CSV: Final = "text/csv; charset=utf-8"

Text = Annotated[str, Query(max_length=256)]
Number = Annotated[str, Query(min_length=1, max_length=64, pattern=r"\d")]
"""Left out: all people. An empty one is a mistake, which must not show the calls of everybody."""
Moment = Annotated[float | None, Query(ge=0.0, le=1e11)]
Count = Annotated[int, Query(ge=1, le=1000)]


# --- files --------------------------------------------------------------------------------------


@router.post("/uploads", status_code=201, response_model=UploadView)
async def upload(
    request: Request,
    caller: TheCaller,
    context: TheContext,
    name: Annotated[str, Query(min_length=1, max_length=200)],
) -> Response:
    """Send a file (the body as it is), to be looked at and imported. It is kept for a day."""
    desk = _desk(caller, context)
    upload_id, path = desk.upload(name, caller.account)
    try:
        size = await _received(request, path)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return JsonAnswer(desk.uploaded(upload_id, size), 201)


async def _received(request: Request, path: Path) -> int:
    size = 0
    with path.open("wb") as file:
        try:
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST_FILE:
                    raise Invalid("file-too-large", f"A file has at most {LARGEST_FILE} octets.")
                await asyncio.to_thread(file.write, piece)
        except ClientDisconnect:
            raise Invalid("cut-short", "The file did not come to its end.") from None
    if not size:
        raise Invalid("file-empty", "The file is empty.")
    return size


@router.post("/campaigns/{name}/imports/preview", response_model=ImportPreviewView)
async def preview(
    name: str, body: ImportRequest, caller: TheCaller, context: TheContext
) -> Response:
    """What an import would make of a file's first rows. Nothing is kept."""
    return JsonAnswer(await _desk(caller, context).preview(name, body))


@router.post("/campaigns/{name}/imports", status_code=202, response_model=ImportView)
async def begin(name: str, body: ImportRequest, caller: TheCaller, context: TheContext) -> Response:
    """Import a file that was sent; `GET` tells how far it is."""
    view = await _desk(caller, context).begin_import(name, body, caller.account)
    return JsonAnswer(view, 202)


@router.get("/campaigns/{name}/imports", response_model=list[ImportView])
async def imports(name: str, caller: TheCaller, context: TheContext) -> Response:
    """All imports of a campaign, newest first; those that run say how far they are."""
    return JsonAnswer(await _desk(caller, context).imports(name))


@router.get("/campaigns/{name}/imports/{import_id}/errors")
async def errors(name: str, import_id: int, caller: TheCaller, context: TheContext) -> Response:
    """The rows that an import refused, with their reasons, as CSV."""
    path = await _desk(caller, context).errors_file(name, import_id)
    return FileResponse(path, media_type=_CSV, filename=path.name)


@router.post("/campaigns/{name}/imports/{import_id}/undo", response_model=UndoneView)
async def undo(name: str, import_id: int, caller: TheCaller, context: TheContext) -> Response:
    """Take an import back, as far as nobody of it was dialled."""
    desk = _desk(caller, context)
    return JsonAnswer(await desk.undo_import(name, import_id, caller.account))


# --- records and attempts -----------------------------------------------------------------------------------


@router.get("/campaigns/{name}/records", response_model=list[CampaignRecordView])
async def records(
    name: str,
    caller: TheCaller,
    context: TheContext,
    state: Text = "",
    outcome: Text = "",
    number: Text = "",
    after: Text = "",
    limit: Count = 100,
) -> Response:
    """Records as imported, by state, last outcome or number. `after`: the last id of the page before."""
    found = await _desk(caller, context).records(
        name, state=state, outcome=outcome, number=number, after=after, limit=limit
    )
    return JsonAnswer(found)


@router.get("/campaigns/{name}/attempts", response_model=list[AttemptView])
async def attempts(
    name: str,
    caller: TheCaller,
    context: TheContext,
    since: Moment = None,
    until: Moment = None,
    outcome: Text = "",
    limit: Count = 100,
) -> Response:
    """Attempts, newest first; `abandoned` finds all who had no agent, also who opted out then."""
    found = await _desk(caller, context).attempts(
        name, since=since, until=until, outcome=outcome, limit=limit
    )
    return JsonAnswer(found)


@router.get("/campaigns/{name}/attempts.csv")
async def export(
    name: str,
    caller: TheCaller,
    context: TheContext,
    number: Number = "",
    outcome: Text = "",
    since: Moment = None,
    until: Moment = None,
    judged: bool = False,
) -> Response:
    """Who was called when, why that was allowed, by which version of the rules; oldest first.

    `judged`: and what the classifier heard, JSON of some kilobytes each.
    """
    pieces = await _desk(caller, context).export(
        name, number=number, outcome=outcome, since=since, until=until, with_judged=judged
    )
    return _exported(name, pieces)


@router.get("/attempts.csv")
async def export_all(
    caller: TheCaller,
    context: TheContext,
    number: Number = "",
    outcome: Text = "",
    since: Moment = None,
    until: Moment = None,
    judged: bool = False,
) -> Response:
    """The same of all campaigns."""
    pieces = await _desk(caller, context).export(
        "", number=number, outcome=outcome, since=since, until=until, with_judged=judged
    )
    return _exported("", pieces)


def _exported(name: str, pieces: AsyncIterator[bytes]) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="attempts-{_plain(name) or "all"}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(pieces, media_type=_CSV, headers=headers)


@router.post("/campaigns/{name}/attempts/{attempt_id}/misjudged", response_model=dict[str, int])
async def misjudged(name: str, attempt_id: str, caller: TheCaller, context: TheContext) -> Response:
    """A person answered an attempt that ended as a machine's: it counts as abandoned, once.

    Answers how many are new as such, 1 or 0.
    """
    counted = await _desk(caller, context).misjudged(name, attempt_id, caller.account)
    return JsonAnswer({"misjudged": counted})


@router.post("/campaigns/{name}/recycle", response_model=dict[str, int])
async def recycle(
    name: str, body: RecycleRequest, caller: TheCaller, context: TheContext
) -> Response:
    """Dial records again that are done; answers how many."""
    return JsonAnswer(
        {"recycled": await _desk(caller, context).recycle(name, body, caller.account)}
    )


# --- who must not be called ---------------------------------------------------------------------


@router.get("/do-not-call", response_model=list[ForbiddenView])
async def forbidden(
    caller: TheCaller,
    context: TheContext,
    number: Text = "",
    campaign: Text = "",
    after: Text = "",
    removed: bool = False,
    national: bool = False,
) -> Response:
    """The entries for a number, or a page of the centre's list, a campaign's or the national one, by number.

    `removed`: instead, what was taken off all lists for the number, when and by whom. `after`: the number
    that the page before ended with; a page has 500.
    """
    desk = _desk(caller, context)
    found = await desk.forbidden(number, campaign, after, removed=removed, national=national)
    return JsonAnswer(found)


@router.post("/do-not-call", response_model=dict[str, int])
async def forbid(body: ForbidRequest, caller: TheCaller, context: TheContext) -> Response:
    """Never call these numbers; answers how many are new on the list."""
    return JsonAnswer({"added": await _desk(caller, context).forbid(body, caller.account)})


@router.post("/do-not-call/remove", response_model=dict[str, int])
async def allow(body: ForbidRequest, caller: TheCaller, context: TheContext) -> Response:
    """Take numbers off a list; answers how many were on it."""
    return JsonAnswer({"removed": await _desk(caller, context).allow(body, caller.account)})


@router.post("/do-not-call/imports", status_code=202, response_model=ImportView)
async def forbid_file(
    body: ImportRequest, caller: TheCaller, context: TheContext, national: bool = False
) -> Response:
    """Import a file of numbers; a national list takes the place of the one before."""
    view = await _desk(caller, context).begin_import("", body, caller.account, national=national)
    return JsonAnswer(view, 202)


@router.get("/do-not-call/imports", response_model=list[ImportView])
async def forbid_imports(caller: TheCaller, context: TheContext) -> Response:
    """Imports of do-not-call lists, newest first."""
    return JsonAnswer(await _desk(caller, context).imports(""))


def _desk(caller: Caller, context: Context) -> CampaignRecords:
    must_be_supervisor(caller)
    if context.ports.campaign_records is None:
        raise NotFound("no-campaigns", "There are no campaigns here.")
    return context.ports.campaign_records


def _plain(name: str) -> str:
    return "".join(each for each in name if each.isascii() and (each.isalnum() or each == "-"))[:63]
