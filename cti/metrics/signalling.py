"""Calls, SIP messages and transactions, registrations, trunks, connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from prometheus_client.core import Metric

from cti.metrics.families import counter, counters, few, gauge, gauges
from cti.metrics.sources import Sources

_NAMED_ELSEWHERE = frozenset(
    {
        "requests",
        "responses",
        "keepalives",
        "malformed",
        "retransmissions_absorbed",
        "retransmissions_sent",
        "shed",
        "timeouts",
    }
)


def families(sources: Sources) -> Iterator[Metric]:
    """Everything below the contacts but the sound."""
    yield from _calls(sources)
    yield from _messages(sources)
    yield from _registrar(sources)
    yield from _watchers(sources)
    yield from _capture(sources)
    yield from _transports(sources)


def _watchers(sources: Sources) -> Iterator[Metric]:
    presence = sources.switching.presence
    notifier, texts = presence.notifier, presence.texts
    live = len(notifier.subscriptions)
    yield gauge("subscriptions", "Subscriptions to phones that are live.", live)
    yield gauge(
        "publications", "States that phones published of themselves.", len(presence.publications)
    )
    counted = notifier.counted
    sent = counted["notified"]
    yield counter("notifications_sent", "Notifications sent to those who watch.", sent)
    answered = {"480": 0} | {name: count for name, count in counted.items() if name.isdigit()}
    yield counters("subscribes", "SUBSCRIBEs answered, by status.", "status", answered)
    ended = {name[6:]: count for name, count in counted.items() if name.startswith("ended-")}
    ended = {"rejected": 0} | ended
    yield counters("subscriptions_ended", "Subscriptions that ended, by why.", "reason", ended)
    by_status = {str(status): count for status, count in sorted(texts.counted.items())}
    yield counters("texts", "Short messages, by the status of their answer.", "status", by_status)


def _capture(sources: Sources) -> Iterator[Metric]:
    capture = sources.switching.capture
    homer, outcomes = capture.homer, {}
    if homer is not None:
        outcomes = {"sent": homer.sent, "dropped": homer.dropped}
    yield counters("capture_packets", "Packets to the capture server.", "outcome", outcomes)
    if capture.trace is not None:
        kept = capture.trace.octets
        yield gauge("trace_bytes", "Messages of calls kept to be drawn.", kept)
        yield gauge("trace_messages", "How many messages that are.", len(capture.trace))


def _calls(sources: Sources) -> Iterator[Metric]:
    calls, user_agent = sources.switching.calls, sources.switching.user_agent
    yield gauge("calls", "Live calls.", calls.calls_alive)
    yield gauge("legs", "Live legs of calls.", calls.legs_alive)
    yield gauge("sip_sessions", "SIP sessions, ending ones included.", user_agent.sessions_alive)
    ended = {str(result): count for result, count in calls.legs.ended.items()}
    yield counters("calls_ended", "Calls that are over, by outcome.", "result", ended)
    refused = few(sources.board.refused)
    yield counters("calls_refused", "Calls refused at the door, by reason.", "reason", refused)
    shed = calls.overload.shed + sources.switching.endpoint.surplus.calls
    yield counter("calls_shed", "Calls refused with 503 because of load.", shed)
    yield counter(
        "call_faults", "Exceptions at the call boundary; each ended a call.", calls.faults
    )
    yield counter(
        "recordings_broken",
        "Recordings not written to their end, nor made whole after the loss of their gateway.",
        sources.board.recordings_broken,
    )
    yield counter(
        "digits_dropped",
        "Digits not sent by signalling, as too many waited.",
        calls.digits_dropped,
    )
    live = {name: calls.limits.live(name) for name in calls.limits.names}
    yield gauges("trunk_calls", "Live legs of each trunk.", "trunk", live)
    yield from _trunks(sources)


def _trunks(sources: Sources) -> Iterator[Metric]:
    carriers, now = sources.switching.carriers, sources.clock.now()
    trunks, registrations = carriers.trunks, carriers.registrations
    names = [trunk.name for trunk in trunks]
    up = {name: float(trunks.is_up(name, now)) for name in names if trunks.targets(name)}
    yield gauges("trunk_up", "1 while calls out have a good address.", "trunk", up)
    known = {name: registrations.of(name) for name in names}
    registered = {
        name: float(sum(each.holds(now) for each in mine)) for name, mine in known.items() if mine
    }
    yield gauges(
        "trunk_registrations", "Registrars where a trunk is registered.", "trunk", registered
    )
    wanted = {name: float(len(mine)) for name, mine in known.items() if mine}
    yield gauges(
        "trunk_registrars", "Registrars where a trunk should be registered.", "trunk", wanted
    )
    groups = {name: trunks.limits.live(name) for name in trunks.groups}
    yield gauges("trunk_group_calls", "Live legs that left through each group.", "group", groups)
    moved = sources.switching.calls.hunting.moved
    yield counter(
        "trunk_failovers", "Attempts of calls that led on to another address or trunk.", moved
    )


def _messages(sources: Sources) -> Iterator[Metric]:
    endpoint = sources.switching.endpoint
    counted = asdict(endpoint.counters)
    came = {kind: counted[kind] for kind in ("requests", "responses", "keepalives")}
    yield counters("sip_messages_received", "Well-formed SIP messages received.", "kind", came)
    sent = sources.switching.pump.sent
    yield counter("sip_messages_sent", "SIP messages sent, retransmissions included.", sent)
    answered = {str(status): count for status, count in sorted(endpoint.answered.items())}
    yield counters("sip_responses_sent", "Responses given, by status.", "status", answered)
    malformed = {str(status or "none"): n for status, n in sorted(endpoint.malformed.items())}
    yield counters(
        "sip_malformed",
        "Messages refused by the parser, by the answer they got.",
        "answer",
        malformed,
    )
    again = {way: counted[f"retransmissions_{way}"] for way in ("absorbed", "sent")}
    yield counters(
        "sip_retransmissions", "Repeated messages, absorbed or sent.", "direction", again
    )
    shed = counted["shed"] + endpoint.surplus.others
    yield counter("sip_shed", "Requests answered with 503 for want of room or time.", shed)
    inflow = sources.switching.pump.inflow
    yield counter("sip_dropped", "Messages dropped for want of time to answer.", inflow.dropped)
    held = sources.switching.pump.held_dropped
    yield counter("sip_held_dropped", "Messages dropped while calls were taken up.", held)
    yield gauge("sip_waiting", "Messages that came and were not read yet.", len(inflow))
    yield gauge(
        "sip_wait_max_seconds",
        "How long a new request had waited before it was read, the longest of the last minute.",
        sources.waits.worst_s,
    )
    yield counter("sip_timeouts", "Requests of ours that nobody answered.", counted["timeouts"])
    odd = {name: count for name, count in counted.items() if name not in _NAMED_ELSEWHERE}
    yield counters("sip_oddities", "What should not happen often, by kind.", "kind", odd)
    yield gauge("sip_transactions", "Live SIP transactions.", endpoint.transactions_alive)
    yield gauge("sip_timers", "SIP timers that run.", endpoint.timers_running)


def _registrar(sources: Sources) -> Iterator[Metric]:
    switching = sources.switching
    yield gauge("registrations", "Bindings that phones registered.", switching.location.registered)
    statuses = {str(status): n for status, n in sorted(switching.registrar.answered.items())}
    yield counters(
        "registers", "REGISTERs, by the status they were answered with.", "status", statuses
    )
    yield counter(
        "contacts_displaced",
        "Contacts that gave way to newer ones of their phone.",
        switching.registrar.displaced,
    )


def _transports(sources: Sources) -> Iterator[Metric]:
    pump = sources.switching.pump
    streams = pump.streams
    yield gauge("tcp_connections", "Open SIP connections.", len(streams))
    open_ = {kind.lower(): count for kind, count in streams.by_kind.items()}
    yield gauges("sip_connections", "The same by transport.", "transport", open_)
    ports = {kind.lower(): address[1] for kind, address in streams.listening.items()}
    yield gauges("sip_listener_port", "Where connections are taken.", "transport", ports)
    facts = sources.switching.certificates.facts
    yield gauge(
        "tls_certificate_not_after_seconds",
        "When the certificate ends that is shown, in seconds since the epoch; absent without one.",
        None if facts is None else facts.not_after,
    )
    missing = sources.switching.carriers.addresses.resolver.missing
    yield gauge("names_missing", "Names of servers that could not be looked up.", len(missing))
    events = asdict(streams.counters)
    yield counters("tcp_events", "SIP connections, by what became of them.", "event", events)
    yield counter(
        "udp_missed",
        "Datagrams lost before they were read: the socket's buffer was full.",
        pump.udp_missed,
    )
    yield counter(
        "udp_dropped", "Datagrams dropped because the socket stayed full.", pump.udp_dropped
    )
