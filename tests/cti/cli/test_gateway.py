"""What `switchroom gateway` says, and what it refuses to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.cli.gateway import drained, told
from cti.cli.main import main
from cti.schema import GatewayStatus


def test_a_gateway_is_told_in_a_line_and_its_figures_in_another() -> None:
    figures = {"ports_free": 3990.0, "ticks": 500.0, "ticks_late": 2.0, "lateness_p99_ms": 1.25}
    view = GatewayStatus(
        name="local-2", state="draining", legs=4, address="192.0.2.1", pid=77, figures=figures
    )
    assert told(view) == [
        "gateway local-2          draining  4 legs, RTP at 192.0.2.1, pid 77",
        "    3990 ports free, 2 of 500 ticks late, p99 1.2 ms",
    ]
    other = GatewayStatus(name="local-1", state="up")
    assert drained(view, [other, view]) == (
        "local-2 takes no new calls; 4 legs are left, see `gateway list`."
    )
    assert "No gateway is left for new calls" in drained(view, [view])


def test_what_a_gateway_elsewhere_lacks_is_told() -> None:
    view = GatewayStatus(
        name="hall",
        state="unfit",
        control="tcp://192.0.2.7:7000",
        lacks=("en/welcome", "music/jazz"),
    )
    assert told(view) == [
        "gateway hall             unfit     0 legs, at tcp://192.0.2.7:7000",
        "    takes no calls: it lacks prompts, such as en/welcome, music/jazz",
    ]
    other = GatewayStatus(name="local-1", state="up")
    assert (
        drained(view, [view, other]) == "hall takes no new calls and has none; it may be stopped."
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give --socket, or --listen"),
        (("--listen", "tcp://127.0.0.1:7000"), "--listen needs --secret-file and --recordings"),
        (("--listen", "127.0.0.1", "--secret-file", "s", "--recordings", "r"), "tcp://HOST:PORT"),
        (
            ("--listen", "tcp://127.0.0.1:7000", "--secret-file", "none", "--recordings", "r"),
            "--secret-file: none: No such file",
        ),
    ],
)
def test_a_process_that_cannot_run_says_why(
    options: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["gateway", *options]) == 1
    assert words in capsys.readouterr().err
