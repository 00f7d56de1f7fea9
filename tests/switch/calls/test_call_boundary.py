"""A fault anywhere in the handling of one call ends that call, and only that."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from switch.calls.causes import INTERNAL_ERROR
from switch.calls.events import CallEvent, IncomingLeg, LegAnswered, LegEnded, LegStarted
from switch.calls.invariants import check_invariants
from switch.gateway.protocol import AddLeg, Command, ConfigureLeg, RemoveLeg, SetGains
from tests.switch.calls.bench import Bench


@pytest.mark.parametrize("kind", [AddLeg, ConfigureLeg, SetGains, RemoveLeg])
def test_a_gateway_client_that_fails_once_costs_one_call(
    kind: type[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bystander = bench.stranger("caller")
    bystander.call("4000")
    bench.calls.answer(bench.of(IncomingLeg)[0].leg)
    bench.pump()

    send = bench.gateway.send
    failures = [1]

    def fail_once(command: Command) -> None:
        if isinstance(command, kind) and failures:
            failures.pop()
            send(command)  # obeyed all the same: the fault comes after it
            raise RuntimeError("fault of the client")
        send(command)

    monkeypatch.setattr(bench.gateway, "send", fail_once)
    ann.call("1002")
    if not bob.is_idle:
        bob.answer()
    if not ann.is_idle:
        ann.hang_up()
    bench.pump()
    assert failures == []
    assert bench.calls.faults == 1
    assert ann.is_idle
    assert bob.is_idle
    assert [view.number for view in bench.calls.describe()] == ["caller"]
    assert not bystander.is_idle
    assert list(bench.gateway.legs) == [bench.of(IncomingLeg)[0].leg]


@pytest.mark.parametrize("kind", [LegStarted, IncomingLeg, LegAnswered, LegEnded])
def test_an_application_that_fails_at_an_event_costs_the_call_of_that_event(
    kind: type[CallEvent],
) -> None:
    bench = Bench()
    caller, other = bench.stranger("caller"), bench.stranger("other", ("127.0.0.1", 6901))
    other.call("4000")
    survivor = bench.of(IncomingLeg)[0]

    def fail(event: CallEvent) -> None:
        if isinstance(event, kind):
            bench.react = lambda _: None
            raise RuntimeError("fault of the application")
        if isinstance(event, IncomingLeg):
            bench.calls.answer(event.leg)
        if isinstance(event, LegAnswered):
            caller.hang_up()

    bench.react = fail
    caller.call("4000")
    bench.pump()
    assert bench.calls.faults == 1
    assert caller.is_idle
    assert [view.leg for view in bench.calls.describe()] == [survivor.leg]
    causes = list(bench.ends().values())
    assert len(causes) == 1
    told = 0 if kind is LegAnswered else 500  # who waits for an answer gets that one
    assert kind is LegEnded or causes == [replace(INTERNAL_ERROR, status=told)]
    check_invariants(bench.calls)
