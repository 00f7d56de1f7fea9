"""Which servers stand behind a name: RFC 3263 with a DNS of the test, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest

from switch.sip.flow import Transport
from switch.transport.locating import (
    Answer,
    Entry,
    Naptr,
    RecordType,
    Srv,
    Target,
    Wanted,
    in_order,
    locate,
)

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
NAPTR, SRV, A, AAAA = RecordType
Zone = Mapping[tuple[str, RecordType], Answer]

CARRIER: Zone = {
    ("example.com", NAPTR): (
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com."),
        Naptr(50, 10, "s", "SIP+D2S", "_sip._sctp.example.com."),
        Naptr(10, 10, "u", "E2U+sip", ""),
    ),
    ("_sips._tcp.example.com", SRV): (
        Srv(1, 1, 5061, "b.example.com."),
        Srv(0, 1, 5061, "a.example.com."),
    ),
    ("_sip._udp.example.com", SRV): (Srv(0, 0, 5070, "a.example.com."),),
    ("a.example.com", A): ("192.0.2.1", "192.0.2.2"),
    ("b.example.com", A): ("192.0.2.3",),
    ("b.example.com", AAAA): ("2001:db8::3",),
    ("plain.example.com", A): ("192.0.2.9",),
    ("_sip._udp.none.example.com", SRV): (Srv(0, 0, 5060, "."),),
}


def find(wanted: Wanted, *, ipv6: bool = False, zone: Zone = CARRIER) -> tuple[Entry, ...]:
    steps = locate(wanted, ipv6=ipv6)
    try:
        question = next(steps)
        while True:
            question = steps.send(zone.get((question.name, question.type), ()))
    except StopIteration as done:
        entries: tuple[Entry, ...] = done.value
        return entries


def targets(wanted: Wanted, *, ipv6: bool = False) -> list[Target]:
    return in_order(find(wanted, ipv6=ipv6), lambda: 0.0)


def test_naptr_chooses_the_transport_and_priority_the_server() -> None:
    assert targets(Wanted("example.com")) == [
        Target(TLS, ("192.0.2.1", 5061)),
        Target(TLS, ("192.0.2.2", 5061)),
        Target(TLS, ("192.0.2.3", 5061)),
    ]


def test_ipv6_goes_first_where_we_have_it() -> None:
    found = targets(Wanted("example.com"), ipv6=True)
    assert found[2:] == [Target(TLS, ("2001:db8::3", 5061)), Target(TLS, ("192.0.2.3", 5061))]


def test_a_transport_that_is_given_needs_no_naptr() -> None:
    assert targets(Wanted("Example.com.", transport=UDP))[0] == Target(UDP, ("192.0.2.1", 5070))
    assert targets(Wanted("plain.example.com", transport=TCP)) == [Target(TCP, ("192.0.2.9", 5060))]


def test_a_port_that_is_given_needs_no_srv() -> None:
    assert targets(Wanted("a.example.com", port=5099)) == [
        Target(UDP, ("192.0.2.1", 5099)),
        Target(UDP, ("192.0.2.2", 5099)),
    ]


def test_a_name_with_an_address_alone_means_udp_or_tls() -> None:
    assert targets(Wanted("plain.example.com")) == [Target(UDP, ("192.0.2.9", 5060))]
    secure = Wanted("plain.example.com", transport=UDP, secure=True)
    assert targets(secure) == [Target(TLS, ("192.0.2.9", 5061))]


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "[2001:db8::7]"])
def test_an_address_asks_nobody(host: str) -> None:
    with pytest.raises(StopIteration):
        next(locate(Wanted(host), ipv6=False))
    assert targets(Wanted(host, transport=TLS)) == [Target(TLS, (host.strip("[]"), 5061))]


def test_what_is_nowhere_has_no_address() -> None:
    assert targets(Wanted("nowhere.example.com")) == []
    assert targets(Wanted("none.example.com", transport=UDP)) == []


def test_the_transport_that_the_dns_prefers_holds_without_srv_too() -> None:
    """RFC 3263 section 4.1: who offers TLS alone is not asked over UDP."""
    zone: Zone = {
        ("example.com", NAPTR): (Naptr(0, 0, "s", "SIPS+D2T", "_sips._tcp.example.com."),),
        ("example.com", A): ("192.0.2.1",),
    }
    assert find(Wanted("example.com"), zone=zone) == (Entry(0, 0, TLS, ("192.0.2.1",), 5061),)


@pytest.mark.parametrize("target", [".", "away.example.com."])
def test_where_servers_are_named_no_others_are_asked(target: str) -> None:
    """RFC 2782: "." says that there is no such service; RFC 3263 section 4.2: A only without any SRV."""
    zone: Zone = {
        ("_sips._tcp.example.com", SRV): (Srv(0, 0, 5061, target),),
        ("example.com", A): ("192.0.2.1",),
    }
    assert find(Wanted("example.com"), zone=zone) == ()


def test_servers_of_one_rank_share_by_weight() -> None:
    entries = [
        Entry(0, weight, UDP, (f"192.0.2.{weight}",), 5060) for weight in (0, 10, 30, 60)
    ] + [Entry(1, 99, UDP, ("192.0.2.99",), 5060)]
    rng = Random(1)
    first: Counter[str] = Counter()
    for _ in range(2000):
        order = in_order(entries, rng.random)
        assert len(order) == 5
        assert order[4].address[0] == "192.0.2.99"
        first[order[0].address[0]] += 1
    assert first["192.0.2.60"] == pytest.approx(1200, abs=100)
    assert first["192.0.2.30"] == pytest.approx(600, abs=100)
    assert first["192.0.2.10"] == pytest.approx(200, abs=60)


def test_servers_without_weight_take_turns() -> None:
    entries = [Entry(0, 0, UDP, (f"192.0.2.{n}",), 5060) for n in range(4)]
    rng = Random(2)
    first = Counter(in_order(entries, rng.random)[0].address[0] for _ in range(2000))
    assert set(first.values()) == {n for n in first.values() if 400 < n < 600}
    assert len(first) == 4


def test_a_name_with_hundreds_of_servers_is_not_followed_for_ever() -> None:
    many = tuple(Srv(0, 1, 5060, f"h{n}.example.net.") for n in range(500))
    zone = {("_sip._udp.big.example.com", SRV): many} | {
        (f"h{n}.example.net", A): (f"192.0.2.{n % 250}",) for n in range(500)
    }
    found = find(Wanted("big.example.com", transport=UDP), zone=zone)
    assert len(found) == 20
