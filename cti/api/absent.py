"""What stands in where a server has no switch: nobody is banned, no trunks, no phones, no calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cti.errors import NotFound
from cti.schema import BanView, GatewayStatus, RouteView, TrunkView
from cti.schema_calls import CallLegPage, TraceView
from cti.schema_phones import MailboxView

if TYPE_CHECKING:
    from cti.api.ports import Account


class NobodyBanned:
    """For servers without a switch."""

    def list(self) -> tuple[BanView, ...]:
        """Nobody."""
        return ()

    def lift(self, source: str, actor: Account) -> None:
        """There is none."""
        raise NotFound("not-banned", f"{source[:100]} is not banned.")

    def shut_out_for(self, address: str) -> float:
        """It never is."""
        return 0.0

    def is_shared(self, address: str) -> bool:
        """It is not known to be."""
        return False

    def right_password(self, address: str, login: str) -> None:
        """Nothing follows from it."""

    def wrong_password(self, address: str, *, is_slowed: bool) -> None:
        """Nothing follows from it."""


class NoTrunks:
    """For servers without a switch."""

    def view(self) -> tuple[TrunkView, ...]:
        """None."""
        return ()

    def route(self, number: str, caller: str) -> RouteView:
        """Nowhere."""
        return RouteView(number=number, caller=caller, outcome="refused", words="Nobody has it")


class NoGateways:
    """For servers without a switch."""

    def view(self) -> tuple[GatewayStatus, ...]:
        """None."""
        return ()

    def drain(self, name: str, *, on: bool, actor: Account) -> GatewayStatus:
        """There is none."""
        raise NotFound("no-such-gateway", f"There is no gateway {name[:40]}.")


class NoPhones:
    """For servers without a switch."""

    def mailbox(self, phone: str) -> MailboxView:
        """There is none."""
        raise NotFound("no-such-phone", f"There is no phone {phone[:40]}.")

    def set_mailbox(self, phone: str, new: int, old: int) -> MailboxView:
        """There is none."""
        return self.mailbox(phone)

    async def write(self, sender: str, phone: str, text: str) -> int:
        """There is none."""
        self.mailbox(phone)
        return 404


class NoCalls:
    """For servers without a switch."""

    async def legs(self, *, limit: int, cursor: str, **wanted: Any) -> CallLegPage:
        """There are none."""
        return CallLegPage(legs=())

    async def traces(self, wanted: str, *, with_text: bool) -> list[TraceView]:
        """There is none."""
        raise NotFound("no-such-call", "There are no calls here.")
