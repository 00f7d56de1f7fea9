"""What a running server dropped, refused or forgot since its start, each with why and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cti.counted import counted
from cti.doctor_findings import SHORT_OF_CPU, Finding, Severity
from cti.metrics.reading import Figures, Name


@dataclass(frozen=True, slots=True)
class Drop:
    """A counter that ought to stay at 0."""

    name: Name
    thing: str
    things: str
    what: str
    """`{}` is the count with its thing."""
    remedy: str
    labels: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.WARNING


_NOTHING: Final = "Nothing is to be done."
_KEYS: Final = (
    "A peer keys faster than telephones may be keyed, for long: it is a machine, or broken."
)

DROPS: Final = (
    Drop(
        "sip_dropped_total",
        "message was",
        "messages were",
        "SIP: {} dropped unread",
        "More came than could even be refused: see who floods, and let a firewall limit it.",
    ),
    Drop(
        "sip_held_dropped_total",
        "message was",
        "messages were",
        "SIP: {} dropped that came while the calls of an earlier process were taken up",
        "Peers send them again. That many come in so short a time from who floods: let a firewall limit it.",
    ),
    Drop(
        "udp_missed_total",
        "datagram was",
        "datagrams were",
        "SIP: {} lost unread",
        "More came than was read: `sysctl net.core.rmem_max`, and CPU for the call agent.",
    ),
    Drop(
        "udp_dropped_total",
        "datagram was",
        "datagrams were",
        "SIP: {} not sent",
        "The socket stayed full: `sysctl net.core.wmem_max`, and CPU for the call agent.",
    ),
    Drop(
        "sip_oddities_total",
        "ACK was",
        "ACKs were",
        "SIP: {} dropped, as too many events waited for the calls",
        f"Peers send them again. {SHORT_OF_CPU}",
        {"kind": "acks_dropped"},
    ),
    Drop(
        "sip_oddities_total",
        "request",
        "requests",
        "SIP: {} of strangers answered with 503, as they had all of their room",
        "Registered phones and trunks have room of their own. Where the senders are yours, they register, "
        "or limits.exempt names their networks.",
        {"kind": "shed_strangers"},
    ),
    Drop(
        "sip_oddities_total",
        "request",
        "requests",
        "SIP: {} of scanners dropped unanswered",
        f"{_NOTHING} Who goes on is banned: `switchroom bans`.",
        {"kind": "turned_away"},
        Severity.GOOD,
    ),
    Drop(
        "sip_oddities_total",
        "transaction that was over was",
        "transactions that were over were",
        "SIP: {} forgotten before the time, for want of room",
        "A request that is repeated very late may be taken for a new one. Where the machine has memory left, "
        "raise limits.max_transactions.",
        {"kind": "rests_cut_short"},
        Severity.GOOD,
    ),
    Drop(
        "guard_sources_forgotten_total",
        "address was",
        "addresses were",
        "guard: {} forgotten for newer ones",
        "Requests came from more addresses than are remembered, as of one who invents senders: let a "
        "firewall in front admit only those you expect.",
    ),
    Drop(
        "guard_passwords_put_off_total",
        "of phones",
        "of phones",
        "passwords: {} not looked at, in a pause after wrong ones",
        "`switchroom bans` shows guessers; a phone with an old password does this, too.",
    ),
    Drop(
        "contacts_displaced_total",
        "registered contact",
        "registered contacts",
        "phones: {} gave way to newer ones of the same number",
        "More devices register by one number than may: give each its own. A phone that takes another port at "
        "each start does this, too, until its old contacts expire.",
    ),
    Drop(
        "subscribes_total",
        "subscription was",
        "subscriptions were",
        "presence: {} refused with 480, as there were too many",
        "Lamps of phones stay dark: see which limit of subscriptions is near, above.",
        {"status": "480"},
    ),
    Drop(
        "subscriptions_ended_total",
        "subscription was",
        "subscriptions were",
        "presence: {} ended for newer ones of the same phone",
        "A phone watches more than it may, or forgets at each start what it had: its lamps may stay dark.",
        {"reason": "rejected"},
    ),
    Drop(
        "streams_cut_total",
        "desk or wallboard",
        "desks or wallboards",
        "connections: {} cut that did not read",
        "Their machine or line is too slow for the events; they connect again by themselves.",
    ),
    Drop(
        "api_slow_cut_total",
        "connection",
        "connections",
        "API: {} cut that brought no request",
        "",
        severity=Severity.GOOD,
    ),
    Drop(
        "api_displaced_total",
        "connection",
        "connections",
        "API: {} that brought no request cut for newer ones",
        "Somebody opens connections and says nothing: let a firewall limit who reaches api.port.",
    ),
    Drop(
        "capture_packets_total",
        "message was",
        "messages were",
        "capture: {} not sent to the capture server",
        "It is away or too slow, or they were too long for a packet; see capture.hep. Calls go on.",
        {"outcome": "dropped"},
    ),
    Drop(
        "gateway_handshakes_dropped_total",
        "datagram",
        "datagrams",
        "sound: {} of DTLS handshakes dropped, as too many waited",
        "Peers send theirs again. More encrypted calls began than it has time for, or a peer floods.",
    ),
    Drop(
        "gateway_handshakes_refused_total",
        "datagram",
        "datagrams",
        "sound: {} dropped that came to encrypted legs from others than their peers",
        f"{_NOTHING} A browser that tries all of its addresses does this, as does one who scans.",
        severity=Severity.GOOD,
    ),
    Drop(
        "gateway_digits_dropped_total",
        "digit was",
        "digits were",
        "sound: {} not passed on, as too many waited at the leg",
        _KEYS,
    ),
    Drop(
        "digits_dropped_total",
        "digit was",
        "digits were",
        "calls: {} not sent in INFO, as too many waited at the leg",
        _KEYS,
    ),
    Drop(
        "gateway_losses_total",
        "media gateway was",
        "media gateways were",
        "sound: {} lost, whose calls ended",
        "The log says which, when, and what it said last; the kernel's log has one that was killed for want "
        "of memory.",
    ),
    Drop(
        "recordings_broken_total",
        "recording was",
        "recordings were",
        "recordings: {} not written to the end",
        "What was written is kept; `switchroom recordings list` has each with its reason. See the free space "
        "and the speed of the disk.",
    ),
    Drop(
        "gateway_events_lost_total",
        "event",
        "events",
        "sound: {} of media gateways lost while no call agent was there",
        "Calls and recordings may have ended unnoticed. Let the server start again sooner, or lower "
        "media.linger_s.",
    ),
    Drop(
        "journal_failures_total",
        "time",
        "times",
        "journal: {} not written when it was due",
        "A restart just then would have lost calls. See the free space and the rights of the data folder.",
    ),
    Drop(
        "call_records_left_out_total",
        "refused call has",
        "refused calls have",
        "history: {} no record of their own",
        f"{_NOTHING} Too many were refused within a second; all are counted above.",
        severity=Severity.GOOD,
    ),
    Drop(
        "campaign_decisions_dropped_total",
        "decision",
        "decisions",
        "campaigns: {} of the pacer not kept",
        "The disk of the data folder is too slow. Dials go on; why they were made cannot be read any more.",
    ),
    Drop(
        "event_loop_late_total",
        "time",
        "times",
        "call agent: {} late by more than 0.1 s",
        "All calls wait meanwhile. See what else runs here with `top`.",
        severity=Severity.GOOD,
    ),
)


def examine_drops(figures: Figures) -> Iterator[Finding]:
    """What is not at 0."""
    for each in DROPS:
        if count := figures.get(each.name, **each.labels):
            what = each.what.format(counted(count, each.thing, each.things))
            yield Finding(each.severity, what, each.remedy)
