"""Colours, named by meaning. Calm ones: an agent looks at them for eight hours."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

# Neutral enough to become greys, not blues, on terminals with 256 colours.
BACKGROUND: Final = "#141619"
SURFACE: Final = "#1b1e21"
PANEL: Final = "#2b2f34"
TEXT: Final = "#d7dee6"
DIM: Final = "#8592a0"
FAINT: Final = "#55616e"
BLUE: Final = "#74a9d8"
GREEN: Final = "#7dbb87"
AMBER: Final = "#e0b062"
RED: Final = "#e07a72"
VIOLET: Final = "#b096d6"
TEAL: Final = "#6fb8b0"

STATE_COLOURS: Final = {
    "logged-out": FAINT,
    "available": GREEN,
    "reserved": AMBER,
    "ringing": AMBER,
    "talking": BLUE,
    "held": VIOLET,
    "wrap-up": TEAL,
    "not-ready": DIM,
    "engaged": BLUE,
    "preview": AMBER,
    "calling-agent": AMBER,
    "dialling": TEAL,
    "customer-rings": TEAL,
}
STAGE_COLOURS: Final = {
    "menu": DIM,
    "waiting": AMBER,
    "offered": AMBER,
    "talking": BLUE,
    "held": VIOLET,
    "wrap-up": TEAL,
    "direct": BLUE,
    "parked": VIOLET,
}
VERSTAT_COLOURS: Final = {
    "TN-Validation-Passed": GREEN,
    "TN-Validation-Failed": RED,
    "No-TN-Validation": FAINT,
}
SEVERITY_COLOURS: Final = {"information": BLUE, "warning": AMBER, "error": RED}

THEME: Final = Theme(
    name="switchroom",
    primary=BLUE,
    secondary=TEAL,
    accent=AMBER,
    foreground=TEXT,
    background=BACKGROUND,
    surface=SURFACE,
    panel=PANEL,
    success=GREEN,
    warning=AMBER,
    error=RED,
    dark=True,
    variables={
        "dim": DIM,
        "faint": FAINT,
        "input-selection-background": f"{BLUE} 35%",
        "block-cursor-background": BLUE,
        "block-cursor-foreground": BACKGROUND,
        "block-cursor-text-style": "none",
        "border": PANEL,
    },
)


def level_colour(share: float | None) -> str:
    """Colour of a service level: 80 % is kept, 60 % is in danger."""
    if share is None:
        return FAINT
    return GREEN if share >= 0.8 else AMBER if share >= 0.6 else RED


def wait_colour(waited_s: float, threshold_s: float) -> str:
    """Colour of a wait: within the threshold, up to three times it, beyond."""
    if waited_s <= threshold_s:
        return TEXT
    return AMBER if waited_s <= 3 * threshold_s else RED
