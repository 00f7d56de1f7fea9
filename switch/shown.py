"""Addresses as anybody may read them, in a message or a log."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"
_CREDENTIALS: Final = re.compile(r"^([A-Za-z][\w+.-]*:(?://)?[^:@/\s]*:).*@", re.DOTALL)


def without_password(address: str) -> str:
    """`sip:user:password@host`, `postgresql://user:password@host/name` without what nobody is to see."""
    return _CREDENTIALS.sub(rf"\g<1>{HIDDEN}@", address)
