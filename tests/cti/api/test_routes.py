from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cti.api.ports import ApiSettings
from cti.api.server import ApiServer
from cti.schema import CustomerCard, EventType
from tests.cti.api.kit import SECRET, Running, running

COMMANDS = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture
async def run() -> AsyncIterator[Running]:
    async with running() as running_server:
        yield running_server


def error_id(answer: httpx.Response) -> str:
    problem = answer.json()
    assert set(problem) == {"error_id", "message", "details"}
    assert problem["message"]
    return str(problem["error_id"])


# --- health, documentation ----------------------------------------------------------------------


async def test_health_says_whether_calls_are_accepted(run: Running) -> None:
    client = run.client()
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    run.centre.healthy = (False, "no media gateway")
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "no media gateway"


def documented_routes() -> list[tuple[str, str]]:
    routes = []
    for line in COMMANDS.read_text().splitlines():
        if not line.startswith("| `"):
            continue
        cell = line.split("|")[1]
        method = None
        base = ""
        for part in re.findall(r"`([^`]+)`", cell):
            words = part.split()
            if words[0] in ("GET", "POST"):
                method, base = words[0], words[1].split("?")[0]
                path = base
            elif part.startswith("/"):
                path = base.rpartition("/")[0] + part
            else:
                continue
            if method is not None:
                routes.append((method.lower(), path))
    return routes


async def test_every_documented_route_is_in_the_openapi_description(run: Running) -> None:
    description = (await run.client().get("/openapi.json")).json()
    served = {
        (method, re.sub(r"\{[^}]+\}", "{}", path))
        for path, item in description["paths"].items()
        for method in item
    }
    documented = [
        (method, re.sub(r"\{[^}]+\}", "{}", path)) for method, path in documented_routes()
    ]
    assert len(documented) >= 20
    assert set(documented) <= served
    assert "HTTPValidationError" not in description["components"]["schemas"]


async def test_the_documentation_page_needs_nothing_from_elsewhere(run: Running) -> None:
    answer = await run.client().get("/docs")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.text
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=['\"]?(?:https?:)?//", page)
    assert "/api/v1/interactions/{interaction_id}/hang-up" in page
    assert "ScreenPop" in page
    assert "The stream" in page


async def test_the_event_schema_names_every_event_type(run: Running) -> None:
    schema = (await run.client().get("/api/v1/schema")).json()
    types = {form["properties"]["type"]["const"] for form in schema["$defs"]["Event"]["oneOf"]}
    assert types == {event.value for event in EventType}
    for form in schema["$defs"]["Event"]["oneOf"]:
        name = form["properties"]["data"]["$ref"].rpartition("/")[2]
        assert name in schema["$defs"]


async def test_the_figures_of_the_server_are_for_supervisors(run: Running) -> None:
    assert (await (await run.signed_on("super")).get("/api/v1/status")).json()["legs"] == 0
    refused = await (await run.signed_on("1001")).get("/api/v1/status")
    assert (refused.status_code, error_id(refused)) == (403, "supervisors-only")


# --- sign-on ------------------------------------------------------------------------------------


async def test_sign_on_tells_who_one_is_and_how_to_register(run: Running) -> None:
    reply = (await run.client().sign_on("1001")).json()
    assert (reply["login"], reply["role"], reply["agent_id"]) == ("1001", "agent", "1001")
    assert reply["language"] == "zh"
    assert reply["phone"]["one_time_secret"] == "once"
    supervisor = (await run.client().sign_on("super")).json()
    assert (supervisor["role"], supervisor["agent_id"], supervisor["phone"]) == (
        "supervisor",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("login", "password"), [("1001", "wrong"), ("nobody", "wrong"), ("1002", "wrong")]
)
async def test_wrong_logins_and_passwords_look_the_same(
    run: Running, login: str, password: str
) -> None:
    answer = await run.client().sign_on(login, password)
    assert answer.status_code == 401
    assert error_id(answer) == "wrong-password"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_password_in_clear_works_for_laboratories(run: Running) -> None:
    assert (await run.client().sign_on("1002")).status_code == 200


async def test_guessing_is_slowed_down_also_when_done_all_at_once(run: Running) -> None:
    client = run.client()
    answers = await asyncio.gather(*(client.sign_on("1001", f"guess {n}") for n in range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [401] * 5 + [429] * 3
    late = await client.sign_on("1001")
    assert late.status_code == 429
    assert error_id(late) == "too-many-sign-ons"
    assert 1 <= int(late.headers["retry-after"]) <= 30
    assert (await run.client().sign_on("1002")).status_code == 200, "others are not held up"


async def test_a_token_ends_with_sign_off(run: Running) -> None:
    client = await run.signed_on("1001")
    assert (await client.get("/api/v1/snapshot")).status_code == 200
    assert (await client.post("/api/v1/sign-off")).status_code == 204
    answer = await client.get("/api/v1/snapshot")
    assert (answer.status_code, error_id(answer)) == (401, "signed-off")
    assert run.centre.desks == [("gone", "1001")]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."])
async def test_bad_tokens_open_nothing(run: Running, token: str) -> None:
    client = run.client()
    client.token = token
    answer = await client.get("/api/v1/snapshot")
    assert answer.status_code == 401
    assert error_id(answer) in ("no-token", "bad-token")


async def test_a_token_runs_out() -> None:
    async with running(token_ttl_s=0) as run:
        client = await run.signed_on("1001")
        answer = await client.get("/api/v1/snapshot")
        assert (answer.status_code, error_id(answer)) == (401, "token-expired")


# --- roles --------------------------------------------------------------------------------------


async def test_agents_change_their_own_state_and_nobody_elses(run: Running) -> None:
    client = await run.signed_on("1001")
    answer = await client.post("/api/v1/agents/me/state", {"state": "available"})
    assert answer.status_code == 200
    assert answer.json()["agent_id"] == "1001"
    assert (
        await client.post("/api/v1/agents/1001/state", {"state": "available"})
    ).status_code == 200
    other = await client.post("/api/v1/agents/1002/state", {"state": "available"})
    assert (other.status_code, error_id(other)) == (403, "not-yours")


async def test_nobody_is_told_to_consult_oneself(run: Running) -> None:
    for login, expected in (("1001", ["1002", "sales"]), ("super", ["1001", "1002", "sales"])):
        client = await run.signed_on(login)
        answer = await client.get("/api/v1/agents/directory")
        assert [entry["id"] for entry in answer.json()] == expected


async def test_supervisors_change_anyones_state_but_have_none(run: Running) -> None:
    client = await run.signed_on("super")
    body = {"state": "not-ready", "reason": "break"}
    assert (await client.post("/api/v1/agents/1002/state", body)).status_code == 200
    mine = await client.post("/api/v1/agents/me/state", body)
    assert (mine.status_code, error_id(mine)) == (403, "no-agent")
    unknown = await client.post("/api/v1/agents/9999/state", body)
    assert (unknown.status_code, error_id(unknown)) == (404, "no-such-agent")
    assert unknown.json()["details"] == {"agent": "9999"}


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("hold", None),
        ("resume", None),
        ("hang-up", None),
        ("phone-lost", None),
        ("mute", {"muted": True}),
        ("digits", {"digits": "1#a"}),
    ],
)
async def test_only_the_agent_on_it_commands_an_interaction(
    run: Running, command: str, body: dict[str, object] | None
) -> None:
    run.centre.live["i1"] = "1001"
    run.centre.over["i0"] = "1001"
    owner, other = await run.signed_on("1001"), await run.signed_on("1002")
    supervisor = await run.signed_on("super")
    assert (await owner.post(f"/api/v1/interactions/i1/{command}", body)).status_code == 202
    refused = await other.post(f"/api/v1/interactions/i1/{command}", body)
    assert (refused.status_code, error_id(refused)) == (403, "not-yours")
    by_supervisor = await supervisor.post(f"/api/v1/interactions/i1/{command}", body)
    allowed = command in ("hold", "resume", "hang-up")
    assert by_supervisor.status_code == (202 if allowed else 403)
    over = await owner.post(f"/api/v1/interactions/i0/{command}", body)
    assert (over.status_code, error_id(over)) == (409, "interaction-over")
    unknown = await owner.post(f"/api/v1/interactions/never/{command}", body)
    assert (unknown.status_code, error_id(unknown)) == (404, "no-such-interaction")
    assert run.centre.commands[0][:2] == (
        command.replace("-", "_").replace("digits", "send_digits"),
        "i1",
    )


async def test_keys_are_sent_in_capitals(run: Running) -> None:
    run.centre.live["i1"] = "1001"
    client = await run.signed_on("1001")
    await client.post("/api/v1/interactions/i1/digits", {"digits": "0*#abcd"})
    assert run.centre.commands == [("send_digits", "i1", "0*#ABCD", "1001")]


async def test_notes_and_outcomes_can_be_written_after_the_end(run: Running) -> None:
    run.centre.over["i0"] = "1001"
    client, other = await run.signed_on("1001"), await run.signed_on("1002")
    note = await client.post("/api/v1/interactions/i0/notes", {"text": " ordered two "})
    assert note.status_code == 201
    assert note.json() == {"text": "ordered two", "author": "1001"}
    outcome = await client.post("/api/v1/interactions/i0/disposition", {"code": "sold"})
    assert outcome.status_code == 204
    for path, body in (("notes", {"text": "x"}), ("disposition", {"code": "sold"})):
        refused = await other.post(f"/api/v1/interactions/i0/{path}", body)
        assert refused.status_code == 403
    assert run.centre.notes == [("i0", "ordered two", "1001")]


async def test_the_whole_interaction_is_for_its_agent_and_supervisors(run: Running) -> None:
    run.centre.over["i0"] = "1001"
    run.centre.notes.append(("i0", "hello", "1001"))
    path = "/api/v1/interactions/i0"
    detail = (await (await run.signed_on("1001")).get(path)).json()
    assert detail["notes"] == [{"at": 1.0, "author": "1001", "text": "hello"}]
    assert detail["timeline"] == []
    supervisor = await (await run.signed_on("super")).get(path)
    assert [line["type"] for line in supervisor.json()["timeline"]] == ["Supervised"]
    assert (await (await run.signed_on("1002")).get(path)).status_code == 403


async def test_customers_are_found_created_and_picked(run: Running) -> None:
    run.centre.live["i1"] = "1001"
    run.centre.cards["c9"] = CustomerCard(customer_id="c9", name="Hale", remarks="+12025550101")
    client = await run.signed_on("1001")
    by_number = await client.get("/api/v1/customers?number=%2B12025550101")
    assert [card["customer_id"] for card in by_number.json()] == ["c9"]
    assert (await client.get("/api/v1/customers?name=Hal")).json()[0]["name"] == "Hale"
    assert (await client.get("/api/v1/customers/c9")).json()["name"] == "Hale"
    gone = await client.get("/api/v1/customers/nobody")
    assert (gone.status_code, error_id(gone)) == (404, "no-such-customer")
    path = "/api/v1/interactions/i1/customer"
    assert (await client.post(path, {"customer_id": "c9"})).json()["customer_id"] == "c9"
    assert (await client.post(path, {"name": "New One"})).json()["name"] == "New One"
    nothing = await client.post(path, {})
    assert (nothing.status_code, error_id(nothing)) == (422, "customer-needed")
    neither = await client.get("/api/v1/customers")
    assert (neither.status_code, error_id(neither)) == (422, "number-or-name")


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"state": 5}',
        b'{"state": null}',
        b"\xff\xfe",
        b"{}",
        b"[" * 9000,
    ],
)
async def test_malformed_bodies_get_a_problem(run: Running, content: bytes) -> None:
    client = await run.signed_on("1001")
    answer = await client.http.post(
        "/api/v1/agents/me/state",
        content=content,
        headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert error_id(answer)
    assert run.centre.commands == []


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("agents/me/state", {"state": "talking"}, "bad-state"),
        ("agents/me/state", {"state": "not-ready"}, "reason-needed"),
        ("agents/me/state", {"state": "not-ready", "reason": "fun"}, "bad-reason"),
        ("agents/me/dial", {"number": ""}, "bad-number"),
        ("agents/me/dial", {"number": "sip:x@example.com"}, "bad-number"),
        ("agents/me/dial", {"number": "1" * 41}, "bad-number"),
        ("interactions/i1/digits", {"digits": "12x"}, "bad-digits"),
        ("interactions/i1/digits", {"digits": "1" * 33}, "bad-digits"),
        ("interactions/i1/notes", {"text": "  "}, "bad-note"),
        ("interactions/i1/notes", {"text": "x" * 10_001}, "bad-note"),
        ("interactions/i1/disposition", {"code": "bogus"}, "bad-disposition"),
        ("interactions/i1/notes", {"txt": "x"}, "bad-request"),
    ],
)
async def test_wrong_values_are_named(
    run: Running, path: str, body: dict[str, object], expected: str
) -> None:
    run.centre.live["i1"] = "1001"
    client = await run.signed_on("1001")
    answer = await client.post(f"/api/v1/{path}", body)
    assert (answer.status_code, error_id(answer)) == (422, expected)


async def test_unknown_routes_and_methods_get_a_problem(run: Running) -> None:
    client = await run.signed_on("1001")
    missing = await client.get("/api/v1/nothing")
    assert (missing.status_code, error_id(missing)) == (404, "no-such-route")
    wrong = await client.get("/api/v1/sign-on")
    assert (wrong.status_code, error_id(wrong)) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"


async def test_conflicts_and_absent_parts_keep_their_ids(run: Running) -> None:
    client = await run.signed_on("1001")
    conflict = await client.post("/api/v1/agents/me/wrap-up/finish")
    assert (conflict.status_code, error_id(conflict)) == (409, "not-in-wrap-up")
    assert (await client.post("/api/v1/agents/me/wrap-up/extend")).status_code == 204
    run.centre.store_is_away = True
    away = await client.get("/api/v1/customers?name=x")
    assert (away.status_code, error_id(away)) == (503, "store-unavailable")
    assert away.headers["retry-after"] == "1"


async def test_a_fault_is_answered_and_logged(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    client = await run.signed_on("1001")
    answer = await client.post("/api/v1/agents/me/dial", {"number": "666"})
    assert (answer.status_code, error_id(answer)) == (500, "fault")
    assert "ZeroDivisionError" in caplog.text


async def test_large_bodies_are_refused(run: Running) -> None:
    client = await run.signed_on("1001")
    answer = await client.post("/api/v1/agents/me/dial", {"number": "1" * 70_000})
    assert (answer.status_code, error_id(answer)) == (413, "body-too-large")


async def test_no_cookies_no_foreign_origins_nothing_stored(run: Running) -> None:
    client = await run.signed_on("1001")
    answer = await client.http.get(
        "/api/v1/snapshot",
        headers={"Authorization": f"Bearer {client.token}", "Origin": "https://www.example.com"},
    )
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


# --- idempotency --------------------------------------------------------------------------------


async def test_a_repeated_key_does_nothing_and_gets_the_first_answer(run: Running) -> None:
    run.centre.live["i1"] = "1001"
    client = await run.signed_on("1001")
    path = "/api/v1/interactions/i1/notes"
    first = await client.post(path, {"text": "once"}, key="k1")
    again = await client.post(path, {"text": "once"}, key="k1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(run.centre.notes) == 1
    await client.post(path, {"text": "once"}, key="k2")
    assert len(run.centre.notes) == 2


async def test_duplicates_at_the_same_time_run_once(run: Running) -> None:
    run.centre.live["i1"] = "1001"
    run.centre.hold_up = asyncio.Event()
    client = await run.signed_on("1001")
    requests = [
        asyncio.create_task(
            client.post("/api/v1/interactions/i1/notes", {"text": "once"}, key="same")
        )
        for _ in range(5)
    ]
    await asyncio.sleep(0.1)
    run.centre.hold_up.set()
    answers = await asyncio.gather(*requests)
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len(run.centre.notes) == 1


async def test_refusals_are_repeated_as_well(run: Running) -> None:
    client = await run.signed_on("1001")
    path = "/api/v1/interactions/i5/hold"
    assert (await client.post(path, key="k")).status_code == 404
    run.centre.live["i5"] = "1001"
    assert (await client.post(path, key="k")).status_code == 404
    assert (await client.post(path, key="other")).status_code == 202


async def test_keys_belong_to_one_user_and_one_request(run: Running) -> None:
    run.centre.live.update(i1="1001", i2="1002")
    one, two = await run.signed_on("1001"), await run.signed_on("1002")
    await one.post("/api/v1/interactions/i1/notes", {"text": "mine"}, key="k")
    await two.post("/api/v1/interactions/i2/notes", {"text": "yours"}, key="k")
    assert [note[1] for note in run.centre.notes] == ["mine", "yours"]
    reused = await one.post("/api/v1/interactions/i1/notes", {"text": "other"}, key="k")
    assert (reused.status_code, error_id(reused)) == (409, "idempotency-key-reused")
    bad = await one.post("/api/v1/interactions/i1/notes", {"text": "x"}, key="k" * 201)
    assert (bad.status_code, error_id(bad)) == (422, "bad-idempotency-key")


async def test_faults_may_be_tried_again_under_the_same_key(run: Running) -> None:
    client = await run.signed_on("1001")
    assert (
        await client.post("/api/v1/agents/me/dial", {"number": "666"}, key="k")
    ).status_code == 500
    assert (
        await client.post("/api/v1/agents/me/dial", {"number": "666"}, key="k")
    ).status_code == 500


async def test_keys_are_forgotten_after_their_time() -> None:
    async with running(idempotency_s=0.0) as run:
        run.centre.live["i1"] = "1001"
        client = await run.signed_on("1001")
        for _ in range(2):
            await client.post("/api/v1/interactions/i1/notes", {"text": "again"}, key="k")
        assert len(run.centre.notes) == 2


# --- the server ---------------------------------------------------------------------------------


async def test_a_taken_port_is_an_error_of_the_caller(run: Running) -> None:
    assert run.server.app is not None
    second = ApiServer(run.server.app.state.context.ports, ApiSettings(token_secret=SECRET))
    with pytest.raises(OSError, match="in use"):
        await second.start("127.0.0.1", run.server.port)


async def test_tokens_are_never_logged(run: Running, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("uvicorn.error")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG):
            client = await run.signed_on("1001")
            await client.get("/api/v1/snapshot")
            async with client.stream() as stream:
                await stream.recv()
    finally:
        logger.setLevel(before)
    server_side = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets")]
    assert any("/api/v1/events?token=***" in line for line in server_side)
    assert not [line for line in server_side if client.token in line]
