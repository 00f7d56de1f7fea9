"""Who a certificate says that the peer is, and which address it may be called at over its connection."""

from __future__ import annotations

from typing import Any

import pytest

from switch.transport.identity import PeerIdentity, identity_of
from switch.transport.reuse import alias_of

CERTIFICATE: dict[str, Any] = {
    "subject": ((("commonName", "Old.example.com"),),),
    "subjectAltName": (
        ("DNS", "Carrier.example.com"),
        ("URI", "sip:example.com"),
        ("IP Address", "192.0.2.1"),
        ("email", "a@example.com"),
        ("DNS", "*.example.net"),
    ),
}
PEER = PeerIdentity(("carrier.example.com", "192.0.2.1"), "00")


def request(via: str) -> bytes:
    lines = ["OPTIONS sip:a SIP/2.0", via, "Via: SIP/2.0/TLS carrier.example.com;alias", "", ""]
    return "\r\n".join(lines).encode()


def test_names_come_from_the_alternative_names_and_the_common_name_counts_without_them() -> None:
    found = identity_of(CERTIFICATE, b"der")
    assert found is not None
    assert found.names == ("carrier.example.com", "example.com", "192.0.2.1", "*.example.net")
    assert found.is_named("CARRIER.example.com")
    assert not found.is_named("sip.example.net"), "wildcards do not count"
    del CERTIFICATE["subjectAltName"]
    bare = identity_of(CERTIFICATE, b"der")
    assert bare is not None
    assert bare.names == ("old.example.com",)


def test_without_a_certificate_there_is_nobody_and_unverified_it_has_no_names() -> None:
    assert identity_of(None, None) is None
    unverified = identity_of({}, b"der")
    assert unverified is not None
    assert unverified.names == ()


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("Via: SIP/2.0/TLS carrier.example.com;branch=z9hG4bKa;alias", 5061),
        ("v : SIP / 2.0 / TLS 192.0.2.1:5071 ; alias ;branch=z9hG4bKa", 5071),
    ],
)
def test_who_proves_the_address_that_it_names_is_called_there_over_its_connection(
    via: str, port: int
) -> None:
    assert alias_of(request(via), "192.0.2.1", PEER) == ("192.0.2.1", port)


@pytest.mark.parametrize(
    "via",
    [
        "Via: SIP/2.0/TLS carrier.example.com;branch=z9hG4bKalias",
        "Via: SIP/2.0/TLS other.example.com;branch=z9hG4bKa;alias",
        "Via: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKa;alias",
        "Via: SIP/2.0/TCP carrier.example.com;branch=z9hG4bKa;alias",
        "Via: SIP/2.0/TLS carrier.example.com;aliased",
        "Via: SIP/2.0/TLS carrier.example.com:99999;alias",
        "Via: ;alias",
    ],
)
def test_others_offer_nothing(via: str) -> None:
    first = request(via).replace(b"Via: SIP/2.0/TLS carrier.example.com;alias\r\n", b"")
    assert alias_of(first, "192.0.2.1", PEER) is None
