"""User name and password of a trunk. They show in no log and no error."""

from __future__ import annotations

from dataclasses import dataclass, field

from switch.sip.client_digest import ClientCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkCredentials:
    """Digest credentials: ours at the carrier, or the carrier's with us."""

    username: str
    password: str = field(repr=False)
    realm: str | None = None
    """Answer the challenges of this realm only; None: of any."""


def client_credentials(own: TrunkCredentials | None) -> ClientCredentials | None:
    """The same for the user agent, which answers challenges with them."""
    if own is None:
        return None
    return ClientCredentials(username=own.username, password=own.password, realm=own.realm)
