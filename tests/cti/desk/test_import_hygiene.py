"""A desk runs on another machine: it loads nothing of the server."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import cti.desk.agent.app, cti.desk.supervisor.app, cti.cli.desk, cti.cli.wallboard
server = ("switch", "acd", "ivr", "crm_store", "recordings", "sqlalchemy", "fastapi", "uvloop")
inner = ("cti.api", "cti.app", "cti.bus", "cti.translate")
print(sorted(m for m in sys.modules if m.split(".")[0] in server or m.startswith(inner)))
"""


def test_the_desks_load_nothing_of_the_server() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_the_phone_loads_no_screen() -> None:
    script = "import sys, cti.phone.child; print('textual' in sys.modules, 'httpx' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "False False"
