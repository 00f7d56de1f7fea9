"""What the calls need of the media gateway. `switch.gateway.client.GatewayClient` satisfies it."""

from __future__ import annotations

from typing import Protocol

from switch.gateway.protocol import Command


class Gateway(Protocol):
    """Commands out; events come in through `Calls.gateway_event`."""

    def send(self, command: Command) -> None:
        """Queue a command; without a connection it is dropped."""

    def take_port(self) -> int:
        """Take one of the RTP ports reserved ahead; `AddLeg` and `RemoveLeg` give it back.

        Raises:
            MediaUnavailableError: no gateway is connected, or it has no free port.
        """

    def claim_port(self, port: int) -> None:
        """Give this port to nobody else: an earlier process took it, and `AddLeg` follows."""
