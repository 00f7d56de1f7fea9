"""Carriers over TLS: one proves its name and asks for our certificate, one is known by its own."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path

import pytest

from tests.kit.certificates import certificate, trusting
from tests.kit.dns_server import DnsServer, dns_server
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

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


def known_by_certificate(folder: Path, authority: Path) -> Path:
    """The lab, whose trunk `lab` is that name, and no address."""
    text = (ROOT / "config/lab.toml").read_text()
    for old, new in (
        ("[sip]\n", f'[sip]\nclient_ca = "{authority}"\n'),
        (
            'name = "lab"\nfrom_addresses = ["127.0.0.1"]\n',
            f'name = "lab"\ncertificates = ["{NAME}"]\n',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    path = folder / "known.toml"
    path.write_text(text)
    return path


async def test_calls_come_in_from_who_has_the_certificate_and_from_nobody_else(
    tmp_path: Path,
) -> None:
    files = certificate(tmp_path / "carrier", NAME)
    config = known_by_certificate(tmp_path, tmp_path / "carrier" / "ca.pem")
    async with Lab(tmp_path, config=config, secure=True) as lab:
        carrier, other, stranger = (trusting(tmp_path / "data" / "tls") for _ in range(3))
        carrier.load_cert_chain(files.certificate, files.key)
        named = certificate(tmp_path / "carrier", "other.example.com")
        other.load_cert_chain(named.certificate, named.key)
        for context, expected in ((carrier, 200), (other, 401), (stranger, 401)):
            assert await called_over(lab, context) == expected
        await lab.is_quiet()


async def called_over(lab: Lab, context: ssl.SSLContext) -> int:
    """Call the echo test over a connection of one's own; what became of it."""
    reader, writer = await asyncio.open_connection(lab.host, lab.tls_port, ssl=context)
    async with RawSip(lab.host, lab.tls_port) as caller:
        body = sdp(caller.host, 40_000).replace("\n", "\r\n").encode()
        kind = "Content-Type: application/sdp"
        writer.write(caller.request("INVITE", "4002", kind, body=body, transport="TLS"))
        answer = await final(reader)
        tag = answer.partition("\r\nTo: ")[2].partition("\r\n")[0].partition(";tag=")[2]
        number = caller.cseq
        writer.write(caller.request("ACK", "4002", to_tag=tag, cseq=number, transport="TLS"))
        if status(answer) == 200:
            writer.write(caller.request("BYE", "4002", to_tag=tag, transport="TLS"))
            assert status(await final(reader)) == 200
    writer.close()
    await writer.wait_closed()
    return status(answer)


async def final(reader: asyncio.StreamReader) -> str:
    """The next final response."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lstrip("\r\n")
        length = re.search(r"\r\nContent-Length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        if not head.startswith("SIP/2.0 1"):
            return head
