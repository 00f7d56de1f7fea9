"""The files under version control, as the tests of this folder look at them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("switch", "recordings", "ivr", "acd", "crm_store", "cti")


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the repository that exists, relative to its root, in order."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return tuple(name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def product() -> list[str]:
    """The Python files of the six packages."""
    return [n for n in tracked() if n.split("/")[0] in PACKAGES and n.endswith(".py")]
