"""Whose wrong passwords are counted where requests come through a reverse proxy."""

from __future__ import annotations

import httpx
import pytest
from starlette.requests import HTTPConnection

from cti.api.origin import Origins
from tests.cti.api.kit import running
from tests.cti.api.test_bans import BAD, HERE

PROXY, OTHER_PROXY, WORLD = "192.0.2.10", "10.0.0.5", "203.0.113.9"
ORIGINS = Origins((PROXY, "10.0.0.0/8"))


def origin(peer: str, *headers: tuple[str, str], origins: Origins = ORIGINS) -> str:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return origins.of(HTTPConnection({"type": "http", "headers": raw, "client": (peer, 1)}))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("X-Forwarded-For", WORLD)], WORLD),
        ([("X-Forwarded-For", f"{BAD}, {WORLD}")], WORLD),  # the first is the client's invention
        ([("X-Forwarded-For", BAD), ("X-Forwarded-For", WORLD)], WORLD),
        ([("X-Forwarded-For", f"{WORLD}, {OTHER_PROXY}")], WORLD),
        ([("X-Forwarded-For", f"{WORLD}:4711")], WORLD),
        ([("X-Forwarded-For", OTHER_PROXY)], OTHER_PROXY),
        ([("Forwarded", f"for={WORLD};proto=https;by={PROXY}")], WORLD),
        ([("Forwarded", f'For="{BAD}", proto=https;for="{WORLD}:4711"')], WORLD),
        ([("Forwarded", 'for="[2001:db8::7]:4711"')], "2001:db8::7"),
        ([("Forwarded", f"for={WORLD}"), ("X-Forwarded-For", WORLD)], WORLD),
        ([("Forwarded", f"for={BAD}"), ("X-Forwarded-For", WORLD)], PROXY),
        ([("Forwarded", "for=unknown")], PROXY),
        ([("X-Forwarded-For", "nonsense")], PROXY),
        ([("X-Forwarded-For", f"{BAD}, unknown, {OTHER_PROXY}")], PROXY),
        ([("X-Forwarded-For", "," * 5000)], PROXY),
        ([("Forwarded", 'for="' + "x;for=" * 2000)], PROXY),
        ([], PROXY),
    ],
)
def test_a_proxy_of_ours_is_believed_as_far_as_it_can_know(
    headers: list[tuple[str, str]], found: str
) -> None:
    assert origin(PROXY, *headers) == found


def test_nobody_else_is_believed() -> None:
    assert origin(WORLD, ("X-Forwarded-For", BAD), ("Forwarded", f"for={BAD}")) == WORLD
    assert origin(HERE, ("X-Forwarded-For", BAD), origins=Origins(())) == HERE


async def test_who_guesses_behind_the_proxy_slows_nobody_else_down() -> None:
    async with running(proxies=(HERE,), sign_on_tries=3) as run:
        url = f"http://127.0.0.1:{run.server.port}/api/v1/sign-on"

        async def sign_on(client: httpx.AsyncClient, password: str, host: str) -> int:
            body = {"login": "super", "password": password}
            return (
                await client.post(url, json=body, headers={"X-Forwarded-For": host})
            ).status_code

        async with httpx.AsyncClient() as client:
            assert [await sign_on(client, "guessed", BAD) for _ in range(4)] == [401] * 3 + [429]
            assert await sign_on(client, "right-password", BAD) == 429
            assert await sign_on(client, "right-password", WORLD) == 200
