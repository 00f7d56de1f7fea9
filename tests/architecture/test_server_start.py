"""A restarted server takes up its calls before it loads what it may need later."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.tree import ROOT

LATER = ("alembic", "openpyxl", "numpy", "dns", "httpcore", "soundfile", "fastapi", "uvicorn")


def test_calls_wait_for_no_library_that_most_starts_do_not_need() -> None:
    code = f"import sys, cti.serving; print([m for m in {LATER!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
