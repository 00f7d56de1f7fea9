"""What all sections of the configuration have in common: no other keys, and no secrets in their words."""

from __future__ import annotations

from typing import Final

import msgspec

from switch.shown import HIDDEN, without_password

_SECRET: Final = frozenset(
    {"password", "password_hash", "ha1_sha256", "ha1_md5", "hep_password", "inbound_password"}
)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""

    def __repr__(self) -> str:
        """As it would be written, without passwords: it may come into a log or onto a screen."""
        parts = (f"{name}={_shown(name, getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(parts)})"


def _shown(name: str, value: object) -> str:
    if value and name in _SECRET:
        return HIDDEN
    return repr(without_password(value) if isinstance(value, str) else value)
