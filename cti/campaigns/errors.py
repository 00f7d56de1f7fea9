"""What went wrong below, as the errors that reach users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from acd.dialer.errors import BadCampaignError, DialerError, UnknownCampaignError
from acd.errors import AcdError
from crm_store.errors import BadRecord, NotStored, StoreUnavailable
from cti.campaigns.settings_body import BadSettingsError
from cti.errors import Conflict, Invalid, NotFound, Unavailable

_LONGEST_S: Final = 20.0
_AWAY: Final = "The database is away; calls go on. This was not done, or only in part. Try again."
_SLOW: Final = (
    "The database did not answer in time; this may be done yet, or in part. Look, then try again."
)


@asynccontextmanager
async def answering(longest_s: float = _LONGEST_S) -> AsyncIterator[None]:
    """Raises `NotFound`, `Conflict`, `Invalid` and `Unavailable` in place of what lies below."""
    try:
        async with asyncio.timeout(longest_s):
            yield
    except StoreUnavailable:
        raise Unavailable("store-away", _AWAY) from None
    except TimeoutError:
        raise Unavailable("store-slow", _SLOW) from None
    except NotStored as error:
        raise NotFound("no-such-thing", _sentence(str(error))) from None
    except BadRecord as error:
        raise Invalid("bad-record", _sentence(str(error))) from None
    except BadSettingsError as error:
        raise bad_settings(error.problems) from None
    except AcdError as error:
        raise told(error) from None


def told(error: AcdError) -> NotFound | Invalid | Conflict:
    """What the dialer refused."""
    words, details = _sentence(str(error)), dict(error.details)
    if isinstance(error, UnknownCampaignError):
        return NotFound("no-such-campaign", words, **details)
    if isinstance(error, BadCampaignError):
        return Invalid("bad-campaign", words, **details)
    kind = "campaign-refuses" if isinstance(error, DialerError) else "not-now"
    return Conflict(error.error_id or kind, words, **details)


def bad_settings(problems: list[str]) -> Invalid:
    """Settings with everything that is wrong in them."""
    details: dict[str, str] = {}
    for problem in problems[:20]:
        key, _, words = problem.partition(": ")
        key = key[:100] or "settings"
        before = f"{details[key]}; " if key in details else ""
        details[key] = f"{before}{words[:300]}"
    return Invalid("bad-settings", _sentence("; ".join(problems)[:1000]), **details)


def _sentence(words: str) -> str:
    words = " ".join(words.split())
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "?", "!")) else f"{words}."
