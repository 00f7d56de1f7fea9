"""Health, the schema of the events, and the page that documents the API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Request, Response

from cti.api.answers import JsonAnswer
from cti.api.context import TheCaller, TheContext, is_local, supervisor_of
from cti.api.docs_page import render
from cti.api.event_schema import event_schema
from cti.errors import NotAllowed
from cti.schema import ServerStatus

router = APIRouter(tags=["service"])


@router.get("/healthz", response_model=dict[str, str])
@router.get("/readyz", response_model=dict[str, str])
async def health(context: TheContext) -> Response:
    """200 when calls are accepted, else 503 with the reason; `draining` while the server stops."""
    accepts, reason = context.ports.health()
    if accepts:
        return JsonAnswer({"status": "ok"})
    status = "draining" if reason.startswith("draining") else "unavailable"
    return JsonAnswer({"status": status, "reason": reason}, 503)


@router.get("/api/v1/status", response_model=ServerStatus)
async def status(caller: TheCaller, context: TheContext) -> Response:
    """What lives in the server and what it has counted. For supervisors and administrators."""
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", "Only supervisors see the state of the server.")
    return JsonAnswer(context.ports.status())


@router.get("/metrics", response_class=Response)
async def metrics(
    request: Request, context: TheContext, accept: Annotated[str, Header()] = ""
) -> Response:
    """Figures for Prometheus. From this machine as they are; from elsewhere for supervisors."""
    if not is_local(request):
        supervisor_of(request, "Only supervisors see the figures from another machine.")
    body, content_type = context.ports.metrics(accept)
    return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


@router.get("/api/v1/schema", response_model=dict[str, Any])
async def schema() -> Response:
    """JSON schema of the messages of the stream."""
    return JsonAnswer(event_schema())


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """This API for people: one page that needs nothing from elsewhere."""
    app = request.app
    assert isinstance(app, FastAPI)
    return Response(
        render(app.openapi()),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )
