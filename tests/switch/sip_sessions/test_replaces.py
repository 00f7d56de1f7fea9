"""An INVITE that replaces another dialog (RFC 3891): which one it means, and when it may not."""

import pytest

from switch.sip.events import Invited, SessionId
from switch.sip.message import Response
from switch.sip.replaces import Replaces
from switch.sip.session_facts import DialogNames, names_at_peer
from switch.sip.uri import Uri
from tests.switch.sip_sessions.test_call import in_dialog, invite
from tests.switch.sip_sessions.wire import ANSWER, Wire, established


def names_of(wire: Wire, session: SessionId, *, at_b: bool = True) -> Replaces:
    """How the far end of a session of B (or A) would name it."""
    node = wire.b if at_b else wire.a
    found = node.ua._table.by_id[session]
    dialog = found.need_dialog()
    return Replaces(
        call_id=dialog.call_id, to_tag=found.local_tag, from_tag=dialog.remote.tag or "0"
    )


def sent_invite(wire: Wire, replaces: str) -> Response | None:
    """A stranger's INVITE to B; the refusal if there is one."""
    wire.inject(wire.b, invite(Replaces=replaces, Call_ID="another"))
    last = wire.sent[-1][1]
    return last if isinstance(last, Response) and last.status >= 200 else None


def test_an_established_call_is_found() -> None:
    wire = Wire()
    _, b = established(wire)
    named = names_of(wire, b)
    assert sent_invite(wire, str(named)) is None
    event = wire.b.log[-1]
    assert isinstance(event, Invited)
    assert event.replaces == named
    assert wire.b.ua.find_session(named) == b
    wire.b.ua.end(b, wire.now)
    assert wire.b.ua.find_session(named) is None


def test_a_call_that_rings_elsewhere_is_picked_up() -> None:
    """A called B; who stands beside B takes the call by asking A."""
    wire = Wire()
    a = wire.call()
    wire.run(0.1)
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run(0.1)
    (tag,) = wire.a.ua._table.by_id[a].early
    session = wire.a.ua._table.by_id[a]
    assert tag is not None
    named = Replaces(
        call_id=session.invite.call_id, to_tag=session.local_tag, from_tag=tag, early_only=True
    )
    assert wire.a.ua.find_session(named) == a
    wire.inject(wire.a, invite(Replaces=str(named), Call_ID="another"))
    assert isinstance(wire.a.log[-1], Invited)


def test_an_invite_of_ours_is_named_as_who_rings_sees_it() -> None:
    """RFC 4235 section 4.1.1: the local tag is that of the watched phone. By that A finds the call."""
    wire = Wire()
    a = wire.call()
    session = wire.a.ua._table.by_id[a]
    assert names_at_peer(session) is None, "nobody has answered with a tag yet"
    wire.run(0.1)
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run(0.1)
    called = wire.b.ua._table.by_id[wire.b.session]
    expected = DialogNames(session.invite.call_id, called.local_tag, session.local_tag)
    assert names_at_peer(session) == expected
    named = Replaces(
        call_id=expected.call_id, to_tag=expected.remote_tag, from_tag=expected.local_tag
    )
    assert wire.a.ua.find_session(named) == a


def test_a_dialog_that_stands_is_named_as_each_of_the_two_sees_it() -> None:
    wire = Wire()
    a, b = established(wire)
    of_a = names_at_peer(wire.a.ua._table.by_id[a])
    of_b = names_at_peer(wire.b.ua._table.by_id[b])
    assert of_a is not None
    assert of_b == DialogNames(of_a.call_id, of_a.remote_tag, of_a.local_tag)


def test_an_answered_call_is_not_picked_up() -> None:
    wire = Wire()
    _, b = established(wire)
    refused = sent_invite(wire, f"{names_of(wire, b)};early-only")
    assert refused is not None
    assert refused.status == 486


def test_an_invitation_that_somebody_else_sent_us_is_not_replaced() -> None:
    wire = Wire()
    wire.call()
    wire.run(0.1)
    refused = sent_invite(wire, str(names_of(wire, wire.b.session)))
    assert refused is not None
    assert refused.status == 481


def test_a_call_that_is_being_left_is_declined() -> None:
    wire = Wire()
    _, b = established(wire)
    named = names_of(wire, b)
    wire.fate = lambda message, sender: None
    wire.b.ua.end(b, wire.now)
    refused = sent_invite(wire, str(named))
    assert refused is not None
    assert refused.status == 603


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("nothing;to-tag=a;from-tag=b", 481),
        ("nothing;to-tag=a", 400),
        ("nothing", 400),
        (";to-tag=a;from-tag=b", 400),
        ("a b;to-tag=a;from-tag=b", 400),
        ("a;to-tag=a;to-tag=b;from-tag=b", 400),
        ("a;to-tag;from-tag", 400),
        ("x" * 2000 + ";to-tag=a;from-tag=b", 400),
    ],
)
def test_what_names_nothing_is_refused(replaces: str, status: int) -> None:
    wire = Wire()
    established(wire)
    before = wire.b.ua.sessions_alive
    refused = sent_invite(wire, replaces)
    assert refused is not None
    assert refused.status == status
    assert wire.b.ua.sessions_alive == before


def test_a_wrong_tag_names_nothing() -> None:
    wire = Wire()
    _, b = established(wire)
    refused = sent_invite(wire, str(names_of(wire, b)) + "x")
    assert refused is not None
    assert refused.status == 481


def test_replaces_twice_or_with_join_is_a_bad_request() -> None:
    wire = Wire()
    _, b = established(wire)
    value = str(names_of(wire, b))
    for extra in (f"Replaces: {value}\r\n", f"Join: {value}\r\n"):
        data = invite(Replaces=value, Call_ID="another")
        wire.inject(wire.b, data.replace(b"Replaces:", extra.encode() + b"Replaces:", 1))
        last = wire.sent[-1][1]
        assert isinstance(last, Response)
        assert last.status == 400


def test_replaces_belongs_into_an_invite_only() -> None:
    wire = Wire()
    _, b = established(wire)
    success = next(m for n, m in wire.sent if n == "b" and m.body == ANSWER)
    assert isinstance(success, Response)
    data = in_dialog(success, "OPTIONS", 9, b"")
    named = f"Replaces: {names_of(wire, b)}\r\n".encode()
    wire.inject(wire.b, data.replace(b"CSeq:", named + b"CSeq:", 1))
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    assert last.status == 400


def test_it_is_read_out_of_a_refer_to() -> None:
    uri = Uri.parse(
        "sip:bob@192.0.2.4?Replaces=90%40host%3Bto-tag%3D2%3Bfrom-tag%3D3%3Bearly-only&X=y"
    )
    expected = Replaces(call_id="90@host", to_tag="2", from_tag="3", early_only=True)
    assert Replaces.of_uri(uri) == expected
    assert str(expected) == "90@host;to-tag=2;from-tag=3;early-only"
    assert Replaces.of_uri(Uri.parse("sip:bob@192.0.2.4?Subject=x")) is None
    with pytest.raises(ValueError, match="Replaces"):
        Replaces.of_uri(Uri.parse("sip:bob@192.0.2.4?Replaces=x"))
