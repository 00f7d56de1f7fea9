"""The timer behind registrations and OPTIONS goes on, whatever fails at one trunk."""

from __future__ import annotations

from itertools import count

import pytest

from switch.sip.client_digest import ClientCredentials
from switch.sip.events import RequestAnswered, TransactionId
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.trunks.health import HealthSettings
from switch.trunks.limits import TrunkLimits
from switch.trunks.probes import Probes
from switch.trunks.registrations import Registrations
from switch.trunks.settings import RegistrationSettings, TrunkSettings
from switch.trunks.targets import AddressesOnly, Server
from switch.trunks.trunks import Trunks
from switch.trunks.upkeep import Upkeep
from tests.kit.virtual_clock import VirtualClock

LOCAL = ("192.0.2.1", 5060)


class Wire:
    """Takes requests; those to some address fail for a while."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.sent: list[tuple[str, str]] = []

    def send_request(
        self,
        request: Request,
        flow: Flow,
        now: float,
        *,
        credentials: ClientCredentials | None = None,
    ) -> TransactionId:
        if flow.remote[0] in self.failing:
            raise RuntimeError("a fault")
        self.sent.append((request.method, flow.remote[0]))
        return TransactionId(f"t{len(self.sent)}")


def trunk(name: str, host: str) -> TrunkSettings:
    server = Server.parse(f"sip:{host}")
    return TrunkSettings(
        name=name,
        proxy_host=host,
        registration=RegistrationSettings(registrars=(server,), expires_s=600),
        health=HealthSettings(probe_s=30.0),
    )


def upkeep_over(wire: Wire, clock: VirtualClock) -> Upkeep:
    """That of two trunks."""
    trunks = {each.name: each for each in (trunk("a", "192.0.2.10"), trunk("b", "192.0.2.20"))}
    tokens = count(1)
    addresses = AddressesOnly()
    registrations = Registrations(
        trunks,
        requests=wire,
        addresses=addresses,
        contact=lambda flow: "sip:switchroom@192.0.2.1:5060",
        local=LOCAL,
        new_token=lambda: f"tok{next(tokens)}",
        draw=lambda: 0.5,
    )
    limits = TrunkLimits(trunks, {})
    probes = Probes(
        Trunks(trunks, {}, limits=limits, addresses=addresses, draw=lambda: 0.5),
        requests=wire,
        local=LOCAL,
        host="192.0.2.1",
        new_token=lambda: f"tok{next(tokens)}",
        draw=lambda: 0.5,
    )
    return Upkeep(registrations, probes, clock=clock, flush=lambda: None)


def test_a_fault_at_one_trunk_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    wire, clock = Wire(), VirtualClock()
    upkeep = upkeep_over(wire, clock)
    wire.failing.add("192.0.2.10")
    upkeep.start()
    clock.run_until(clock.now() + 40.0)
    assert set(wire.sent) == {("REGISTER", "192.0.2.20"), ("OPTIONS", "192.0.2.20")}
    assert "a fault" in caplog.text
    assert "a fault" in next(iter(upkeep.registrations)).last_failure

    wire.failing.clear()
    clock.run_until(clock.now() + 120.0)
    assert {("REGISTER", "192.0.2.10"), ("OPTIONS", "192.0.2.10")} <= set(wire.sent)


def test_a_carrier_that_cannot_be_told_keeps_nobody_from_leaving(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire, clock = Wire(), VirtualClock()
    upkeep = upkeep_over(wire, clock)
    upkeep.start()
    clock.run_until(clock.now() + 1.0)
    for number, (method, _) in enumerate(wire.sent, 1):
        if method == "REGISTER":
            answered = RequestAnswered(
                transaction=TransactionId(f"t{number}"),
                status=200,
                reason="OK",
                response=Response(200, "OK", Headers([("Expires", "600")])),
                seq=1,
            )
            assert upkeep.answered(answered, clock.now())
    wire.sent.clear()
    wire.failing.add("192.0.2.10")
    upkeep.leave()
    assert wire.sent == [("REGISTER", "192.0.2.20")]
    assert "cannot tell" in caplog.text
    clock.run_until(clock.now() + 700.0)
    assert len(wire.sent) == 1, "nobody is registered or asked any more"
