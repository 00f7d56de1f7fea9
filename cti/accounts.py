"""Who may sign on, and what phones may register: from the configuration.

Two secrets that are never the same: people sign on with a password (argon2), phones register with
a digest (HA1). A desk's softphone gets a secret of its own for as long as the desk is signed on,
so no SIP password is ever typed into a desk.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

from cti.api.ports import Account
from cti.schema import Role
from cti.settings import PhoneSection, Settings, UserSection, expand
from switch.sdp.transport import SrtpPolicy
from switch.sip.digest import ha1

ALGORITHMS = ("SHA-256", "MD5")

_hashed = lru_cache(maxsize=4096)(ha1)
"""Computed once, so that the time of an answer does not tell whether a phone has desks."""
_DESKS = 4
"""Desks of one agent whose softphones may be registered at the same time."""


class PhoneCredentials:
    """HA1 of every phone; satisfies `switch.registrar.ports.Credentials`."""

    def __init__(self, phones: Sequence[PhoneSection], realm: str) -> None:
        """HA1s are computed when first asked for: ten thousand phones start as fast as ten."""
        self._realm = realm
        self._phones: dict[str, PhoneSection] = {}
        for index, section in enumerate(phones):
            for number in expand(section.numbers, f"phones[{index}].numbers"):
                self._phones[number] = section
        self._cache: dict[tuple[str, str], str] = {}
        self._one_time: dict[str, deque[str]] = {}
        self.changed: set[str] = set()
        """Numbers whose desks' secrets changed, for the journal, which empties it."""

    def knows(self, number: str) -> bool:
        """True when the number is a phone of ours."""
        return number in self._phones

    def numbers(self) -> tuple[str, ...]:
        """All phones."""
        return tuple(self._phones)

    def srtp(self, number: str) -> SrtpPolicy:
        """Whether a phone's sound is encrypted."""
        section = self._phones.get(number)
        return SrtpPolicy.ACCEPT if section is None else SrtpPolicy(section.srtp)

    def dtmf(self, number: str) -> str:
        """How digits travel between a phone and us."""
        section = self._phones.get(number)
        return "rfc4733" if section is None else section.dtmf

    def binding(self, number: str) -> str:
        """The fixed address of a phone that does not register; empty for the others."""
        section = self._phones.get(number)
        return "" if section is None else section.binding.replace("{number}", number)

    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        """The digests a phone may prove to know (RFC 8760); empty for unknown phones."""
        section = self._phones.get(user)
        if section is None or algorithm not in ALGORITHMS:
            return ()
        found = []
        key = (user, algorithm)
        stored = self._cache.get(key)
        if stored is None:
            stored = self._derive(user, section, algorithm)
            self._cache[key] = stored
        if stored:
            found.append(stored)
        secrets_of_desks = self._one_time.get(user, ())
        return [*found, *(_hashed(user, self._realm, each, algorithm) for each in secrets_of_desks)]

    def _derive(self, user: str, section: PhoneSection, algorithm: str) -> str:
        if section.password:
            password = section.password.replace("{number}", user)
            return ha1(user, self._realm, password, algorithm)
        return section.ha1_sha256 if algorithm == "SHA-256" else section.ha1_md5

    def issue(self, number: str) -> str:
        """Make the secret of one desk's softphone; it ends with `withdraw`.

        The last few are valid side by side: an agent may sign on anew while the old desk still runs.
        """
        secret = secrets.token_urlsafe(18)
        self._one_time.setdefault(number, deque(maxlen=_DESKS)).append(secret)
        self.changed.add(number)
        return secret

    def of_desks(self, number: str) -> Sequence[str]:
        """The secrets of the number's desks, the newest last."""
        return tuple(self._one_time.get(number, ()))

    def restore(self, number: str, secrets_of_desks: Sequence[str]) -> None:
        """Take up the secrets that an earlier process issued."""
        if number in self._phones:
            self._one_time[number] = deque(secrets_of_desks, maxlen=_DESKS)

    def withdraw(self, number: str) -> None:
        """End all secrets of the number's desks."""
        if self._one_time.pop(number, None) is not None:
            self.changed.add(number)


def accounts(settings: Settings) -> list[tuple[Account, str, str]]:
    """All users of a configuration: account, password in clear, argon2 hash (one of them empty)."""
    found = []
    for index, section in enumerate(settings.users):
        logins = expand(section.logins, f"users[{index}].logins")
        found += [_account(section, login, settings.site.language) for login in logins]
    return found


def _account(section: UserSection, login: str, language: str) -> tuple[Account, str, str]:
    def fill(text: str) -> str:
        return text.replace("{login}", login)

    account = Account(
        login=login,
        name=fill(section.name),
        role=Role(section.role),
        agent_id=fill(section.agent) or None,
        language=section.language or language,
    )
    return account, fill(section.password), section.password_hash
