"""What desk and wallboard have in common as programs."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App

from cti.client import ApiClient
from cti.desk import looks


class SwitchroomApp(App[None]):
    """Theme, sizes, and the connection that is closed at the end."""

    TITLE = "Switchroom"
    CSS_PATH: ClassVar = ["base.tcss"]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, server: str) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
        self.api = ApiClient(server)
        self.register_theme(looks.THEME)
        self.theme = looks.THEME.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Names for colours that Textual has no name for."""
        return {"dim": looks.DIM, "faint": looks.FAINT, "violet": looks.VIOLET}

    async def on_unmount(self) -> None:
        """Close all connections."""
        await self.api.close()
