"""The phone's process: `python -m cti.phone.child --backend baresip|pjsua2`.

It exists so that a native abort of the user agent cannot take the desk down. Standard output
belongs to the protocol alone; whatever native code prints goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
from typing import Final

import msgspec

from cti.phone.ports import Backend, Emit, PhoneSettings
from cti.phone.protocol import MAX_LINE, Command, Event, Failed, decode_command, encode

BACKENDS: Final = ("baresip", "pjsua2")
SRTP: Final = ("off", "optional", "required", "dtls")


class LineReader:
    """Reads commands from a file descriptor in a thread of its own."""

    def __init__(self, fd: int, emit: Emit) -> None:
        self._fd = fd
        self._emit = emit
        self._queue: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def wait(self, timeout_s: float) -> list[Command] | None:
        """Commands that came within the time; None once the parent is gone."""
        found: list[Command] = []
        try:
            item = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
            while item is not None:
                found.append(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            return found
        self._queue.put(None)
        return found or None

    def _read(self) -> None:
        rest = b""
        while chunk := os.read(self._fd, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_LINE:
                self._emit(Failed(message="a command line is too long; the phone stops"))
                break
            for line in lines:
                self._take(line)
        self._queue.put(None)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            self._queue.put(decode_command(line))
        except msgspec.DecodeError as exc:
            self._emit(Failed(message=f"not a command: {exc}"))


def line_writer(fd: int) -> Emit:
    """An `Emit` that writes whole lines to `fd`, from any thread."""
    lock = threading.Lock()

    def emit(event: Event) -> None:
        line = encode(event)
        with lock:
            try:
                while line:
                    line = line[os.write(fd, line) :]
            except BrokenPipeError:
                return  # the parent is gone; the end of input stops us

    return emit


def make_backend(name: str, settings: PhoneSettings) -> Backend:
    """The named user agent. Raises `ImportError` where it is not installed."""
    if name == "pjsua2":
        from cti.phone.pjsua2 import Pjsua2Backend

        return Pjsua2Backend(settings)
    from cti.phone.baresip import BaresipBackend

    return BaresipBackend(settings)


def main(argv: list[str] | None = None) -> int:
    """Run the phone until it is told to quit."""
    parser = argparse.ArgumentParser(prog="cti.phone.child", description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, default="baresip")
    parser.add_argument("--audio", choices=("device", "none"), default="none")
    parser.add_argument("--bind", default="", help="local address, e.g. 127.0.0.1")
    parser.add_argument("--local-port", type=int, default=0, help="SIP port; 0: any free one")
    parser.add_argument("--number", default="phone", help="who calls without a registration")
    parser.add_argument("--srtp", choices=SRTP, default="off", help="whether sound is encrypted")
    parser.add_argument("--ca-file", default="", help="PEM of the authorities of TLS servers")
    parser.add_argument("--trace", action="store_true", help="SIP messages to standard error")
    args = parser.parse_args(argv)
    if args.backend == "pjsua2" and args.srtp == "dtls":
        parser.error("--srtp dtls: this backend is told its keys by SDP alone")

    protocol_fd = os.dup(1)
    os.dup2(2, 1)  # native prints must not break the protocol's lines
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the desk's terminal is the desk's
    emit = line_writer(protocol_fd)
    reader = LineReader(0, emit)
    settings = PhoneSettings(
        audio=args.audio,
        bind=args.bind,
        local_port=args.local_port,
        number=args.number,
        srtp=args.srtp,
        ca_file=args.ca_file,
        trace=args.trace,
    )
    try:
        make_backend(args.backend, settings).run(reader.wait, emit)
    except ImportError as exc:
        emit(Failed(message=f"the {args.backend} user agent is not installed: {exc}"))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
