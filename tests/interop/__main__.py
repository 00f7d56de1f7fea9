"""Calls with software of others, as Debian ships it: `python -m tests.interop`.

From the top of the checkout. What is not installed is named and left out; ends with 1 when something that
is installed and we do not understand each other.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from tests.interop import browser, kamailio, linphone, sipp
from tests.interop.outcome import Scenario
from tests.kit.lab import ROOT, Lab

_LAB = ROOT / "config" / "lab.toml"
SCENARIOS = (*sipp.SCENARIOS, *linphone.SCENARIOS, *kamailio.SCENARIOS, *browser.SCENARIOS)


async def _run(scenarios: list[Scenario], *, verbose: bool) -> int:
    """Run what can be run; gives the exit status."""
    failed = passed = 0
    missing: list[str] = []
    for package, group in groupby(scenarios, key=lambda each: each.package):
        chosen = list(group)
        if not chosen[0].is_installed:
            _say(f"{package}: not installed, {len(chosen)} left out (apt-get install {package})")
            missing.append(package)
            continue
        _say(f"{package} {_version(package)}")
        for each in chosen:
            began = time.monotonic()
            try:
                seen, is_well = await _try(each), True
            except (AssertionError, OSError, TimeoutError) as error:
                seen, is_well = str(error) or type(error).__name__, False
                if verbose:
                    traceback.print_exc()
            passed, failed = passed + is_well, failed + (not is_well)
            word = "ok    " if is_well else "FAILED"
            _say(f"  {word} {each.name}: {seen} ({time.monotonic() - began:.0f} s)")
    without = f"; not installed: {', '.join(missing)}" if missing else ""
    word = "FAILED" if failed else "PASSED" if passed else "NOTHING WAS RUN"
    _say(f"interop: {word}, {passed} passed, {failed} failed{without}")
    return 1 if failed else 0


async def _try(scenario: Scenario) -> str:
    """Run it; once more where the server had to shed calls, as on a machine that is busy with other things.

    Not more often: who sheds calls twice in a row sheds what it should have taken.
    """
    with suppress(_ShedError):
        return await _run_once(scenario)
    return await _run_once(scenario)


class _ShedError(AssertionError):
    """It failed while the server was overloaded."""


async def _run_once(scenario: Scenario) -> str:
    with tempfile.TemporaryDirectory(prefix="switchroom-interop-") as folder:
        config = Path(folder) / "lab.toml"
        config.write_text(_LAB.read_text().replace("[sip]\n", f"[sip]\n{scenario.sip}\n", 1))
        async with Lab(Path(folder), config=config, secure=True) as lab:
            try:
                return await scenario.run(lab)
            except (AssertionError, TimeoutError) as error:
                if (await lab.status())["shed"]:
                    raise _ShedError(f"the server shed calls: {error}") from error
                raise


def _version(package: str) -> str:
    """What Debian calls it; nothing where the program came by another way."""
    try:
        asked = ("dpkg-query", "--show", "--showformat", "${Version}", package)
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios with this word in package or name")
    parser.add_argument("--verbose", action="store_true", help="tracebacks of what failed")
    options = parser.parse_args()
    chosen = [each for each in SCENARIOS if options.only in f"{each.package} {each.name}"]
    return asyncio.run(_run(chosen, verbose=options.verbose))


if __name__ == "__main__":
    sys.exit(main())
