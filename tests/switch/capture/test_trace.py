from itertools import count

import pytest

from switch.capture.ladder import draw, mermaid, rungs_of, words_of
from switch.capture.masking import HIDDEN, readable
from switch.capture.trace import Trace
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

    def words(self, *calls: str) -> list[str]:
        return [words_of(entry.data) for entry in self.trace.entries(calls)]


def test_a_call_is_kept_from_its_invite_on_and_others_are_not() -> None:
    wire = Wire()
    wire.request("REGISTER", "r1")
    wire.request("OPTIONS", "o1")
    wire.request("BYE", "stray")
    wire.request("INVITE")
    wire.response("180 Ringing")
    wire.response("200 OK")
    wire.request("ACK")
    wire.request("BYE")
    wire.response("200 OK", "BYE")
    assert len(wire.trace) == 1
    assert wire.words("c1") == [
        *("INVITE", "180 Ringing (INVITE)", "200 OK (INVITE)", "ACK", "BYE", "200 OK (BYE)")
    ]
    assert wire.words("nobody") == []


def test_of_a_long_dialog_the_first_and_the_last_messages_stay() -> None:
    wire = Wire()
    wire.request("INVITE")
    wire.response("200 OK")
    for _ in range(500):
        wire.request("INFO")
    wire.request("BYE")
    words = wire.words("c1")
    assert len(words) == 48
    assert words[0] == "INVITE"
    assert words[-1] == "BYE"
    assert wire.trace.left_out(["c1"]) == 503 - 48


def test_what_is_over_goes_first_and_octets_are_bounded() -> None:
    wire = Wire(octets=20_000)
    wire.request("INVITE", "talks")
    wire.response("200 OK", call="talks")
    for number in range(2000):
        wire.request("INVITE", f"refused{number}")
        wire.response("401 Unauthorized", call=f"refused{number}")
        assert wire.trace.octets <= 20_000
    assert wire.trace.evicted == 0
    assert wire.words("talks") == ["INVITE", "200 OK (INVITE)"]
    assert wire.words("refused1999") != []
    for number in range(2000):  # now only live ones
        wire.request("INVITE", f"live{number}")
        assert wire.trace.octets <= 20_000
    assert wire.trace.evicted > 1900
    kept = sum(len(e.data) + 200 for e in wire.trace.entries(f"live{n}" for n in range(2000)))
    assert kept == wire.trace.octets


def test_a_challenge_is_not_the_end_of_a_call() -> None:
    wire = Wire(octets=3_000)
    wire.request("INVITE")
    wire.response("401 Unauthorized")
    wire.request("INVITE")
    wire.response("200 OK")
    wire.response("491 Request Pending")  # a re-INVITE
    for number in range(50):
        wire.request("INVITE", f"x{number}")
        wire.response("404 Not Found", call=f"x{number}")
    assert wire.words("c1")[0] == "INVITE"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"INVITE x SIP/2.0\r\n\r\nv=0\r\n", "INVITE (SDP)"),
        (b"SIP/2.0 486 Busy\r\nCSeq:  7  INVITE\r\n", "486 Busy (INVITE)"),
        (b"SIP/2.0 200\r\n", "200"),
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
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET",
        "a=ice-pwd:SECRET",
        "k=clear:SECRET",
        "Signal=SECRET",
    ],
)
def test_secrets_are_blanked_and_the_rest_stays(line: str) -> None:
    shown = readable(f"INVITE x SIP/2.0\r\nTo: <sip:a@b>\r\n{line}\r\nVia: z\r\n\r\n".encode())
    assert "SECRET" not in shown
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
    rungs = rungs_of(wire.trace.entries(["c1", "c2"]))
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
    rungs = rungs_of(wire.trace.entries(["c1"]))
    assert len(draw(rungs, {}).splitlines()) == len(rungs) + 2
    assert mermaid(rungs, {}).count("participant") == 13
