"""The wheel works where there is no source tree.

`make wheel-check` (SWITCHROOM_WHEEL_CHECK=empty) installs it with everything it asks for into an
empty environment. Without that, the environment borrows the dependencies of the running one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.wheel import build_wheel

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and an empty folder to work in."""

    bin: Path
    folder: Path

    def run(self, *words: str, timeout_s: float = 100) -> str:
        """Run `switchroom`; it must succeed. Returns all that it printed."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            [self.bin / "switchroom", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def install(wheel: Path, environment: Path) -> None:
    empty = os.environ.get("SWITCHROOM_WHEEL_CHECK") == "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    if not empty:
        (site,) = environment.glob("lib/python*/site-packages")
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    options = ["--quiet"] if empty else ["--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    install(build_wheel(folder), folder / "environment")
    (folder / "work").mkdir()
    return Installed(folder / "environment/bin", folder / "work")


def test_it_knows_its_version_and_its_commands(installed: Installed) -> None:
    assert installed.run("--version") == "switchroom 0.1.0\n"
    assert "wallboard" in installed.run("--help")


def test_it_runs_from_the_wheel_and_not_from_the_tree(installed: Installed) -> None:
    where = "import cti.paths; print(cti.paths.__file__, cti.paths.shipped('lab.toml'))"
    done = subprocess.run(
        [installed.bin / "python", "-c", where],
        cwd=installed.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    module, lab = done.stdout.split()
    environment = str(installed.bin.parent)
    assert module.startswith(environment)
    assert lab.startswith(environment)
    assert Path(lab).is_file()


def test_a_first_configuration_is_written_and_good(installed: Installed) -> None:
    assert "written" in installed.run("config", "new", "site.toml")
    assert "2 phones, 2 agents, 1 queue," in installed.run("config", "check", "site.toml")


def test_the_shipped_lab_is_found_and_good(installed: Installed) -> None:
    (lab,) = installed.bin.parent.glob("lib/python*/site-packages/cti/shipped/lab.toml")
    assert "4050 phones, 4050 agents, 3 queues" in installed.run("config", "check", str(lab))


def test_the_doctor_finds_the_prompts_and_no_fault(installed: Installed) -> None:
    ports = ("sip", "http", "tls", "ws", "wss")
    no_ports = [word for name in ports for word in (f"--{name}-port", "0")]
    told = installed.run("doctor", *no_ports, "--data-dir", "data")
    assert "prompts are installed" in told
    assert "\nReady to serve" in told, "whatever this machine is warned of"


def test_the_migrations_are_there(installed: Installed) -> None:
    told = installed.run("db", "upgrade", "--database", "sqlite:///new.db")
    assert "up to date" in told


def test_the_demo_takes_a_call_from_the_caller_to_the_hang_up(installed: Installed) -> None:
    # Its first start compiles the sound engine, beside all that the other tests do.
    installed.run("demo", "--check", timeout_s=220)
