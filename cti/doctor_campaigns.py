"""What the figures of a running server say of its campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cti.counted import counted
from cti.doctor_findings import Finding, Severity
from cti.metrics.reading import Figures

_WORTH_TELLING: Final = {
    "no-agents": (
        "no agent of its queue is signed on",
        "Agents of the queue sign on at a desk, or the campaign is paused.",
    ),
    "no-desk": (
        "the free agents of its queue have no desk to read its records at",
        "They open a desk, or the campaign gets `mode=progressive`.",
    ),
    "store-away": ("the database brings no records", "See history below, and `switchroom db`."),
    "settings": (
        "its settings do not fit the configuration",
        "`switchroom campaigns why NAME` names each; change them with `set`.",
    ),
    "abandon-cap": (
        "the abandon rate leaves no room: one dial for each free agent",
        "`switchroom campaigns panel NAME` shows it by every formula; more agents, or patience.",
    ),
    "trunk-down": ("its trunk does not work", "`switchroom trunks` tells why."),
    "trunk-failing": ("dials by its trunk fail", "`switchroom trunks` tells why; it tries again."),
}


def examine_campaigns(figures: Figures) -> Iterator[Finding]:
    """Campaigns that run: what keeps them from dialling, and rates above the cap."""
    running = [name for name, runs in figures.by("campaign_running", "campaign") if runs]
    blocked = dict.fromkeys(figures.pairs("campaign_blocked", "campaign", "reason"))
    caps = dict(figures.by("campaign_abandon_cap_ratio", "campaign"))
    held = dict(figures.by("campaign_abandon_held_ratio", "campaign"))
    bounds = dict(figures.by("campaign_abandon_enforced_ratio", "campaign"))
    for name in sorted(running):
        cap = caps.get(name, 0.0)
        found = [
            _WORTH_TELLING[code]
            for each, code in blocked
            if each == name and code in _WORTH_TELLING
        ]
        for words, remedy in found:
            what = f"campaign {name} runs, but {words}"
            yield Finding(Severity.WARNING, what, remedy.replace("NAME", name))
        worst, bound = held.get(name), bounds.get(name)
        if worst is not None and worst > cap:
            what = f"campaign {name}: the abandon rate, {worst:.2%}, is above its cap of {cap:.2%}"
            remedy = _WORTH_TELLING["abandon-cap"][1]
            yield Finding(Severity.FAULT, what, remedy.replace("NAME", name))
        elif not found:
            shown = "nobody has answered yet" if worst is None else f"abandon rate {worst:.2%}"
            if worst is not None and bound is not None and bound > worst:
                shown += f", with the guard's bound {bound:.2%}"
            yield Finding(Severity.GOOD, f"campaign {name} runs: {shown}")
    if unusable := figures.get("campaigns_unusable"):
        yield Finding(
            Severity.FAULT,
            f"campaigns: {unusable:.0f} cannot be used with this configuration",
            "`switchroom campaigns list` names them and why.",
        )
    if waiting := figures.get("attempts_unsettled"):
        yield Finding(
            Severity.WARNING if waiting > _MANY else Severity.GOOD,
            f"campaigns: {counted(waiting, 'attempt is', 'attempts are')} not in the database yet",
            "They are kept in outbound.jsonl of the data folder until it takes them.",
        )
    if refused := figures.get("attempts_refused_total"):
        lost = counted(refused, "attempt or move", "attempts or moves")
        yield Finding(
            Severity.FAULT,
            f"campaigns: {lost} that the database will never take",
            "They are in outbound.refused.jsonl of the data folder, each with the reason: keep that file.",
        )


_MANY: Final = 100
