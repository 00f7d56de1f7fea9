"""What the doctor sees of a server that runs: every limit and how near it is, and what was dropped.

Reads `/metrics` of the configured address, which needs no sign-on from the same machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import httpx

from cti.counted import counted
from cti.doctor_campaigns import examine_campaigns
from cti.doctor_drops import examine_drops
from cti.doctor_findings import Finding, Severity
from cti.doctor_limits import examine_limits
from cti.doctor_tls import ending
from cti.metrics.reading import Figures, read_figures
from cti.settings import Settings

_REFUSED: Final = {
    "encryption-required": "They came in clear where `srtp` of the trunk or phone asks for encryption: "
    'let the peer encrypt, or set `srtp = "optional"`.',
    "trunk-full": "All its lines were taken, or too many calls began within a second: ask the carrier for "
    "more, then raise max_calls and max_calls_per_second of the trunk or group.",
    "encryption-unusable": "They were encrypted in a way that `srtp` of the trunk or phone rules out, or "
    "that is not spoken here; the log says which at level DEBUG.",
}
"""What to do where the reason of a refusal is a setting."""


async def examine_running(settings: Settings) -> list[Finding]:
    """Findings about the server at the configured address; none when nothing runs there."""
    host = settings.api.host if settings.api.host not in ("0.0.0.0", "::") else "127.0.0.1"
    url = (
        f"http://[{host}]:{settings.api.port}"
        if ":" in host
        else f"http://{host}:{settings.api.port}"
    )
    if settings.api.port == 0:
        return []
    try:
        async with httpx.AsyncClient() as client:
            figures = await read_figures(client, url)
    except (httpx.TransportError, ValueError):
        return []
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403):
            what = f"a server runs at {url}, but shows its figures to this machine only"
            return [Finding(Severity.WARNING, what, "Run the doctor on the server's own machine.")]
        return []
    if not figures.has("uptime_seconds"):
        return []  # something else answers there
    return [
        Finding(Severity.GOOD, f"a server runs at {url}, {_since(figures.get('uptime_seconds'))}"),
        *examine_figures(figures),
    ]


def examine_figures(figures: Figures) -> list[Finding]:
    """What the figures of a server say, in words."""
    return [
        *examine_limits(figures),
        *_sound(figures),
        *_calls(figures),
        *_trunks(figures),
        *examine_campaigns(figures),
        *_strangers(figures),
        *_connections(figures),
        *_sign_ons(figures),
        *_messages(figures),
        *_store(figures),
        *examine_drops(figures),
    ]


def _sound(figures: Figures) -> Iterator[Finding]:
    if not figures.get("gateway_up"):
        is_any = any(up for _, up in figures.by("gateways_up", "gateway"))
        what = "takes new calls" if is_any else "is connected"
        yield Finding(
            Severity.FAULT,
            f"no media gateway {what}: calls are refused with 503",
            "It is started anew by itself; the log says why it does not come up.",
        )
        yield from _gateways(figures)
        return
    yield from _gateways(figures)
    ticks, late = figures.get("gateway_ticks_total"), figures.get("gateway_ticks_late_total")
    dropped = figures.get("gateway_ticks_dropped_total")
    worst = 1000 * figures.get("gateway_tick_lateness_p99_seconds")
    what = (
        f"sound: {late:.0f} of {ticks:.0f} ticks late, {dropped:.0f} dropped; "
        f"p99 of the last ten seconds {worst:.1f} ms"
    )
    if dropped or late > 0.01 * ticks:
        remedy = "The gateway is short of CPU: give it a core of its own, see `top`."
        yield Finding(Severity.WARNING, what, remedy)
    else:
        yield Finding(Severity.GOOD, what)
    lost, strays = (
        figures.get("gateway_packets_dropped_total"),
        figures.get("gateway_packets_stray_total"),
    )
    what = f"sound: {lost:.0f} RTP packets dropped by us, {strays:.0f} from strangers"
    if lost:
        remedy = "Buffers ran full: `sysctl net.core.rmem_max`, and CPU for the gateway."
        yield Finding(Severity.WARNING, what, remedy)
    else:
        yield Finding(Severity.GOOD, what)


def _gateways(figures: Figures) -> Iterator[Finding]:
    """Where there are several, each of them."""
    taking = dict(figures.by("gateways_taking", "gateway"))
    legs = dict(figures.by("gateways_legs", "gateway"))
    for name, up in figures.by("gateways_up", "gateway"):
        if not up:
            what = f"media gateway {name} is not connected"
            remedy = "Its calls ended or wait for it; the log says why it does not come back."
            yield Finding(Severity.FAULT, what, remedy)
        elif not taking.get(name):
            what = (
                f"media gateway {name} takes no new calls, {counted(legs.get(name, 0), 'leg')} left"
            )
            remedy = "It is drained or lacks prompts: `switchroom gateway list` tells which."
            yield Finding(Severity.WARNING, what, remedy)
        elif len(taking) > 1:
            yield Finding(
                Severity.GOOD, f"media gateway {name}: {counted(legs.get(name, 0), 'leg')}"
            )


def _calls(figures: Figures) -> Iterator[Finding]:
    shed, faults = figures.get("calls_shed_total"), figures.get("call_faults_total")
    if shed or figures.get("sip_shed_total"):
        yield Finding(
            Severity.WARNING,
            f"shed: {counted(shed, 'call')} and "
            f"{counted(figures.get('sip_shed_total'), 'request')} were answered "
            "with 503 because of load",
            "Compare with the limits above: one that is full means a setting; none, or lag, means that "
            "more calls came than the call agent's CPU can carry.",
        )
    else:
        yield Finding(Severity.GOOD, "shed: no call was refused because of load")
    if faults:
        yield Finding(
            Severity.WARNING,
            f"{counted(faults, 'call')} ended by a fault of ours",
            "The log has the traceback of each; please report it.",
        )
    for reason, count in sorted(figures.by("calls_refused_total", "reason")):
        if count and reason not in ("overloaded", "too-many-calls"):
            what = f"refused: {counted(count, 'call')}, {reason}"
            yield Finding(Severity.GOOD, what, _REFUSED.get(reason, ""))


def _strangers(figures: Figures) -> Iterator[Finding]:
    banned, bans = figures.get("guard_banned"), figures.get("guard_bans_total")
    now = counted(banned, "address is", "addresses are")
    what = f"bans: {now} banned now, {counted(bans, 'ban')} since the start"
    if banned:
        remedy = "`switchroom bans` names them and why, and lifts them; limits.exempt keeps yours out of it."
        yield Finding(Severity.WARNING, what, remedy)
    else:
        yield Finding(Severity.GOOD, what)
    dropped = {why: n for why, n in figures.by("guard_dropped_total", "reason") if n}
    if dropped:
        told = ", ".join(f"{count:.0f} {why}" for why, count in sorted(dropped.items()))
        yield Finding(
            Severity.WARNING,
            f"dropped: messages at the door: {told}",
            "Above a rate or banned. If they are yours, see [limits] in docs/configuration.md.",
        )
    else:
        yield Finding(Severity.GOOD, "dropped: no message was dropped at the door")


def _trunks(figures: Figures) -> Iterator[Finding]:
    registered = dict(figures.by("trunk_registrations", "trunk"))
    for name, wanted in figures.by("trunk_registrars", "trunk"):
        has = registered.get(name, 0.0)
        what = f"trunk {name}: registered at {has:.0f} of {wanted:.0f} registrars"
        if has < wanted:
            remedy = "`switchroom trunks` tells what the carrier answered; see the user name, too."
            yield Finding(Severity.WARNING if has else Severity.FAULT, what, remedy)
        else:
            yield Finding(Severity.GOOD, what)
    for name, up in figures.by("trunk_up", "trunk"):
        if not up:
            what = f"trunk {name}: none of its addresses works, or it is not registered"
            remedy = "`switchroom trunks` tells which and since when; calls try it last."
            yield Finding(Severity.FAULT, what, remedy)


_TCP_WORDS: Final = {
    "refused_full": "refused for want of room",
    "refused_banned": "refused as banned or too fast",
    "strangers_displaced": "of strangers cut for newer ones",
    "slow_closed": "cut because no whole message came in time",
    "framing_errors": "cut because they did not speak SIP",
    "paused": "times not read for a while, the peer above its rate",
    "write_overflows": "cut because the peer did not read",
    "stalled_closed": "cut because the peer did not read for too long",
    "handshakes_failed": "TLS handshakes that failed",
    "upgrades_refused": "WebSocket upgrades refused",
    "pings_unanswered": "WebSockets cut because no ping was answered",
}


def _connections(figures: Figures) -> Iterator[Finding]:
    listening = dict(figures.by("sip_listener_port", "transport"))
    for kind, count in sorted(figures.by("sip_connections", "transport")):
        port = listening.get(kind)
        where = f" at port {port:.0f}" if port else ""
        yield Finding(Severity.GOOD, f"connections: {count:.0f} over {kind.upper()}{where}")
    if figures.has("tls_certificate_not_after_seconds"):
        until = figures.get("tls_certificate_not_after_seconds")
        remedy = "Put a new one in its place and send SIGHUP to the server; calls go on."
        yield ending("TLS: the certificate that is shown", until, time.time(), remedy)
    if missing := figures.get("names_missing"):
        names = counted(missing, "name of a server", "names of servers")
        what = f"DNS: {names} cannot be looked up; the log says which"
        yield Finding(Severity.WARNING, what, "See sip.dns, or /etc/resolv.conf.")
    events = dict(figures.by("tcp_events_total", "event"))
    told = [f"{events[name]:.0f} {words}" for name, words in _TCP_WORDS.items() if events.get(name)]
    if told:
        what = "connections: " + ", ".join(told)
        if events.get("refused_full"):
            remedy = "Raise limits.max_connections, and see who holds them: `ss -tn sport = :5060`."
            yield Finding(Severity.WARNING, what, remedy)
        else:
            yield Finding(Severity.GOOD, what)
    if lost := events.get("waiting_dropped"):
        remedy = "A peer does not accept connections; see its trunk or phone."
        what = (
            f"connections: {counted(lost, 'message')} dropped, too many waited for one to be made"
        )
        yield Finding(Severity.WARNING, what, remedy)


def _sign_ons(figures: Figures) -> Iterator[Finding]:
    outcomes = dict(figures.by("api_sign_ons_total", "outcome"))
    refused = {slug: outcomes.get(slug, 0.0) for slug in ("too-many-sign-ons", "banned", "busy")}
    if any(refused.values()):
        told = ", ".join(f"{count:.0f} {slug}" for slug, count in refused.items() if count)
        yield Finding(
            Severity.WARNING,
            f"sign-ons: refused unseen: {told}",
            "Somebody guesses, or a desk has an old password; behind a proxy set api.proxies.",
        )


def _messages(figures: Figures) -> Iterator[Finding]:
    malformed = figures.sum("sip_malformed_total")
    again = figures.get("sip_retransmissions_total", direction="sent")
    sent = figures.get("sip_messages_sent_total")
    if malformed:
        yield Finding(Severity.GOOD, f"SIP: {counted(malformed, 'message')} could not be read")
    what = f"SIP: {again:.0f} of {sent:.0f} messages had to be sent again"
    if sent > 1000 and again > 0.02 * sent:
        remedy = "The network loses packets, or a peer is too slow to answer within half a second."
        yield Finding(Severity.WARNING, what, remedy)
    else:
        yield Finding(Severity.GOOD, what)


def _store(figures: Figures) -> Iterator[Finding]:
    pending = figures.get("history_pending_rows")
    if not figures.get("store_up"):
        yield Finding(
            Severity.WARNING,
            f"history: the database takes nothing; {counted(pending, 'row waits', 'rows wait')}",
            "Calls go on and the rows are kept on disk; the log has the database's message.",
        )
    else:
        yield Finding(
            Severity.GOOD,
            f"history: the database takes it, {counted(pending, 'row waits', 'rows wait')}",
        )
    if figures.has("journal_whole") and not figures.get("journal_whole"):
        yield Finding(
            Severity.WARNING,
            "journal: it cannot be written; calls would not survive a restart",
            "See the free space and the rights of the data folder; it is tried again by itself.",
        )
    if slow := figures.get("journal_slow_writes_total"):
        what = f"journal: {counted(slow, 'write')} took longer than 5 ms, and all calls waited for each"
        if slow > 100 and slow > 0.01 * figures.get("journal_records_total"):
            remedy = "Give the data folder a faster disk, or one that nobody else keeps busy."
            yield Finding(Severity.WARNING, what, remedy)
        else:
            yield Finding(Severity.GOOD, what)
    lost = figures.get("history_rows_total", outcome="dropped")
    refused = figures.get("history_rows_total", outcome="refused")
    if lost or refused:
        yield Finding(
            Severity.WARNING,
            f"history: {counted(lost, 'row was', 'rows were')} lost, {refused:.0f} refused by the database",
            "Refused ones are in history-refused.jsonl of the data folder.",
        )


def _since(seconds: float) -> str:
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"for {days} d {hours % 24} h"
    return f"for {hours} h {minutes % 60} min" if hours else f"for {minutes} min"
