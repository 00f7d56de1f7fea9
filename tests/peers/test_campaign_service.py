"""Campaigns on a real server: by command line and API, with a store that goes away, over a restart."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cti.bench.calls import rtp_sink
from cti.bench.people import People, Person
from cti.cli.main import main
from tests.kit.carrier import Carrier
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.peers.test_store_away import locked

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

GRACE, AL, BO = "+12025550110", "+12025550111", "+12025550112"
PEOPLE = f"""Name,Mobile,City
Grace,(202) 555-0110,Boston
Nobody,12,Nowhere
Grace again,{GRACE},Boston
Al,{AL},"New York, NY"
"""
ALWAYS = [{"begin": "00:00", "end": "24:00"}]


class Shell:
    """`switchroom campaigns`, in this process, as a supervisor of the lab."""

    def __init__(self, lab: Lab, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._lab = lab
        self._capsys = capsys
        self._password = folder / "password"
        self._password.write_text("desk-super\n")
        self.out = self.err = ""

    async def run(self, action: str, *words: str) -> int:
        """Run one; gives its exit code, and has what it printed."""
        where = ["--server", self._lab.url, "--password-file", str(self._password)]
        self._capsys.readouterr()
        code = await asyncio.to_thread(main, ["campaigns", action, *words, *where])
        self.out, self.err = self._capsys.readouterr()
        return code

    async def json(self, action: str, *words: str) -> Any:
        assert await self.run(action, *words, "--json") == 0, self.err
        return json.loads(self.out)


@asynccontextmanager
async def busy_people(lab: Lab) -> AsyncIterator[Carrier]:
    """Behind trunk `out` every number is busy."""
    async with Carrier("127.0.0.1", lab.out_port) as carrier:
        carrier.replies["INVITE"] = lambda asked: (486, [])
        yield carrier


@asynccontextmanager
async def agent(lab: Lab, number: str) -> AsyncIterator[None]:
    """A phone that registers makes its agent available."""
    async with Phone("baresip") as phone:
        await phone.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
        await lab.agent_is(number, "available")
        yield


async def made(lab: Lab, name: str, numbers: tuple[str, ...], **settings: Any) -> None:
    """A campaign of the queue support, with a list."""
    wanted = {"queue": "support", "trunk": "out", "windows": ALWAYS, **settings}
    reply = await lab.post("/api/v1/campaigns", {"name": name, "settings": wanted})
    assert reply.status_code == 201, reply.text
    text = "phone\n" + "".join(f"{number}\n" for number in numbers)
    upload = await sent(lab, "list.csv", text.encode())
    body = {"upload_id": upload["upload_id"]}
    assert (await lab.post(f"/api/v1/campaigns/{name}/imports", body)).status_code == 202

    async def holds() -> bool:
        found = await lab.get(f"/api/v1/campaigns/{name}/imports")
        return bool(found and found[0]["state"] == "done")

    await lab.until(holds, message="the list was not imported")


async def sent(lab: Lab, name: str, data: bytes) -> Any:
    headers = {"Authorization": f"Bearer {await lab.token()}"}
    reply = await lab._client.post(f"/api/v1/uploads?name={name}", content=data, headers=headers)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def test_the_command_line_takes_a_campaign_from_its_list_to_the_export(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, people = Shell(lab, tmp_path, capsys), tmp_path / "people.csv"
    people.write_text(PEOPLE)
    settings = ("queue=sales", "mode=progressive", f"windows={json.dumps(ALWAYS)}")
    assert await shell.run("create", "spring", *settings, "caller_ids=+12025550100") == 0
    assert await shell.run("create", "spring", *settings) == 1
    assert "There is a campaign spring already" in shell.err
    assert await shell.run("import", "spring", str(people), "--preview") == 0
    assert "Mobile" in shell.out
    assert "phone" in shell.out
    assert (await shell.json("why", "spring"))["total"] == 0, "a preview keeps nothing"

    assert await shell.run("import", "spring", str(people)) == 1, "one row is refused"
    assert "2 added, 1 duplicate, 1 refused" in shell.out
    errors = Path(shell.err.rpartition(": ")[2].strip())
    assert "Nobody" in errors.read_text("utf-8-sig")
    assert await shell.run("forbid", AL, "--campaign", "spring", "--reason", "he asked") == 0
    why = await shell.json("why", "spring")
    assert (why["total"], why["callable"]) == (2, 1)
    assert [step["takes"] for step in why["steps"] if step["code"] == "do-not-call"] == [1]

    async with busy_people(lab) as carrier:
        assert await shell.run("start", "spring") == 0
        assert "No agent of queue sales is signed on" in shell.out
        async with agent(lab, "1001"):
            query = "select number, outcome, caller_id, sip_status from attempt"
            await lab.rows_are(query, (GRACE, "busy", "+12025550100", 486))
        assert {asked.uri for asked in carrier.of("INVITE")} == {
            f"sip:{GRACE}@127.0.0.1:{lab.out_port}"
        }
    assert await shell.run("recycle", "spring", "--outcome", "busy", "--dry-run") == 0
    assert "Dialled again would be: 0 records." in shell.out, (
        "it waits for its next attempt by itself"
    )
    panel = await shell.json("panel", "spring")
    assert (panel["state"], panel["today"]["busy"]) == ("running", 1)
    assert await shell.run("panel", "spring") == 0
    assert "cap 3 %" in shell.out
    assert await shell.run("why", "spring") == 0
    assert "may be dialled now" in shell.out

    kept = tmp_path / "attempts.csv"
    assert await shell.run("attempts", "spring", "--to", str(kept)) == 0
    assert await shell.run("attempts", "spring", "--to", str(kept)) == 1, "it is there already"
    text = kept.read_text("utf-8-sig")
    assert GRACE in text
    assert "busy" in text
    attempt = text.strip().rpartition(",")[2]
    assert await shell.run("misjudged", "spring", attempt) == 1
    assert f"Attempt '{attempt}' ended as busy, not as a machine's." in shell.err
    (batch,) = await shell.json("imports", "spring")
    assert await shell.run("undo-import", "spring", str(batch["import_id"])) == 0
    assert "Taken back: 1 record; 1 stay" in shell.out
    assert await shell.run("set", "spring", "limits.per_day=2", "ring_s=20") == 0
    assert await shell.run("set", "spring", "limits.per_dy=2") == 1
    assert "is per_day meant?" in shell.err
    assert await shell.run("finish", "spring", "--reason", "enough") == 0
    assert await shell.run("copy", "spring", "summer") == 0
    listed = {each["name"]: each["state"] for each in await shell.json("list")}
    assert listed == {"spring": "finished", "summer": "draft"}
    assert await shell.run("remove", "summer") == 0
    audit = await lab.get("/api/v1/campaigns/spring/audit")
    assert all(each["by"] for each in audit)
    assert any("limits.per_day" in each["words"] and each["by"] == "super" for each in audit)


async def test_agents_see_campaigns_of_their_queues_and_steer_none(lab: Lab) -> None:
    await made(lab, "care", (BO,), mode="manual")
    seen = await lab.get("/api/v1/campaigns", "1026")
    assert [each["name"] for each in seen] == ["care"]
    assert "care" not in {each["name"] for each in await lab.get("/api/v1/campaigns", "1001")}
    for path in ("start", "pause", "settings", "copy", "remove", "imports"):
        body = {"settings": {}, "name": "x", "upload_id": "x"}
        reply = await lab.post(f"/api/v1/campaigns/care/{path}", body, "1026")
        assert reply.status_code == 403, path
    taken = await lab.post("/api/v1/campaigns/care/take", None, "1001")
    assert taken.json()["error_id"] == "not-your-campaign"
    refused = await lab.post("/api/v1/campaigns/care/take", None, "1026")
    assert refused.status_code == 409, refused.text
    assert (await lab.post("/api/v1/agents/me/preview/dial", None, "1026")).status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("campaigns", {"name": "../../etc", "settings": {}}, 422),
        ("campaigns", {"name": "x", "settings": {"queue": "nowhere", "mode": 7}}, 422),
        ("campaigns", {"name": "x", "settings": {"windows": "always"}}, 422),
        ("campaigns", {"name": "x"}, 422),
        ("campaigns", {"settings": []}, 422),
        ("campaigns/none/start", None, 404),
        ("campaigns/%00/start", None, 404),
        ("campaigns/none/imports", {"upload_id": "../../etc/passwd"}, 404),
        ("campaigns/none/imports/preview", {"upload_id": "0123456789abcdef.csv"}, 404),
        ("uploads?name=evil.exe", None, 422),
        ("uploads?name=empty.csv", None, 422),
        ("uploads", None, 422),
        ("do-not-call", {"numbers": []}, 422),
        ("do-not-call", {"numbers": ["sales"]}, 422),
        ("do-not-call", {"numbers": ["+12025550100"], "campaign": "none"}, 404),
        ("interactions/nothing/call-back", {"at": 1.0}, 422),
        ("interactions/nothing/call-back", {"at": "soon"}, 422),
    ],
)
async def test_bad_requests_are_refused_in_words(
    lab: Lab, path: str, body: Any, status: int
) -> None:
    reply = await lab.post(f"/api/v1/{path}", body)
    assert reply.status_code == status, reply.text
    assert reply.json()["message"]


async def test_all_that_is_wrong_in_a_new_campaign_is_told_at_once(lab: Lab) -> None:
    settings = {"queue": "nosuch", "mode": "predicitve", "cap": {"percent": 300}}
    reply = await lab.post("/api/v1/campaigns", {"name": "x", "settings": settings})
    assert reply.status_code == 422
    assert sorted(reply.json()["details"]) == ["cap.percent", "mode", "queue"]


async def test_dials_wait_for_a_click_and_attempts_for_the_store(lab: Lab) -> None:
    await made(lab, "clicks", (AL, BO), mode="progressive", human_initiated=True)

    async def panel() -> Any:
        return next(c for c in await lab.get("/api/v1/campaigns") if c["name"] == "clicks")

    async def has_records() -> bool:
        return bool((await panel())["ahead"])

    async def waits() -> bool:
        return bool((await panel())["unsettled"])

    async with busy_people(lab) as carrier, agent(lab, "1026"):
        assert (await lab.post("/api/v1/campaigns/clicks/start")).status_code == 200
        await lab.until(has_records, message="no records were brought")
        assert carrier.of("INVITE") == [], "nobody has clicked"
        async with locked(lab):
            assert (await lab.post("/api/v1/campaigns/clicks/click")).status_code == 202
            await lab.until(waits, message="the attempt is nowhere")
            assert (lab.data / "outbound.jsonl").exists()
        query = "select outcome, count(*) from attempt where campaign = 'clicks' group by outcome"
        await lab.rows_are(query, ("busy", 1))
        assert (await lab.post("/api/v1/campaigns/clicks/click", None, "1026")).status_code == 202
        await lab.rows_are(query, ("busy", 2))
        assert (await lab.post("/api/v1/campaigns/clicks/click", None, "1001")).status_code == 403


async def test_campaigns_and_dials_under_way_go_on_after_a_crash(lab: Lab) -> None:
    await made(lab, "rings", (GRACE,), mode="progressive", human_initiated=True, ring_s=15.0)
    with rtp_sink() as rtp_port:
        people = People(
            host=lab.host,
            port=lab.out_port,
            rtp_port=rtp_port,
            behave=lambda number: Person(status=0),  # nobody picks up: we give up after ring_s
        )
        await people.open()
        try:
            await _crashed(lab)
        finally:
            people.close()


async def _crashed(lab: Lab) -> None:
    async def panels() -> dict[str, Any]:
        return {each["name"]: each for each in await lab.get("/api/v1/campaigns")}

    async def rings() -> bool:
        return bool((await panels())["rings"]["ringing"])

    async def has_records() -> bool:
        return bool((await panels())["rings"]["ahead"])

    async with Phone("baresip") as phone:
        await phone.register_to(lab.host, lab.sip_port, "1026", "lab-1026")
        await lab.agent_is("1026", "available")
        assert (await lab.post("/api/v1/campaigns/rings/start")).status_code == 200
        await lab.until(has_records)
        assert (await lab.post("/api/v1/campaigns/rings/click")).status_code == 202
        await lab.until(rings, message="nobody's phone rings")
        before = await panels()
        lab.kill()
        await lab.ended()
        lab._tokens.clear()
        await lab.start()
        lab.expects_crash = False

    after = await panels()
    assert after.keys() == before.keys(), "all of them, or none while they are being read"
    assert {n: c["state"] for n, c in after.items()} == {n: c["state"] for n, c in before.items()}
    assert after["clicks"]["today"]["busy"] == 2
    query = "select number, outcome, clicked_by from attempt where campaign = 'rings'"
    await lab.rows_are(query, (GRACE, "no-answer", "super"))
    metrics = await lab.metrics()
    assert 'switchroom_campaign_running{campaign="clicks"} 1.0' in metrics
    assert 'switchroom_campaign_attempts_total{campaign="clicks",outcome="busy"} 2.0' in metrics
    await _a_choice_comes_late(lab)


async def _a_choice_comes_late(lab: Lab) -> None:
    """The process that called is gone."""
    attempt, _ = await lab.get("/api/v1/campaigns/clicks/attempts")
    path = f"/api/v1/interactions/{attempt['attempt_id']}/call-back"
    reply = await lab.post(path, {"at": time.time() + 3600.0})
    assert reply.status_code == 202, reply.text
    stage = f"select stage from outbound_record where id = {attempt['record_id']}"
    await lab.rows_are(stage, ("call-back",))
