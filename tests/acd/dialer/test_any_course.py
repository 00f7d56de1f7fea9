"""Anything may happen to a campaign, in any order: nothing is lost, nobody is left over."""

from __future__ import annotations

import contextlib
import random

import pytest

from acd.dialer.errors import NoPreviewError, NotThatStateError
from acd.dialer.model import Mode
from acd.dialer.settings import Limits
from acd.errors import NotSignedOnError
from acd.inputs import SetReady
from tests.acd.dialer.outbound import BUSY, SPRING, Outbound
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB

MODES = (Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.PREVIEW, Mode.ANNOUNCEMENT)
STEPS = 150


def _on_a_leg(centre: Outbound, leg: Leg, draw: random.Random) -> None:
    """What a far end may do."""
    what = draw.random()
    if leg.outbound and not leg.answered:
        if what < 0.3:
            centre.switch.ringing(leg)
        elif what < 0.75:
            centre.switch.confirm(leg)
        else:
            centre.switch.end(leg, BUSY)
    elif what < 0.5:
        centre.switch.end(leg)
    elif what < 0.7:
        centre.switch.digit(leg, draw.choice("129"))
    elif what < 0.85:
        centre.switch.play_out(leg)
    elif leg.phone and leg.answered:
        centre.switch.press_hold(leg)


def _on_the_centre(centre: Outbound, draw: random.Random) -> None:
    """What people, phones and machines may do."""
    agent = draw.choice([ANN, BOB])
    match draw.choice(("call", "agent", "phone", "restart", "gateway", "supply", "move", "ready")):
        case "call":
            centre.call()
        case "agent":
            with contextlib.suppress(NoPreviewError):
                draw.choice((centre.dialer.dial, centre.dialer.skip))(agent)
        case "phone":
            centre.switch.phone(agent, reachable=draw.random() < 0.7)
        case "restart":
            settings = centre.dialer.settings(SPRING)
            centre.restart()
            if SPRING not in centre.dialer.names():  # it was paused: the store brings it
                centre.dialer.load(settings)
        case "gateway":
            centre.switch.lose_gateway()
            centre.advance(0.5)
            centre.switch.bring_gateway()
        case "supply":
            centre.supply(5)
        case "move":
            with contextlib.suppress(NotThatStateError):
                draw.choice((centre.dialer.pause, centre.dialer.start))(SPRING)
        case "ready":
            with contextlib.suppress(NotSignedOnError):
                centre.distribution.tell(SetReady(agent=agent))
    centre.settle()


def _end(centre: Outbound) -> None:
    """The server stops, and everybody hangs up."""
    centre.dialer.close()
    centre.settle()
    for seconds in (3700.0, 100.0):
        for leg in tuple(centre.switch.legs.values()):
            if leg.id in centre.switch.legs:
                centre.switch.end(leg)
        centre.advance(seconds)


@pytest.mark.parametrize("seed", range(8))
def test_every_record_comes_to_something_and_nothing_is_left(seed: int) -> None:
    draw = random.Random(seed)
    centre = Outbound()
    centre.phones(ANN, BOB)
    mode = MODES[seed % len(MODES)]
    if mode is Mode.PREVIEW:
        for agent in (ANN, BOB):
            centre.desk(agent)
    centre.campaign(
        mode=mode,
        records=30,
        flow="menu" if mode is Mode.ANNOUNCEMENT else "",
        limits=Limits(calls=4, calls_per_s=5.0),
        preview_dials_itself=draw.random() < 0.5,
    )
    for _ in range(STEPS):
        legs = list(centre.switch.legs.values())
        if legs and draw.random() < 0.7:
            _on_a_leg(centre, draw.choice(legs), draw)
        else:
            _on_the_centre(centre, draw)
        centre.advance(draw.choice([0.0, 0.3, 1.0, 3.0]))
    _end(centre)
    assert len(centre.dialer) == 0
    assert not centre.customers()
    attempted = {attempt.record for attempt in centre.attempts}
    returned = {record for record, _ in centre.released}
    assert attempted
    lost = {f"r{n + 1}" for n in range(centre.supplied)} - attempted - returned
    assert not lost - centre.forgotten, "a record was neither dialled nor given back"
