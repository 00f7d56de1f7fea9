"""How packets travel, as offered and answered: RTCP on one port or two, keys, certificates, ICE."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable

import msgspec
import pytest

from switch.errors import RemoteProtocolError
from switch.sdp.description import _without_numbers, parse_description
from switch.sdp.negotiation_record import NegotiationRecord
from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import SrtpPolicy, TransportTerms


def sdp(*lines: str, media: str = "m=audio 4000 RTP/AVP 0", session: tuple[str, ...] = ()) -> bytes:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0")
    return "".join(f"{line}\r\n" for line in (*head, *session, media, *lines)).encode()


def ours(terms: TransportTerms | None = None) -> AudioNegotiation:
    return AudioNegotiation(
        session_id=1000, address="192.0.2.1", port=16000, terms=terms or TransportTerms()
    )


def test_one_port_for_both_is_offered_and_taken_when_answered() -> None:
    side = ours()
    assert b"a=rtcp-mux\r\n" in side.make_offer()
    side.accept_answer(sdp("a=rtcp-mux"))
    assert side.transport.rtcp_mux
    side.make_offer()
    side.accept_answer(sdp())
    assert not side.transport.rtcp_mux


@pytest.mark.parametrize("lines", [(), ("a=rtcp-mux",)])
def test_one_port_is_answered_to_those_who_offer_it(lines: tuple[str, ...]) -> None:
    side = ours()
    _, text = side.answer(sdp(*lines))
    assert (b"a=rtcp-mux" in text) == bool(lines)
    assert side.transport.rtcp_mux == bool(lines)


@pytest.mark.parametrize(
    ("line", "address", "port"),
    [
        ("a=rtcp:53020", "", 53020),
        ("a=rtcp:53020 IN IP4 192.0.2.77", "192.0.2.77", 53020),
        ("a=rtcp:53020 IN IP6 2001:db8::1", "2001:db8::1", 53020),
        ("a=rtcp:0", "", 0),
        ("a=rtcp:65536", "", 0),
        ("a=rtcp:53020 IN IP4 host.example.com", "", 0),
        ("a=rtcp:53020 IN IP4 224.0.0.1", "", 0),
        ("a=rtcp:x", "", 0),
        ("a=rtcp:", "", 0),
        ("a=rtcp", "", 0),
    ],
)
def test_rtcp_may_be_wanted_elsewhere(line: str, address: str, port: int) -> None:
    side = ours()
    side.answer(sdp(line))
    assert (side.transport.rtcp_address, side.transport.rtcp_port) == (address, port)


# --- keys (SDES) ----------------------------------------------------------------------------------

CM = "AES_CM_128_HMAC_SHA1_80"
KEY = "A" * 40
OTHER = "B" * 40
GCM_KEY = "C" * 37 + "A=="
TAIL = f"{CM} inline:{KEY}"


def chance() -> Callable[[int], bytes]:
    """Keys that differ, and can be told again."""
    counter = itertools.count(1)
    return lambda octets: bytes([next(counter)]) * octets


def secure(policy: str = "optional") -> AudioNegotiation:
    return ours(TransportTerms(policy=SrtpPolicy(policy), random=chance()))


def crypto_lines(text: bytes) -> list[str]:
    return re.findall(r"a=crypto:([^\r]*)\r\n", text.decode())


@pytest.mark.parametrize(
    ("policy", "profile", "lines"),
    [
        ("off", b"RTP/AVP", 0),
        ("accept", b"RTP/AVP", 0),
        ("optional", b"RTP/AVP", 4),
        ("required", b"RTP/SAVP", 4),
    ],
)
def test_each_policy_offers_what_it_says(policy: str, profile: bytes, lines: int) -> None:
    text = secure(policy).make_offer()
    assert b"m=audio 16000 %b 0" % profile in text
    written = crypto_lines(text)
    assert len(written) == lines
    assert len({line.split("inline:")[1] for line in written}) == lines, "each line has its own key"


SAVP = "m=audio 4000 RTP/SAVP 0"
AVP = "m=audio 4000 RTP/AVP 0"


@pytest.mark.parametrize(
    ("policy", "media", "lines", "outcome"),
    [
        ("off", AVP, (), "plain"),
        ("off", AVP, (f"a=crypto:1 {TAIL}",), "plain"),
        ("off", SAVP, (f"a=crypto:1 {TAIL}",), "refused"),
        ("accept", AVP, (), "plain"),
        ("accept", AVP, (f"a=crypto:1 {TAIL}",), "secure"),
        ("accept", SAVP, (f"a=crypto:1 {TAIL}",), "secure"),
        ("accept", "m=audio 4000 RTP/SAVPF 0", (f"a=crypto:1 {TAIL}",), "secure"),
        ("optional", AVP, (), "plain"),
        ("optional", AVP, ("a=crypto:1 rubbish",), "plain"),
        ("optional", SAVP, (), "refused"),
        ("optional", SAVP, ("a=crypto:1 rubbish",), "refused"),
        ("required", AVP, (), "refused"),
        ("required", AVP, (f"a=crypto:1 {TAIL}",), "secure"),
        ("required", SAVP, (f"a=crypto:1 {TAIL}",), "secure"),
        ("optional", "m=audio 4000 UDP/TLS/RTP/SAVPF 0", (f"a=crypto:1 {TAIL}",), "refused"),
        ("optional", "m=audio 4000 RTP/SAVPX 0", (f"a=crypto:1 {TAIL}",), "refused"),
    ],
)
def test_each_policy_takes_what_it_says(
    policy: str, media: str, lines: tuple[str, ...], outcome: str
) -> None:
    side = secure(policy)
    if outcome == "refused":
        with pytest.raises(RemoteProtocolError) as caught:
            side.answer(sdp(*lines, media=media))
        assert caught.value.status == 488
        assert KEY not in str(caught.value)
        return
    _, text = side.answer(sdp(*lines, media=media))
    assert side.transport.is_secure == (outcome == "secure")
    assert len(crypto_lines(text)) == (1 if outcome == "secure" else 0)
    assert media.split()[2].encode() in text


def test_the_first_line_that_can_be_used_is_answered_with_its_tag() -> None:
    side = secure()
    offer = sdp(
        f"a=crypto:1 AES_192_CM_HMAC_SHA1_80 inline:{KEY}",
        f"a=crypto:7 AEAD_AES_128_GCM inline:{GCM_KEY}",
        f"a=crypto:3 {TAIL}",
        media=SAVP,
    )
    _, text = side.answer(offer)
    assert crypto_lines(text)[0].startswith("7 AEAD_AES_128_GCM inline:")
    keys = side.transport.keys
    assert keys is not None
    assert keys.receive == base64.b64decode(GCM_KEY)
    assert base64.b64encode(keys.send).decode() == crypto_lines(text)[0].split("inline:")[1]


BAD_LINES = {
    "a key too short": f"1 {CM} inline:{KEY[:-4]}",
    "a key too long": f"1 {CM} inline:{KEY}AAAA",
    "a key of another suite": f"1 AEAD_AES_256_GCM inline:{KEY}",
    "no base64": f"1 {CM} inline:{'!' * 40}",
    "another method": f"1 {CM} uri:{KEY}",
    "two keys": f"1 {CM} inline:{KEY}|2^31|1:4;inline:{OTHER}|2^31|2:4",
    "an MKI": f"1 {CM} inline:{KEY}|2^31|1:4",
    "a lifetime of nothing": f"1 {CM} inline:{KEY}|0",
    "a lifetime too short": f"1 {CM} inline:{KEY}|2^10",
    "a lifetime beyond all": f"1 {CM} inline:{KEY}|2^49",
    "a lifetime that is none": f"1 {CM} inline:{KEY}|x",
    "no encryption": f"1 {CM} inline:{KEY} UNENCRYPTED_SRTP",
    "no authentication": f"1 {CM} inline:{KEY} UNAUTHENTICATED_SRTP",
    "a key derivation rate": f"1 {CM} inline:{KEY} KDR=4",
    "a tag that is none": f"x {CM} inline:{KEY}",
    "a tag too long": f"1234567890 {CM} inline:{KEY}",
    "no suite": f"1 inline:{KEY}",
    "nothing": "",
    "very long": f"1 {CM} inline:{KEY * 30}",
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_cannot_be_used_is_as_good_as_none(name: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        secure().answer(sdp(f"a=crypto:{BAD_LINES[name]}", media=SAVP))
    assert caught.value.status == 488
    assert "AAAA" not in str(caught.value)
    side = secure()
    side.answer(sdp(f"a=crypto:{BAD_LINES[name]}", f"a=crypto:2 {CM} inline:{OTHER}", media=SAVP))
    assert side.transport.keys is not None
    assert side.transport.keys.tag == "2"


@pytest.mark.parametrize(
    "tail", ["", "|2^31", "|2^20", "|2^48", "|1048576", " WSH=128", " -ext=1", "|2^31 WSH=64 -x"]
)
def test_harmless_parameters_are_taken(tail: str) -> None:
    side = secure()
    side.answer(sdp(f"a=crypto:1 {CM} inline:{KEY}{tail}", media=SAVP))
    assert side.transport.keys is not None


def test_two_lines_of_one_tag_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="same tag") as caught:
        secure().answer(sdp(f"a=crypto:1 {TAIL}", f"a=crypto:1 {CM} inline:{OTHER}", media=SAVP))
    assert caught.value.status == 488


def test_of_two_media_the_encrypted_one_is_taken() -> None:
    """Some phones offer both ways side by side."""
    side = secure()
    body = sdp("a=sendrecv", "m=audio 4002 RTP/SAVP 0", f"a=crypto:1 {TAIL}", media=AVP)
    audio, text = side.answer(body)
    assert audio.remote_port == 4002
    assert b"m=audio 0 RTP/AVP 0" in text
    assert side.transport.is_secure


def chosen(offer: bytes, number: int, key: str = OTHER) -> str:
    """An answer's line for one of the offer's."""
    tag, suite, _ = crypto_lines(offer)[number].split()
    return f"a=crypto:{tag} {suite} inline:{key}"


def test_an_answer_chooses_one_of_our_lines() -> None:
    side = secure()
    offer = side.make_offer()
    side.accept_answer(sdp(chosen(offer, 1)))
    keys = side.transport.keys
    assert keys is not None
    assert (keys.suite, keys.tag) == ("AES_CM_128_HMAC_SHA1_32", "2")
    assert keys.send == base64.b64decode(crypto_lines(offer)[1].split("inline:")[1])
    assert keys.receive == base64.b64decode(OTHER)


def test_who_knows_no_srtp_answers_in_clear() -> None:
    side = secure()
    side.make_offer()
    side.accept_answer(sdp())
    assert not side.transport.is_secure


@pytest.mark.parametrize(
    "lines",
    [
        ("a=crypto:9 {cm} inline:{key}",),
        ("a=crypto:1 AEAD_AES_128_GCM inline:{gcm}",),
        ("a=crypto:1 {cm} inline:{key}", "a=crypto:2 {cm} inline:{key}"),
        ("a=crypto:1 {cm} inline:short",),
    ],
)
def test_an_answer_that_chooses_what_was_not_offered_is_none(lines: tuple[str, ...]) -> None:
    side = secure()
    side.make_offer()
    written = (line.format(cm=CM, key=KEY, gcm=GCM_KEY) for line in lines)
    with pytest.raises(RemoteProtocolError) as caught:
        side.accept_answer(sdp(*written))
    assert caught.value.status == 488


def test_required_is_not_talked_out_of_it() -> None:
    side = secure("required")
    side.make_offer()
    with pytest.raises(RemoteProtocolError):
        side.accept_answer(sdp())


@pytest.mark.parametrize(
    ("policy", "offer", "slug"),
    [
        ("required", sdp(), "encryption-required"),
        ("dtls", sdp(), "encryption-required"),
        ("off", sdp(f"a=crypto:1 {TAIL}", media=SAVP), "encryption-unusable"),
        ("required", sdp("a=crypto:1 ODD inline:x", media=SAVP), "encryption-unusable"),
        ("accept", sdp(media="m=audio 4000 RTP/AVP 18"), "no-common-codec"),
    ],
)
def test_a_refused_offer_says_in_one_word_whether_encryption_is_the_cause(
    policy: str, offer: bytes, slug: str
) -> None:
    """A video stream behind it, which nobody wants, is not the cause."""
    for body in (offer, offer + b"m=video 6000 RTP/AVP 31\r\n"):
        with pytest.raises(RemoteProtocolError) as caught:
            secure(policy).answer(body)
        assert (caught.value.status, caught.value.slug) == (488, slug)


def test_our_key_stays_while_the_peers_does() -> None:
    side = secure()
    side.answer(sdp(f"a=crypto:1 {TAIL}", media=SAVP))
    first = side.transport.keys
    side.answer(sdp(f"a=crypto:2 {TAIL}", media=SAVP))
    again = side.transport.keys
    assert first is not None
    assert again is not None
    assert (again.send, again.receive) == (first.send, first.receive)
    # Another device has the call now: of our packets so far it knows nothing, nor their rollovers.
    side.answer(sdp(f"a=crypto:1 {CM} inline:{OTHER}", media=SAVP))
    second = side.transport.keys
    assert second is not None
    assert first.send != second.send
    assert first.receive != second.receive
    side.answer(sdp(f"a=crypto:1 AEAD_AES_128_GCM inline:{GCM_KEY}", media=SAVP))
    third = side.transport.keys
    assert third is not None
    assert third.send != second.send
    offer = side.make_offer()
    assert b"RTP/SAVP" in offer
    assert (
        crypto_lines(offer)[0]
        == f"1 AEAD_AES_128_GCM inline:{base64.b64encode(third.send).decode()}"
    )


@pytest.mark.parametrize("final", [0, 1])
def test_a_provisional_answer_may_be_followed_by_another(final: int) -> None:
    side = secure()
    offer = side.make_offer()
    side.preview_answer(sdp(chosen(offer, 0)))
    side.preview_answer(sdp(chosen(offer, 1)))
    side.accept_answer(sdp(chosen(offer, final)))
    assert side.transport.keys is not None
    assert crypto_lines(offer)[final].startswith(f"{final + 1} {side.transport.keys.suite} ")


def test_a_key_that_was_in_use_is_not_used_again() -> None:
    side = secure()
    offer = side.make_offer()
    side.accept_answer(sdp(chosen(offer, 0)))
    first = side.transport.keys
    assert first is not None
    side.answer(sdp())  # in clear for a while
    again = side.make_offer()
    assert crypto_lines(again)[0] != crypto_lines(offer)[0]
    assert crypto_lines(again)[1:] == crypto_lines(offer)[1:], "those were never in use"
    side.accept_answer(sdp(chosen(again, 0)))
    second = side.transport.keys
    assert second is not None
    assert second.send != first.send
    assert side.make_offer() == again, "nothing has changed since"


def test_an_answer_in_clear_does_not_switch_encryption_off() -> None:
    by_keys, by_dtls = secure(), with_dtls()
    by_keys.answer(sdp(f"a=crypto:1 {TAIL}", media=SAVP))
    by_dtls.answer(sdp(PRINT, "a=setup:actpass", "a=rtcp-mux", media=DTLS))
    for side in (by_keys, by_dtls):
        before = side.transport
        side.make_offer()
        with pytest.raises(RemoteProtocolError, match="in clear") as caught:
            side.accept_answer(sdp())
        assert caught.value.status == 488
        assert side.transport == before


def test_a_refused_offer_changes_no_keys() -> None:
    side = secure()
    side.answer(sdp(f"a=crypto:1 {TAIL}", media=SAVP))
    before = side.transport
    with pytest.raises(RemoteProtocolError):
        side.answer(sdp("a=crypto:1 rubbish", media=SAVP))
    assert side.transport == before


def test_keys_are_shown_to_nobody() -> None:
    side = secure()
    side.answer(sdp(f"a=crypto:1 {TAIL}", media=SAVP))
    media = parse_description(sdp(f"a=crypto:1 {TAIL}", media=SAVP)).media[0]
    for shown in (repr(side.transport), repr(media), repr(side.record().transport)):
        assert KEY not in shown
        assert "x01" not in shown


def test_another_process_goes_on_with_the_same_keys() -> None:
    side = secure()
    offer = side.make_offer()
    again = AudioNegotiation.of_record(
        msgspec.convert(msgspec.to_builtins(side.record()), NegotiationRecord), chance()
    )
    again.accept_answer(sdp(chosen(offer, 0)))
    assert again.transport.keys is not None
    assert again.transport.keys.send == base64.b64decode(crypto_lines(offer)[0].split("inline:")[1])
    third = AudioNegotiation.of_record(again.record(), chance())
    assert third.transport == again.transport


# --- DTLS and ICE ---------------------------------------------------------------------------------

OWN = ":".join(["0A"] * 32)
THEIRS = ":".join(["AB"] * 32)
DTLS = "m=audio 9 UDP/TLS/RTP/SAVPF 0"
PRINT = f"a=fingerprint:sha-256 {THEIRS}"
CHECKS = ("a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901")


def with_dtls(policy: str = "accept", fingerprint: str = OWN) -> AudioNegotiation:
    terms = TransportTerms(policy=SrtpPolicy(policy), fingerprint=fingerprint, random=chance())
    return ours(terms)


@pytest.mark.parametrize(
    ("setup", "role", "answered"),
    [
        ("actpass", "client", "active"),
        ("active", "server", "passive"),
        ("passive", "client", "active"),
    ],
)
def test_who_begins_a_handshake(setup: str, role: str, answered: str) -> None:
    side = with_dtls()
    _, text = side.answer(sdp(PRINT, f"a=setup:{setup}", "a=rtcp-mux", media=DTLS))
    dtls = side.transport.dtls
    assert dtls is not None
    assert (dtls.role, dtls.fingerprint) == (role, THEIRS)
    assert f"a=setup:{answered}\r\n".encode() in text
    assert f"a=fingerprint:sha-256 {OWN}\r\n".encode() in text
    assert b"ice" not in text
    assert side.transport.ice is None


def test_a_browser_is_answered_as_a_lite_agent() -> None:
    side = with_dtls()
    lines = (PRINT, "a=setup:actpass", "a=mid:0", "a=rtcp-mux", *CHECKS)
    group = ("a=group:BUNDLE 0",)
    audio, text = side.answer(sdp("c=IN IP4 0.0.0.0", *lines, media=DTLS, session=group))
    assert audio.send, "the null address of a browser is no hold"
    ice = side.transport.ice
    assert ice is not None
    assert (ice.remote_ufrag, ice.remote_password) == ("abcd", CHECKS[1][10:])
    head, _, media = text.partition(b"m=")
    assert b"a=ice-lite\r\n" in head
    assert b"a=group:BUNDLE 0\r\n" in head
    assert f"a=ice-ufrag:{ice.ufrag}\r\na=ice-pwd:{ice.password}\r\n".encode() in media
    assert b"a=candidate:1 1 UDP 2130706431 192.0.2.1 16000 typ host\r\n" in media
    assert b"a=mid:0\r\n" in media
    assert len(ice.ufrag) >= 4
    assert len(ice.password) >= 22


def test_what_was_not_offered_is_not_answered() -> None:
    side = with_dtls()
    group = ("a=group:LS 0", "a=group:BUNDLE 1")
    lines = (PRINT, "a=setup:actpass", "a=mid:0", *CHECKS)
    _, text = side.answer(sdp(*lines, media=DTLS, session=group))
    assert b"a=rtcp-mux" not in text  # RFC 5761 section 5.1.1
    assert b"a=group" not in text  # RFC 9143 section 7.3
    assert b"a=tls-id" not in text


def test_a_lite_peer_is_where_it_says() -> None:
    side = with_dtls()
    lines = (PRINT, "a=setup:actpass", "a=rtcp-mux", *CHECKS)
    audio, text = side.answer(sdp(*lines, media=DTLS, session=("a=ice-lite",)))
    assert side.transport.ice is not None
    assert not side.transport.finds_peer, "neither of us makes checks"
    assert (audio.remote_address, audio.remote_port) == ("192.0.2.9", 9)
    assert b"a=ice-lite\r\n" in text
    side.answer(sdp(*lines, media=DTLS))
    assert side.transport.finds_peer
    nowhere = sdp("c=IN IP4 0.0.0.0", *lines, media=DTLS, session=("a=ice-lite",))
    assert not side.answer(nowhere)[0].send


def test_another_association_is_named_anew() -> None:
    side = with_dtls()
    lines = (PRINT, "a=setup:actpass", "a=rtcp-mux")
    _, text = side.answer(sdp(*lines, f"a=tls-id:{'a' * 20}", media=DTLS))
    first = side.transport.dtls
    assert first is not None
    assert len(first.own_association) >= 20
    assert f"a=tls-id:{first.own_association}\r\n".encode() in text
    assert side.answer(sdp(*lines, f"a=tls-id:{'a' * 20}", media=DTLS))[1] == text
    assert side.transport.dtls == first
    side.answer(sdp(*lines, f"a=tls-id:{'b' * 20}", media=DTLS))
    second = side.transport.dtls
    assert second is not None
    assert (second.association, second.fingerprint) == ("b" * 20, first.fingerprint)
    assert second.own_association != first.own_association


def test_the_same_again_changes_neither_roles_nor_names() -> None:
    side = with_dtls()
    side.answer(sdp(PRINT, "a=setup:active", "a=rtcp-mux", *CHECKS, media=DTLS))
    before = side.transport
    side.answer(sdp(PRINT, "a=setup:actpass", "a=rtcp-mux", *CHECKS, media=DTLS))
    assert side.transport == before


def test_a_restart_of_ice_gives_new_names() -> None:
    side = with_dtls()
    side.answer(sdp(PRINT, "a=setup:active", *CHECKS, media=DTLS))
    before = side.transport.ice
    again = ("a=ice-ufrag:efgh", "a=ice-pwd:9876543210987654321098")
    side.answer(sdp(PRINT, "a=setup:active", *again, media=DTLS))
    after = side.transport.ice
    assert before is not None
    assert after is not None
    assert before.ufrag != after.ufrag
    assert after.remote_ufrag == "efgh"


def test_a_browser_is_offered_what_it_takes() -> None:
    side = with_dtls("dtls")
    offer = side.make_offer()
    assert b"m=audio 16000 UDP/TLS/RTP/SAVPF 0" in offer
    assert b"a=setup:actpass\r\n" in offer
    side.accept_answer(sdp(PRINT, "a=setup:active", "a=rtcp-mux", *CHECKS, media=DTLS))
    assert side.transport.dtls is not None
    assert side.transport.dtls.role == "server"
    assert side.transport.ice is not None
    own = f"a=ice-ufrag:{side.transport.ice.ufrag}\r\n".encode()
    assert own in offer
    assert own in side.make_offer()


SAVPF = "m=audio 4000 RTP/SAVPF 0"


def test_who_speaks_dtls_under_another_profile_is_offered_it_again() -> None:
    """As for a hold, or to refresh the session."""
    side = with_dtls()
    side.answer(sdp(PRINT, "a=setup:actpass", "a=rtcp-mux", media=SAVPF))
    before = side.transport
    offer = side.make_offer()
    assert b"RTP/SAVPF" in offer
    assert f"a=fingerprint:sha-256 {OWN}\r\n".encode() in offer
    assert b"a=setup:actpass\r\n" in offer
    assert not crypto_lines(offer)
    side.accept_answer(sdp(PRINT, "a=setup:passive", "a=rtcp-mux", media=SAVPF))
    assert side.transport == before


def test_of_two_kinds_of_keys_the_one_that_can_be_used_is_taken() -> None:
    old = "a=fingerprint:sha-1 " + ":".join(["AB"] * 20)
    both = sdp(f"a=crypto:1 {TAIL}", old, "a=setup:actpass", media=SAVP)
    side = with_dtls()
    _, text = side.answer(both)
    assert side.transport.keys is not None
    assert b"fingerprint" not in text
    assert len(crypto_lines(text)) == 1
    side.answer(sdp(f"a=crypto:1 {TAIL}", PRINT, "a=setup:actpass", media=SAVP))
    assert side.transport.dtls is not None
    assert side.transport.keys is None
    for policy in ("off", "dtls"):
        with pytest.raises(RemoteProtocolError):
            with_dtls(policy).answer(both)


def test_dtls_is_no_answer_where_it_was_not_offered() -> None:
    """Without our fingerprint nobody could trust the handshake."""
    side = with_dtls("required")
    offer = side.make_offer()
    side.accept_answer(sdp(chosen(offer, 0), PRINT, "a=setup:active", media=SAVP))
    assert side.transport.dtls is None
    assert side.transport.keys is not None
    for policy in ("accept", "optional", "required"):
        side = with_dtls(policy)
        side.make_offer()
        with pytest.raises(RemoteProtocolError, match="DTLS was not offered") as caught:
            side.accept_answer(sdp(PRINT, "a=setup:active", media=DTLS))
        assert caught.value.status == 488


@pytest.mark.parametrize(
    ("policy", "lines"),
    [
        ("off", (PRINT, "a=setup:actpass")),
        ("accept", ("a=setup:actpass",)),
        ("accept", ("a=fingerprint:sha-1 " + ":".join(["AB"] * 20), "a=setup:actpass")),
        ("accept", (PRINT[:-1], "a=setup:actpass")),
        ("accept", (PRINT + ":AB", "a=setup:actpass")),
        ("accept", (PRINT,)),
        ("accept", (PRINT, "a=setup:holdconn")),
        ("accept", (PRINT, "a=setup:sometimes")),
    ],
)
def test_what_cannot_lead_to_keys_is_refused(policy: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        with_dtls(policy).answer(sdp(*lines, media=DTLS))
    assert caught.value.status == 488


def test_a_gateway_without_a_certificate_takes_no_dtls() -> None:
    with pytest.raises(RemoteProtocolError, match="no DTLS"):
        with_dtls(fingerprint="").answer(sdp(PRINT, "a=setup:active", media=DTLS))


@pytest.mark.parametrize(
    "lines",
    [
        ("a=ice-ufrag:ab", CHECKS[1]),
        (CHECKS[0], "a=ice-pwd:short"),
        (CHECKS[0],),
        ("a=ice-ufrag:a b c", CHECKS[1]),
    ],
)
def test_names_that_are_none_are_no_ice(lines: tuple[str, ...]) -> None:
    side = with_dtls()
    side.answer(sdp(PRINT, "a=setup:active", *lines, media=DTLS))
    assert side.transport.ice is None


def test_descriptions_with_keys_are_not_remembered() -> None:
    before = _without_numbers.cache_info().currsize
    parse_description(sdp(f"a=crypto:1 {TAIL}", media=SAVP))
    assert _without_numbers.cache_info().currsize == before
