"""Accounts with argon2 passwords, held in memory.

A password is verified in a worker thread (argon2 is slow on purpose). An unknown login costs the
same work as a known one, so that the time of an answer tells nothing.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION

from cti.api.ports import Account

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to keep instead of the password."""
    return _HASHER.hash(password)


class PasswordAccounts:
    """Satisfies `cti.api.ports.Accounts`.

    `entries` are an account, a password in clear (laboratories only) and an argon2 hash; one of the
    two is empty. At most `threads` passwords are verified at the same time, 64 MiB each.
    """

    def __init__(
        self,
        entries: Iterable[tuple[Account, str, str]],
        *,
        threads: int = 2,
        hasher: PasswordHasher = _HASHER,
    ) -> None:
        """`hasher` sets the cost of unknown logins; it should be that of the known ones."""
        self._hasher = hasher
        self._entries = {
            account.login: (account, clear, hash_) for account, clear, hash_ in entries
        }
        self._dummy = _unmatched(hasher)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")

    def get(self, login: str) -> Account | None:
        """The account, or None when there is none."""
        entry = self._entries.get(login)
        return None if entry is None else entry[0]

    async def verify(self, login: str, password: str) -> Account | None:
        """The account if the password is right."""
        account, clear, hash_ = self._entries.get(login, (None, "", ""))
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(
            self._pool, self._matches, hash_ or self._dummy, password
        )
        if clear and not hash_:
            matches = hmac.compare_digest(clear.encode(), password.encode("utf-8", "replace"))
        return account if matches else None

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, hash_: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash_, password.encode("utf-8", "replace"))
        except (Argon2Error, InvalidHashError):
            return False


def _unmatched(hasher: PasswordHasher) -> str:
    """A hash of no password, which costs as much to look at as others of `hasher`.

    A real one would take a quarter of a second and 64 MiB at each start.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(octets)).decode().rstrip("=")
        for octets in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"
