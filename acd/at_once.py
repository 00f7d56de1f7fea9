"""How a phone is asked to answer by itself, where its agent has asked for the call or expects it.

Phones know one of two header fields; one that knows neither, or may not, rings as always.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AT_ONCE: Final[Mapping[str, str]] = {
    "Call-Info": "<sip:example.com>;answer-after=0",
    "Alert-Info": "<http://example.com>;info=alert-autoanswer;delay=0",
}
