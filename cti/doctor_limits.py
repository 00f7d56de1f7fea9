"""What the doctor says of every limit of a running server: how near it is, and what to do then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cti.doctor_findings import SHORT_OF_CPU, Finding, Severity
from cti.metrics.reading import Figures

_NEAR: Final = 0.8
"""Share of a limit from which on it is worth a warning."""
_NO_FAULT: Final = frozenset(
    {
        # The figure of a moment, or the worst of a minute: it may be over by now.
        "event_loop_lag_seconds",
        "calls_per_second",
        "notifications",
        "texts",
        "gateway_handshakes",
        "waiting_messages",
        "waiting_requests",
        "waiting_octets",
        "parking_places",
        # The oldest gives way to the newest.
        "api_connections",
        "nonces",
        "watcher_subscriptions",
        # One peer has all that it may have; the others have theirs.
        "phone_subscriptions",
        "stranger_transactions",
    }
)
"""Limits that are no more than a warning when they are reached."""
_FLOOD: Final = (
    "Let a firewall in front admit only those you expect, or name networks in limits.exempt."
)
_FILES: Final = "Raise the limit: `ulimit -Hn 65536`, or LimitNOFILE= in the service."
UNITS: Final = {
    "calls": ("calls at a time", "Raise sip.max_calls if the machine has CPU left, or add a node."),
    "sip_sessions": (
        "SIP sessions, those included that are ending",
        "Calls beyond it get 503. Each needs two, and one more for each phone beyond the first that rings "
        "at once: let fewer ring together, or set sip.max_calls above 5000.",
    ),
    "sip_transactions": (
        "SIP transactions under way",
        "Raise limits.max_transactions, or look below for who floods.",
    ),
    "strangers_transactions": (
        "SIP transactions of strangers",
        "Somebody leaves requests open; registered phones and trunks have room of their own.",
    ),
    "stranger_transactions": (
        "SIP transactions of the stranger that has most",
        f"It leaves requests open, and gets 503 beyond that. {_FLOOD}",
    ),
    "waiting_messages": (
        "messages of calls under way that wait to be read",
        f"Beyond it they are dropped, and peers send them again. {SHORT_OF_CPU}",
    ),
    "waiting_requests": (
        "new requests that wait to be read, of the lane with most",
        f"Beyond it those that wait longest get 503. {SHORT_OF_CPU}",
    ),
    "waiting_octets": (
        "octets of messages that wait to be read",
        f"Beyond it messages are dropped, whoever sends them. {SHORT_OF_CPU} {_FLOOD}",
    ),
    "guarded_addresses": (
        "addresses known to the guard or banned by it",
        "Beyond it known ones are forgotten and count as strangers until they register again: let a "
        "firewall in front admit only those you expect, or name networks in limits.exempt.",
    ),
    "nonces": (
        "nonces of passwords that are in use",
        "Beyond it phones are challenged once more. They register or call more often than they need "
        "to: raise sip.least_expires_s.",
    ),
    "tcp_connections": (
        "SIP connections over TCP",
        "See who holds them: `ss -tn sport = :5060`; phones should share connections.",
    ),
    "event_loop_lag_seconds": (
        "seconds of lag in the last minute; new calls are refused above the limit",
        SHORT_OF_CPU,
    ),
    "strangers_connections": (
        "SIP connections of strangers; the newest takes the place of the oldest",
        "Phones that register keep theirs; let a firewall in front admit only those you expect.",
    ),
    "unread_octets": (
        "octets that SIP peers leave unread over TCP; beyond it those are cut that do not read",
        "See who they are: `ss -tn sport = :5060` has them in Send-Q.",
    ),
    "subscriptions": (
        "subscriptions to phones",
        "Beyond it lamps of phones stay dark. Let phones watch fewer others, or add a node.",
    ),
    "watcher_subscriptions": (
        "subscriptions of the phone that watches most; its oldest gives way to one more",
        "Let it watch fewer others, or give its keys to several phones.",
    ),
    "phone_subscriptions": (
        "subscriptions to the phone that is watched most",
        "Beyond it nobody more can watch that phone. Let fewer phones have a key for it.",
    ),
    "notifications": (
        "notifications on their way to those who watch phones",
        "The others wait for it. Phones do not answer theirs: see the network to them.",
    ),
    "texts": (
        "short messages on their way",
        "Beyond it they are refused with 480. Phones do not answer theirs: see the network to them.",
    ),
    "parking_places": (
        "parking places",
        "Calls cannot be parked beyond it: name more in park.slots.",
    ),
    "sign_ons": (
        "passwords of people that are being verified",
        "Somebody guesses, or many sign on at once; those beyond it are told to come again.",
    ),
    "api_connections": (
        "connections to the API that brought no request yet; the newest takes the place of the oldest",
        "Somebody opens connections and says nothing: let a firewall limit who reaches api.port.",
    ),
    "rtp_ports": ("RTP ports", "Widen media.ports, and keep it below the ephemeral ports."),
    "open_files": ("open files of the call agent", _FILES),
    "history_rows": (
        "rows of history in memory",
        "The database does not take them; its message is in the log. See `switchroom db`.",
    ),
}
"""Limit to what is counted, and what to do when it is near."""
UNITS_OF_EACH: Final = {
    "trunk": (
        "calls on the trunk {}",
        "Ask the carrier for more channels, then raise max_calls of the trunk.",
    ),
    "calls_per_second": (
        "calls begun within a second on the trunk {}",
        "Calls beyond it go by another trunk, or get 503. Ask the carrier for more, then raise "
        "max_calls_per_second of the trunk.",
    ),
    "gateway_ports": (
        "RTP ports of the media gateway {}",
        "Widen --rtp-ports of its command, and keep them below the ephemeral ports.",
    ),
    "gateway_files": (
        "open files of the media gateway {}",
        f"A leg needs two, a recording one more. {_FILES}",
    ),
    "gateway_recorded": (
        "octets of sound of the media gateway {} that wait for the disk",
        "Beyond it recordings end: the disk is too slow for so many, or something else uses it.",
    ),
    "gateway_handshakes": (
        "datagrams of DTLS handshakes that wait in the media gateway {}",
        "More encrypted calls begin than it has time for, or one peer floods: see `top`.",
    ),
}
"""The same of limits of which there are several; `{}` is whose."""


def examine_limits(figures: Figures) -> Iterator[Finding]:
    """Every limit, with a remedy where it is near."""
    used = dict(figures.by("limit_used", "limit"))
    for name, most in figures.by("limit", "limit"):
        now = used.get(name, 0.0)
        share = now / most if most else 0.0
        unit, remedy = _words(name)
        what = f"limit: {_number(now)} of {_number(most)} {unit} ({share:.0%})"
        if share >= 1.0 and name.partition(" ")[0] not in _NO_FAULT:
            yield Finding(Severity.FAULT, what, remedy)
        elif share >= _NEAR:
            yield Finding(Severity.WARNING, what, remedy)
        else:
            yield Finding(Severity.GOOD, what)


def _words(name: str) -> tuple[str, str]:
    kind, _, whose = name.partition(" ")
    if whose and kind in UNITS_OF_EACH:
        unit, remedy = UNITS_OF_EACH[kind]
        return unit.format(whose), remedy
    return UNITS.get(name, (name.replace("_", " "), "See docs/configuration.md."))


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"
