"""Programs of others, run until they end or are ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_END_S = 5.0


async def finish(*command: str, folder: Path, within_s: float) -> int:
    """Run to the end; gives the exit status. Raises TimeoutError, and then it is ended."""
    async with running(*command, folder=folder) as program, asyncio.timeout(within_s):
        return await program.wait()


@asynccontextmanager
async def running(*command: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run for as long as the block; what it says is in the folder's `NAME.log`."""
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        program = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=os.environ | {"HOME": str(folder)},
        )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.terminate()
            try:
                async with asyncio.timeout(_END_S):
                    await program.wait()
            except TimeoutError:
                program.kill()
                await program.wait()
