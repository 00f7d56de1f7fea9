from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace

from switch.presence.records import LEAP, SubscriptionRecord, subscription_of
from switch.presence.settings import Watch
from switch.presence.states import Direction, LineState, Mailbox
from switch.sip.flow import Transport
from switch.sip.message import Request
from switch.sip.session_facts import DialogNames
from tests.switch.presence.watching import FLOW, Site, Watcher

NS = "{urn:ietf:params:xml:ns:dialog-info}"


def lamp(request: Request) -> list[tuple[str, str]]:
    """The dialogs of a document: direction and state."""
    root = ElementTree.fromstring(request.body)
    assert root.attrib["state"] == "full"
    return [
        (each.attrib["direction"], each.findtext(f"{NS}state") or "")
        for each in root.findall(f"{NS}dialog")
    ]


# --- who may -------------------------------------------------------------------------------------


def test_a_stranger_is_challenged_and_told_nothing() -> None:
    site = Site()
    watcher = Watcher(site)
    response = site.notifier.subscribe(watcher.request(), FLOW, site.now)
    assert response.status == 401
    assert len(site.notifier.subscriptions) == 0
    assert site.sent == []


def test_who_watches_by_sips_is_answered_and_notified_by_sips() -> None:
    site = Site()
    watcher = Watcher(site)
    flow = replace(FLOW, transport=Transport.TLS, connection=1)
    contact = "<sips:1001@192.0.2.77:31000>"
    answers = [watcher.subscribe(flow=flow, Contact=contact), *watcher.notified]
    assert [str(each.contacts[0].uri) for each in answers] == ["sips:switchroom@192.0.2.1:5060"] * 2


def test_a_wrong_password_is_refused() -> None:
    site = Site()
    request = site.proven(Watcher(site).request(), "1001", "guess")
    assert site.notifier.subscribe(request, FLOW, site.now).status == 403


def test_a_phone_does_not_watch_in_the_name_of_another() -> None:
    site = Site()
    request = site.proven(Watcher(site, "1003").request(), "1001")
    assert site.notifier.subscribe(request, FLOW, site.now).status == 403


@pytest.mark.parametrize(
    ("watch", "watched", "status"),
    [
        (Watch.PHONES, "1002", 200),
        (Watch.PHONES, "9999", 404),
        (Watch.OWN, "1002", 403),
        (Watch.OWN, "1001", 200),
        (Watch.NOBODY, "1001", 403),
    ],
)
def test_whom_a_phone_may_watch_is_a_setting(watch: Watch, watched: str, status: int) -> None:
    assert Watcher(Site(watch=watch), "1001", watched).subscribe().status == status


def test_a_mailbox_is_shown_to_its_owner_only() -> None:
    site = Site()
    assert Watcher(site, "1001", "1002", "message-summary").subscribe().status == 403
    assert Watcher(site, "1001", "1001", "message-summary").subscribe().status == 200


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["", "conference", "dialog.winfo", "dialog" + ";x" * 100])
def test_an_unknown_package_is_a_bad_event(event: str) -> None:
    response = Watcher(Site(), event=event).subscribe()
    assert response.status == 489
    assert response.headers.get("Allow-Events") == "dialog, message-summary, presence, reg"


@pytest.mark.parametrize(
    ("expires", "status"), [("5", 423), ("soon", 400), ("-1", 400), ("99999999999", 400)]
)
def test_an_expiry_of_no_use_is_refused(expires: str, status: int) -> None:
    response = Watcher(Site()).subscribe(expires)
    assert response.status == status
    if status == 423:
        assert response.headers.get("Min-Expires") == "30"


def test_a_long_expiry_is_shortened_and_none_is_an_hour() -> None:
    site = Site()
    assert Watcher(site).subscribe("86400").headers.get("Expires") == "3600"
    assert Watcher(site).subscribe(None).headers.get("Expires") == "3600"


def test_who_cannot_read_the_document_is_told_before() -> None:
    site = Site()
    assert Watcher(site).subscribe(Accept="application/sdp").status == 406
    assert Watcher(site).subscribe(Accept="application/*, text/plain").status == 200


def test_a_subscription_needs_a_contact() -> None:
    assert Watcher(Site()).subscribe(Contact="").status == 400


def test_a_refresh_of_no_subscription_gets_481() -> None:
    watcher = Watcher(Site())
    watcher.to_tag = "nobody"
    assert watcher.subscribe().status == 481


# --- what is told --------------------------------------------------------------------------------


def test_a_lamp_follows_a_call() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    first = watcher.notified[-1]
    assert lamp(first) == []
    assert first.headers.get("Subscription-State") == "active;expires=600"
    assert first.headers.get("Event") == "dialog"
    assert first.content_type == "application/dialog-info+xml"
    assert first.to.tag == "w"

    seen = []
    steps: list[Callable[[], None]] = [
        lambda: site.states.line_began("1002", "leg1", Direction.RECIPIENT, "+12025550109"),
        lambda: site.states.line_moved("leg1", LineState.EARLY),
        lambda: site.states.line_moved("leg1", LineState.CONFIRMED),
        lambda: site.states.line_ended("leg1"),
    ]
    for step in steps:
        step()
        site.run(site.now + 2)
        seen.append(lamp(watcher.notified[-1]))
    assert seen == [
        [("recipient", "trying")],
        [("recipient", "early")],
        [("recipient", "confirmed")],
        [("recipient", "terminated")],
    ]
    versions = [ElementTree.fromstring(n.body).attrib["version"] for n in watcher.notified]
    assert versions == ["0", "1", "2", "3", "4"]
    numbers = [n.cseq.seq for n in watcher.notified]
    assert numbers == [1, 2, 3, 4, 5]


def test_the_other_side_is_shown_to_the_phone_itself_and_to_whom_it_is_permitted() -> None:
    site = Site(see_numbers=frozenset({"1003"}))
    watchers = {user: Watcher(site, user, "1002") for user in ("1001", "1002", "1003")}
    for watcher in watchers.values():
        watcher.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "+12025550109")
    site.run(site.now + 2)
    told = {user: "2025550109" in watcher.body for user, watcher in watchers.items()}
    assert told == {"1001": False, "1002": True, "1003": True}


NAMES = DialogNames("7@phone", "theirs", "ours")


def named(request: Request) -> DialogNames | None:
    """By what the one dialog of a document is named."""
    (dialog,) = ElementTree.fromstring(request.body).findall(f"{NS}dialog")
    if "call-id" not in dialog.attrib:
        assert not {"local-tag", "remote-tag"} & set(dialog.attrib)
        return None
    return DialogNames(*(dialog.attrib[name] for name in ("call-id", "local-tag", "remote-tag")))


@pytest.mark.parametrize(
    ("watcher", "rings", "talks"),
    [("1001", None, None), ("1003", NAMES, None), ("1002", NAMES, NAMES)],
)
def test_a_dialog_is_named_to_those_who_may_take_its_place(
    watcher: str, rings: DialogNames | None, talks: DialogNames | None
) -> None:
    """Who may see numbers may want to pick up what rings; the phone's other devices, to go on with a call."""
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, watcher, "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "1009")
    site.states.line_moved("leg1", LineState.EARLY, NAMES)
    site.run(site.now + 2)
    assert named(watching.notified[-1]) == rings
    site.states.line_moved("leg1", LineState.CONFIRMED, NAMES)
    site.run(site.now + 2)
    assert named(watching.notified[-1]) == talks


def test_nobody_else_is_told_by_what_a_phone_that_calls_could_be_replaced() -> None:
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, "1003", "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.INITIATOR, "1009")
    site.states.line_moved("leg1", LineState.EARLY, NAMES)
    site.run(site.now + 2)
    assert named(watching.notified[-1]) is None


@pytest.mark.parametrize(
    ("caller", "identity", "user"),
    [
        ("+12025550109", "sip:+12025550109@example.com", "+12025550109"),
        ("", "sip:anonymous@anonymous.invalid", "anonymous"),
    ],
)
def test_both_ends_of_what_rings_are_told_and_where_to_pick_it_up(
    caller: str, identity: str, user: str
) -> None:
    """Phones want both ends, and send the INVITE to the target of the remote one: to us."""
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, "1003", "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, caller)
    site.states.line_moved("leg1", LineState.EARLY, NAMES)
    site.run(site.now + 2)
    (dialog,) = ElementTree.fromstring(watching.notified[-1].body).findall(f"{NS}dialog")
    ends = {
        end: (dialog.findtext(f"{NS}{end}/{NS}identity"), target.attrib["uri"])
        for end in ("local", "remote")
        if (target := dialog.find(f"{NS}{end}/{NS}target")) is not None
    }
    assert ends == {
        "local": ("sip:1002@example.com", "sip:1002@example.com"),
        "remote": (identity, f"sip:{user}@192.0.2.1:5060"),
    }
    assert [each.tag.removeprefix(NS) for each in dialog] == ["state", "local", "remote"]


def test_who_rings_elsewhere_is_told_by_other_names() -> None:
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, "1003", "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "1009")
    for names in (NAMES, DialogNames("8@phone", "others", "ours"), None):
        site.states.line_moved("leg1", LineState.EARLY, names)
        site.run(site.now + 2)
        assert named(watching.notified[-1]) == names
    before = len(watching.notified)
    site.states.line_moved("leg1", LineState.EARLY, None)
    site.run(site.now + 2)
    assert len(watching.notified) == before, "nothing has changed"


@pytest.mark.parametrize(("length", "is_told"), [(200, True), (60_000, False)])
def test_names_that_a_phone_has_made_too_long_are_left_out(length: int, is_told: bool) -> None:
    """They would make a document that no datagram takes, and the lamp would stay dark."""
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, "1003", "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "1009")
    site.states.line_moved("leg1", LineState.EARLY, DialogNames("7@us", "x" * length, "ours"))
    site.run(site.now + 2)
    assert lamp(watching.notified[-1]) == [("recipient", "early")]
    assert (named(watching.notified[-1]) is not None) is is_told
    assert len(watching.body) < 2000


def test_names_that_a_phone_has_chosen_cannot_break_the_document() -> None:
    site = Site(see_numbers=frozenset({"1003"}))
    watching = Watcher(site, "1003", "1002")
    watching.subscribe()
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "1009")
    wild = DialogNames("a\"b'<c>&", 't"><state>confirmed</state>', "r'\"")
    site.states.line_moved("leg1", LineState.EARLY, wild)
    site.run(site.now + 2)
    assert lamp(watching.notified[-1]) == [("recipient", "early")]
    assert named(watching.notified[-1]) == wild


def test_what_callers_send_cannot_break_the_document() -> None:
    site = Site(see_numbers=frozenset({"1001"}))
    watcher = Watcher(site)
    watcher.subscribe()
    site.states.line_began("1002", 'a"<b>', Direction.RECIPIENT, 'x"><state>&\x00\ud800é')
    site.run(site.now + 2)
    assert lamp(watcher.notified[-1]) == [("recipient", "trying")]


def test_waiting_messages_light_the_lamp() -> None:
    site = Site()
    watcher = Watcher(site, "1001", "1001", "message-summary")
    watcher.subscribe()
    assert watcher.body.startswith("Messages-Waiting: no\r\n")
    site.states.set_mailbox("1001", Mailbox(2, 1))
    site.run(site.now + 2)
    assert watcher.body == (
        "Messages-Waiting: yes\r\nMessage-Account: sip:1001@example.com\r\nVoice-Message: 2/1 (0/0)\r\n"
    )


def test_presence_says_who_is_there_and_what_they_do() -> None:
    site = Site()
    watcher = Watcher(site, event="presence")
    watcher.subscribe()
    assert "<basic>closed</basic>" in watcher.body
    site.states.reachable("1002", True)
    site.states.active("1002", "meal", "lunch")
    site.states.line_began("1002", "leg1", Direction.INITIATOR, "1003")
    site.run(site.now + 2)
    root = ElementTree.fromstring(watcher.notified[-1].body)
    assert root.attrib["entity"] == "sip:1002@example.com"
    for word in ("<basic>open</basic>", "<rpid:on-the-phone/><rpid:meal/>", "lunch"):
        assert word in watcher.body


# --- how often -----------------------------------------------------------------------------------


def test_a_storm_of_changes_is_one_notification_a_second_with_the_last_state() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    start = site.now
    for number in range(1000):
        site.states.line_began("1002", f"leg{number}", Direction.RECIPIENT, "")
        site.run(start + number * 0.005)
        site.states.line_ended(f"leg{number}")
    site.run(start + 6)
    assert len(watcher.notified) <= 7
    assert [state for _, state in lamp(watcher.notified[-1])] == ["terminated"]


def test_one_notification_is_on_its_way_at_a_time() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()  # nobody answers
    for number in range(50):
        site.states.line_began("1002", f"leg{number}", Direction.RECIPIENT, "")
        site.now += 2
        site.notifier.handle_timer(site.now)
    assert len(watcher.notified) == 1
    site.run(site.now + 2)
    assert len(watcher.notified) == 2


def test_a_flood_of_refreshes_is_one_notification_a_second() -> None:
    site = Site()
    watcher = Watcher(site)
    for _ in range(100):
        assert watcher.subscribe().status == 200
    site.run(site.now + 5)
    assert len(watcher.notified) == 2
    assert len(site.notifier.subscriptions) == 1


def test_many_who_watch_one_phone_are_told_in_bursts() -> None:
    site = Site(burst=10)
    watchers = [Watcher(site, f"10{n:02}", "1050") for n in range(1, 41)]
    for watcher in watchers:
        watcher.subscribe()
    site.run(site.now + 2)
    site.sent.clear()
    site.states.line_began("1050", "leg1", Direction.RECIPIENT, "")
    assert site.sent == []
    site.notifier.handle_timer(site.now)
    assert len(site.sent) == 10
    site.run(site.now)
    assert len(site.sent) == 40


def test_no_more_are_on_their_way_than_may_be() -> None:
    site = Site(most_on_their_way=5)
    for n in range(1, 21):
        Watcher(site, f"10{n:02}", "1050").subscribe()
    assert len(site.sent) == site.notifier.on_their_way == 5
    assert site.notifier.get_timer() == site.now + 0.05  # it does not spin meanwhile
    site.run(site.now + 2)
    assert len(site.sent) == 20


# --- how it ends ---------------------------------------------------------------------------------


def test_a_look_without_a_subscription() -> None:
    site = Site()
    watcher = Watcher(site)
    site.states.line_began("1002", "leg1", Direction.INITIATOR, "")
    response = watcher.subscribe("0")
    assert (response.status, response.headers.get("Expires")) == (200, "0")
    (told,) = watcher.notified
    assert told.headers.get("Subscription-State") == "terminated;reason=timeout"
    assert lamp(told) == [("initiator", "trying")]
    assert len(site.notifier.subscriptions) == 0


def test_who_ends_a_subscription_is_told_once_more() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    site.run(site.now + 2)
    assert watcher.subscribe("0").status == 200
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    assert len(site.notifier.subscriptions) == 0
    assert watcher.subscribe().status == 481


def test_a_subscription_ends_by_itself_and_says_so() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe("30")
    site.run(site.now + 29)
    assert len(site.notifier.subscriptions) == 1
    site.run(site.now + 2)
    assert watcher.notified[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    assert len(site.notifier.subscriptions) == 0


def test_a_refresh_makes_it_last() -> None:
    site = Site()
    watcher = Watcher(site)
    for _ in range(5):
        assert watcher.subscribe("30").status == 200
        site.run(site.now + 25)
    assert len(site.notifier.subscriptions) == 1


def test_an_old_refresh_changes_nothing() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    watcher.cseq -= 1
    assert watcher.subscribe().status == 500


@pytest.mark.parametrize("status", [481, 404, 408, 503, 489, 603, 401])
def test_who_does_not_take_a_notification_is_not_told_any_more(status: int) -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    site.answer_all(status)
    assert len(site.notifier.subscriptions) == 0
    site.states.line_began("1002", "leg1", Direction.RECIPIENT, "")
    site.run(site.now + 60)
    assert len(watcher.notified) == 1


def test_a_pause_that_the_watcher_asks_for_is_kept_a_few_times() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    times = [site.now]
    while site.notifier.subscriptions and len(times) < 20:
        transaction, request, _ = site.sent[-1]
        site.answer(transaction, request, 503, Retry_After="7 (busy)")
        due = site.notifier.get_timer()
        assert due is not None or not site.notifier.subscriptions
        if due is not None:
            site.now = due
            site.notifier.handle_timer(due)
            times.append(due)
    assert [b - a for a, b in pairwise(times)] == [7.0, 7.0, 7.0]


# --- how many ------------------------------------------------------------------------------------


def test_a_phone_that_restarts_is_not_locked_out_by_its_former_self() -> None:
    site = Site(most_of_watcher=3)
    watchers = [Watcher(site) for _ in range(10)]
    assert [watcher.subscribe().status for watcher in watchers] == [200] * 10
    site.run(site.now + 2)
    assert len(site.notifier.subscriptions) == site.notifier.subscriptions.most_of_watcher == 3
    assert site.notifier.counted["ended-rejected"] == 7
    told = [watcher.notified[-1].headers.get("Subscription-State") or "" for watcher in watchers]
    assert told[:7] == ["terminated;reason=rejected"] * 7


def test_there_is_a_limit_in_all_and_for_each_phone() -> None:
    site = Site(most=5)
    statuses = [Watcher(site, f"10{n:02}", "1050").subscribe().status for n in range(1, 9)]
    assert statuses == [200] * 5 + [480] * 3
    site = Site(most_of_phone=2)
    statuses = [Watcher(site, f"10{n:02}", "1050").subscribe().status for n in range(1, 5)]
    assert statuses == [200, 200, 480, 480]
    assert site.notifier.subscriptions.most_of_phone == 2
    assert site.notifier.counted["480"] == 2


def test_nothing_is_left_of_subscriptions_that_are_over() -> None:
    site = Site()
    for n in range(1, 41):
        Watcher(site, f"10{n:02}", "1050").subscribe("30")
    site.run(site.now + 100)
    table = site.notifier.subscriptions
    assert len(table) == 0
    assert site.notifier.get_timer() is None
    for name in ("_by_dialog", "_by_watched", "_by_watcher", "_of_phone"):
        assert getattr(table, name) == {}
    assert site.notifier._transactions == {}


# --- over a restart ------------------------------------------------------------------------------


def test_a_subscription_goes_on_after_a_restart() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    record = site.notifier.record(watcher.to_tag, lambda moment: moment + 5000)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=SubscriptionRecord)
    for number in range(20):  # what follows is in no record
        site.states.line_began("1002", f"leg{number}", Direction.RECIPIENT, "")
        site.run(site.now + 2)
    before = watcher.notified[-1]

    after = Site()
    after.now = site.now
    after.states.line_began("1002", "leg19", Direction.RECIPIENT, "")
    after.notifier.restore(watcher.to_tag, kept, lambda moment: moment - 5000)
    assert after.sent == []
    after.notifier.resume(after.now)
    watcher.site = after
    after.run(after.now + 1)
    (told,) = watcher.notified
    assert told.cseq.seq > before.cseq.seq
    assert told.cseq.seq <= before.cseq.seq + LEAP
    assert (told.call_id, told.from_.tag, told.to.tag) == (
        before.call_id,
        before.from_.tag,
        before.to.tag,
    )
    assert lamp(told) == [("recipient", "trying")]
    assert watcher.subscribe().status == 200
    after.run(1000 + 601 + 2000)
    assert len(after.notifier.subscriptions) == 0


def test_a_record_of_a_phone_that_is_gone_is_not_taken_up() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    record = site.notifier.record(watcher.to_tag, lambda moment: moment)
    assert record is not None
    gone = msgspec.structs.replace(record, watcher="7777")
    with pytest.raises(ValueError, match="no phone any more"):
        site.notifier.restore("x", gone, lambda moment: moment)


def test_after_a_restart_the_first_notifications_are_spread() -> None:
    site = Site()
    records = {}
    for n in range(1, 41):
        watcher = Watcher(site, f"10{n:02}", "1050")
        watcher.subscribe()
        record = site.notifier.record(watcher.to_tag, lambda moment: moment)
        assert record is not None
        records[watcher.to_tag] = record
    after = Site()
    for id, record in records.items():
        after.notifier.restore(id, record, lambda moment: moment)
    after.notifier.resume(after.now)
    after.notifier.handle_timer(after.now)
    assert len(after.sent) == 1
    after.run(after.now + 1)
    assert len(after.sent) == 40


def test_a_watcher_over_tls_is_looked_for_at_the_port_of_tls_after_a_restart() -> None:
    site = Site()
    watcher = Watcher(site)
    watcher.subscribe()
    record = site.notifier.record(watcher.to_tag, lambda moment: moment)
    assert record is not None
    way = ("TLS", "192.0.2.9", 49152, "192.0.2.1", 5061)
    dialog = replace(record.dialog, flow=way, target="sip:1001@192.0.2.9")
    again = subscription_of("1", replace(record, dialog=dialog), lambda moment: moment)
    assert again.dialog.flow.remote == ("192.0.2.9", 5061)
