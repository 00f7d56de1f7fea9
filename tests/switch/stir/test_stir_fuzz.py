"""Identity headers, tokens, certificates and number lists of any kind get a verdict, never a fault."""

from __future__ import annotations

import ssl
from base64 import urlsafe_b64encode
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from switch.stir.certificates import Authorities, CertificateStore
from switch.stir.errors import StirError
from switch.stir.number_authority import NumberAuthority, read_number_authority
from switch.stir.passport import Attestation
from switch.stir.signing import Signer
from switch.stir.verification import Verdict, Verifier, Verstat
from tests.kit.stir import NOW, URL, Holder, holder, number_range, provider_code


@cache
def parties() -> tuple[Holder, Holder]:
    root = holder("Authority", is_authority=True)
    return root, holder("Provider", by=root, numbers=provider_code())


@cache
def good() -> str:
    signer = Signer(parties()[1].key, URL, new_origin=lambda: "origin")
    value = signer.sign("+12025550100", "+12025550123", Attestation.FULL, NOW)
    assert value is not None
    return value


def judged(value: str) -> Verdict:
    root, provider = parties()
    store = CertificateStore(Authorities(root.pem))
    store.put(URL, provider.pem)
    return Verifier(store).verify(
        [value], callers=["12025550100"], called=["12025550123"], call_id="c", now=NOW
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "attest": st.sampled_from(["A", "Z", "", 1]),
        "dest": JSON | st.just({"tn": ["12025550123"]}),
        "iat": JSON | st.just(int(NOW)),
        "orig": JSON | st.just({"tn": "12025550100"}),
        "origid": JSON,
    },
)


def coded(value: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


@given(st.data())
def test_a_damaged_header_never_passes_and_never_raises(data: st.DataObject) -> None:
    value = good()
    place = data.draw(st.integers(0, len(value.partition(";")[0]) - 1))
    letter = data.draw(st.characters(exclude_characters="\r\n\0"))
    damaged = value[:place] + letter + value[place + 1 :]
    cut = value[: data.draw(st.integers(0, len(value) - 1))]
    if damaged != value and not _is_same_token(damaged):
        assert judged(damaged).verstat is not Verstat.PASSED
    assert isinstance(judged(cut), Verdict)


def _is_same_token(damaged: str) -> bool:
    """The last letter of 64 octets in base64 carries two bits only: others stand for the same."""
    return damaged.partition(";")[0][:-1] == good().partition(";")[0][:-1]


@given(header=JSON | st.just({"alg": "ES256", "typ": "passport", "x5u": URL}), claims=JSON | CLAIMS)
def test_any_json_in_a_token_is_judged(header: object, claims: object) -> None:
    token = f"{coded(header)}.{coded(claims)}.{'A' * 86}"
    verdict = judged(f"{token};info=<{URL}>;alg=ES256")
    assert verdict.verstat is not Verstat.PASSED
    assert verdict.status in (403, 428, 436, 437, 438)


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert judged(text).verstat is not Verstat.PASSED


@given(st.binary(max_size=80) | st.just(number_range("12025550100", 100)), st.integers(0, 79))
def test_any_number_list_is_read_or_refused(octets: bytes, cut: int) -> None:
    for der in (octets, octets[:cut], b"\x30\x80" + octets):
        try:
            found = read_number_authority(der)
        except StirError:
            continue
        assert isinstance(found, NumberAuthority)
        assert found.covers("12025550100") in (True, False)


@given(st.binary(max_size=200), st.integers(0, 500), st.integers(0, 255))
def test_any_certificate_is_judged_and_remembered(junk: bytes, place: int, octet: int) -> None:
    root, provider = parties()
    store = CertificateStore(Authorities(root.pem))
    damaged = bytearray(provider.pem)
    damaged[place % len(damaged)] = octet
    for pem in (junk, bytes(damaged), b"x" * 100_000):
        store.put(URL, pem)
        try:
            store.find(URL, NOW)
            status = 0
        except StirError as error:
            status = error.status
        assert status == 437 or pem == bytes(damaged), "or one whose damage means nothing"


def test_a_certificate_of_an_unknown_version_is_judged_bad() -> None:
    root, provider = parties()
    der = provider.certificate.public_bytes(Encoding.DER)
    version_3 = bytes.fromhex("a003020102")
    assert der.count(version_3) == 1
    pem = ssl.DER_cert_to_PEM_cert(der.replace(version_3, bytes.fromhex("a003020101"))).encode()
    store = CertificateStore(Authorities(root.pem), local=lambda x5u: pem)
    with pytest.raises(StirError, match="cannot be read") as refused:
        store.find(URL, NOW)  # kept by an earlier process
    assert refused.value.status == 437
    assert not store.put(URL, pem)
    assert store.put(URL, provider.pem)
