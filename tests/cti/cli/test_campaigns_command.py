"""`switchroom campaigns` in words."""

from __future__ import annotations

import argparse
import asyncio
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console

from cti.cli import campaigns_forbid, campaigns_look, campaigns_steer
from cti.cli.campaigns_lists import told_import, told_preview
from cti.cli.campaigns_look import draw_panel, draw_why
from cti.cli.campaigns_server import told_problem
from cti.cli.campaigns_steer import abandoned, in_the_way, list_row
from cti.cli.desk import password_of
from cti.cli.main import main
from cti.counted import counted
from cti.schema import Problem
from cti.schema_campaign_requests import (
    ForbiddenView,
    ImportColumnView,
    ImportPreviewView,
    ImportProblemView,
    ImportView,
)
from cti.schema_campaigns import (
    AbandonRateView,
    BlockerView,
    CallerIdView,
    CampaignAgentsView,
    CampaignListView,
    CampaignView,
    FunnelStepView,
    WhyCampaignView,
)

if TYPE_CHECKING:
    from cti.client import ApiClient

PANEL = CampaignView(
    name="spring",
    title="Spring sale",
    mode="predictive",
    state="running",
    reason="super",
    since=1_800_000_000.0,
    queue="sales",
    human_initiated=False,
    dial_level=1.75,
    learning=False,
    pacing_words="7 dials: one more would find no agent too probably",
    pacing={"threshold": 0.02},
    decision=812,
    in_flight=7,
    ringing=5,
    judging=1,
    waiting=0,
    reading=0,
    messages=0,
    talking=9,
    ahead=30,
    dialled=1200,
    answer_rate=0.3,
    live_rate=0.2,
    today={"connected": 200, "no-answer": 900, "busy": 0},
    total={"connected": 200},
    agents=CampaignAgentsView(signed_on=12, available=2, talking=9, wrap_up=1, share=2),
    agents_wait_s=17.4,
    cap_percent=3.0,
    guard="statistical",
    enforced_percent=3.4,
    rates=(
        AbandonRateView(
            formula="us",
            percent=2.5,
            upper_percent=3.4,
            live=1000,
            abandoned=25,
            days=30,
            enforced=True,
        ),
        AbandonRateView(
            formula="uk",
            percent=None,
            upper_percent=None,
            live=0,
            abandoned=0,
            days=1,
            enforced=False,
        ),
    ),
    records=CampaignListView(total=5000, ready=3000, done=1900, blocked=100, penetration=0.4),
    goal=500,
    goal_reached=200,
    begins="",
    ends="",
    caller_ids=(
        CallerIdView(
            number="+12025550100", dialled=600, answered=60, rate=0.1, usual=0.3, fallen=True
        ),
    ),
    blockers=(BlockerView(code="abandon-cap", words="No room is left under the cap."),),
    unsettled=3,
)
WHY = WhyCampaignView(
    name="spring",
    state="running",
    at=1_800_000_000.0,
    total=5000,
    callable=120,
    steps=(
        FunnelStepView(
            code="reached", words="1900 reached: nothing to do", takes=1900, leaves=3100
        ),
        FunnelStepView(
            code="window", words="2980 outside", takes=2980, leaves=120, until=1_800_003_600.0
        ),
    ),
    blockers=(BlockerView(code="no-agents", words="No agent of queue sales is signed on."),),
    summary="120 of 5000 records may be dialled now.",
)


def drawn(draw: object, view: object) -> str:
    screen = Console(file=io.StringIO(), width=160, highlight=False)
    draw(view, screen)  # type: ignore[operator]
    file = screen.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_panel_draws_rates_against_the_cap() -> None:
    text = drawn(draw_panel, PANEL)
    assert "spring (Spring sale): predictive, running since 2027-" in text
    assert "cap 3 %, held is the upper end of the 95 % interval: 3.40 %" in text
    (us,) = [line for line in text.splitlines() if "* us" in line]
    assert us.count("#") == 13
    assert "|" in us
    assert "2.50 % (to 3.40 %), 25 of 1000 in 30 days" in us
    assert "uk" in text
    assert "nobody has answered in 24 h" in text
    assert "Today: 1200 dialled: 200 connected, 900 no-answer\n" in text
    assert "FALLEN" in text
    assert "In the way: No room is left under the cap." in text
    mild = BlockerView(code="generic-message", words="The message says not who called.")
    text = drawn(draw_panel, replace(PANEL, blockers=(), warnings=(mild,)))
    assert "In the way" not in text
    assert "To mend: The message says not who called." in text


def test_why_counts_what_each_filter_leaves() -> None:
    text = drawn(draw_why, WHY)
    rows = [line.split() for line in text.splitlines() if line.strip()]
    assert ["all", "records", "5000"] in rows
    assert ["1900", "reached:", "nothing", "to", "do", "1900", "3100"] in rows
    assert ["may", "be", "dialled", "now", "120"] in rows
    assert text.startswith("Campaign spring (running): 120 of 5000 records")
    assert "  No agent of queue sales is signed on." in text


def test_an_import_tells_where_refused_rows_are(capsys: pytest.CaptureFixture[str]) -> None:
    view = ImportView(
        import_id=3,
        campaign="spring",
        file="people.csv",
        state="done",
        at=1.0,
        by="super",
        added=10,
        duplicates=1,
        refused=2,
        blocked=1,
        errors_file="/data/imports/import-3-errors.csv",
    )
    assert told_import(view) == 1
    out, err = capsys.readouterr()
    assert "10 added, 1 duplicate, 2 refused, 1 blocked by a do-not-call list" in out
    assert "/data/imports/import-3-errors.csv" in err


@pytest.mark.parametrize(("target", "code"), [("phone", 0), ("fact", 1)])
def test_a_preview_ends_as_the_import_would(
    capsys: pytest.CaptureFixture[str], target: str, code: int
) -> None:
    problem = ImportProblemView(row=0, code="file", words="what is the matter", fatal=False)
    preview = ImportPreviewView(
        file="people.csv",
        format="csv",
        encoding="utf-8",
        delimiter=",",
        sheet="",
        columns=(ImportColumnView(header="who", target=target, guessed=True),),
        rows=(),
        problems=(problem,),
    )
    assert told_preview(preview) == code
    assert "what is the matter" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["bans", "trunks", "campaigns_server"])
def test_without_a_terminal_it_says_what_to_give(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_there(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody_there)
    with pytest.raises(SystemExit, match="give --password-file"):
        password_of(None)
    source = Path(f"cti/cli/{module}.py").read_text("utf-8")
    assert "getpass" not in source  # they all ask there


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (None, "No such file or directory; give a file whose first line"),
        (b"\xff", "no text in UTF-8"),
    ],
)
def test_a_password_file_that_cannot_be_read_is_told_in_words(
    tmp_path: Path, octets: bytes | None, words: str
) -> None:
    file = tmp_path / "password"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(SystemExit) as refused:
        password_of(file)
    assert f"--password-file: {file}: {words}" in str(refused.value)
    assert "Errno" not in str(refused.value)


def test_what_is_refused_is_told_once() -> None:
    refused = Problem(
        error_id="bad-settings",
        message="Queue: no queue is named x; mode: ...",
        details={"queue": "no queue is named x", "mode": "one of a, b"},
    )
    assert told_problem(refused) == ["queue: no queue is named x", "mode: one of a, b"]
    other = Problem(error_id="busy", message="Later.", details={"until": "noon"})
    assert told_problem(other) == ["Later.", "  until: noon"]


def test_counts_are_in_words() -> None:
    assert [counted(each, "record") for each in (0, 1, 2)] == ["0 records", "1 record", "2 records"]


class Lists:
    """A server with do-not-call lists of two pages."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    async def forbidden(self, query: dict[str, str]) -> list[ForbiddenView]:
        self.asked.append(query)
        numbers = range(500) if "after" not in query else range(500, 501)
        return [
            ForbiddenView(
                number=f"+1202555{number:04}",
                scope="national",
                campaign="",
                reason="national list",
                source="import",
                by="super",
                added_at=1.0,
            )
            for number in numbers
        ]

    async def imports(self, campaign: str) -> list[ImportView]:
        view = ImportView(
            import_id=7, campaign="", file="national.csv", state="done", at=1.0, by="super"
        )
        return [replace(view, national=True), replace(view, import_id=8, file="ours.csv")]


def test_the_national_list_is_listed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    campaigns_forbid.add_parser(parser.add_subparsers())
    server = Lists()
    api = cast("ApiClient", server)
    done = campaigns_forbid.forbid(api, parser.parse_args(["forbid", "--national"]))
    assert asyncio.run(done) == 0
    out, err = capsys.readouterr()
    told, count = err.splitlines()
    assert (len(out.splitlines()), count) == (501, "On this list: 501 numbers.")
    assert "national.csv" in told, "and none of the centre's own"
    assert server.asked == [
        {"national": "true"},
        {"national": "true", "after": "+12025550499"},
    ]
    refused = campaigns_forbid.forbid(
        api, parser.parse_args(["forbid", "--national", "+12025550100"])
    )
    with pytest.raises(SystemExit, match="comes as a file"):
        asyncio.run(refused)


def test_the_list_tells_the_rate_and_its_upper_end_apart() -> None:
    assert abandoned(PANEL) == "2.50 % (to 3.40 %)"
    assert abandoned(replace(PANEL, guard="none")) == "2.50 %"
    assert abandoned(replace(PANEL, enforced_percent=None)) == "-"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--number", ""], "is no number"),
        (["--number", "abc"], "is no number"),
        (["--since", "2026-11-23", "--until", "2026-11-22"], "--since is not before --until"),
    ],
)
def test_a_mistake_does_not_export_the_calls_of_everybody(given: list[str], words: str) -> None:
    parser = argparse.ArgumentParser()
    campaigns_look.add_parser(parser.add_subparsers())
    work = campaigns_look.attempts(cast("ApiClient", None), parser.parse_args(["attempts", *given]))
    with pytest.raises(SystemExit, match=words):
        asyncio.run(work)


def test_attempts_go_to_no_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    campaigns_look.add_parser(parser.add_subparsers())
    args = parser.parse_args(["attempts", "--to", "/nowhere/at/all.csv"])
    assert asyncio.run(campaigns_look.attempts(cast("ApiClient", None), args)) == 1
    assert "there is no folder /nowhere/at; make it first" in capsys.readouterr().err


def test_reasons_are_words_and_lists_that_were_not_counted_have_no_number() -> None:
    assert in_the_way(PANEL) == "the abandon cap holds it back"
    stopped = (BlockerView(code="not-running", words="It is paused."),)
    assert in_the_way(replace(PANEL, blockers=stopped)) == "", "its state says so"
    assert (
        in_the_way(replace(PANEL, blockers=(BlockerView(code="of-late", words=""),))) == "of late"
    )
    counted_now = replace(PANEL, records=replace(PANEL.records, at=1.0))
    assert list_row(counted_now)[4:6] == ("5000", "40%")
    assert list_row(PANEL)[4:6] == ("…", "…")


def test_dials_that_rang_nobody_are_told_apart() -> None:
    today = {"connected": 1, "congested": 2}
    text = drawn(draw_panel, replace(PANEL, dialled=1, today=today))
    assert "Today: 1 dialled: 1 connected; no attempt: 2 congested\n" in text


def test_records_with_the_dialer_take_nothing_away() -> None:
    step = FunnelStepView(code="claimed", words="4 with the dialer", takes=4, leaves=0)
    text = drawn(draw_why, replace(WHY, steps=(step,)))
    (row,) = [line.split() for line in text.splitlines() if "with the dialer" in line]
    assert row[-2:] == ["(4)", "0"]


def test_settings_may_stand_behind_options(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[str]] = []

    def run(args: argparse.Namespace) -> int:
        taken.append(args.settings)
        return 0

    monkeypatch.setattr("cti.cli.campaigns.run", run)
    words = ["queue=sales", "--server", "http://127.0.0.1:1", "caller_ids=+12025550100"]
    assert main(["campaigns", "create", "spring", *words]) == 0
    assert taken == [["queue=sales", "caller_ids=+12025550100"]]
    for wrong in (["--loud=1"], ["queue"], ["x=1", "y"]):
        with pytest.raises(SystemExit):
            main(["campaigns", "set", "spring", "--login", "super", *words, "--login", "x", *wrong])
    with pytest.raises(SystemExit):
        main(["campaigns", "start", "spring", "queue=sales"])


@pytest.mark.parametrize(("answer", "is_gone"), [("y", True), ("", False), ("no", False)])
async def test_a_person_is_asked_before_a_list_is_deleted(
    monkeypatch: pytest.MonkeyPatch, answer: str, is_gone: bool
) -> None:
    class Api:
        gone = False

        async def campaigns(self) -> tuple[CampaignView, ...]:
            return (PANEL,)

        async def remove_campaign(self, name: str) -> None:
            self.gone = True

    asked: list[str] = []

    def say(question: str) -> str:
        asked.append(question)
        return answer

    api = Api()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", say)
    parser = argparse.ArgumentParser()
    campaigns_steer.add_parser(parser.add_subparsers())
    args = parser.parse_args(["remove", "spring"])
    await campaigns_steer.remove(cast("ApiClient", api), args)
    assert asked == ["Delete campaign spring and its list of 5000 records? [y/N] "]
    assert api.gone is is_gone
    await campaigns_steer.remove(
        cast("ApiClient", api), parser.parse_args(["remove", "spring", "--yes"])
    )
    assert api.gone
    assert len(asked) == 1
