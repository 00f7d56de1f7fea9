"""What an earlier process left must never keep the next one from starting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cti.api.ports import Account
from cti.app import Node
from cti.journal_records import VERSION, Kind
from cti.paths import shipped
from cti.schema import Role
from cti.settings import Settings, load
from cti.takeover import FILE, TakeOver
from switch.calls.adoption import Adoption
from switch.guard.offences import Offence
from switch.journal.format import Header
from switch.journal.writer import Journal
from tests.kit.ports import free_port, rtp_ports

BAD, LIFTED, FORGED = "198.51.100.7", "198.51.100.8", "198.51.100.9"


def lab(folder: Path) -> Settings:
    replace = msgspec.structs.replace
    settings = load(shipped("lab.toml"))
    return replace(
        settings,
        data=replace(settings.data, folder=str(folder)),
        media=replace(settings.media, ports=rtp_ports()),
        sip=replace(settings.sip, port=free_port(), tls_port=0, ws_port=0, wss_port=0),
        api=replace(settings.api, port=free_port()),
    )


@pytest.mark.parametrize("step", ["restore", "resume"])
async def test_a_journal_that_makes_the_start_fail_is_put_aside(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    def fails(takeover: TakeOver) -> None:
        raise RuntimeError("a fault while calls are taken up")

    with monkeypatch.context() as patched:
        patched.setattr(TakeOver, step, fails)
        with pytest.raises(ExceptionGroup):
            await Node(lab(tmp_path)).serve()
    assert not (tmp_path / FILE).exists()
    assert (tmp_path / "calls.unusable").exists()
    (said,) = [each for each in caplog.records if "cannot be taken up" in each.getMessage()]
    assert said.exc_info is not None

    async with serving(lab(tmp_path)):
        pass


async def test_records_of_another_version_that_cannot_be_made_out_end_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise IndexError("a record that looks like ours and is not")

    journal = Journal(tmp_path / FILE, Header(VERSION - 1, "boot", 0.0))
    journal.begin({})
    journal.put(Kind.LEG, "a", ["of", "another", "shape"])
    journal.close()
    with monkeypatch.context() as patched:
        patched.setattr(Adoption, "restore", fails)
        async with serving(lab(tmp_path)):
            pass
    assert "could not all be made out" in caplog.text
    assert (tmp_path / FILE).exists()


async def test_who_was_banned_stays_out_for_the_rest_of_the_time(tmp_path: Path) -> None:
    async with serving(lab(tmp_path)) as node:
        guard, now = node._switching.guard, node._clock.now()
        for host, offence, when in (  # apart, since the list is in the order of their times
            (FORGED, Offence.MALFORMED, now - 1.0),
            (BAD, Offence.WRONG_PASSWORD, now - 0.5),
            (LIFTED, Offence.WRONG_PASSWORD, now),
        ):
            while not guard.is_banned(host, when):
                guard.offend(host, offence, when)
        node._bans.lift(LIFTED, Account(login="admin", name="", role=Role.ADMINISTRATOR))
        before = node._bans.list()
        assert [(ban.source, ban.datagrams_only) for ban in before] == [
            (FORGED, True),
            (BAD, False),
        ]
    async with serving(lab(tmp_path)) as node:
        after = node._bans.list()
        for old, new in zip(before, after, strict=True):
            assert (new.source, new.datagrams_only) == (old.source, old.datagrams_only)
            assert (new.reason, new.times) == (old.reason, old.times)
            assert new.until == pytest.approx(old.until, abs=0.5)
        assert node._switching.guard.is_banned(BAD, node._clock.now())


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Node]:
    """A server in this process, from ready to stopped."""
    node = Node(settings)
    served = asyncio.create_task(node.serve())
    ready = asyncio.create_task(node.wait_ready())
    await asyncio.wait((served, ready), return_when=asyncio.FIRST_COMPLETED)
    assert ready.done()
    yield node
    node.stop()
    await served
