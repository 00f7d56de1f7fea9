"""How the load generator's phones prove who they are."""

from __future__ import annotations

import hashlib

_REALM = "switchroom"


def authorization(phone: str, password: str, nonce: str, method: str, uri: str) -> bytes:
    """The header line, digest with MD5 and qop, for the first use of a nonce (RFC 2617 section 3.2.2)."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    client_nonce = md5(nonce)[:16]
    ha1, ha2 = md5(f"{phone}:{_REALM}:{password}"), md5(f"{method}:{uri}")
    answer = md5(f"{ha1}:{nonce}:00000001:{client_nonce}:auth:{ha2}")
    return (
        f'Authorization: Digest username="{phone}", realm="{_REALM}", nonce="{nonce}", '
        f'uri="{uri}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, '
        f'cnonce="{client_nonce}"\r\n'
    ).encode()
