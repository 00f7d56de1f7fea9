"""Imports beside the calls: one at a time, with their progress; files of refused rows are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from acd.dialer.model import CampaignName
from crm_store.errors import BadRecord, StoreError
from crm_store.outbound.outbound import Outbound
from crm_store.outbound.views import BatchView, Preview, Progress, Target
from cti.campaigns.uploads import Uploads
from cti.errors import DomainError, Invalid, NotFound, TooMany
from cti.schema_campaign_requests import (
    ImportColumnView,
    ImportPreviewView,
    ImportProblemView,
    ImportRequest,
    ImportRowView,
    ImportView,
)
from switch.clock import Clock

log = logging.getLogger(__name__)

_MOST_WAITING: Final = 20
_BEGUN_S: Final = 2.0
"""An answer waits so long for the import's number."""


class _Running:
    """One import that was asked for."""

    def __init__(self, view: ImportView) -> None:
        self.view = view
        self.has_begun = asyncio.Event()


class ImportJobs:
    """Imports of lists and of do-not-call lists."""

    def __init__(
        self,
        store: Outbound,
        uploads: Uploads,
        folder: Path,
        clock: Clock,
        *,
        spawn: Callable[..., object],
        imported: Callable[[CampaignName | None], None],
        agents: Collection[str],
    ) -> None:
        """`folder` takes the refused rows; `imported` is told of lists that have more now.

        `agents` are those to whom a list may give records.
        """
        self._store = store
        self._uploads = uploads
        self._folder = folder
        self._clock = clock
        self._spawn = spawn
        self._imported = imported
        self._agents = agents
        self._one = asyncio.Lock()
        self._running: list[_Running] = []
        self._failed: dict[str, ImportView] = {}

    async def preview(self, campaign: str, request: ImportRequest) -> ImportPreviewView:
        """What an import would make of the first rows."""
        file = self._uploads.path(request.upload_id)
        found = await self._store.imports.preview(
            CampaignName(campaign) if campaign else None,
            file,
            name=self._uploads.name(request.upload_id),
            mapping=mapping_of(request.mapping),
            sheet=request.sheet,
            region=request.region,
            agents=self._agents,
        )
        return _preview(found)

    async def begin(
        self, campaign: str, request: ImportRequest, by: str, *, national: bool = False
    ) -> ImportView:
        """Import a file beside the calls; gives it as far as it is. Raises the errors of `cti.errors`."""
        self._uploads.path(request.upload_id)
        mapping_of(request.mapping)
        if len(self._running) >= _MOST_WAITING:
            raise TooMany(
                "too-many-imports", "Many imports wait; try again when some are done.", 30.0
            )
        running = _Running(
            ImportView(
                import_id=0,
                campaign=campaign,
                file=self._uploads.name(request.upload_id),
                state="running",
                at=self._clock.wall(),
                by=by,
                national=national,
            )
        )
        self._running.append(running)
        self._uploads.hold(request.upload_id)
        self._spawn(self._work(running, campaign, request, by, national))
        try:
            async with asyncio.timeout(_BEGUN_S):
                await running.has_begun.wait()
        except TimeoutError:
            pass  # another one goes first, or the file is large: progress tells
        return running.view

    def running(self, campaign: str) -> list[ImportView]:
        """Those that are not over."""
        return [each.view for each in self._running if each.view.campaign == campaign]

    def failed(self, campaign: str) -> ImportView | None:
        """The last one that could not even begin."""
        return self._failed.get(campaign)

    def errors_file(self, import_id: int) -> Path:
        """The refused rows of an import. `NotFound` where there are none."""
        path = self._errors(import_id)
        if not path.is_file():
            raise NotFound("no-errors", "This import refused no rows.")
        return path

    def view(self, batch: BatchView) -> ImportView:
        """An import as it is kept."""
        errors = self._errors(batch.id)
        return ImportView(
            import_id=batch.id,
            campaign=batch.campaign or "",
            file=batch.file,
            state=batch.state.value,
            at=batch.at,
            by=batch.by,
            rows=batch.rows,
            share=1.0,
            added=batch.added,
            duplicates=batch.duplicates,
            refused=batch.refused,
            blocked=batch.blocked,
            remaining=batch.remaining,
            errors_file=str(errors) if errors.is_file() else "",
            note=batch.note,
            national=batch.is_national,
        )

    # --- inside ---------------------------------------------------------------------------------

    def _errors(self, import_id: int) -> Path:
        return self._folder / f"import-{import_id}-errors.csv"

    async def _work(
        self, running: _Running, campaign: str, request: ImportRequest, by: str, national: bool
    ) -> None:
        try:
            async with self._one:
                batch = await self._run(running, campaign, request, by, national)
            running.view = self.view(batch)
            self._failed.pop(campaign, None)
            self._uploads.drop(request.upload_id)
            self._imported(CampaignName(campaign) if campaign else None)
        except (BadRecord, StoreError, DomainError, OSError) as error:
            log.warning("import of %s failed: %s", running.view.file, error)
            running.view = _with(running.view, state="failed", note=str(error)[:500])
            self._failed[campaign] = running.view
        finally:
            running.has_begun.set()
            self._running.remove(running)
            self._uploads.release(request.upload_id)

    async def _run(
        self, running: _Running, campaign: str, request: ImportRequest, by: str, national: bool
    ) -> BatchView:
        file = self._uploads.path(request.upload_id)
        name = self._uploads.name(request.upload_id)
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        errors = self._folder / f"{file.stem}-errors.csv"

        def progress(now: Progress) -> None:
            running.view = _with(
                running.view,
                import_id=now.batch,
                rows=now.rows,
                share=now.share,
                added=now.added,
                refused=now.refused,
            )
            running.has_begun.set()

        at = self._clock.wall()
        try:
            if campaign and not national:
                return await self._store.imports.run(
                    CampaignName(campaign),
                    file,
                    by=by,
                    at=at,
                    name=name,
                    mapping=mapping_of(request.mapping),
                    sheet=request.sheet,
                    region=request.region,
                    agents=self._agents,
                    errors=errors,
                    progress=progress,
                )
            return await self._store.do_not_call.run(
                file,
                by=by,
                at=at,
                national=national,
                may_shrink=request.may_shrink,
                name=name,
                region=request.region,
                errors=errors,
                progress=progress,
            )
        finally:
            if errors.is_file() and running.view.import_id:
                errors.replace(self._errors(running.view.import_id))


def mapping_of(wanted: Mapping[str, str]) -> dict[str, Target] | None:
    """What columns are. Raises `Invalid`."""
    found = {}
    for column, target in wanted.items():
        try:
            found[column] = Target(target)
        except ValueError:
            known = ", ".join(Target)
            words = f"{target[:40]!r} is nothing that a column can be; there are {known}."
            raise Invalid("bad-mapping", words, column=column[:100]) from None
    return found or None


def _with(view: ImportView, **values: object) -> ImportView:
    return replace(view, **values)  # type: ignore[arg-type]


def _preview(found: Preview) -> ImportPreviewView:
    problems = [*found.problems, *(each for row in found.rows for each in row.problems)]
    return ImportPreviewView(
        file=found.file,
        format=found.format,
        encoding=found.encoding,
        delimiter=found.delimiter,
        sheet=found.sheet,
        columns=tuple(
            ImportColumnView(header=each.header, target=each.target.value, guessed=each.guessed)
            for each in found.columns
        ),
        rows=tuple(
            ImportRowView(
                row=each.row,
                name=each.name,
                numbers=each.numbers,
                places=each.places,
                priority=each.priority,
                facts=dict(each.facts),
            )
            for each in found.rows
        ),
        problems=tuple(
            ImportProblemView(row=each.row, code=each.code, words=each.words, fatal=each.fatal)
            for each in problems
        ),
    )
