"""Media gateways as people see them, and taking new calls away from one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from cti.api.ports import Account
from cti.errors import NotFound
from cti.media_gateways import MediaGateways
from cti.schema import GatewayStatus
from cti.status import StatusBoard

log = logging.getLogger(__name__)


class GatewayDesk:
    """Satisfies `cti.api.ports.GatewayDesk`."""

    def __init__(
        self,
        gateways: MediaGateways,
        board: StatusBoard,
        keep: Callable[[Sequence[str]], None],
    ) -> None:
        """`keep` writes down which take no new calls, for the next start."""
        self._gateways = gateways
        self._board = board
        self._keep = keep

    def view(self) -> tuple[GatewayStatus, ...]:
        """In the order of the configuration."""
        return self._board.gateways

    def drain(self, name: str, *, on: bool, actor: Account) -> GatewayStatus:
        """Let a gateway take no new calls, or take them again. `NotFound`."""
        registry = self._gateways.registry
        if name not in registry:
            names = ", ".join(member.name for member in registry)
            raise NotFound(
                "no-such-gateway", f"There is no gateway {name[:40]}; there are {names}."
            )
        registry[name].is_draining = on
        self._keep([member.name for member in registry if member.is_draining])
        what = "takes no new calls" if on else "takes calls again"
        log.info("media gateway %s %s, by %s", name, what, actor.login)
        return next(view for view in self.view() if view.name == name)
