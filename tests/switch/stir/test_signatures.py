"""Signing and verifying callers' numbers: what passes, what does not, and what it is refused with."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from itertools import count

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from switch.stir.certificates import Authorities, CertificateStore
from switch.stir.identity import read_identity, write_identity
from switch.stir.passport import Attestation, read_passport
from switch.stir.signing import Signer, attestation_for, read_key
from switch.stir.verification import Verdict, Verifier, Verstat
from tests.kit.stir import NOW, URL, Holder, holder, number_range, one_number, provider_code

CALLER, CALLED = "12025550100", "12025550123"
SERIAL = count(1)


@cache
def root() -> Holder:
    return holder("Authority", is_authority=True)


@cache
def provider() -> Holder:
    return holder("Provider", by=root(), numbers=provider_code())


def verifier(pem: bytes | None = None, **more: bool) -> Verifier:
    store = CertificateStore(Authorities(root().pem))
    if pem is not None:
        store.put(URL, pem)
    return Verifier(store, **more)


def signed(
    by: Holder | None = None,
    *,
    caller: str = CALLER,
    called: str = CALLED,
    attestation: Attestation = Attestation.FULL,
    at: float = NOW,
) -> str:
    key = (by or provider()).key
    value = Signer(key, URL, new_origin=lambda: f"origin-{next(SERIAL)}").sign(
        "+" + caller, "+" + called, attestation, at
    )
    assert value is not None
    return value


def judge(
    value: str | list[str],
    by: Verifier,
    *,
    caller: str = CALLER,
    called: str = CALLED,
    call: str = "c1",
    now: float = NOW,
) -> Verdict:
    values = [value] if isinstance(value, str) else value
    return by.verify(values, callers=[caller], called=[called], call_id=call, now=now)


def test_what_a_known_provider_signed_passes_with_its_attestation() -> None:
    own = verifier(provider().pem)
    for attestation in Attestation:
        verdict = judge(signed(attestation=attestation), own)
        assert (verdict.verstat, verdict.attestation, verdict.status) == (
            Verstat.PASSED,
            attestation,
            0,
        )


def test_another_library_reads_what_we_sign_and_we_what_it_signs() -> None:
    token = read_identity(signed()).token
    key = provider().key
    claims = jwt.decode(token, key.public_key(), ["ES256"], options={"verify_iat": False})
    assert claims["orig"] == {"tn": CALLER}
    assert claims["dest"] == {"tn": [CALLED]}
    assert claims["attest"] == "A"
    assert jwt.get_unverified_header(token) == {
        "alg": "ES256",
        "ppt": "shaken",
        "typ": "passport",
        "x5u": URL,
    }
    headers = {"typ": "passport", "ppt": "shaken", "x5u": URL}
    theirs = jwt.encode({**claims, "origid": "other"}, key, "ES256", headers=headers)
    assert judge(write_identity(theirs, URL), verifier(provider().pem)).verstat is Verstat.PASSED


def test_who_is_called_by_a_name_is_nobody_whom_a_token_could_mean() -> None:
    """Names have no number: an empty one in a token is not that of all of them."""
    headers = {"typ": "passport", "ppt": "shaken", "x5u": URL}
    claims = {
        "attest": "A",
        "dest": {"tn": [""]},
        "iat": int(NOW),
        "orig": {"tn": CALLER},
        "origid": "other",
    }
    theirs = jwt.encode(claims, provider().key, "ES256", headers=headers)
    verdict = judge(write_identity(theirs, URL), verifier(provider().pem), called="")
    assert (verdict.verstat, verdict.reason) == (Verstat.FAILED, "other-called")


def test_tokens_are_written_in_canonical_form() -> None:
    header, payload, _ = read_identity(signed()).token.split(".")
    for part in (header, payload):
        octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        assert msgspec.json.encode(msgspec.json.decode(octets), order="sorted") == octets


@pytest.mark.parametrize(
    ("value", "reason", "status", "verstat"),
    [
        (lambda: [], "no-signature", 428, Verstat.NONE),
        (lambda: signed(at=NOW - 61), "stale", 403, Verstat.FAILED),
        (lambda: signed(at=NOW + 61), "stale", 403, Verstat.FAILED),
        (lambda: signed(caller="12025550199"), "other-caller", 438, Verstat.FAILED),
        (lambda: signed(called="12025550199"), "other-called", 438, Verstat.FAILED),
        (lambda: signed(holder("x")), "wrong-signature", 438, Verstat.FAILED),
        (lambda: signed()[5:], "malformed", 438, Verstat.FAILED),
        (lambda: signed().replace('"shaken"', '"other"'), "no-signature", 428, Verstat.NONE),
        (lambda: signed().replace("info=<https", "info=<http"), "malformed", 436, Verstat.NONE),
    ],
)
def test_what_does_not_pass_says_why(
    value: object, reason: str, status: int, verstat: Verstat
) -> None:
    verdict = judge(value(), verifier(provider().pem))  # type: ignore[operator]
    assert (verdict.reason, verdict.status, verdict.verstat) == (reason, status, verstat)
    assert verdict.attestation == ""


def test_a_certificate_that_is_not_at_hand_leaves_the_number_unverified() -> None:
    missing: list[str] = []
    store = CertificateStore(Authorities(root().pem), missing=missing.append)
    own = Verifier(store)
    value = signed()
    verdict = judge(value, own)
    assert (verdict.verstat, verdict.reason, verdict.status) == (Verstat.NONE, "not-at-hand", 436)
    assert missing == [URL]
    store.put(URL, provider().pem)
    assert judge(value, own).verstat is Verstat.PASSED


def test_a_certificate_kept_from_before_is_at_hand_at_once() -> None:
    store = CertificateStore(Authorities(root().pem), local=lambda x5u: provider().pem)
    assert judge(signed(), Verifier(store)).verstat is Verstat.PASSED


def middle() -> Holder:
    return holder("Middle", by=root(), is_authority=True, path_length=0)


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (lambda: holder("Stranger", numbers=provider_code()), "untrusted"),
        (lambda: holder("No numbers", by=root()), "no-number-authority"),
        (
            lambda: holder("Short", by=root(), numbers=one_number("12025550199")),
            "no-number-authority",
        ),
        (lambda: holder("Old", by=root(), numbers=provider_code(), days=0), "certificate-over"),
        (
            lambda: holder("P-384", by=root(), numbers=provider_code(), curve=ec.SECP384R1()),
            "bad-certificate",
        ),
        (lambda: holder("Junk", by=root(), numbers=b"\x30\x03\xa0\xff\x00"), "bad-certificate"),
        (
            lambda: holder("By a provider", by=provider(), numbers=provider_code()),
            "untrusted",
        ),
    ],
)
def test_certificates_that_are_not_believed(chain: object, reason: str) -> None:
    leaf: Holder = chain()  # type: ignore[operator]
    verdict = judge(signed(leaf) if reason != "bad-certificate" else signed(), verifier(leaf.pem))
    assert (verdict.reason, verdict.status) == (reason, 437)
    assert verdict.verstat is Verstat.FAILED


def test_a_chain_over_another_authority_is_followed() -> None:
    between = middle()
    leaf = holder("Leaf", by=between, numbers=number_range("12025550100", 100))
    assert judge(signed(leaf), verifier(leaf.pem + between.pem)).verstat is Verstat.PASSED
    assert judge(signed(leaf), verifier(leaf.pem)).reason == "untrusted"
    beyond = judge(
        signed(leaf, caller="12025550200"), verifier(leaf.pem + between.pem), caller="12025550200"
    )
    assert beyond.reason == "no-number-authority"
    below = holder("Below", by=between, is_authority=True)
    deep = holder("Deep", by=below, numbers=provider_code())
    assert judge(signed(deep), verifier(deep.pem + below.pem + between.pem)).reason == "untrusted"


def test_certificates_without_numbers_are_believed_where_that_is_wanted() -> None:
    plain = holder("Plain", by=root())
    own = verifier(plain.pem, needs_number_authority=False)
    assert judge(signed(plain), own).verstat is Verstat.PASSED


def test_a_signature_serves_one_call_only() -> None:
    own = verifier(provider().pem)
    value = signed()
    assert judge(value, own, call="c1").verstat is Verstat.PASSED
    assert judge(value, own, call="c1").verstat is Verstat.PASSED, "the same call, challenged"
    assert judge(value, own, call="c2").reason == "replayed"


def respelt(value: str) -> str:
    """The same signature with another last character: four of its bits mean nothing."""
    token, _, params = value.partition(";")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return f"{token[:-1]}{letters[letters.index(token[-1]) ^ 1]};{params}"


def twin(value: str) -> str:
    """The other signature of the same words by the same key, made without the key."""
    token, _, params = value.partition(";")
    signed_part, _, text = token.rpartition(".")
    r_and_s = urlsafe_b64decode(text + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other = (order - int.from_bytes(r_and_s[32:], "big")).to_bytes(32, "big")
    text = urlsafe_b64encode(r_and_s[:32] + other).rstrip(b"=").decode()
    return f"{signed_part}.{text};{params}"


@pytest.mark.parametrize("change", [respelt, twin])
def test_a_signature_that_was_overheard_cannot_be_written_in_another_way(
    change: Callable[[str], str],
) -> None:
    own = verifier(provider().pem)
    value = signed()
    assert change(value) != value
    assert judge(change(value), verifier(provider().pem)).verstat is Verstat.PASSED
    assert judge(value, own, call="c1").verstat is Verstat.PASSED
    assert judge(change(value), own, call="c2").reason == "replayed"


def test_what_is_remembered_of_calls_is_bounded_and_forgotten() -> None:
    own = verifier(provider().pem)
    for number in range(5):
        judge(signed(at=NOW + number * 200), own, now=NOW + number * 200)
    assert len(own._seen) == 1


def test_diversions_are_let_pass_and_the_first_good_signature_counts() -> None:
    own = verifier(provider().pem)
    div = signed().replace('ppt="shaken"', 'ppt="div"')
    assert judge([div, signed(at=NOW - 100), signed()], own).verstat is Verstat.PASSED
    assert judge([div] * 20, own).reason == "no-signature"


@pytest.mark.parametrize(
    ("is_ours", "is_passed_on", "attestation"),
    [(True, False, "A"), (False, False, "B"), (True, True, "C"), (False, True, "C")],
)
def test_only_our_own_numbers_are_vouched_for_in_full(
    is_ours: bool, is_passed_on: bool, attestation: str
) -> None:
    assert attestation_for(is_ours=is_ours, is_passed_on=is_passed_on) == attestation


@pytest.mark.parametrize("caller", ["", "anonymous", "1001a", "+1202x"])
def test_nothing_is_signed_for_a_caller_without_a_number(caller: str) -> None:
    signer = Signer(provider().key, URL, new_origin=lambda: "o")
    assert signer.sign(caller, CALLED, Attestation.FULL, NOW) is None


def test_a_key_must_be_that_of_the_certificate() -> None:
    own = provider()
    assert read_key(own.key_pem, own.pem) is not None
    with pytest.raises(ValueError, match="not that of the certificate"):
        read_key(holder("x").key_pem, own.pem)
    with pytest.raises(ValueError, match="curve P-256"):
        read_key(holder("x", curve=ec.SECP384R1()).key_pem, own.pem)
    with pytest.raises(ValueError, match="no private key"):
        read_key(b"-----BEGIN", own.pem)


def test_a_passport_says_what_it_says() -> None:
    passport = read_passport(read_identity(signed()).token)
    assert passport.payload.attest == "A"
    assert passport.header.x5u == URL
