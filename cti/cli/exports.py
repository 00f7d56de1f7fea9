"""Files that commands write for people: none is overwritten unless that is asked for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add `--force`, the same for every command that writes a file."""
    parser.add_argument("--force", action="store_true", help="overwrite the file if it is there")


def is_in_the_way(file: Path, *, force: bool, source: Path | None = None) -> bool:
    """Tell whether a file cannot go where it is to, or would overwrite one, and say what to do.

    `source` is what is exported: it is never overwritten by its own export.
    """
    if source is not None and file.resolve() == source.resolve():
        print(f"{file} is what is to be exported; choose another name", file=sys.stderr)
        return True
    if not file.parent.is_dir():
        print(f"{file}: there is no folder {file.parent}; make it first", file=sys.stderr)
        return True
    if force or not file.exists():
        return False
    print(f"{file} is there already; choose another name, or give --force", file=sys.stderr)
    return True
