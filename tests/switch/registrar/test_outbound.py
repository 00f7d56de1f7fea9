"""Path, Service-Route and devices that come back from elsewhere (RFC 3327, 3608, 5626)."""

from __future__ import annotations

from typing import Any

import pytest

from switch.calls.attempt import groups_of
from switch.sip.message import Request
from tests.switch.registrar.test_registrar import FLOW, Lab

EDGE = "<sip:edge.example.com;lr>"
CORE = "<sip:core.example.com;lr>"
ID = '"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'
OTHER = '"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEE00>"'


def contact(host: str, instance: str = ID, reg_id: int | None = 1) -> str:
    number = "" if reg_id is None else f";reg-id={reg_id}"
    return f"<sip:1001@{host}>;+sip.instance={instance}{number}"


def test_the_path_is_kept_told_and_becomes_the_route() -> None:
    lab = Lab()
    response = lab.register("<sip:1001@10.0.0.5>", Path=f"{EDGE}, {CORE}", Supported="path")
    assert response.status == 200
    assert response.headers.get_all("Path") == [EDGE, CORE]
    ((target,),) = groups_of(lab.location.bindings("1001", 0.0))
    assert target.routes == (EDGE, CORE)
    assert target.flow == FLOW


def test_a_path_decides_about_the_route_and_never_about_the_address() -> None:
    """Also where the Contact names the host that the REGISTER came from."""
    lab = Lab()
    via = "SIP/2.0/UDP 192.0.2.77:5080;branch=z9hG4bK1"
    lab.register("<sip:1001@192.0.2.77:9>", Path="<sip:198.51.100.1;lr>", Via=via)
    (binding,) = lab.location.bindings("1001", 0.0)
    assert binding.flow == FLOW


@pytest.mark.parametrize(
    "path",
    [
        "<sip:edge.example.com>",
        "<tel:+12025550100;lr>",
        "nonsense<",
        ", ".join([EDGE] * 6),
        f"<sip:{'x' * 300}.example.com;lr>",
    ],
)
def test_a_path_that_calls_cannot_follow_is_refused(path: str) -> None:
    lab = Lab()
    assert lab.register("<sip:1001@10.0.0.5>", Path=path).status == 400
    assert lab.uris() == []


def test_the_route_of_the_service_is_told() -> None:
    lab = Lab(service_route=(EDGE, CORE))
    assert lab.register("<sip:1001@10.0.0.5>").headers.get_all("Service-Route") == [EDGE, CORE]
    assert Lab().register("<sip:1001@10.0.0.5>").headers.get("Service-Route") is None


def test_a_device_that_comes_back_from_elsewhere_leaves_no_binding_behind() -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5:5060"), Supported="path, outbound")
    response = lab.register(contact("10.0.0.5:6000"), Supported="outbound", call_id="c2")
    assert response.headers.get("Require") == "outbound"
    assert lab.uris() == ["sip:1001@10.0.0.5:6000"]
    assert lab.changes == [("1001", True)], "it was reachable all the time"
    (told,) = response.headers.get_all("Contact")
    assert told.endswith(f";+sip.instance={ID};reg-id=1")


def test_two_devices_do_not_displace_each_other() -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5"), Supported="outbound")
    lab.register(contact("10.0.0.6", OTHER), Supported="outbound", call_id="c2")
    assert len(lab.uris()) == 2
    assert len(groups_of(lab.location.bindings("1001", 0.0))[0]) == 2


def test_a_device_with_two_flows_has_two_bindings_and_is_called_by_one() -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5", reg_id=1), Supported="outbound")
    lab.register(contact("10.0.0.6", reg_id=2), Supported="outbound", call_id="c2", now=5.0)
    assert len(lab.uris(5.0)) == 2
    ((target,),) = groups_of(lab.location.bindings("1001", 5.0))
    assert target.request_uri == "sip:1001@10.0.0.6"


def test_without_outbound_the_instance_counts_and_the_flow_number_does_not() -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5", reg_id=1))
    response = lab.register(contact("10.0.0.6", reg_id=2), call_id="c2")
    assert response.headers.get("Require") is None
    assert lab.uris() == ["sip:1001@10.0.0.6"]


def test_one_device_may_register_two_contacts_at_once() -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5", reg_id=None), contact("10.0.0.6", reg_id=None))
    assert len(lab.uris()) == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [(None, 439), (EDGE, 439), ("<sip:edge.example.com;lr;ob>", 200), (f"{CORE}, {EDGE}", 439)],
)
def test_outbound_needs_a_first_hop_that_keeps_the_flow(path: str | None, status: int) -> None:
    lab = Lab()
    headers: dict[str, Any] = {"Supported": "outbound"} | ({"Path": path} if path else {})
    original = lab.request

    def through_a_proxy(*contacts: str, **named: str) -> Request:
        request = original(*contacts, **named)
        request.headers.add("Via", "SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1")
        return request

    lab.request = through_a_proxy  # type: ignore[method-assign]
    assert lab.register(contact("10.0.0.5"), **headers).status == status
    assert lab.register("<sip:1001@10.0.0.7>", **headers, call_id="x").status == 200


@pytest.mark.parametrize("instance", ['"urn:uuid:1"', '"<a b>"', '""', f'"<{"x" * 300}>"'])
def test_an_instance_that_is_none_is_as_if_it_were_not_there(instance: str) -> None:
    lab = Lab()
    lab.register(contact("10.0.0.5", instance), Supported="outbound")
    lab.register(contact("10.0.0.6", instance), Supported="outbound", call_id="c2")
    assert len(lab.uris()) == 2


def test_what_is_known_may_be_required() -> None:
    lab = Lab()
    response = lab.registrar.handle(
        lab.request("<sip:1001@10.0.0.5>", Require="path, outbound, gruu"), FLOW, 0.0
    )
    assert (response.status, response.headers.get("Unsupported")) == (420, "gruu")
