"""Keys, certificates, checks and encrypted packets that must be survived, and never believed."""

from __future__ import annotations

import base64
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pylibsrtp

from switch.errors import RemoteProtocolError
from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.srtp.certificate import own_dtls_certificate
from switch.srtp.dtls import DtlsError, DtlsSession, make_context
from switch.srtp.keeper import SessionKeeper
from switch.srtp.stun import Credentials, is_stun, take_check
from tests.fuzz.campaign import Item, promise
from tests.fuzz.mutations import BINARY, mutate
from tests.switch.rtp.rtcp_bytes import receiver_report
from tests.switch.rtp.single import RtpPacket

_KEY = base64.b64encode(bytes(range(30))).decode()
_GCM_KEY = base64.b64encode(bytes(range(44))).decode()
_PRINT = ":".join(["AB"] * 32)
_HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
_SECURE = [
    (
        f"{_HEAD}m=audio 4000 RTP/SAVP 0\r\na=rtcp:4005 IN IP4 192.0.2.8\r\n"
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{_KEY}|2^31|1:4\r\n"
        f"a=crypto:2 AEAD_AES_256_GCM inline:{_GCM_KEY}|2^48 WSH=64\r\n"
        f"a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:{_KEY}\r\n"
    ).encode(),
    (
        f"{_HEAD}a=ice-lite\r\na=fingerprint:sha-256 {_PRINT}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
        "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=setup:actpass\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
        "a=ice-pwd:0123456789012345678901\r\n"
        "a=candidate:1 1 UDP 2130706431 192.0.2.9 4000 typ host generation 0\r\n"
    ).encode(),
]


class SecureSdp:
    """Offers with keys, fingerprints and ICE: 400, 488, or an answer that promises no more than there is."""

    name = "secure-sdp"

    def make(self, rng: Random) -> list[Item]:
        """The policy, and some offers of one session."""
        policy = rng.choice([str(policy) for policy in SrtpPolicy]).encode()
        return [policy, *(mutate(_SECURE, rng) for _ in range(rng.randint(1, 4)))]

    def play(self, case: Sequence[Item]) -> None:
        """Nobody is answered with keys who gave none, nor in clear who must not be."""
        policy, *offers = [item for item in case if isinstance(item, bytes)]
        if policy.decode() not in {str(one) for one in SrtpPolicy}:
            return
        terms = TransportTerms(
            policy=SrtpPolicy(policy.decode()), fingerprint=_PRINT, random=Random(1).randbytes
        )
        side = AudioNegotiation(session_id=1, address="192.0.2.1", port=20000, terms=terms)
        for offer in offers:
            before = side.transport
            try:
                _, answer = side.answer(offer)
            except RemoteProtocolError as error:
                promise(error.status in (400, 488), f"status {error.status}")
                promise(side.transport == before, "a refused offer changed something")
                promise(_KEY not in str(error), "a key in an error")
                continue
            agreed = side.transport
            promise((b"a=crypto" in answer) == (agreed.keys is not None), "keys from nowhere")
            promise((b"a=setup" in answer) == (agreed.dtls is not None), "DTLS from nowhere")
            if policy in (b"required", b"dtls"):
                promise(agreed.is_secure, "talked out of encryption")
            if policy == b"off":
                promise(not agreed.is_secure, "encryption that is switched off")
            if agreed.keys is not None:
                promise(len(agreed.keys.send) == len(agreed.keys.receive), "keys of two lengths")


_OURS = Credentials("us:them", b"a-password-of-ours-22-c")
_CHECK = bytes.fromhex("000100002112a442") + bytes(12)


def _check_message() -> bytes:
    from aioice import stun

    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        transaction_id=bytes(12),
    )
    message.attributes.update(
        {"USERNAME": _OURS.username, "PRIORITY": 1, "ICE-CONTROLLING": 5, "USE-CANDIDATE": None}
    )
    message.add_message_integrity(_OURS.password)
    return bytes(message)


class Checks:
    """STUN: only who knows the password is believed, and answers are no longer than what they answer."""

    name = "stun"

    def make(self, rng: Random) -> list[Item]:
        """Damaged checks."""
        right = _check_message()
        return [mutate([right, _CHECK], rng, BINARY) for _ in range(rng.randint(1, 20))]

    def play(self, case: Sequence[Item]) -> None:
        """A check that was changed before its code is not authentic."""
        right = _check_message()
        code_at = right.index(b"\x00\x08\x00\x14")
        for data in case:
            assert isinstance(data, bytes)
            found = take_check(data, ("192.0.2.7", 4000), _OURS)
            promise(len(found.answer) <= max(len(data), 88), "an answer too long")
            promise(not found.answer or is_stun(found.answer), "an answer that is no STUN")
            if found.is_authentic:
                promise(data[:2] == right[:2], "another kind of message")
                promise(right[20:code_at] == data[20:code_at], "believed what was changed")


@functools.cache
def _certificates() -> tuple[Path, str]:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-dtls-"))
    path = folder / "dtls.pem"
    return path, own_dtls_certificate(path, 1_800_000_000.0)


@functools.cache
def _flights() -> list[bytes]:
    """Everything that two ends send each other."""
    path, fingerprint = _certificates()
    context = make_context(path)
    client = DtlsSession(context, is_client=True, fingerprint=fingerprint)
    server = DtlsSession(context, is_client=False, fingerprint=fingerprint)
    sent: list[bytes] = []
    waiting = [(server, data) for data in client.start()]
    while waiting:
        end, data = waiting.pop(0)
        sent.append(data)
        other = client if end is server else server
        waiting += [(other, answer) for answer in end.receive(data)]
    return sent


class DtlsRecords:
    """DTLS: damaged records, flights out of order and of other handshakes. No keys come of it."""

    name = "dtls"

    def make(self, rng: Random) -> list[Item]:
        """Datagrams for one end; the first octet says which."""
        datagrams = [mutate(_flights(), rng, BINARY)[:1400] for _ in range(rng.randint(1, 12))]
        return [bytes([rng.randrange(2)]), *datagrams]

    def play(self, case: Sequence[Item]) -> None:
        """DtlsError, or silence, or an answer; keys never."""
        role, *datagrams = [item for item in case if isinstance(item, bytes)]
        path, fingerprint = _certificates()
        session = DtlsSession(make_context(path), is_client=role == b"\0", fingerprint=fingerprint)
        session.start()
        for data in datagrams:
            try:
                answers = session.receive(data)
            except DtlsError as error:
                promise(len(str(error)) < 300, "a long error")
                break
            promise(all(len(answer) <= 1200 for answer in answers), "a datagram too long")
        promise(session.keys is None, "keys out of rubbish")


class SealedPackets:
    """SRTP: of damaged packets none is taken, and each whole one once."""

    name = "srtp"

    def make(self, rng: Random) -> list[Item]:
        """Encrypted packets, whole and damaged."""
        policy = pylibsrtp.Policy(
            key=bytes(range(30)), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND
        )
        session = pylibsrtp.Session(policy)
        made: list[Item] = []
        for number in range(rng.randint(5, 40)):
            if rng.random() < 0.2:
                whole = session.protect_rtcp(receiver_report(rng.choice((7, 8))))
            else:
                packet = RtpPacket(
                    payload_type=0, sequence=number, timestamp=number, ssrc=rng.choice((7, 8)),
                    payload=rng.randbytes(160),
                )  # fmt: skip
                whole = session.protect(packet.to_bytes())
            made.append(b"\x01" + whole)
            if rng.random() < 0.7:
                made.append(b"\x00" + mutate([whole], rng, BINARY)[:1400])
        return made

    def play(self, case: Sequence[Item]) -> None:
        """What is opened was whole, and was not opened before."""
        keeper = SessionKeeper()
        keeper.make_room(1)
        keeper.key(0, "AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(range(30)))
        whole = {item[1:] for item in case if isinstance(item, bytes) and item[:1] == b"\x01"}
        seen: set[bytes] = set()
        for item in case:
            if not isinstance(item, bytes) or len(item) < 13 or item[1] >> 6 != 2:
                continue
            data = item[1:]
            opened = keeper.open(0, data)
            if data in whole and data not in seen:
                promise(bool(opened), "a whole packet was refused")
            else:
                promise(not opened, "a packet was believed that nobody made, or twice")
            seen.add(data)
        keeper.close()
