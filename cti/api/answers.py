"""Answers: JSON by msgspec, and errors as `Problem`."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cti.errors import DomainError, TooMany
from cti.schema import Problem

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class JsonAnswer(Response):
    """A JSON answer, encoded by msgspec. Personal data: never stored by browsers or proxies."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200) -> None:
        super().__init__(_encode(content), status_code, {"Cache-Control": "no-store"})


def problem(
    status: int, error_id: str, message: str, details: dict[str, str] | None = None
) -> JsonAnswer:
    """An error answer."""
    body = Problem(error_id=error_id, message=message, details=details or {})
    return JsonAnswer(body, status)


def problem_of(error: DomainError) -> JsonAnswer:
    """The answer to an error of the domain."""
    answer = problem(error.status, error.error_id, error.message, error.details)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "1"
    return answer


def install_problems(app: FastAPI) -> None:
    """Make every error of this application a `Problem`."""
    app.add_exception_handler(DomainError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


async def _domain(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem_of(error)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details: dict[str, str] = {}
    for item in error.errors()[:10]:
        where = ".".join(str(part) for part in item["loc"])
        details[where[:100]] = str(item["msg"])[:200]
    return problem(422, "bad-request", "The request is not as it should be; see details.", details)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            answer = problem(404, "no-such-route", f"There is no {request.url.path[:200]} here.")
        case 405:
            answer = problem(
                405,
                "method-not-allowed",
                f"{request.method} is not possible here; see /docs.",
            )
        case status:
            words = HTTPStatus(status).phrase
            answer = problem(status, words.lower().replace(" ", "-"), f"{words}.")
    answer.headers.update(error.headers or {})
    return answer


async def _fault(request: Request, error: Exception) -> Response:
    # Starlette raises it again after this answer, and the server logs it with its traceback.
    _log.error("fault at %s %s: %r", request.method, request.url.path, error)
    return problem(500, "fault", "Something went wrong here; it was logged. Try again.")
