"""A queue with music of its own, made of an audio file that the site brought along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.kit.hearing import HEARD, UNHEARD, listen
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow]

_OWN_HZ = 1500.0
_RATE = 22_050


def site(folder: Path) -> Path:
    """The lab, whose queue `sales` has a tone for music."""
    music = folder / "prompts" / "music" / "sales"
    music.mkdir(parents=True)
    at = np.arange(3 * _RATE) / _RATE
    soundfile.write(music / "1-tone.flac", 0.3 * np.sin(2 * np.pi * _OWN_HZ * at), _RATE)
    text = (ROOT / "config" / "lab.toml").read_text()
    assert 'name = "sales"\n' in text
    text = text.replace('name = "sales"\n', 'name = "sales"\nmusic = "music/sales"\n', 1)
    text = text.replace("[site]\n", f'[site]\nprompts = "{folder / "prompts"}"\n', 1)
    path = folder / "lab.toml"
    path.write_text(text)
    return path


async def test_who_waits_hears_the_music_of_the_queue_also_after_a_restart(tmp_path: Path) -> None:
    async with (
        Lab(tmp_path, config=site(tmp_path)) as lab,
        Phone("baresip", number="+12025550103") as caller,
        Phone("pjsua2", number="+12025550104") as other,
    ):
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        elsewhere = await other.call(f"sip:4100@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        await other.established(elsewhere)

        async def is_heard() -> bool:
            return tone_levels(await listen(caller, call), [_OWN_HZ])[0] > HEARD

        await lab.until(is_heard, message="the music of the queue is not heard")
        assert tone_levels(await listen(other, elsewhere), [_OWN_HZ])[0] < UNHEARD
        await lab.restart()
        # After ten seconds of waiting the place in line is told in between.
        await lab.until(is_heard, message="the music did not go on")
        await caller.hang_up(call)
        await other.hang_up(elsewhere)
        await lab.is_quiet()
