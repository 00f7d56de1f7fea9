"""The application: routes, layers and error answers put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from cti.api.answers import install_problems
from cti.api.context import Context
from cti.api.desks import Desks, Timer
from cti.api.idempotency import Idempotency
from cti.api.origin import Origins
from cti.api.ports import ApiPorts, ApiSettings
from cti.api.routes import (
    agents,
    bans,
    calls,
    campaign_records,
    campaigns,
    customers,
    gateways,
    interactions,
    parked,
    parties,
    phones,
    service,
    session,
    stream,
    trunks,
)
from cti.api.streams import Streams
from cti.api.throttle import SignOnThrottle
from cti.api.tokens import Tokens
from cti.schema import Problem

_DESCRIPTION: Final = (
    "Commands, snapshots and events of a Switchroom contact centre. Sign on for a token and send "
    "it as bearer. Every POST takes an Idempotency-Key: repeated within ten minutes it gets the "
    "first answer again and does nothing. Every error is a Problem with a stable error_id."
)
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "What was wrong, and what to do"},
    422: {"model": Problem, "description": "The request is not as it should be"},
    "5XX": {"model": Problem, "description": "A fault here, or a part is away"},
}


def create_app(ports: ApiPorts, settings: ApiSettings) -> FastAPI:
    """Build the application. Call it in the event loop that will serve it."""
    tokens = Tokens(settings.token_secret, settings.token_ttl_s, ports.bus.wall)
    desks = Desks(ports.floor, settings.desk_grace_s, _call_later)
    app = FastAPI(
        title="Switchroom API",
        version=_version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=_PROBLEMS,
    )
    app.state.context = Context(
        ports=ports,
        settings=settings,
        tokens=tokens,
        throttle=SignOnThrottle(settings, counters=ports.counters),
        origins=Origins(settings.proxies),
        desks=desks,
        streams=Streams(ports, desks, settings.queue_limit, tokens.revoke),
    )
    install_problems(app)
    for routes in (
        service,
        bans,
        trunks,
        gateways,
        session,
        agents,
        interactions,
        parked,
        parties,
        customers,
        phones,
        calls,
        campaigns,
        campaign_records,
        stream,
    ):
        app.include_router(routes.router)
    app.add_middleware(Idempotency, tokens=tokens, keep_s=settings.idempotency_s)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        )
    return app


def _call_later(seconds: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, callback)


def _version() -> str:
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "0"
