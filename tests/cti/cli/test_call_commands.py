"""`switchroom cdr` on a database, `switchroom trace` on a server that is played."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from crm_store.rows import CallLegRow, InteractionRow, TimelineRow
from crm_store.store import Store
from cti.cli.main import main
from cti.schema_calls import MessageView, TraceView

NOON = 1_772_366_400.0
"""2026-03-01 12:00 UTC."""
IN_THE_WAY = "Not a directory: /var/lib/switchroom/recordings/2026/03/01/contact-1-r-1.part"
"""Why a recording failed, longer than what else stands in a line."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/calls.db"

    async def fill() -> None:
        store = await Store.open(url, data_dir=tmp_path)
        for number in range(2500):
            store.history.append(
                CallLegRow(
                    leg_id=f"leg-{number}",
                    call_id=f"call-{number // 2}",
                    direction="in" if number % 2 == 0 else "out",
                    caller="=1+1" if number == 7 else "+12025550109",
                    called="4000",
                    trunk="carrier",
                    started=NOON + number,
                    answered=NOON + number + 2,
                    ended=NOON + number + 30,
                    result="busy" if number % 100 == 0 else "completed",
                    reason="caller-hung-up",
                    status=200,
                    mos=4.25,
                )
            )
        await store.history.flush()
        await store.close()

    asyncio.run(fill())
    return url


def test_records_are_listed_newest_first(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cdr", "list", "--limit", "3", "--database", store]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("call-1249")
    assert "+12025550109 > 4000" in lines[0]
    assert "completed: caller-hung-up (200)  MOS 4.2" in lines[0]
    assert main(["cdr", "list", "--number", "nobody", "--database", store]) == 0
    assert "no such calls" in capsys.readouterr().out


def test_a_call_is_shown_with_who_attended_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/attended.db"
    leg = CallLegRow(
        leg_id="leg-1",
        call_id="call-1",
        interaction_id="contact-1",
        direction="in",
        caller="+12025550109",
        called="4000",
        started=NOON,
        ended=NOON + 60,
        result="completed",
        reason="caller-hung-up",
    )
    listening = replace(
        leg,
        leg_id="leg-2",
        direction="out",
        phone="1040",
        started=NOON + 9,
        attended="boss: monitor, barge",
    )
    told = {"by": "boss", "number": "1040", "role": "monitor", "state": "attending", "reason": ""}

    async def fill() -> None:
        store = await Store.open(url, data_dir=tmp_path)
        store.history.append(InteractionRow(interaction_id="contact-1", started=NOON, revision=1))
        line = TimelineRow(
            interaction_id="contact-1", seq=2, at=NOON + 10, type="Supervised", data=told
        )
        store.history.append(line)
        seen = {"interaction_id": "contact-1", "since": NOON + 11.3686855, "waited_s": 7.4567}
        seen |= {"recorded": True, "muted": False, "mos": 4.2515}
        store.history.append(
            TimelineRow(interaction_id="contact-1", seq=3, at=NOON + 11, type="Changed", data=seen)
        )
        for seq, over in (
            (4, {"result": "answered", "waited_s": 1.0, "was_dialled": True}),
            (5, {"result": "cancelled", "was_dialled": False}),
        ):
            store.history.append(
                TimelineRow(
                    interaction_id="contact-1", seq=seq, at=NOON + 12, type="Cleared", data=over
                )
            )
        for seq, error in ((6, IN_THE_WAY), (7, None)):
            recorded = {"recording_id": "r-1", "duration_s": 0.1, "octets": 0, "error": error}
            store.history.append(
                TimelineRow(
                    interaction_id="contact-1",
                    seq=seq,
                    at=NOON + 13,
                    type="RecordingFinished",
                    data=recorded,
                )
            )
        store.history.append(leg)
        store.history.append(listening)
        await store.history.flush()
        await store.close()

    asyncio.run(fill())
    assert main(["cdr", "show", "call-1", "--database", url]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].endswith("[boss: monitor, barge]")
    assert out[3] == "contact-1: not over"
    assert "Supervised" in out[4]
    assert out[4].endswith("by=boss  number=1040  role=monitor  state=attending")
    since = f"{datetime.fromtimestamp(NOON + 11).astimezone():%Y-%m-%d %H:%M:%S}"
    assert out[5].endswith(f"since={since}  waited=7.5 s  recorded  mos=4.25")
    assert out[6].endswith("Cleared              result=answered  waited=1.0 s")
    assert out[7].endswith("Cleared              result=cancelled  not was_dialled")
    assert out[8].endswith(f"recording_id=r-1  duration=0.1 s  octets=0  error={IN_THE_WAY}")
    assert out[9].endswith("recording_id=r-1  duration=0.1 s  octets=0")
    assert main(["cdr", "show", "call-2", "--database", url]) == 1
    assert "no call call-2" in capsys.readouterr().err


def test_records_are_exported_whole_as_csv(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.csv"
    assert main(["cdr", "export", str(file), "--database", store]) == 0
    assert "2500 legs written" in capsys.readouterr().out
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 2500
    assert len({row["leg_id"] for row in rows}) == 2500
    last = rows[-1]
    assert last["started"] == "2026-03-01T12:00:00+00:00"
    assert (last["caller"], last["mos"], last["phone"]) == ("+12025550109", "4.25", "")
    assert rows[-8]["caller"] == "'=1+1"  # no formula of a spreadsheet


def test_an_export_overwrites_nothing_unasked(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_text("mine")
    export = ["cdr", "export", str(file), "--result", "busy", "--database", store]
    assert main(export) == 1
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert main([*export, "--force"]) == 0
    assert file.read_text().startswith("{")


def test_records_are_exported_as_json_lines_and_filtered(store: str, tmp_path: Path) -> None:
    file = tmp_path / "busy.json"
    words = ["--result", "busy", "--since", "2026-03-01T12:10+00:00", "--until", "2026-03-02"]
    assert main(["cdr", "export", str(file), *words, "--database", store]) == 0
    legs = [json.loads(line) for line in file.read_text().splitlines()]
    assert [leg["leg_id"] for leg in legs] == [f"leg-{n}" for n in range(2400, 599, -100)]
    assert legs[0]["answered"].endswith("+00:00")


def test_what_cannot_be_exported_is_said(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cdr", "export", str(tmp_path / "x.txt"), "--database", store]) == 1
    assert ".csv or .json" in capsys.readouterr().err
    assert main(["cdr", "export", str(tmp_path / "no" / "x.csv"), "--database", store]) == 1
    assert main(["cdr", "list", "--database", f"sqlite:///{tmp_path}/none.db"]) == 1
    with pytest.raises(SystemExit):
        main(["cdr", "list", "--since", "yesterday", "--database", store])
    assert "is no time" in capsys.readouterr().err


def test_a_trace_is_printed_with_its_messages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    class Api:
        def __init__(self, server: str) -> None:
            asked.append(server)

        async def __aenter__(self) -> Api:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def sign_on(self, login: str, password: str) -> None:
            asked.extend((login, password))

        async def traces(self, wanted: str) -> list[TraceView]:
            asked.append(wanted)
            message = MessageView(
                after_s=0.0,
                peer="127.0.0.1:5062 UDP",
                is_out=False,
                words="INVITE",
                sip_call_id="c",
                octets=500,
                text="INVITE sip:4000@127.0.0.1 SIP/2.0",
            )
            return [
                TraceView(
                    call_id="call-1",
                    started=NOON,
                    live=True,
                    ladder="LADDER",
                    mermaid="sequenceDiagram",
                    messages=(message,),
                )
            ]

    monkeypatch.setattr("cti.client.ApiClient", Api)
    password = tmp_path / "password"
    password.write_text("desk-admin\n")
    who = ["--login", "admin", "--password-file", str(password)]
    assert main(["trace", "--number", "+12025550109", "--messages", *who]) == 0
    out = capsys.readouterr().out
    assert asked == ["http://127.0.0.1:8080", "admin", "desk-admin", "+12025550109"]
    for words in ("call-1", "runs", "LADDER", "from 127.0.0.1:5062 UDP, 500 octets"):
        assert words in out
    assert main(["trace", "call-1", "--mermaid", *who]) == 0
    assert capsys.readouterr().out.strip() == "sequenceDiagram"
