"""Going on over a restart, put together: the journal, and what an earlier process left in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path

from cti.bans import Bans
from cti.bus import Bus
from cti.centre import Centre
from cti.history import HistoryProjection
from cti.journal import CallJournal
from cti.recording_paths import RecordingPaths
from cti.switching import Switching
from cti.takeover import FILE, TakeOver, make_times, read_journal
from switch.clock import Clock
from switch.journal.times import boot_id
from switch.journal.writer import Journal

log = logging.getLogger(__name__)


class Continuity:
    """Reads and takes up the journal when it is made; keeps it from then on.

    To be made when everything of the node is, and before anything of it runs.
    """

    def __init__(
        self,
        *,
        data: Path,
        clock: Clock,
        bus: Bus,
        switching: Switching,
        centre: Centre,
        history: HistoryProjection,
        recording_paths: RecordingPaths,
        bans: Bans,
    ) -> None:
        reading = read_journal(data / FILE)
        times, header = make_times(reading, clock.now(), clock.wall(), boot_id())
        self._clock = clock
        self._switching = switching
        self.journal = CallJournal(
            journal=Journal(data / FILE, header),
            times=times,
            legs=switching.calls.adoption,
            contacts=centre.contacts,
            adoption=centre.adoption,
            call_backs=centre.call_backs,
            attempts=centre.campaigns.dialer.adoption,
            translator=centre.translator,
            location=switching.location,
            presence=switching.presence,
            secrets=switching.credentials,
            wake=switching.pump.schedule_flush,
            clock=clock,
        )
        self._takeover = TakeOver(
            reading,
            times=times,
            switching=switching,
            acd=centre.acd,
            contacts=centre.contacts,
            adoption=centre.adoption,
            call_backs=centre.call_backs,
            dialer=centre.campaigns.dialer,
            bans=bans,
            floor=centre.floor,
            translator=centre.translator,
            pops=centre.pops,
            history=history,
            recording_paths=recording_paths,
            journal=self.journal,
            agents=centre.agent_of,
            today=self._today(),
            now=clock.now,
        )
        self._file = data / FILE
        self.journal.file.begin(reading.entries)
        bus.listen(self.journal.on_event)
        with self._kept_from_the_next():
            self._takeover.restore()
        switching.at_turn_end = self.journal.commit

    @property
    def has_calls(self) -> bool:
        """Whether calls were taken up: nobody may be heard before the gateway is there."""
        return self._takeover.is_needed

    @property
    def desks(self) -> tuple[str, ...]:
        """The agents whose desks may come back."""
        return self._takeover.desks

    def resume(self) -> None:
        """Let everybody go on; the gateway is there and the sockets are open."""
        with self._kept_from_the_next():
            self._takeover.resume()
        self._switching.pump.release()

    def new_day(self) -> None:
        """The day's figures begin anew."""
        self.journal.new_day(self._today().isoformat())

    async def close(self, *, taken_up: bool) -> None:
        """Write the last; unless `taken_up`, the journal stays as it was found, for the next start."""
        if taken_up:
            self.journal.close()
        else:
            self.journal.abandon()

    @contextmanager
    def _kept_from_the_next(self) -> Iterator[None]:
        """A journal that cannot be taken up ends one start, not every start from now on."""
        try:
            yield
        except Exception:
            aside = self._file.with_suffix(".unusable")
            with suppress(OSError):
                self._file.replace(aside)
            log.exception(
                "%s cannot be taken up and is put aside as %s: start again, without its calls,"
                " and report the fault with that file",
                self._file,
                aside,
            )
            raise

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.wall()).astimezone().date()
