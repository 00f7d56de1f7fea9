"""By what a call comes in on a trunk: address, name in a certificate, user name and password."""

from __future__ import annotations

import pytest

from switch.calls.events import CallRefused, IncomingLeg
from switch.sip.flow import Flow, Transport
from switch.trunks.addresses import TrunkAddresses
from switch.trunks.arrivals import TrunkSecrets
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.settings import (
    EntrySettings,
    NumberPlanSettings,
    PhoneRange,
    RegistrationSettings,
    TrunkSettings,
)
from switch.trunks.targets import Server
from switch.trunks.translation import Rule
from tests.switch.calls.bench import Bench

SECRET = TrunkCredentials(username="carrier", password="lab-carrier")


def site(trunk: TrunkSettings) -> Bench:
    return Bench(
        plan=NumberPlanSettings(
            entries=(EntrySettings(name="menu", numbers=("4000",)),),
            phones=(PhoneRange(first="1001", last="1050"),),
            trunks={trunk.name: trunk},
        )
    )


@pytest.mark.parametrize("match", [(), ("127.0.0.1",)])
def test_a_trunk_with_a_password_is_asked_for_it(match: tuple[str, ...]) -> None:
    bench = site(TrunkSettings(name="in", match=match, inbound_credentials=SECRET))
    caller = bench.stranger("carrier", ("127.0.0.1", 6900))
    caller.call("4000")
    assert caller.statuses() == [401]
    (incoming,) = bench.of(IncomingLeg)
    assert incoming.source_name == "in"


def test_a_wrong_password_or_another_name_is_refused() -> None:
    bench = site(TrunkSettings(name="in", match=("127.0.0.1",), inbound_credentials=SECRET))
    caller = bench.stranger("carrier", ("127.0.0.1", 6900))
    caller.password = "wrong"
    caller.call("4000")
    assert caller.statuses() == [401, 403]
    assert bench.of(IncomingLeg) == []
    assert [event.status for event in bench.of(CallRefused)] == [403]


def test_the_password_of_a_trunk_opens_no_phone() -> None:
    secrets = TrunkSecrets(
        [TrunkSettings(name="in", inbound_credentials=SECRET)], lambda user, algorithm: (), "r"
    )
    assert secrets.trunk_of("1001") is None
    assert secrets.lookup("1001", "MD5") == ()
    assert len(secrets.lookup("carrier", "SHA-256")[0]) == 64


def test_a_certificate_goes_before_the_address_and_a_registrar_is_known_by_its_own() -> None:
    by_name = TrunkSettings(name="name", certificates=("sbc.example.com",))
    by_address = TrunkSettings(name="address", match=("192.0.2.1",))
    registering = TrunkSettings(
        name="registering",
        registration=RegistrationSettings(registrars=(Server.parse("sip:192.0.2.9"),)),
    )
    names = {7: ("other.example.com", "sbc.example.com")}
    found = TrunkAddresses(
        (by_name, by_address, registering), peer_names=lambda number: names.get(number, ())
    )
    local = ("192.0.2.200", 5061)
    assert found.of_flow(Flow(Transport.TLS, ("192.0.2.1", 9), local, 7)) is by_name
    assert found.of_flow(Flow(Transport.TLS, ("192.0.2.1", 9), local, 8)) is by_address
    assert found.of_flow(Flow(Transport.UDP, ("192.0.2.9", 9), local)) is registering
    assert found.of_flow(Flow(Transport.UDP, ("192.0.2.7", 9), local)) is None


def test_a_registrar_whose_certificate_is_wanted_is_not_known_by_its_address() -> None:
    registration = RegistrationSettings(registrars=(Server.parse("sip:192.0.2.9"),))
    trunk = TrunkSettings(name="in", certificates=("sbc.example.com",), registration=registration)
    found = TrunkAddresses((trunk,), peer_names=lambda number: ("sbc.example.com",))
    local = ("192.0.2.200", 5061)
    assert found.of_flow(Flow(Transport.UDP, ("192.0.2.9", 5060), local)) is None
    assert found.of_flow(Flow(Transport.TLS, ("192.0.2.9", 9), local, 7)) is trunk


def test_rules_of_a_trunk_change_the_numbers_that_come_in() -> None:
    trunk = TrunkSettings(
        name="in",
        match=("127.0.0.1",),
        rules_in=(Rule(prefix="77", put=""),),
        caller_rules_in=(Rule(prefix="0", put="+44"),),
    )
    bench = site(trunk)
    bench.stranger("02079460123", ("127.0.0.1", 6900)).call("774000")
    (incoming,) = bench.of(IncomingLeg)
    assert (incoming.called, incoming.caller_number) == ("4000", "+442079460123")
