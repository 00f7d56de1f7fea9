"""A carrier that is named, proves its name over TLS, and asks for our certificate."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path

import pytest

from tests.kit.certificates import certificate
from tests.kit.dns_server import DnsServer, dns_server
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]

NAME = "sip.carrier.example.com"


class Carrier:
    """Takes TLS connections at a port, and answers each INVITE with 486."""

    def __init__(self, folder: Path, client_ca: Path) -> None:
        files = certificate(folder, NAME)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_ca))
        self.context.load_cert_chain(files.certificate, files.key)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.sni_callback = lambda _, name, __: self.asked_for.append(name)
        self.asked_for: list[str | None] = []
        self.shown: list[dict[str, object]] = []
        self.invites: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; bodies are passed over."""
        self.shown.append(writer.get_extra_info("peercert"))
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lstrip("\r\n")
                length = re.search(r"\r\nContent-Length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                if not head.startswith("INVITE"):
                    continue
                self.invites.append(head)
                kept = [
                    line
                    for line in head.split("\r\n")
                    if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))
                ]
                told = "\r\n".join(["SIP/2.0 486 Busy Here", *kept, "Content-Length: 0", "", ""])
                told = re.sub(r"(\r\nTo: [^\r]*)", r"\1;tag=c", told)
                writer.write(told.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def configured(folder: Path, dns: DnsServer) -> Path:
    """The lab, whose trunk `out` is that carrier."""
    ours, theirs = folder / "data" / "tls", folder / "carrier"
    text = (ROOT / "config/lab.toml").read_text()
    trunk = (
        f'proxy = "sip:{NAME};transport=tls"\ntls_ca = "{theirs}/ca.pem"\n'
        f'tls_certificate = "{ours}/server.pem"\ntls_key = "{ours}/server.key"\n'
    )
    text, found = re.subn(r'(?m)^proxy = "sip:127.0.0.1:5090".*\n', trunk, text)
    assert found == 1
    text = text.replace("[sip]\n", f'[sip]\ndns = ["127.0.0.1:{dns.address[1]}"]\n')
    path = folder / "carrier.toml"
    path.write_text(text)
    return path


async def test_a_call_leaves_to_a_carrier_that_proves_its_name_and_sees_ours(
    tmp_path: Path,
) -> None:
    certificate(tmp_path / "data" / "tls")  # as the first start makes it
    carrier = Carrier(tmp_path / "carrier", tmp_path / "data" / "tls" / "ca.pem")
    async with dns_server() as dns:
        dns.zone = {(NAME, "A"): ["127.0.0.1"]}
        lab = Lab(tmp_path, config=configured(tmp_path, dns), secure=True)
        server = await asyncio.start_server(
            carrier.serve, lab.host, lab.out_port, ssl=carrier.context
        )
        async with server, lab, Phone("baresip") as phone:
            await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
            closed = await phone.closed(await phone.call("+12025550142"))
            assert closed.status == 486
            assert carrier.asked_for == [NAME]
            assert carrier.shown[0]["subjectAltName"] == (("IP Address", lab.host),)
            via = re.search(r"\r\nVia: ([^\r]*)", carrier.invites[0])
            assert via is not None
            assert via[1].startswith(f"SIP/2.0/TLS {lab.host}:{lab.tls_port};alias;")
            assert f"@{lab.host}:{lab.tls_port};transport=tls>" in carrier.invites[0]
