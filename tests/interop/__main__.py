"""Calls with software of others, as Debian ships it: `python -m tests.interop`.

From the top of the checkout. What is not installed is named and left out; ends with 1 when something that
is installed and we do not understand each other.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import traceback
from pathlib import Path

from tests.interop import browser, kamailio, sipp
from tests.interop.outcome import Scenario
from tests.kit.lab import ROOT, Lab

_LAB = ROOT / "config" / "lab.toml"
SCENARIOS = (*sipp.SCENARIOS, *kamailio.SCENARIOS, *browser.SCENARIOS)


async def _run(scenarios: list[Scenario], *, verbose: bool) -> int:
    failed = 0
    for each in scenarios:
        begin = f"{each.program:10} {each.name}: "
        if not each.is_installed:
            sys.stdout.write(f"{begin}not installed (apt-get install {each.package})\n")
            continue
        with tempfile.TemporaryDirectory(prefix="switchroom-interop-") as folder:
            try:
                config = Path(folder) / "lab.toml"
                config.write_text(_LAB.read_text().replace("[sip]\n", f"[sip]\n{each.sip}\n", 1))
                async with Lab(Path(folder), config=config, secure=True) as lab:
                    seen = await each.run(lab)
            except (AssertionError, OSError, TimeoutError) as error:
                failed += 1
                seen = f"FAILED: {str(error) or type(error).__name__}"
                if verbose:
                    traceback.print_exc()
        sys.stdout.write(f"{begin}{seen}\n")
        sys.stdout.flush()
    sys.stdout.write("interop: FAILED\n" if failed else "interop: PASSED\n")
    return 1 if failed else 0


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios with this word in program or name")
    parser.add_argument("--verbose", action="store_true", help="tracebacks of what failed")
    options = parser.parse_args()
    chosen = [each for each in SCENARIOS if options.only in f"{each.program} {each.name}"]
    return asyncio.run(_run(chosen, verbose=options.verbose))


if __name__ == "__main__":
    sys.exit(main())
