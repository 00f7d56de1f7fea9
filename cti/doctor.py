"""Examines an installation: everything that commonly keeps a server from starting or from sounding well."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
import time
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import Final

from cti.data_folder import is_in_use, why_not_writable
from cti.doctor_findings import Finding as Finding
from cti.doctor_findings import Severity as Severity
from cti.doctor_secrets import examine_secrets
from cti.doctor_tls import examine_certificates
from cti.paths import shipped
from cti.settings import Settings, port_range

_FILES_PER_CALL = 4
_LEAST_FILES = 4096
_LEAST_FREE_MIB = 500
_EARLIEST_CLOCK = 1_767_225_600
"""2026-01-01; a clock before this is wrong."""


def examine(settings: Settings, *, running: bool = False) -> list[Finding]:
    """Look at everything; never changes anything that stays.

    With `running` the server has its ports already, and that they are taken is no fault.
    """
    return [
        *_shipped_files(),
        *(() if running else _ports(settings)),
        *_rtp(settings),
        *_data(settings),
        *(() if running else _other_server(settings)),
        *examine_certificates(settings),
        *_open_files(),
        *_clock(),
        *_cores(),
        *_softphone(),
        *examine_secrets(settings),
    ]


def _shipped_files() -> Iterator[Finding]:
    try:
        prompts = list(shipped("prompts").rglob("*.ulaw"))
    except FileNotFoundError as error:
        yield Finding(Severity.FAULT, str(error))
        return
    if not prompts:
        yield Finding(
            Severity.FAULT,
            "no prompts are installed",
            "Install switchroom again: its wheel has them.",
        )
    else:
        yield Finding(Severity.GOOD, f"{len(prompts)} prompts are installed")


def _ports(settings: Settings) -> Iterator[Finding]:
    sip, api = settings.sip, settings.api
    stream = socket.SOCK_STREAM
    for host in (sip.host, *sip.more_hosts):
        for what, port, kind in (
            ("SIP over UDP", sip.port, socket.SOCK_DGRAM),
            ("SIP over TCP", sip.port, stream),
            ("SIP over TLS", sip.tls_port, stream),
            ("SIP over WS", sip.ws_port, stream),
            ("SIP over WSS", sip.wss_port, stream),
        ):
            if port or what in ("SIP over UDP", "SIP over TCP"):  # 0: any free one, or none
                yield from _port(what, host, port, kind)
    yield from _port("the API", api.host, api.port, stream)


def _port(what: str, host: str, port: int, kind: socket.SocketKind) -> Iterator[Finding]:
    if port == 0:
        yield Finding(Severity.GOOD, f"{what}: any free port")
        return
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        key, option = _OPTIONS.get(what, ("sip.host", "--sip-port"))
        yield Finding(
            Severity.FAULT,
            f"{what}: cannot use {host}:{port}: {error.strerror or error}",
            _port_remedy(error, key, option),
        )
    else:
        yield Finding(Severity.GOOD, f"{what}: {host}:{port} is free")


_OPTIONS: Final = {
    "the API": ("api.host", "--http-port"),
    "SIP over TLS": ("sip.host", "--tls-port"),
    "SIP over WS": ("sip.host", "--ws-port"),
    "SIP over WSS": ("sip.host", "--wss-port"),
}
"""What to change where a port cannot be used: the key of its address, and the option."""


def _port_remedy(error: OSError, key: str, option: str) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"Set {key} to one of `ip -brief address`."
    if error.errno == errno.EACCES:
        return f"Ports below 1024 are for privileged users: choose another with {option}."
    return f"End what uses it (see `ss -lnp`), or choose another with {option}."


def _rtp(settings: Settings) -> Iterator[Finding]:
    low, high = port_range(settings.media.ports, "media.ports")
    try:
        first, last = (
            int(part) for part in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        )
    except (OSError, ValueError):
        first, last = 32768, 60999
    if low <= last and high >= first:
        yield Finding(
            Severity.WARNING,
            f"RTP ports {low}-{high} overlap the system's ephemeral ports {first}-{last}",
            "Taken ports are passed over, but choose a range below, such as 16000-31999.",
        )
    try:
        family = socket.AF_INET6 if ":" in settings.media.address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((settings.media.address, 0))
    except OSError as error:
        yield Finding(
            Severity.FAULT,
            f"media.address {settings.media.address} is no address of this machine: {error}",
            "Set media.address to one of `ip -brief address`.",
        )
    else:
        yield Finding(Severity.GOOD, f"RTP: {settings.media.address}, ports {low}-{high}")


def _data(settings: Settings) -> Iterator[Finding]:
    folder = Path(settings.data.folder)
    for below in (folder, folder / "recordings"):
        if why := why_not_writable(below):
            yield Finding(
                Severity.FAULT,
                f"data: {why}",
                "Choose another folder with --data-dir, or change what is there, or its owner.",
            )
            return
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free >> 20
    if free < _LEAST_FREE_MIB:
        yield Finding(
            Severity.WARNING,
            f"data: only {free} MiB are free at {existing}",
            "An hour of recorded talk takes 58 MB; calls go on without recording on a full disk.",
        )
    else:
        yield Finding(Severity.GOOD, f"data: {folder} can be written, {free} MiB free")


def _other_server(settings: Settings) -> Iterator[Finding]:
    """A server that has the data folder, but does not answer where this configuration has it."""
    folder, api = settings.data.folder, settings.api
    try:
        is_taken = is_in_use(Path(folder))
    except OSError:
        return  # whether it can be written is a finding of its own
    if is_taken:
        yield Finding(
            Severity.FAULT,
            f"data: another server uses {folder}, and none answers at {api.host}:{api.port}",
            "Give --config and the ports as that server has them, to examine it; "
            "stop it, or choose another folder with --data-dir, to start this one.",
        )


def _open_files() -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else 1 << 20
    if most < _LEAST_FILES:
        yield Finding(
            Severity.WARNING,
            f"open files: at most {most}, enough for about {most // _FILES_PER_CALL} calls",
            "Raise the limit: `ulimit -Hn 65536`, or LimitNOFILE= in the service.",
        )
    else:
        yield Finding(
            Severity.GOOD, f"open files: {soft} now, the server raises it to {most} by itself"
        )


def _clock() -> Iterator[Finding]:
    if time.time() < _EARLIEST_CLOCK:
        yield Finding(
            Severity.FAULT,
            f"the clock says {time.strftime('%Y-%m-%d', time.gmtime())}, which cannot be",
            "Set it, and keep it right with NTP: history and sign-on depend on it.",
        )
    else:
        yield Finding(Severity.GOOD, f"clock: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")


def _cores() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        yield Finding(
            Severity.WARNING,
            "one core: signalling and sound share it",
            "Fine for a hundred calls; give it two for more.",
        )
    else:
        yield Finding(Severity.GOOD, f"{cores} cores")


def _softphone() -> Iterator[Finding]:
    found = [name for name in ("pjsua2", "baresip") if util.find_spec(name) is not None]
    if found:
        extra = ", of the extra `softphone`, which desks prefer to baresip where it is installed"
        yield Finding(
            Severity.GOOD, f"softphone: {found[0]}{extra if found[0] == 'pjsua2' else ''}"
        )
    else:
        yield Finding(
            Severity.WARNING,
            "no softphone is installed: desks can use external phones only",
            "Install switchroom[softphone].",
        )
