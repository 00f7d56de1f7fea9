"""Kamailio in front: phones register through it (Path), calls pass it in both directions (Record-Route)."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from cti.free_ports import free_port
from tests.interop.outcome import Scenario
from tests.interop.programs import running
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import Lab
from tests.kit.phone import Phone

_CONFIG: Final = """
debug=2
log_stderror=yes
fork=no
children=1
listen=udp:127.0.0.1:{proxy}
listen=tcp:127.0.0.1:{proxy}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
modparam("rr", "enable_full_lr", 1)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if ($sp == {server}) {{ loose_route(); record_route(); t_relay(); exit; }}
    if (is_method("REGISTER")) {{ add_path(); }} else {{ record_route(); }}
    $du = "sip:127.0.0.1:{server};transport={transport}";
    t_relay();
}}
"""


async def _through_a_proxy(lab: Lab) -> str:
    proxy = free_port()
    with tempfile.TemporaryDirectory(prefix="kamailio-") as name:
        folder = Path(name)
        config = folder / "kamailio.cfg"
        config.write_text(_CONFIG.format(proxy=proxy, server=lab.sip_port, transport="tcp"))
        command = ("kamailio", "-f", str(config), "-DD", "-Y", str(folder), "-m", "32", "-M", "4")
        async with (
            running(*command, folder=folder),
            Phone("baresip") as agent,
            Phone("pjsua2", number="+12025550119") as caller,
        ):
            await _until_it_listens(proxy)
            await agent.register_to(lab.host, proxy, "1007", "lab-1007", timeout_s=15.0)
            await lab.agent_is("1007", "available")
            call = await caller.call(f"sip:4001@{lab.host}:{proxy}")
            ring = await agent.answer_next()
            await caller.established(call)
            agent.hum(AGENT_HZ)
            caller.hum(CALLER_HZ)
            await until_each_hears((agent, ring.call, CALLER_HZ), (caller, call, AGENT_HZ))
            await caller.hang_up(call)
            await agent.closed(ring.call)
    await lab.is_quiet()
    return "registered by Path, called from UDP to TCP to UDP, heard both ways, hung up"


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(15.0):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return


SCENARIOS: Final = (
    Scenario("caller and phone behind a proxy", "kamailio", "kamailio", _through_a_proxy),
)
