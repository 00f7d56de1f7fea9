"""Every measurement in its shortest form: it runs, it counts what was there, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cti.bench import report
from cti.bench.call_rows import _add_overload
from cti.bench.capacity import CapacityFigures, Step, measure_capacity
from cti.bench.menu import measure_menu
from cti.bench.rows import Options, Outcome, Say
from cti.bench.sound import DelayFigures, measure_conference, measure_mixing, measure_prompt
from tests.kit.ports import rtp_ports


@pytest.mark.slow
async def test_mixed_calls_send_a_packet_a_frame_to_each_side() -> None:
    figures = await measure_mixing(3, 0.5, rtp_ports())
    assert figures.legs == 6
    assert figures.packets_sent > 0
    assert figures.packets_received > 0
    assert 0 < figures.cpu_percent < 200


@pytest.mark.slow
async def test_a_room_and_a_prompt_are_heard_by_those_who_send_nothing() -> None:
    room = await measure_conference(6, 2, 0.5, rtp_ports())
    assert room.legs == 8
    assert room.packets_sent > 2 * room.packets_received > 0
    prompt = await measure_prompt(4, 0.5, rtp_ports())
    assert prompt.packets_received == 0
    assert prompt.packets_sent > 4


@pytest.mark.slow
async def test_a_digit_in_a_menu_leads_to_an_agent() -> None:
    figures = await measure_menu(5.0, 3, call_s=2.0, ports=rtp_ports())
    assert figures.calls == 3
    assert figures.failures < 3
    assert 0 < figures.digit_p50_ms <= figures.digit_max_ms
    assert figures.cpu_ms > 0


@pytest.mark.slow
async def test_a_rate_that_is_carried_is_the_best_and_more_is_tried() -> None:
    figures = await measure_capacity(0.5, rates=(8.0,), overloads=(1.5,), ports=rtp_ports())
    (step,) = figures.steps
    assert step.calls == 4
    assert figures.best in (step, None)  # none where the machine is too busy for four calls
    assert step.server_share > 0 < step.generator_share
    (overload,) = figures.overloads
    assert overload.rate == 12.0
    assert set(overload.statuses) <= {200, 503}


def step(
    rate: float, answered_a_second: float, lost: int = 0, invite_ms: float = 50.0, **statuses: int
) -> Step:
    counts = {int(name[1:]): count for name, count in statuses.items()}
    return Step(
        rate=rate,
        calls=sum(counts.values()),
        statuses=counts,
        answered_a_second=answered_a_second,
        cpu_ms=1.0,
        setup_p95_ms=2.0,
        invite_p95_ms=invite_ms,
        lost=lost,
    )


@pytest.mark.parametrize(
    ("overload", "good"),
    [
        (step(600, 396, s200=1320, s503=680), True),
        (step(600, 200, s200=700, s503=1300), False),
        (step(600, 396, s200=1320, s408=1, s503=679), False),
        (step(600, 396, lost=1, s200=1320, s503=680), False),
        (step(600, 396, invite_ms=301.0, s200=1320, s503=680), False),
    ],
    ids=[
        "sheds the surplus",
        "collapses",
        "leaves one without an answer",
        "loses a BYE",
        "lets them wait",
    ],
)
def test_overload_is_judged_by_what_still_goes_through(overload: Step, good: bool) -> None:
    best = step(400, 400, s200=2000)
    outcome = Outcome()
    figures = CapacityFigures(steps=(best,), best=best, overloads=(overload,), one_core=True)
    _add_overload(outcome, figures, overload)
    assert [row.reached for row in outcome.rows] == [good]


def test_delay_is_what_the_gateway_adds() -> None:
    figures = DelayFigures(
        calls=1, direct_p50_ms=0.1, direct_p99_ms=0.5, relayed_p50_ms=1.1, relayed_p99_ms=0.4
    )
    assert figures.added_p50_ms == pytest.approx(1.0)
    assert figures.added_p99_ms == 0.0


async def test_the_report_has_given_references_beside_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measured(options: Options, say: Say) -> Outcome:
        say("...")
        outcome = Outcome(raw={"answer": 42})
        outcome.add("memory a call", "0.05 MiB", "at most 0.1 MiB", True, "memory")
        outcome.add("lateness", "9 ms", "under 8 ms", False)
        return outcome

    monkeypatch.setattr(report, "GROUPS", {"memory": measured, "calls": measured})
    found = await report.Bench(Options()).run(("memory",), tmp_path / "bench.json")
    assert found == 1
    printed = capsys.readouterr().out
    assert "0.45 MiB" in printed
    assert "not by this run" in printed
    whole = json.loads((tmp_path / "bench.json").read_text())
    assert whole["answer"] == 42
    assert [row["reached"] for row in whole["rows"]] == [True, False]
    assert whole["references"]["memory"]["rtpengine"] == "0.08 MiB"


async def test_what_cannot_be_measured_is_said_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(options: Options, say: Say) -> Outcome:
        raise TimeoutError("the load generator does not end")

    async def fine(options: Options, say: Say) -> Outcome:
        outcome = Outcome()
        outcome.add("calls", "none lost", "none", True)
        return outcome

    monkeypatch.setattr(report, "GROUPS", {"mixed": busy, "calls": fine})
    assert await report.Bench(Options()).run(("mixed", "calls"), None) == 1
    printed = capsys.readouterr().out
    assert "not measured: the load generator does not end" in printed
    assert "none lost" in printed


def test_the_command_knows_every_group() -> None:
    from cti.cli.bench import _GROUPS

    assert tuple(report.GROUPS) == _GROUPS
