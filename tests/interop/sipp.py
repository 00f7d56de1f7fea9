"""SIPp: an independent pair of callers and agents, and a phone that registers by an own scenario."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from tests.interop.outcome import Scenario
from tests.interop.programs import finish, running
from tests.kit.lab import Lab

_CALLS: Final = 20
_WITHIN_S: Final = 90.0

_PHONE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a phone registers; a caller has a session timer">
  {register}
  {again}
  <send retrans="500"><![CDATA[
INVITE sip:4002@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+12025550120@switchroom>;tag=c[call_number]
To: <sip:4002@switchroom>
Call-ID: call///[call_id]
CSeq: 1 INVITE
Contact: <sip:1005@[local_ip]:[local_port]>
Max-Forwards: 70
Supported: timer
Session-Expires: 1800;refresher=uac
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 0
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"><action>
    <ereg regexp="Session-Expires: *1800" search_in="msg" check_it="true" assign_to="timer"/>
  </action></recv>
  <Reference variables="timer"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+12025550120@switchroom>;tag=c[call_number]
[last_To:]
Call-ID: call///[call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <pause milliseconds="300"/>
  <send retrans="500"><![CDATA[
UPDATE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+12025550120@switchroom>;tag=c[call_number]
[last_To:]
Call-ID: call///[call_id]
CSeq: 2 UPDATE
Contact: <sip:1005@[local_ip]:[local_port]>
Supported: timer
Session-Expires: 1800;refresher=uac
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+12025550120@switchroom>;tag=c[call_number]
[last_To:]
Call-ID: call///[call_id]
CSeq: 3 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""
_REGISTER: Final = """<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1005@switchroom>;tag=r[call_number]
To: <sip:1005@switchroom>
Call-ID: reg///[call_id]
CSeq: {cseq} REGISTER
Contact: <sip:1005@[local_ip]:[local_port]>
{proof}Expires: 60
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="{status}"{auth}/>"""
_RELIABLE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="an agent that rings reliably (RFC 3262)">
  <recv request="INVITE" crlf="true"/>
  <send retrans="500"><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=a[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Require: 100rel
RSeq: 5
Content-Length: 0

]]></send>
  <recv request="PRACK"><action>
    <ereg regexp="RAck: *5 [0-9]+ INVITE" search_in="msg" check_it="true" assign_to="rack"/>
  </action></recv>
  <Reference variables="rack"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <recv request="CANCEL"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


async def _calls(lab: Lab, *, transport: str) -> str:
    port = lab.tls_port if transport == "l1" else lab.sip_port
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        server = f"{lab.host}:{port}"
        callers = (
            "sipp", "-sn", "uac", "-s", "4101", "-i", lab.host, "-t", transport, "-m", str(_CALLS),
            "-r", "10", "-d", "500", "-nostdin", "-skip_rlimit", server,
        )  # fmt: skip
        agents = ("sipp", "-sn", "uas", "-i", lab.host, "-p", str(lab.agent_port), "-nostdin")
        async with running(*agents, folder=folder):
            code = await finish(*callers, folder=folder, within_s=_WITHIN_S)
        assert code == 0, f"exit status {code}: {_last_words(folder)}"
    await lab.is_quiet()
    return f"{_CALLS} of {_CALLS} calls"


async def _phone(lab: Lab) -> str:
    first = _REGISTER.format(cseq=1, proof="", status=401, auth=' auth="true"')
    proof = "[authentication username=1005 password=lab-1005]\n"
    again = _REGISTER.format(cseq=2, proof=proof, status=200, auth="")
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        scenario = folder / "phone.xml"
        scenario.write_text(_PHONE.format(register=first, again=again))
        code = await finish(
            "sipp", "-sf", str(scenario), "-i", lab.host, "-m", "1", "-nostdin",
            f"{lab.host}:{lab.sip_port}", folder=folder, within_s=_WITHIN_S,
        )  # fmt: skip
        assert code == 0, f"exit status {code}: {_last_words(folder)}"
    await lab.is_quiet()
    return "registered with digest; called, refreshed by UPDATE, hung up"


def _last_words(folder: Path) -> str:
    """What it complained of, or its last line: its screens are long."""
    lines = (folder / "sipp.log").read_text(errors="replace").splitlines()
    told = [line.strip() for line in lines if "Aborting" in line or "rror" in line]
    return (told or [line for line in lines if line.strip()] or [""])[-1][:300]


async def _reliable(lab: Lab) -> str:
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        folder = Path(name)
        scenario = folder / "agent.xml"
        scenario.write_text(_RELIABLE)
        agent = (
            "sipp", "-sf", str(scenario), "-i", lab.host, "-p", str(lab.agent_port), "-m", "1",
            "-nostdin",
        )  # fmt: skip
        caller = (
            "sipp", "-sn", "uac", "-s", "4101", "-i", lab.host, "-m", "1", "-d", "1500", "-nostdin",
            f"{lab.host}:{lab.sip_port}",
        )  # fmt: skip
        async with running(*caller, folder=folder):
            code = await finish(*agent, folder=folder, within_s=_WITHIN_S)
        assert code == 0, f"exit status {code}: {_last_words(folder)}"
    return "its 180 was acknowledged by PRACK"


SCENARIOS: Final = (
    Scenario(
        "calls through a queue over UDP", "sipp", "sip-tester", partial(_calls, transport="u1")
    ),
    Scenario(
        "calls through a queue over TCP", "sipp", "sip-tester", partial(_calls, transport="t1")
    ),
    # It reads the first challenge only, and knows MD5 alone.
    Scenario("a phone with session timer", "sipp", "sip-tester", _phone, 'digests = ["MD5"]'),
    Scenario("an agent that rings reliably", "sipp", "sip-tester", _reliable),
)
