"""The demo's campaign: a list of its customers, and people behind the trunk who can be called.

It is a draft until somebody starts it, from the wallboard or by `switchroom campaigns start renewals`.
Then records are shown to the agent, and simulated people pick up, are busy or are away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from cti.client import ApiClient, ApiError
from cti.demo.people import People
from cti.demo.server import DemoFailedError
from cti.schema_campaign_requests import ImportRequest

NAME: Final = "renewals"
_WITHIN_S: Final = 30.0
_LIST: Final = """Name,Mobile,City,Contract ends
Grace Mbeki,+1 202 555 0109,Boston,31 January
Peter Novak,+1 202 555 0105,Chicago,14 February
Amelia Okafor,+1 202 555 0103,Austin,28 February
Thomas Becker,+1 202 555 0111,Denver,2 March
Isabel Romero,+1 202 555 0112,Miami,9 March
Hannah Cole,+1 202 555 0114,Seattle,15 March
Marcus Webb,+1 202 555 0115,Portland,30 March
Olivia Grant,+1 202 555 0117,New York,1 April
"""
_SCRIPT: Final = """## Renewal

Good day {Name}, this is **Switchroom Lab**. Your contract ends on **{Contract ends}**.

1. Renew for a year: outcome *Sale*.
2. Wants to think about it: *Follow up*, and ask when to call again.
"""
_SETTINGS: Final = {
    "title": "Renewals",
    "mode": "preview",
    "queue": "sales",
    "trunk": "out",
    "caller_ids": ["+12025550190"],
    "preview_s": 0.0,
    "script": _SCRIPT,
    "dispositions": ["sale", "follow-up", "wrong-number"],
    "retry_dispositions": {"follow-up": {"after_s": 86400.0}},
    "windows": [{"begin": "00:00", "end": "24:00"}],
}


@contextlib.asynccontextmanager
async def people_at(host: str, port: int) -> AsyncIterator[None]:
    """The people whom the trunk reaches."""
    people = People(host)
    await people.open(port)
    try:
        yield
    finally:
        await people.close()


async def make_campaign(url: str) -> int:
    """Make the campaign with its list, unless it is there; gives how many may be called now.

    Raises:
        DemoFailedError: it could not be made; the message says why.
    """
    try:
        async with ApiClient(url) as api:
            await api.sign_on("super", "desk-super")
            if not any(view.name == NAME for view in await api.campaigns()):
                await api.create_campaign(NAME, dict(_SETTINGS))
                upload = await api.upload("customers.csv", _pieces())
                await api.begin_import(NAME, ImportRequest(upload_id=upload.upload_id))
                await _imported(api)
            return (await api.why_campaign(NAME)).callable
    except (ApiError, TimeoutError) as error:
        raise DemoFailedError(f"the campaign: {error}") from error


async def _imported(api: ApiClient) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while True:
            views = await api.imports(NAME)
            if not views or views[0].state != "running":
                break
            await asyncio.sleep(0.05)
    if not views or views[0].state != "done":
        raise DemoFailedError(f"the campaign's list was not imported: {views}")


async def _pieces() -> AsyncIterator[bytes]:
    yield _LIST.encode()
