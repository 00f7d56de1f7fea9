"""The client's commands that bring others to an interaction: consult, transfer, conference, supervise."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from cti.client_requests import Requests
from cti.schema import (
    ConsultRequest,
    DirectoryEntry,
    FetchRequest,
    ParkedView,
    ParkReply,
    ParkRequest,
    PartyRequest,
    PickUpRequest,
    SuperviseRequest,
    TransferRequest,
)


class PartyCommands:
    """Part of `cti.client.ApiClient`. Raises `ApiError` and `ServerUnreachableError`."""

    _requests: Requests

    async def directory(self) -> tuple[DirectoryEntry, ...]:
        """Whom one can consult or transfer to: agents and queues, with their state."""
        return await self._requests.get("/api/v1/agents/directory", tuple[DirectoryEntry, ...])

    async def consult(self, interaction_id: str, number: str) -> None:
        """Call somebody; the customer hears music."""
        await self._requests.post(_path(interaction_id, "consult"), ConsultRequest(number=number))

    async def consult_step(self, interaction_id: str, step: str) -> None:
        """`complete`, `join`, `toggle` or `cancel` the consultation."""
        await self._requests.post(_path(interaction_id, f"consult/{step}"))

    async def transfer(
        self, interaction_id: str, *, number: str = "", queue: str = "", head: bool = False
    ) -> None:
        """Give the interaction away at once."""
        request = TransferRequest(number=number, queue=queue, head=head)
        await self._requests.post(_path(interaction_id, "transfer"), request)

    async def remove_party(self, interaction_id: str, number: str) -> None:
        """Hang up on one who joined."""
        await self._requests.post(
            _path(interaction_id, "parties/remove"), PartyRequest(number=number)
        )

    async def park(self, interaction_id: str, slot: str = "") -> str:
        """Park a call in a place, or the next free one; gives the place."""
        request = ParkRequest(slot=slot)
        reply = await self._requests.post(_path(interaction_id, "park"), request)
        return msgspec.json.decode(reply, type=ParkReply).slot

    async def parked(self) -> tuple[ParkedView, ...]:
        """The parking places that are taken."""
        return await self._requests.get("/api/v1/parked", tuple[ParkedView, ...])

    async def fetch(self, slot: str, phone: str = "") -> None:
        """Have one's phone called, or `phone`: when it answers it has the parked call."""
        path = f"/api/v1/parked/{quote(slot, safe='')}/fetch"
        await self._requests.post(path, FetchRequest(phone=phone))

    async def pick_up(self, number: str = "", phone: str = "") -> None:
        """Have one's phone called: it then has what rings at `number`, or at a colleague."""
        request = PickUpRequest(number=number, phone=phone)
        await self._requests.post("/api/v1/parked/pick-up", request)

    async def supervise(self, interaction_id: str, role: str, phone: str = "") -> None:
        """Attend a conversation as `monitor`, `whisper` or `barge`, or `take-over`."""
        await self._requests.post(
            _path(interaction_id, "supervise"), SuperviseRequest(role=role, phone=phone)
        )

    async def stop_supervising(self, interaction_id: str) -> None:
        """Attend it no longer."""
        await self._requests.post(_path(interaction_id, "supervise/stop"))


def _path(interaction_id: str, what: str) -> str:
    return f"/api/v1/interactions/{quote(interaction_id, safe='')}/{what}"
