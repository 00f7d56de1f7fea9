"""Imports beside the calls: what was refused is kept, also of one that failed half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from crm_store.errors import BadRecord
from crm_store.outbound.views import Progress
from cti.campaigns.imports import ImportJobs
from cti.campaigns.uploads import Uploads
from cti.schema_campaign_requests import ImportRequest
from tests.kit.virtual_clock import VirtualClock


class Imports:
    """The store's side: one row is refused, and then the file turns out to be damaged."""

    def __init__(self) -> None:
        self.imports = self

    async def run(
        self, *_: object, errors: Path, progress: Callable[[Progress], None], **__: object
    ) -> None:
        errors.write_text("+1202;no number")
        progress(Progress(batch=7, rows=1, share=0.5, added=0, refused=1))
        raise BadRecord("row 2: damaged")


async def test_the_refused_rows_of_an_import_that_failed_are_kept(tmp_path: Path) -> None:
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.get_running_loop().create_task(work))

    store: Any = Imports()
    uploads = Uploads(tmp_path / "uploads")
    jobs = ImportJobs(
        store,
        uploads,
        tmp_path / "imports",
        VirtualClock(),
        spawn=spawn,
        imported=lambda name: None,
        agents=(),
    )
    upload, path = uploads.new("people.csv")
    path.write_text("phone")
    await jobs.begin("spring", ImportRequest(upload_id=upload), "super")
    await asyncio.gather(*tasks)
    failed = jobs.failed("spring")
    assert failed is not None
    assert (failed.state, failed.import_id) == ("failed", 7)
    assert jobs.errors_file(7).read_text() == "+1202;no number"
    assert [each.name for each in (tmp_path / "imports").iterdir()] == ["import-7-errors.csv"]
