from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import jwt
import pytest

from cti.api.ports import Account
from cti.api.tokens import Tokens
from cti.errors import NotSignedOn
from cti.schema import Role

SECRET = b"s" * 32
ANN = Account(login="ann", name="Ann", role=Role.AGENT, agent_id="1001")


def make(now: float = 1000.0, secret: bytes = SECRET, ttl_s: float = 60.0) -> Tokens:
    return Tokens(secret, ttl_s, lambda: now)


def refused(tokens: Tokens, text: str) -> str:
    with pytest.raises(NotSignedOn) as error:
        tokens.verify(text)
    return error.value.error_id


def test_a_token_says_who_and_until_when() -> None:
    text, expires = make().issue(ANN)
    token = make(1059.0).verify(text)
    assert (token.login, token.expires, expires) == ("ann", 1060.0, 1060.0)
    claims = jwt.decode(text, options={"verify_signature": False})
    assert (claims["role"], claims["agent"]) == ("agent", "1001")


def test_it_runs_out_and_can_be_revoked() -> None:
    tokens = make()
    text, _ = tokens.issue(ANN)
    assert refused(make(1060.0), text) == "token-expired"
    tokens.revoke(tokens.verify(text))
    assert refused(tokens, text) == "signed-off"


def test_forged_tokens_are_refused() -> None:
    text, _ = make().issue(ANN)
    assert refused(make(secret=b"t" * 32), text) == "bad-token"
    assert refused(make(), text[:-2]) == "bad-token"
    claims = {"sub": "ann", "jti": "x", "iat": 1, "exp": 2000}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    unsigned = ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
    assert refused(make(), unsigned) == "bad-token"
    for missing in claims:
        partial = {name: value for name, value in claims.items() if name != missing}
        assert refused(make(), jwt.encode(partial, SECRET, "HS256")) == "bad-token"
    odd = jwt.encode({**claims, "exp": "soon"}, SECRET, "HS256")
    assert refused(make(), odd) == "bad-token"


def test_short_secrets_are_a_fault_of_the_operator() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        make(secret=b"short")
