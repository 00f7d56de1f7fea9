"""STIR/SHAKEN in the whole server: what leaves is read by another library, what comes in was signed by it."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import jwt
import pytest

from tests.kit.carrier import Carrier
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status
from tests.kit.stir import URL, Holder, holder, provider_code

pytestmark = [pytest.mark.peer, pytest.mark.slow]

OURS, THEIRS, ELSEWHERE = "+12025550100", "+12025550117", "+12025550142"


def site(folder: Path, provider: Holder, authority: Holder) -> Path:
    """The lab; calls out are signed, and calls in must be. Its echo test has a whole number as well."""
    kept = folder / "certificates"
    kept.mkdir()
    (kept / f"{hashlib.sha256(URL.encode()).hexdigest()}.pem").write_bytes(provider.pem)
    (folder / "authority.pem").write_bytes(authority.pem)
    (folder / "own.pem").write_bytes(provider.pem)
    (folder / "own.key").touch(mode=0o600)
    (folder / "own.key").write_bytes(provider.key_pem)
    text = (ROOT / "config" / "lab.toml").read_text()
    for old, new in (
        ('name = "out"\n', f'name = "out"\nsign = true\nnumbers = ["{OURS}"]\ncaller = "{OURS}"\n'),
        ('name = "lab"\n', 'name = "lab"\nverify = "reject"\n'),
    ):
        assert old in text
        text = text.replace(old, new)
    text += (
        f'\n[[entries]]\nnumber = "{OURS}"\nflow = "echo"\n\n[stir]\nauthorities = "authority.pem"\n'
        f'certificates = "certificates"\nkey = "own.key"\ncertificate = "own.pem"\n'
        f'certificate_url = "{URL}"\n'
    )
    path = folder / "signed.toml"
    path.write_text(text)
    return path


def signed(by: Holder, *, caller: str = THEIRS, age_s: float = 0.0) -> str:
    """The header of a call to us."""
    claims = {
        "attest": "A",
        "dest": {"tn": [OURS[1:]]},
        "iat": int(time.time() - age_s),
        "orig": {"tn": caller[1:]},
        "origid": "2f1a4c8e-0000-4000-8000-000000000001",
    }
    headers = {"typ": "passport", "ppt": "shaken", "x5u": URL}
    token = jwt.encode(claims, by.key, "ES256", headers=headers)
    return f'Identity: {token};info=<{URL}>;alg=ES256;ppt="shaken"'


async def test_calls_out_are_signed_and_calls_in_are_judged(tmp_path: Path) -> None:
    authority = holder("Authority", is_authority=True, begins=time.time() - 86_400)
    provider = holder("P", by=authority, numbers=provider_code(), begins=time.time() - 86_400)
    forger = holder("F", begins=time.time() - 86_400)
    lab = Lab(tmp_path, config=site(tmp_path, provider, authority))
    async with lab, Carrier("127.0.0.1", lab.out_port) as carrier, Phone("baresip") as phone:
        carrier.replies["INVITE"] = lambda _: (486, [])
        await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        assert (await phone.closed(await phone.call(ELSEWHERE))).status == 486
        token, _, params = carrier.of("INVITE")[0].get("Identity").partition(";")
        claims = jwt.decode(token, provider.key.public_key(), ["ES256"])
        assert (claims["orig"], claims["attest"]) == ({"tn": OURS[1:]}, "A")
        assert claims["dest"] == {"tn": [ELSEWHERE[1:]]}
        assert f"info=<{URL}>" in params

        async with RawSip(lab.host, lab.sip_port, THEIRS) as caller:
            for header, expected in (
                ("Subject: no signature", 428),
                (signed(forger), 438),
                (signed(provider, caller=ELSEWHERE), 438),
                (signed(provider, age_s=600.0), 403),
                (signed(provider), 200),
            ):
                body = sdp(caller.host, 40_000)
                caller.send(caller.invite(OURS, body, "application/sdp", header))
                answer = await caller.final()
                assert status(answer) == expected, answer
                caller.acknowledge(OURS, answer)
            tag = answer.partition("\r\nTo: ")[2].partition("\r\n")[0].partition(";tag=")[2]
            caller.send(caller.request("BYE", OURS, to_tag=tag))
            assert status(await caller.final()) == 200
        await lab.is_quiet()
