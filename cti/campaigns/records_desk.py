"""What is kept of campaigns, for people; satisfies `cti.api.campaign_ports.CampaignRecords`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from acd.dialer.model import CampaignName, Outcome, RecordId, RecordState
from crm_store.outbound.misjudging import Misjudged
from crm_store.outbound.outbound import Outbound
from crm_store.outbound.views import AttemptView as StoredAttempt
from crm_store.outbound.views import DoNotCallEntry
from crm_store.outbound.views import RecordView as StoredRecord
from cti.api.ports import Account
from cti.campaigns.errors import answering
from cti.campaigns.imports import ImportJobs
from cti.campaigns.uploads import Uploads
from cti.errors import Invalid, NotFound
from cti.schema_campaign_requests import (
    ForbiddenView,
    ForbidRequest,
    ImportPreviewView,
    ImportRequest,
    ImportView,
    RecycleRequest,
    UndoneView,
    UploadView,
)
from cti.schema_campaigns import AttemptView, CampaignRecordView, RecordNumberView
from switch.clock import Clock

log = logging.getLogger(__name__)

_MOST_NUMBERS: Final = 1000
_MOST_ROWS: Final = 1000
_PAGE: Final = 500
_MOST_WORDS: Final = 100


class RecordsDesk:
    """Records, attempts, imports, do-not-call lists."""

    def __init__(
        self,
        store: Outbound,
        *,
        uploads: Uploads,
        jobs: ImportJobs,
        clock: Clock,
        known: Callable[[str], bool],
        lists_changed: Callable[[CampaignName | None], None],
        misjudged: Callable[[CampaignName, Misjudged], None],
    ) -> None:
        """`known` tells of campaigns that dial, `lists_changed` is told of lists that are others now.

        `misjudged` is told of each person who was taken for a machine.
        """
        self._store = store
        self._uploads = uploads
        self._jobs = jobs
        self._clock = clock
        self._is_known = known
        self._lists_changed = lists_changed
        self._misjudged = misjudged

    async def records(
        self, name: str, *, state: str, outcome: str, number: str, after: str, limit: int
    ) -> tuple[CampaignRecordView, ...]:
        """A page of a list, as imported. `Invalid` for a state or outcome that there is not."""
        self._must_be_known(name)
        async with answering():
            found = await self._store.records.page(
                CampaignName(name),
                state=_state(state) if state else None,
                outcome=_outcome(outcome) if outcome else None,
                number=number,
                after=RecordId(after) if after else None,
                limit=max(1, min(limit, _MOST_ROWS)),
            )
        return tuple(map(_record, found))

    async def attempts(
        self, name: str, *, since: float | None, until: float | None, outcome: str, limit: int
    ) -> tuple[AttemptView, ...]:
        """Attempts, newest first. `Invalid` for an outcome that there is not."""
        wanted = _outcome(outcome) if outcome else None
        async with answering():
            found = await self._store.records.attempts(
                campaign=CampaignName(name) if name else None,
                outcome=wanted,
                since=since,
                until=until,
                limit=max(1, min(limit, _MOST_ROWS)),
            )
        return tuple(map(_attempt, found))

    async def export(
        self,
        name: str,
        *,
        number: str,
        outcome: str,
        since: float | None,
        until: float | None,
        with_judged: bool,
    ) -> AsyncIterator[bytes]:
        """Who was called when and why it was allowed, as CSV in pieces, oldest first.

        The first piece is read here: a store that is away is told, not sent as an empty file. `NotFound`
        for a campaign that is not there and has no attempts either: those of one that was deleted stay.
        `Invalid` for an outcome that there is not.
        """
        wanted = _outcome(outcome) if outcome else None
        if name and not self._is_known(name):
            async with answering():
                once = await self._store.records.attempts(campaign=CampaignName(name), limit=1)
            if not once:
                raise NotFound("no-such-campaign", f"There is no campaign {name[:63]}.")
        pieces = aiter(
            self._store.records.export(
                campaign=CampaignName(name) if name else None,
                number=number,
                outcome=wanted,
                since=since,
                until=until,
                with_judged=with_judged,
            )
        )
        async with answering():
            first = await anext(pieces, b"")

        async def all_of_it() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        return all_of_it()

    # --- imports --------------------------------------------------------------------------------

    def upload(self, name: str, actor: Account) -> tuple[str, Path]:
        """An id and a path for a file that is sent."""
        return self._uploads.new(name)

    def uploaded(self, upload_id: str, size: int) -> UploadView:
        """It is there."""
        return self._uploads.view(upload_id, size)

    async def preview(self, campaign: str, request: ImportRequest) -> ImportPreviewView:
        """What an import would make of the first rows. Nothing is kept."""
        self._must_be_known(campaign)
        async with answering():
            return await self._jobs.preview(campaign, request)

    async def begin_import(
        self, campaign: str, request: ImportRequest, actor: Account, *, national: bool = False
    ) -> ImportView:
        """Import a file, beside the calls."""
        self._must_be_known(campaign)
        view = await self._jobs.begin(campaign, request, actor.login, national=national)
        log.info(
            "%s imports %s into %s", actor.login, view.file, campaign or "the do-not-call list"
        )
        return view

    async def imports(self, campaign: str) -> tuple[ImportView, ...]:
        """All of a campaign, newest first; those that run say how far they are."""
        self._must_be_known(campaign)
        running = self._jobs.running(campaign)
        failed = self._jobs.failed(campaign)
        async with answering():
            kept = await self._store.imports.batches(CampaignName(campaign) if campaign else None)
        if not campaign:
            kept = [each for each in kept if each.campaign is None]
        done = [self._jobs.view(each) for each in kept]
        under_way = {each.import_id for each in running}
        done = [each for each in done if each.import_id not in under_way]
        if failed is not None and failed.import_id not in {each.import_id for each in done}:
            done = sorted((*done, failed), key=lambda each: -each.at)
        return (*running, *done)

    async def errors_file(self, campaign: str, import_id: int) -> Path:
        """The refused rows of an import."""
        await self._batch(campaign, import_id)
        return self._jobs.errors_file(import_id)

    async def undo_import(self, campaign: str, import_id: int, actor: Account) -> UndoneView:
        """Take an import back, as far as nobody of it was dialled."""
        await self._batch(campaign, import_id)
        async with answering(120.0):
            done = await self._store.imports.undo(import_id, at=self._clock.wall(), by=actor.login)
        log.info("%s took import %d back: %d records", actor.login, import_id, done.removed)
        self._lists_changed(CampaignName(campaign) if campaign else None)
        return UndoneView(
            import_id=done.batch, removed=done.removed, remained=done.remained, words=done.why
        )

    async def recycle(self, campaign: str, request: RecycleRequest, actor: Account) -> int:
        """Dial records again that are done; gives how many."""
        self._must_be_known(campaign)
        async with answering(120.0):
            found = await self._store.records.recycle(
                CampaignName(campaign),
                outcomes=[_outcome(each) for each in request.outcomes[:_MOST_WORDS]],
                dispositions=request.dispositions[:_MOST_WORDS],
                fresh=request.fresh,
                at=self._clock.wall(),
                by=actor.login,
                dry=request.dry,
            )
        if not request.dry:
            log.info("%s recycles %d records of %s", actor.login, found, campaign)
            self._lists_changed(CampaignName(campaign))
        return found

    async def misjudged(self, campaign: str, attempt: str, actor: Account) -> int:
        """A person answered what ended as a machine's; gives how many are new as such: 1 or 0."""
        self._must_be_known(campaign)
        name, now = CampaignName(campaign), self._clock.wall()
        async with answering():
            found = await self._store.records.misjudged(name, attempt, at=now, by=actor.login)
        if found is None:
            return 0
        log.info("%s: attempt %s of %s was a person's", actor.login, attempt, campaign)
        self._misjudged(name, found)
        self._lists_changed(name)
        return 1

    # --- who must not be called -----------------------------------------------------------------

    async def forbid(self, request: ForbidRequest, actor: Account) -> int:
        """Put numbers on a do-not-call list; gives how many are new."""
        self._check_numbers(request)
        async with answering():
            added = await self._store.do_not_call.add(
                request.numbers,
                campaign=CampaignName(request.campaign) if request.campaign else None,
                reason=request.reason[:200],
                source=actor.role.value,
                by=actor.login,
                at=self._clock.wall(),
                until=request.until,
            )
        where = request.campaign or "the centre"
        log.info("%s forbids %d numbers for %s", actor.login, added, where)
        self._lists_changed(CampaignName(request.campaign) if request.campaign else None)
        return added

    async def allow(self, request: ForbidRequest, actor: Account) -> int:
        """Take numbers off a list; gives how many were on it."""
        self._check_numbers(request)
        campaign = CampaignName(request.campaign) if request.campaign else None
        gone = 0
        async with answering():
            for number in request.numbers:
                gone += await self._store.do_not_call.remove(
                    number, campaign=campaign, by=actor.login, at=self._clock.wall()
                )
        log.info("%s allows %d numbers for %s", actor.login, gone, campaign or "the centre")
        self._lists_changed(campaign)
        return gone

    async def forbidden(
        self,
        number: str,
        campaign: str,
        after: str,
        *,
        removed: bool = False,
        national: bool = False,
    ) -> tuple[ForbiddenView, ...]:
        """Entries for a number, or a page of a list; `removed`: what was taken off for a number."""
        self._must_be_known(campaign)
        async with answering():
            if number and removed:
                gone = await self._store.do_not_call.removed(number)
                return tuple(
                    replace(_forbidden(each.entry), removed_at=each.at, removed_by=each.by)
                    for each in gone
                )
            if number:
                found = await self._store.do_not_call.find(number, self._clock.wall())
            else:
                found = await self._store.do_not_call.page(
                    campaign=CampaignName(campaign) if campaign else None,
                    national=national,
                    after=after,
                    limit=_PAGE,
                )
        return tuple(map(_forbidden, found))

    # --- inside ---------------------------------------------------------------------------------

    def _check_numbers(self, request: ForbidRequest) -> None:
        if not 0 < len(request.numbers) <= _MOST_NUMBERS:
            raise Invalid(
                "bad-numbers", f"Give 1 to {_MOST_NUMBERS} numbers; import a file of more."
            )
        if any(not 0 < len(number) <= 64 for number in request.numbers):
            raise Invalid("bad-numbers", "A number has 1 to 64 characters.")
        if request.campaign:
            self._must_be_known(request.campaign)

    def _must_be_known(self, campaign: str) -> None:
        if campaign and not self._is_known(campaign):
            raise NotFound("no-such-campaign", f"There is no campaign {campaign[:63]}.")

    async def _batch(self, campaign: str, import_id: int) -> None:
        self._must_be_known(campaign)
        async with answering():
            kept = await self._store.imports.batches(CampaignName(campaign) if campaign else None)
        if all(each.id != import_id or (each.campaign or "") != campaign for each in kept):
            raise NotFound("no-such-import", f"There is no import {import_id} here.")


def _outcome(word: str) -> Outcome:
    try:
        return Outcome(word)
    except ValueError:
        known = ", ".join(Outcome)
        raise Invalid("bad-outcome", f"There is no outcome {word[:40]}: {known}.") from None


def _state(word: str) -> RecordState:
    try:
        return RecordState(word)
    except ValueError:
        known = ", ".join(RecordState)
        raise Invalid("bad-state", f"There is no state {word[:40]}: {known}.") from None


def _record(kept: StoredRecord) -> CampaignRecordView:
    return CampaignRecordView(
        record_id=kept.id,
        name=kept.name,
        customer_id=kept.customer_id,
        numbers=tuple(
            RecordNumberView(
                number=each.number, regions=each.region, zones=each.zones, dead=each.dead
            )
            for each in kept.numbers
        ),
        position=kept.position,
        state=kept.state.value,
        stage=kept.stage,
        attempts=kept.attempts,
        priority=kept.priority,
        facts=dict(kept.facts),
        due_at=kept.due_at,
        last_outcome=kept.last_outcome,
        last_disposition=kept.last_disposition,
        last_at=kept.last_at,
        agent_id=kept.call_back_agent,
    )


def _attempt(kept: StoredAttempt) -> AttemptView:
    return AttemptView(
        attempt_id=kept.id,
        campaign=kept.campaign,
        record_id=kept.record,
        number=kept.number,
        caller_id=kept.caller_id,
        mode=kept.mode,
        outcome=kept.outcome,
        abandoned=kept.is_abandoned,
        dialled_at=kept.dialled_at,
        ended_at=kept.ended_at,
        rang_at=kept.rang_at,
        answered_at=kept.answered_at,
        greeting_ended_at=kept.greeting_ended_at,
        message_began_at=kept.message_began_at,
        connected_at=kept.connected_at,
        agent_id=kept.agent,
        trunk=kept.trunk,
        sip_status=kept.sip_status,
        reason=kept.reason,
        disposition=kept.disposition,
        why=kept.why,
        judged=kept.judged,
        decision=kept.decision,
        clicked_by=kept.clicked_by,
        clicked_at=kept.clicked_at,
    )


def _forbidden(entry: DoNotCallEntry) -> ForbiddenView:
    return ForbiddenView(
        number=entry.number,
        scope=entry.scope.value,
        campaign=entry.campaign or "",
        reason=entry.reason,
        source=entry.source,
        by=entry.by,
        added_at=entry.added_at,
        until=entry.until,
    )
