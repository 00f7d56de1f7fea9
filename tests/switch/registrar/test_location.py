import math

from hypothesis import given
from hypothesis import strategies as st

from switch.registrar.location import Binding, Location, contact_key
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri

UDP = Flow(Transport.UDP, ("192.0.2.7", 5060), ("192.0.2.1", 5060))
TCP = Flow(Transport.TCP, ("192.0.2.7", 40000), ("192.0.2.1", 5060), 3)


def bind(
    location: Location, aor: str, uri: str, expires_at: float, *, at: float = 0.0, flow: Flow = UDP
) -> None:
    binding = Binding(contact_uri=uri, flow=flow, expires_at=expires_at, refreshed_at=at)
    location.put(aor, contact_key(Uri.parse(uri)), binding)


def uris(location: Location, aor: str, now: float) -> list[str]:
    return [b.contact_uri for b in location.bindings(aor, now)]


def test_newest_first_and_static_last() -> None:
    location = Location()
    location.add_static("1001", "sip:1001@192.0.2.50", UDP)
    bind(location, "1001", "sip:1001@192.0.2.7:1", 100.0, at=1.0)
    bind(location, "1001", "sip:1001@192.0.2.7:2", 100.0, at=2.0)
    assert uris(location, "1001", 5.0) == [
        "sip:1001@192.0.2.7:2",
        "sip:1001@192.0.2.7:1",
        "sip:1001@192.0.2.50",
    ]
    bind(location, "1001", "sip:1001@192.0.2.7:1", 200.0, at=3.0)
    assert uris(location, "1001", 5.0)[0] == "sip:1001@192.0.2.7:1"
    assert len(location) == 3


def test_expiry_is_seen_at_once_and_reported_by_the_timer() -> None:
    changes: list[tuple[str, bool]] = []
    location = Location(on_change=lambda aor, reachable: changes.append((aor, reachable)))
    bind(location, "1001", "sip:1001@192.0.2.7", 60.0)
    assert changes == [("1001", True)]
    assert location.get_timer() == 60.0
    assert location.is_reachable("1001", 59.9)
    assert not location.is_reachable("1001", 60.0)
    assert location.bindings("1001", 60.0) == []
    assert location.handle_timer(60.0) == ["1001"]
    assert changes == [("1001", True), ("1001", False)]
    assert (len(location), location.get_timer()) == (0, None)


def test_a_refresh_moves_the_expiry() -> None:
    location = Location()
    bind(location, "1001", "sip:1001@192.0.2.7", 60.0)
    bind(location, "1001", "sip:1001@192.0.2.7;ob", 90.0)
    assert location.handle_timer(60.0) == []
    assert location.is_reachable("1001", 60.0)
    assert location.handle_timer(90.0) == ["1001"]


def test_who_registers_again_at_the_same_contact_or_another_is_told() -> None:
    location = Location()
    told: list[str] = []
    location.on_again.append(told.append)
    bind(location, "1001", "sip:1001@192.0.2.7", 60.0)
    assert told == []
    bind(location, "1001", "sip:1001@192.0.2.7", 90.0)
    bind(location, "1001", "sip:1001@192.0.2.8", 90.0)
    assert told == ["1001", "1001"]


def test_static_bindings_never_go() -> None:
    location = Location()
    location.add_static("2000", "sip:2000@127.0.0.1:6000", UDP)
    location.drop_all("2000")
    assert location.handle_timer(1e12) == []
    assert location.bindings("2000", 1e12)[0].expires_at == math.inf


def test_a_closed_connection_takes_its_bindings_along() -> None:
    location = Location()
    bind(location, "1001", "sip:1001@192.0.2.7;transport=tcp", 60.0, flow=TCP)
    bind(location, "1002", "sip:1002@192.0.2.7;transport=tcp", 60.0, flow=TCP)
    bind(location, "1002", "sip:1002@192.0.2.7", 60.0)
    assert location.drop_connection(3) == ["1001"]
    assert location.drop_connection(3) == []
    assert uris(location, "1002", 1.0) == ["sip:1002@192.0.2.7"]


STEP = st.tuples(
    st.sampled_from(["put", "drop", "time", "close"]), st.integers(1, 3), st.integers(1, 30)
)


@given(st.lists(STEP, max_size=60))
def test_reported_reachability_is_the_truth(steps: list[tuple[str, int, int]]) -> None:
    reported: dict[str, bool] = {}
    location = Location(on_change=reported.__setitem__)
    now = 0.0
    for verb, number, amount in steps:
        aor, uri = f"10{number}", f"sip:10{number}@192.0.2.{amount % 3}"
        if verb == "put":
            flow = TCP if amount % 2 else UDP
            bind(location, aor, uri, now + amount, at=now, flow=flow)
        elif verb == "drop":
            location.drop(aor, contact_key(Uri.parse(uri)))
        elif verb == "close":
            location.drop_connection(3)
        else:
            now += amount
            location.handle_timer(now)
        for name, reachable in reported.items():
            assert location.is_reachable(name, now) == reachable
        assert len(location) == sum(len(location.bindings(f"10{n}", now)) for n in (1, 2, 3))
    location.handle_timer(now + 100)
    assert len(location) == 0
    assert location._by_connection == {}
    assert location.get_timer() is None
