from itertools import count

import pytest

from switch.capture.ladder import draw, mermaid, rungs_of, words_of
from switch.capture.masking import readable
from switch.capture.trace import Entry, Trace
from switch.shown import HIDDEN
from switch.sip.flow import Flow, Transport

CALLER = Flow(Transport.UDP, ("192.0.2.9", 5062), ("192.0.2.1", 5060))
AGENT = Flow(Transport.TLS, ("2001:db8::7", 40000), ("2001:db8::1", 5061), 3)


class Wire:
    """A trace, and messages that are shown to it a millisecond apart."""

    def __init__(self, octets: int = 1 << 20) -> None:
        clock = count(1000)
        self.trace = Trace(lambda: next(clock) / 1000, octets)

    def request(
        self,
        method: str,
        call: str = "c1",
        flow: Flow = CALLER,
        *,
        out: bool = False,
        more: str = "",
    ) -> None:
        self.show(
            f"{method} sip:4000@192.0.2.1 SIP/2.0\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n{more}\r\n",
            flow,
            out,
        )

    def response(
        self, status: str, method: str = "INVITE", call: str = "c1", flow: Flow = CALLER
    ) -> None:
        self.show(f"SIP/2.0 {status}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\r\n", flow, True)

    def show(self, text: str, flow: Flow, out: bool) -> None:
        self.trace.message(text.encode(), flow, out)

    def entries(self, *calls: str) -> list[Entry]:
        found = self.trace.snapshot(calls).entries()
        return sorted((e for each in found.values() for e in each), key=lambda entry: entry.at)

    def words(self, *calls: str) -> list[str]:
        return [words_of(entry.data) for entry in self.entries(*calls)]


def test_the_messages_of_a_call_are_found_among_all_others() -> None:
    wire = Wire()
    wire.request("REGISTER", "r1")
    wire.request("INVITE")
    wire.response("180 Ringing")
    wire.request("INVITE", "c2")
    wire.response("200 OK")
    wire.request("ACK")
    wire.request("BYE")
    wire.response("200 OK", "BYE")
    assert wire.words("c1") == [
        *("INVITE", "180 Ringing (INVITE)", "200 OK (INVITE)", "ACK", "BYE", "200 OK (BYE)")
    ]
    assert wire.words("c1", "c2").count("INVITE") == 2
    assert wire.words("nobody") == wire.words() == []


def test_octets_are_bounded_and_the_oldest_go() -> None:
    wire = Wire(octets=20_000)
    for number in range(2000):
        wire.request("INVITE", f"c{number}")
        assert wire.trace.octets <= 20_000
    assert wire.words("c0") == []
    assert wire.words("c1999") == ["INVITE"]
    wire.show("x" * 50_000, CALLER, out=False)
    assert (wire.trace.octets, len(wire.trace)) == (0, 0)


def test_a_long_call_keeps_its_beginning_and_its_last_messages() -> None:
    wire = Wire(octets=20_000)
    wire.trace.begin("long")
    wire.request("INVITE", "long")
    wire.response("200 OK", call="long")
    for number in range(1000):  # others flood the ring
        wire.request("OPTIONS", f"o{number}")
        if number % 10 == 0:
            wire.request("INFO", "long")
    wire.request("BYE", "long")
    words = wire.words("long")
    assert words[:2] == ["INVITE", "200 OK (INVITE)"]
    assert words[-1] == "BYE"
    assert 17 < len(words) < 40
    at = [entry.at for entry in wire.entries("long")]
    assert at == sorted(set(at))


def test_what_is_kept_of_live_calls_is_bounded_too() -> None:
    wire = Wire(octets=5_000)
    for number in range(3000):
        wire.trace.begin(f"c{number}")
        wire.request("INVITE", f"c{number}")
        assert wire.trace.kept_octets <= 5_000
    assert wire.words("c0") == ["INVITE"]
    for number in range(3000):
        wire.trace.end(f"c{number}")
    wire.trace.begin("new")  # those that are over give way
    wire.request("INVITE", "new")
    for number in range(100):
        wire.request("OPTIONS", f"o{number}")
        assert wire.trace.kept_octets <= 5_000
    assert wire.words("new") == ["INVITE"]


def test_what_is_kept_of_calls_that_are_over_goes_in_the_end() -> None:
    wire = Wire(octets=150_000)
    for number in range(700):
        wire.trace.begin(f"c{number}")
        wire.request("INVITE", f"c{number}")
        for other in range(20):
            wire.request("OPTIONS", f"o{other}")
        wire.trace.end(f"c{number - 60}")
    assert wire.words("c0") == []
    assert wire.words("c600") == ["INVITE"]
    assert len(wire.trace._over) == 500
    assert len(wire.trace._live) == 60
    kept = (*wire.trace._over.values(), *wire.trace._live.values())
    assert wire.trace.kept_octets == sum(len(e[3]) + 150 for each in kept for e in each)


def test_a_call_id_that_comes_again_is_counted_once() -> None:
    """As of a caller who is refused and tries again, or of one that always writes the same."""
    wire = Wire(octets=20_000)
    for _ in range(200):
        wire.trace.begin("same")
        wire.request("INVITE", "same")
        for other in range(100):
            wire.request("OPTIONS", f"o{other}")
        wire.trace.end("same")
    kept = (*wire.trace._over.values(), *wire.trace._live.values())
    assert wire.trace.kept_octets == sum(len(e[3]) + 150 for each in kept for e in each)
    assert wire.trace.kept_octets < 10_000
    assert wire.words("same")[0] == "INVITE"


def test_a_call_id_may_be_long() -> None:
    wire = Wire(octets=5_000)
    long = "c" * 400
    wire.trace.begin(long)
    wire.request("INVITE", long)
    for other in range(50):
        wire.request("OPTIONS", f"o{other}")
    wire.request("BYE", long)
    assert wire.words(long) == ["INVITE", "BYE"]
    assert list(wire.trace.snapshot([long]).entries()) == [long]
    wire.trace.end(long)
    assert wire.words(long) == ["INVITE", "BYE"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"INVITE x SIP/2.0\r\n\r\nv=0\r\n", "INVITE (SDP)"),
        (b"SIP/2.0 486 Busy\r\nCSeq:  7  INVITE\r\n", "486 Busy (INVITE)"),
        (b"SIP/2.0 200\r\n", "200"),
        (b"\r\n\r\nBYE x SIP/2.0\r\n\r\n", "BYE"),
        (b"\x1b[31mEVIL x", "\N{REPLACEMENT CHARACTER}[31mEVIL"),
        (b"", ""),
    ],
)
def test_a_message_in_few_words(data: bytes, words: str) -> None:
    assert words_of(data) == words


@pytest.mark.parametrize(
    "line",
    [
        'Authorization: Digest username="1001", response="SECRET"',
        'proxy-authorization:Digest response="SECRET"',
        'Authorization: Digest username="1001",\r\n response="SECRET",\r\n\tqop="SECRET"',
        "Authorization:\r\n Basic SECRET",
        "Authorization: Basic SECRET",
        'Authentication-Info: rspauth="SECRET"'.replace("SECRET", "0123456789abcdef" * 2),
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET",
        "a=ice-pwd:SECRET",
        "a=key-mgmt:mikey SECRET",
        "k=clear:SECRET",
        "Signal=SECRET",
    ],
)
def test_secrets_are_blanked_and_the_rest_stays(line: str) -> None:
    shown = readable(f"INVITE x SIP/2.0\r\nTo: <sip:a@b>\r\n{line}\r\nVia: z\r\n\r\n".encode())
    assert "SECRET" not in shown
    assert "0123456789abcdef" not in shown
    assert HIDDEN in shown
    assert "To: <sip:a@b>\n" in shown
    assert "\nVia: z\n" in shown


def test_a_ladder_shows_who_sent_what_to_whom_and_when() -> None:
    wire = Wire()
    wire.request("INVITE")
    wire.response("100 Trying")
    wire.request("INVITE", "c2", AGENT, out=True)
    wire.show("SIP/2.0 200 OK\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n\r\n", AGENT, False)
    wire.response("200 OK")
    rungs = rungs_of(wire.entries("c1", "c2"))
    text = draw(rungs, {"192.0.2.9:5062 UDP": "+12025550109"})
    lines = text.splitlines()
    assert "+12025550109" in lines[0]
    assert lines[0].index("switchroom") < lines[0].index("[2001:db8::7]:40000 TLS")
    bars = [at for at, letter in enumerate(lines[2]) if letter == "|"]
    assert len(bars) == 3
    for line, arrow in zip(lines[3:], ("->|", "|<-", "->|", "|<-", "|<-"), strict=True):
        assert arrow in line
        assert all(line[at] == "|" for at in bars if at < len(line))
    assert lines[3].startswith("    0.000 ")
    assert lines[7].startswith("    0.004 ")
    assert "P0->>P1: INVITE (+0.000 s)" in mermaid(rungs, {})
    assert "P1->>P2: INVITE (+0.002 s)" in mermaid(rungs, {})


def test_a_ladder_of_nothing_and_of_too_many_peers() -> None:
    assert "switchroom" in draw([], {})
    wire = Wire()
    for port in range(1, 40):
        wire.request("INVITE", "c1", Flow(Transport.UDP, ("192.0.2.9", port), ("192.0.2.1", 5060)))
    rungs = rungs_of(wire.entries("c1"))
    assert len(draw(rungs, {}).splitlines()) == len(rungs) + 2
    assert mermaid(rungs, {}).count("participant") == 13
