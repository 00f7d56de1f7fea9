"""How long tests wait for what must come.

A wait ends when it comes, so this may be long: a machine that is busy with other things is slow, and
only a test that fails takes it all. A test that proves a time measures it beside.
"""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 30.0
