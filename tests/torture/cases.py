"""What each torture message is answered, and why: the words of the RFCs in ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SILENCE = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One message of RFC 4475 or RFC 5118."""

    name: str
    section: str
    status: int
    """The final answer to a trunk of ours; 0: none, which is right for responses and for ACKs."""
    why: str
    malformed: bool = False
    """It goes no further than the parser."""
    of_server: int = 0
    """What a whole server answers a stranger, where there is more in it than calls."""
    of_stream: tuple[int, str] | None = None
    """What is answered over TCP, and why: there Content-Length says where a message ends."""

    @property
    def rfc(self) -> str:
        return "rfc5118" if self.section.startswith("4.") else "rfc4475"

    @property
    def data(self) -> bytes:
        return (FOLDER / self.rfc / f"{self.name}.dat").read_bytes()

    @property
    def status_over_tcp(self) -> int:
        return self.status if self.of_stream is None else self.of_stream[0]

    @property
    def status_for_strangers(self) -> int:
        """Who is neither phone nor trunk is challenged before being told that a number is unknown."""
        return 401 if self.status == 404 else self.status


CASES = (
    # --- RFC 4475 section 3.1.1: valid --------------------------------------------------------------
    Case("wsinv", "3.1.1.1", 481, "well formed; its To tag names a dialog that we do not have"),
    Case("intmeth", "3.1.1.2", 501, "well formed; an endpoint says 501 and lists its methods"),
    Case(
        "esc01", "3.1.1.3", 404, "well formed; the user is sips:user@example.com, which nobody is"
    ),
    Case("escnull", "3.1.1.4", 401, "well formed; %00 is an octet like others and ends nothing"),
    Case(
        "esc02", "3.1.1.5", 501, "% is no escape in methods and names: neither REGISTER nor Contact"
    ),
    Case("lwsdisp", "3.1.1.6", 200, "well formed; a token may touch the bracket"),
    Case("longreq", "3.1.1.7", 404, "well formed; long is not too long"),
    Case(
        "dblreq",
        "3.1.1.8",
        401,
        "what follows Content-Length in a datagram is ignored",
        of_stream=(401, "what follows is a request of its own, and behind that the stream breaks"),
    ),
    Case("semiuri", "3.1.1.9", 200, "the semicolon is of the user, not of the parameters"),
    Case("transports", "3.1.1.10", 200, "unknown transports may stand in any Via"),
    Case(
        "mpart01",
        "3.1.1.11",
        405,
        "well formed; nobody is there who takes a MESSAGE",
        of_server=401,
    ),
    Case("unreason", "3.1.1.12", SILENCE, "well formed; a response that belongs to no request"),
    Case("noreason", "3.1.1.13", SILENCE, "well formed; a response that belongs to no request"),
    # --- RFC 4475 section 3.1.2: invalid ------------------------------------------------------------
    Case("badinv01", "3.1.2.1", 400, "separators without parameters in Via and Contact", True),
    Case(
        "clerr",
        "3.1.2.2",
        400,
        "Content-Length is larger than the datagram",
        True,
        of_stream=(SILENCE, "the rest may still come; the connection is closed when it does not"),
    ),
    Case("ncl", "3.1.2.3", 400, "Content-Length is negative", True),
    Case("scalar02", "3.1.2.4", 400, "CSeq and Max-Forwards are out of their ranges", True),
    Case("scalarlg", "3.1.2.5", SILENCE, "a response with an impossible CSeq is dropped", True),
    Case("quotbal", "3.1.2.6", 400, "the quoted string has no end", True),
    Case("ltgtruri", "3.1.2.7", 400, "a Request-URI stands in no brackets", True),
    Case("lwsruri", "3.1.2.8", 400, "white space within the Request-URI", True),
    Case("lwsstart", "3.1.2.9", 400, "two spaces in the request line", True),
    Case("trws", "3.1.2.10", 400, "spaces behind the request line", True),
    Case("escruri", "3.1.2.11", 400, "headers may not stand in a Request-URI", True),
    Case("baddate", "3.1.2.12", 404, "whoever does not use Date may ignore a zone other than GMT"),
    Case("regbadct", "3.1.2.13", 400, "a URI with a question mark needs brackets", True),
    Case("badaspec", "3.1.2.14", 400, "spaces within the brackets", True),
    Case(
        "baddn",
        "3.1.2.15",
        400,
        "a display name with a comma needs quotes",
        True,
        of_stream=(SILENCE, "without the empty line more headers may still come"),
    ),
    Case("badvers", "3.1.2.16", 505, "SIP/7.0", True),
    Case("mismatch01", "3.1.2.17", 400, "the CSeq is of another method", True),
    Case("mismatch02", "3.1.2.18", 501, "the same with a method that nobody knows", True),
    Case("bigcode", "3.1.2.19", SILENCE, "a status of ten digits is dropped", True),
    # --- RFC 4475 sections 3.2 to 3.4: transaction, application, RFC 2543 ---------------------------
    Case("badbranch", "3.2.1", 200, "the bare cookie is no identifier: treated as of RFC 2543"),
    Case("insuf", "3.3.1", 400, "no Call-ID, From, To", True),
    Case("unkscm", "3.3.2", 416, "a scheme that nobody knows", True),
    Case("novelsc", "3.3.3", 416, "a scheme that we do not serve", True),
    Case("unksm2", "3.3.4", 401, "foreign schemes in To and Contact are the registrar's business"),
    Case("bext01", "3.3.5", 420, "extensions that we lack; Proxy-Require is for proxies"),
    Case("invut", "3.3.6", 415, "a body of an unknown type"),
    Case("regaut01", "3.3.7", 401, "an authorisation scheme that we do not know is none"),
    Case("multi01", "3.3.8", 400, "headers that may stand once stand twice", True),
    Case("mcl01", "3.3.9", 400, "two lengths", True),
    Case("bcast", "3.3.10", SILENCE, "a response that was not meant for us goes nowhere"),
    Case("zeromf", "3.3.11", 200, "an endpoint does not care for Max-Forwards"),
    Case("cparam01", "3.3.12", 401, "a parameter of the Contact header"),
    Case("cparam02", "3.3.13", 401, "a parameter of the Contact's URI"),
    Case("regescrt", "3.3.14", 401, "a Contact with headers in its URI, in brackets"),
    Case("sdp01", "3.3.15", 406, "the caller could not read an answer of ours"),
    Case(
        "inv2543",
        "3.4.1",
        404,
        "no tag, no branch, no Contact, no length: RFC 2543, and understood",
        of_stream=(400, "without a length no stream tells where it ends"),
    ),
    # --- RFC 5118 -----------------------------------------------------------------------------------
    Case("ipv6-good", "4.1", 401, "IPv6 references in URI, Via and Contact"),
    Case("ipv6-bad", "4.2", 400, "an IPv6 address needs brackets", True),
    Case("port-ambiguous", "4.3", 401, "within the brackets 5070 is part of the address"),
    Case("port-unambiguous", "4.4", 401, "behind the brackets it is the port"),
    Case("via-received-param-with-delim", "4.5", 481, "received with brackets is tolerated"),
    Case("via-received-param-no-delim", "4.5", 200, "and without, as the grammar has it"),
    Case("ipv6-in-sdp", "4.6", 404, "IPv6 in o= and c="),
    Case("mult-ip-in-header", "4.7", 481, "both families in the Vias of one request"),
    Case("mult-ip-in-sdp", "4.8", 404, "each stream with its own c="),
    Case("ipv4-mapped-ipv6", "4.9", 404, "IPv4-mapped addresses in Via, Contact and SDP"),
    Case("ipv6-bug-abnf-3-colons", "4.10", 200, "the grammar's own bug is tolerated"),
    Case("ipv6-correct-abnf-2-colons", "4.10", 200, "as it should be"),
)

BY_NAME = {case.name: case for case in CASES}
