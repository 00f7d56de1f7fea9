from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from cti.api.accounts import PasswordAccounts
from tests.cti.api.kit import CHEAP, PASSWORD, people


async def test_only_the_right_password_of_a_known_login_is_taken() -> None:
    accounts = PasswordAccounts(people(), hasher=CHEAP)
    try:
        known = await accounts.verify("1001", PASSWORD)
        assert known is not None
        assert known.login == "1001"
        assert await accounts.verify("1001", "wrong") is None
        assert await accounts.verify("nobody", PASSWORD) is None
    finally:
        accounts.close()


@pytest.mark.parametrize("hasher", [CHEAP, PasswordHasher()])
def test_an_unknown_login_costs_as_much_as_a_known_one(hasher: PasswordHasher) -> None:
    """The same parameters, and a hash that is compared to its end: not one that cannot be read."""
    accounts = PasswordAccounts((), hasher=hasher)
    try:
        assert extract_parameters(accounts._dummy) == extract_parameters(hasher.hash("any"))
        with pytest.raises(VerifyMismatchError):
            hasher.verify(accounts._dummy, "any")
    finally:
        accounts.close()
