"""The page of `examples/browser` fits the site beside it."""

from __future__ import annotations

import re

from cti.accounts import PhoneCredentials
from cti.settings import load
from tests.architecture.tree import ROOT

FOLDER = ROOT / "examples/browser"
PAGE = (FOLDER / "phone.html").read_text(encoding="utf-8")
SETTINGS = load(FOLDER / "site.toml")


def test_it_connects_to_the_site_as_a_phone_of_it() -> None:
    sip = SETTINGS.sip
    assert f'"wss://{sip.host}:{sip.wss_port}"' in PAGE
    (user, password) = re.findall(r'\["(\w+)", "([\w-]+)"\]', PAGE)[0]
    (phones,) = SETTINGS.phones
    assert phones.password.replace("{number}", user) == password
    assert PhoneCredentials(SETTINGS.phones, sip.realm).knows(user)


def test_the_library_knows_what_it_is_challenged_with() -> None:
    """JsSIP knows MD5 alone, and gives up where there is a choice."""
    assert SETTINGS.sip.digests == ("MD5",)


def test_the_readme_serves_the_page_from_where_the_site_lets_it_in() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (origin,) = SETTINGS.sip.origins
    assert f"{origin}/phone.html" in readme
    assert readme.count(origin.rpartition(":")[2]) == 2, "and the server of the page listens there"
