"""The WebSocket."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from cti.api.answers import problem, problem_of
from cti.api.context import caller_of, context_of
from cti.errors import NotSignedOn

router = APIRouter()


@router.websocket("/api/v1/events")
async def events(websocket: WebSocket) -> None:
    """Snapshot and events. `token` says who, `after` resumes; `watch=1`: it is no desk."""
    context = context_of(websocket)
    parameters = websocket.query_params
    after_text = parameters.get("after", "")
    try:
        caller = caller_of(context, parameters.get("token", ""))
    except NotSignedOn as error:
        await websocket.send_denial_response(problem_of(error))
        return
    # A number from 0 to 2**53; longer texts are not even converted.
    if after_text and not (after_text.isascii() and after_text.isdigit() and len(after_text) < 17):
        await websocket.send_denial_response(
            problem(422, "bad-after", "`after` must be the `seq` of the last event received.")
        )
        return
    after = int(after_text) if after_text else None
    is_desk = parameters.get("watch", "") != "1"
    await context.streams.serve(websocket, caller.account, caller.token, after, is_desk=is_desk)
