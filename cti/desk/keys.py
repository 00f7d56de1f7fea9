"""Which key does what, and which of its meanings holds now.

A key has one place on the keyboard and verbs of which the first that makes sense holds (hold or
resume; hang up, refuse or skip). The verbs are those of `cti.desk.state.allowed_actions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType

from cti.desk.catalogue import CATALOGUE


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDef:
    """A key of the desk."""

    id: str
    keys: str
    """As Textual spells them."""
    shown: str
    verbs: tuple[str, ...]
    urgent: bool = False
    unless_typing: str = ""
    """Another key for the same, which a field that has the focus takes first."""
    through_windows: bool = False
    """Whether it works while a window lies over the desk."""

    def bindings(self) -> list[BindingType]:
        """The bindings, with the English help as tooltip until the language is known."""
        made: list[BindingType] = [self._binding(self.keys, "press", priority=True)]
        if self.unless_typing:
            made.append(self._binding(self.unless_typing, "press_unless_typing", priority=False))
        return made

    def _binding(self, keys: str, action: str, *, priority: bool) -> Binding:
        tips = " / ".join(CATALOGUE[f"help.{verb}"][0] for verb in self.verbs)
        return Binding(
            keys,
            f"{action}('{self.id}')",
            CATALOGUE[f"key.{self.verbs[0]}"][0],
            key_display=self.shown,
            priority=priority,
            tooltip=tips,
            id=f"desk.{self.id}" if priority else f"desk.{self.id}.{keys}",
        )


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key as the bar at the bottom shows it now."""

    shown: str
    verb: str
    is_urgent: bool = False


DESK_KEYS: Final = (
    KeyDef(
        id="answer",
        keys="f5",
        shown="F5",
        verbs=("answer", "consent"),
        urgent=True,
        unless_typing="enter",
        through_windows=True,
    ),
    KeyDef(id="ready", keys="f2", shown="F2", verbs=("finish", "ready")),
    KeyDef(id="not_ready", keys="f3", shown="F3", verbs=("not_ready",)),
    KeyDef(id="dial", keys="f4", shown="F4", verbs=("dial",)),
    KeyDef(id="find", keys="ctrl+f", shown="^F", verbs=("find",)),
    KeyDef(id="hold", keys="f6", shown="F6", verbs=("hold", "resume"), through_windows=True),
    KeyDef(id="mute", keys="f7", shown="F7", verbs=("mute", "unmute"), through_windows=True),
    KeyDef(
        id="hang_up",
        keys="f8",
        shown="F8",
        verbs=("hang_up", "refuse", "skip"),
        through_windows=True,
    ),
    KeyDef(id="next", keys="ctrl+n", shown="^N", verbs=("click", "take")),
    KeyDef(id="digits", keys="f9", shown="F9", verbs=("digits",)),
    KeyDef(id="consult", keys="ctrl+x", shown="^X", verbs=("consult_step", "consult")),
    KeyDef(id="park", keys="ctrl+p", shown="^P", verbs=("park", "parked")),
    KeyDef(id="disposition", keys="ctrl+o,f10", shown="^O", verbs=("disposition",)),
    KeyDef(id="later", keys="ctrl+l", shown="^L", verbs=("later",)),
    KeyDef(id="script", keys="ctrl+g", shown="^G", verbs=("script",)),
    KeyDef(id="customer", keys="ctrl+k", shown="^K", verbs=("customer",)),
    KeyDef(id="save_note", keys="ctrl+s", shown="^S", verbs=("save_note",)),
    KeyDef(id="extend", keys="ctrl+t", shown="^T", verbs=("extend",)),
    KeyDef(id="restart_phone", keys="f12,ctrl+r", shown="^R", verbs=("restart_phone",)),
    KeyDef(id="help", keys="f1", shown="F1", verbs=("help",)),
    KeyDef(id="quit", keys="ctrl+q", shown="^Q", verbs=("quit",)),
)
"""In the order of the bar. F11 is left to terminals."""

BOARD_KEYS: Final = (
    KeyDef(id="supervise", keys="f5,s", shown="F5", verbs=("supervise",)),
    KeyDef(id="parked", keys="f6,p", shown="F6", verbs=("parked",)),
    KeyDef(id="campaigns", keys="f7,c", shown="F7", verbs=("campaigns",)),
    KeyDef(id="help", keys="f1,question_mark", shown="F1", verbs=("help",)),
    KeyDef(id="quit", keys="ctrl+q,q", shown="Q", verbs=("leave_board",)),
)

CAMPAIGN_KEYS: Final = (
    KeyDef(id="start", keys="f2,s", shown="F2", verbs=("start_campaign",)),
    KeyDef(id="pause", keys="f3,p", shown="F3", verbs=("pause_campaign",)),
    KeyDef(id="change", keys="f4,e", shown="F4", verbs=("change_campaign",)),
    KeyDef(id="why", keys="f5,w", shown="F5", verbs=("why_campaign",)),
    KeyDef(id="log", keys="f6,l", shown="F6", verbs=("log_campaign",)),
    KeyDef(id="finish", keys="f8", shown="F8", verbs=("finish_campaign",)),
    KeyDef(id="up", keys="up,k", shown="↑", verbs=("campaign_up",)),
    KeyDef(id="down", keys="down,j", shown="↓", verbs=("campaign_down",)),
    KeyDef(id="help", keys="f1,question_mark", shown="F1", verbs=("help",)),
    KeyDef(id="back", keys="escape,f7,q", shown="Esc", verbs=("leave_campaigns",)),
)

_BY_ID: Final = {key.id: key for key in (*BOARD_KEYS, *CAMPAIGN_KEYS, *DESK_KEYS)}


def verb_of(key_id: str, allowed: Iterable[str]) -> str | None:
    """What the key means now; None when nothing."""
    able = set(allowed)
    return next((verb for verb in _BY_ID[key_id].verbs if verb in able), None)


def hints(keys: Iterable[KeyDef], allowed: Iterable[str]) -> tuple[KeyHint, ...]:
    """The keys that mean something now, each with its one meaning."""
    able = set(allowed)
    return tuple(
        KeyHint(key.shown, verb, key.urgent)
        for key in keys
        if (verb := next((each for each in key.verbs if each in able), None)) is not None
    )
