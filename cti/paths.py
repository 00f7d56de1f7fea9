"""Where the shipped files are: configurations, flows and prompts.

In a source tree they lie in `config/`; the wheel carries the same folder as package data.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder below `config/`.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for root in _roots():
        if root.is_dir():
            return root.joinpath(*parts)
    raise FileNotFoundError("the shipped configuration is missing; install switchroom again")


def _roots() -> tuple[Path, ...]:
    package = Path(str(resources.files("cti")))
    return (package / "shipped", package.parent / "config")
