"""Octets in, checked SIP messages out (RFC 3261 sections 7 and 25).

`parse` refuses what must not reach the layers above: heads cut short, other versions, headers that
contradict each other, lengths that cannot be.
"""

from __future__ import annotations

import re
from typing import Any

from switch.errors import RemoteProtocolError
from switch.sip.headers import (
    KNOWN_SPELLINGS,
    SINGLE,
    SINGLE_IN_REQUESTS,
    SPLIT_AT_COMMAS,
    CSeq,
    Headers,
    Via,
    canonical_name,
    split_commas,
)
from switch.sip.limits import MessageLimits
from switch.sip.message import CONTROL, KNOWN_METHODS, METHOD, Message, Request, Response
from switch.sip.salvage import readable_vias
from switch.sip.uri import SUPPORTED_SCHEMES, NameAddr, Uri

DEFAULT_LIMITS = MessageLimits()

_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
"""Max-Forwards is mandatory too, but old user agents omit it (16.3)."""
_ADDRESSES = ("Contact", "Route", "Record-Route")
_CLASS_OF_VALUE = {"Via": Via.parse, "Contact": NameAddr.parse, "Route": NameAddr.parse}
_CLASS_OF_VALUE["Record-Route"] = NameAddr.parse

_ENDING = ("ACK ", "BYE ", "CANCEL ")
"""Nothing begins with these: who refuses one has a call on that its peer takes for over, or acknowledged."""
_OTHER_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_STATUS = re.compile(r"[1-6][0-9][0-9]")
_FOLD = re.compile(r"\r\n[ \t]+")
_CALL_ID = re.compile(r"[^\s,]+")
_PAIR = re.compile(r"\\([^\r\n])")
_QUOTING = re.compile(r"(?:from|to|f|t)[ \t]*:", re.IGNORECASE)
_MAX_LENGTH_DIGITS = 9


class MalformedMessageError(RemoteProtocolError):
    """These octets are no acceptable SIP message.

    `status` is the answer they deserve, 0 for none. `partial` holds as much of the request as is
    needed to answer it, None where not even that could be read.
    """

    def __init__(self, message: str, *, status: int = 400, partial: Request | None = None) -> None:
        super().__init__(message, status=status)
        self.partial = partial


class _Draft:
    """A message while it is read: notes the first fault and reads on, to be able to answer."""

    __slots__ = ("fault", "status", "values")

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, ...]] = {}
        self.fault = ""
        self.status = 0

    def blame(self, fault: str, status: int = 400) -> None:
        if not self.fault:
            self.fault, self.status = fault, status


def parse(
    data: bytes, limits: MessageLimits = DEFAULT_LIMITS, fault: RemoteProtocolError | None = None
) -> Message:
    """Read one whole message; empty lines before it are skipped (RFC 3261 section 7.5).

    Octets beyond Content-Length are cut off; without Content-Length the body is all that follows
    (section 18.3). `fault` is what is known to be wrong with it already.

    Raises MalformedMessageError.
    """
    draft = _Draft()
    if fault is not None:
        draft.blame(str(fault), fault.status)
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n", 0, limits.max_head)
    if end < 0:
        is_cut = len(data) >= limits.max_head
        draft.blame("the head has no end", 513 if is_cut else 400)
        data = data[: limits.max_head]
        end = len(data)
        if is_cut:  # the last line may go on
            end = max(0, data.rfind(b"\r\n"))
    start_line, lines = _split_head(data[:end], draft)
    is_response = start_line[:4].upper() == "SIP/"
    is_lenient = is_response or start_line.startswith(_ENDING)
    _read_headers(lines, draft, limits, SINGLE if is_lenient else SINGLE_IN_REQUESTS)
    body = _cut_body(data[end + 4 :], draft, limits)
    if is_response:
        return _finish_response(start_line, body, draft)
    return _finish_request(start_line, body, draft)


def _split_head(head: bytes, draft: _Draft) -> tuple[str, list[str]]:
    try:
        text = head.decode()
    except UnicodeDecodeError:
        draft.blame("the head is not UTF-8")
        text = head.decode("utf-8", "replace").replace("\ufffd", "?")  # no answer grows by it
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if not "".join(lines).isprintable() and any(map(CONTROL.search, lines)):
        lines = [_without_controls(line, draft) for line in lines]
    start_line = lines[0]
    del lines[0]
    return start_line, lines


def _without_controls(line: str, draft: _Draft) -> str:
    """Control characters may stand behind a backslash in a quoted string (section 25.1).

    From and To must go back as they came. Elsewhere such a pair, which nobody could see, is left out,
    so that it can stand nowhere in a message of ours.
    """
    unescaped = _PAIR.sub(lambda pair: "" if CONTROL.match(pair[1]) else pair[0], line)
    if CONTROL.search(unescaped):
        draft.blame("control characters in the head")
        return CONTROL.sub("?", line)
    return line if _QUOTING.match(line) else unescaped


def _read_headers(
    lines: list[str], draft: _Draft, limits: MessageLimits, single: frozenset[str]
) -> None:
    most = limits.max_headers + 1  # with Content-Length, which does not count
    is_crowded = len(lines) > limits.max_headers // 2
    if len(lines) > most:
        draft.blame(f"more than {limits.max_headers} header lines", 513)
        del lines[most:]
    values = draft.values
    longest = limits.max_header_value
    for line in lines:
        raw_name, colon, value = line.partition(":")
        name = KNOWN_SPELLINGS.get(raw_name)
        if name is None:
            try:
                name = canonical_name(raw_name.rstrip(" \t"))
            except ValueError as error:
                draft.blame(str(error))
                continue
        if not colon:
            draft.blame(f"header line without a colon: {line[:80]!r}")
            continue
        if len(value) > longest:
            draft.blame(f"the value of {name} is longer than {longest}", 513)
            continue
        value = value.strip(" \t")
        if "," in value and name in SPLIT_AT_COMMAS:
            values[name] = (*values.get(name, ()), *split_commas(value))
            is_crowded = True
        elif name not in values:
            values[name] = (value,)
        elif name in single:
            draft.blame(f"{name} comes twice")
        else:
            values[name] = (*values[name], value)
    if is_crowded:
        _thin_out(draft, limits.max_headers)


def _thin_out(draft: _Draft, most: int) -> None:
    """Refuse a message of too many values, and keep of each header what an answer needs."""
    values = draft.values
    count = sum(len(each) for name, each in values.items() if name != "Content-Length")
    if count > most:
        draft.blame(f"more than {most} header values", 513)
        for name, each in values.items():
            if name != "Via" or len(each) > most:
                values[name] = each[:1]


def _cut_body(rest: bytes, draft: _Draft, limits: MessageLimits) -> bytes:
    declared = draft.values.get("Content-Length")
    if declared is not None:
        text = declared[0]
        if not (text.isascii() and text.isdigit()):
            draft.blame(f"Content-Length is no number: {text[:40]!r}")
            return b""
        length = int(text) if len(text) <= _MAX_LENGTH_DIGITS else 1 << 62
        if length > limits.max_body:
            draft.blame(f"a body of more than {limits.max_body} octets", 413)
            return b""
        if length > len(rest):
            draft.blame(f"Content-Length says {text}, but {len(rest)} octets came")
            return b""
        return rest[:length] if length < len(rest) else rest
    if len(rest) > limits.max_body:
        draft.blame(f"a body of more than {limits.max_body} octets", 413)
        return b""
    return rest


def _parse_values(draft: _Draft) -> dict[str, Any]:
    """Parse every value the properties offer, so that none of them fails later."""
    values = draft.values
    try:
        parsed: dict[str, Any] = {
            "Via": [Via.parse(value) for value in values["Via"]],
            "From": NameAddr.parse(values["From"][0]),
            "To": NameAddr.parse(values["To"][0]),
            "CSeq": CSeq.parse(values["CSeq"][0]),
        }
        for name in _ADDRESSES:
            if name in values:
                parsed[name] = [NameAddr.parse(v) for v in values[name] if v != "*"]
        is_whole = parsed["Via"] and _CALL_ID.fullmatch(values["Call-ID"][0])
        is_whole = (
            is_whole and _has_no_empty_tag(parsed["From"]) and _has_no_empty_tag(parsed["To"])
        )
    except (KeyError, ValueError, IndexError):
        is_whole = False
    if not is_whole or "*" in values.get("Contact", ()):
        return _find_faults(draft)
    return parsed


def _find_faults(draft: _Draft) -> dict[str, Any]:
    """The same value by value, for what is not as nearly all messages are: blames the first fault."""
    values = draft.values
    parsed: dict[str, Any] = {}
    for name in _MANDATORY:
        if not values.get(name) or not values[name][0]:
            draft.blame(f"no {name}")
            values.pop(name, None)
    try:
        if "Via" in values:
            parsed["Via"] = [Via.parse(value) for value in values["Via"]]
    except ValueError as error:
        draft.blame(str(error))
        vias = readable_vias(values["Via"])
        if vias:
            values["Via"] = tuple([str(via) for via in vias])
            parsed["Via"] = vias
    for name in ("From", "To"):
        if name in values:
            _attempt(NameAddr.parse, name, values[name][0], parsed, draft)
            if name in parsed and not _has_no_empty_tag(parsed[name]):
                draft.blame(f"{name}: a tag without a value")
    if "CSeq" in values:
        _attempt(CSeq.parse, "CSeq", values["CSeq"][0], parsed, draft)
    for name in _ADDRESSES:
        if name in values:
            try:
                parsed[name] = [NameAddr.parse(v) for v in values[name] if v != "*"]
            except ValueError as error:
                draft.blame(f"{name}: {error}")
    if "*" in values.get("Contact", ()) and len(values["Contact"]) > 1:
        draft.blame("Contact: * stands beside other values")
    if "Call-ID" in values and not _CALL_ID.fullmatch(values["Call-ID"][0]):
        draft.blame(f"not a Call-ID: {values['Call-ID'][0][:80]!r}")
    return parsed


def _has_no_empty_tag(party: NameAddr) -> bool:
    """False for `;tag`: whoever looked for a tag would find none, and could not add one either."""
    return party.params.get("tag", "none") not in (None, "")


def _attempt(parse_value: Any, name: str, text: str, parsed: dict[str, Any], draft: _Draft) -> None:
    try:
        parsed[name] = parse_value(text)
    except ValueError as error:
        draft.blame(f"{name}: {error}")


def _finish_request(start_line: str, body: bytes, draft: _Draft) -> Request:
    parts = start_line.split(" ")
    method, uri = parts[0], parts[1] if len(parts) > 1 else ""
    if not METHOD.fullmatch(method):
        raise MalformedMessageError(f"not SIP: {start_line[:80]!r}", status=0)
    version = parts[-1] or start_line.rstrip(" ").rpartition(" ")[2]
    if len(parts) != 3 or not uri:
        if len(parts) < 2 or not _OTHER_VERSION.fullmatch(version):
            raise MalformedMessageError(f"not SIP: {start_line[:80]!r}", status=0)
        draft.blame(f"not a request line: {start_line[:80]!r}")
        uri = "sip:invalid"
    elif version != "SIP/2.0" and version.upper() != "SIP/2.0":
        if not _OTHER_VERSION.fullmatch(version):
            raise MalformedMessageError(f"not SIP: {start_line[:80]!r}", status=0)
        draft.blame(f"version {version[:20]!r}", 505)
    parsed = _parse_values(draft)
    request_uri: Uri | None = None
    try:
        request_uri = Uri.parse(uri)
        if request_uri.scheme not in SUPPORTED_SCHEMES:
            draft.blame(f"URI scheme {request_uri.scheme[:40]!r}", 416)
        elif request_uri.headers is not None:
            draft.blame("Request-URI: headers may not stand in it")
    except ValueError as error:
        draft.blame(f"Request-URI: {error}")
    cseq = parsed.get("CSeq")
    if cseq is not None and cseq.method != method:
        fault = f"CSeq is of {cseq.method[:40]!r}, the request {method[:40]!r}"
        draft.blame(fault, 400 if method in KNOWN_METHODS else 501)
    forwards = draft.values.get("Max-Forwards")
    if forwards is not None and not _is_octet(forwards[0]):
        draft.blame(f"Max-Forwards is not 0 to 255: {forwards[0][:40]!r}")
    headers = Headers.of_canonical(draft.values, parsed)
    request = Request.__new__(Request)
    request.method, request.uri, request.headers, request.body = method, uri, headers, body
    request._uri = None if request_uri is None else (uri, request_uri)
    if draft.fault:
        raise _refusal(draft, request)
    return request


def _is_octet(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= 255


def _refusal(draft: _Draft, request: Request) -> MalformedMessageError:
    """An ACK is never answered; without a readable Via there is no way back."""
    if request.method == "ACK" or "Via" not in request.headers.parsed:
        return MalformedMessageError(draft.fault, status=0)
    return MalformedMessageError(draft.fault, status=draft.status, partial=request)


def _finish_response(start_line: str, body: bytes, draft: _Draft) -> Response:
    version, _, rest = start_line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        draft.blame(f"version {version[:20]!r}")
    elif not _STATUS.fullmatch(status):
        draft.blame(f"status {status[:20]!r}")
    parsed = _parse_values(draft)
    if draft.fault:
        raise MalformedMessageError(draft.fault, status=0)
    headers = Headers.of_canonical(draft.values, parsed)
    response = Response.__new__(Response)
    response.status, response.reason = int(status), reason
    response.headers, response.body = headers, body
    return response
