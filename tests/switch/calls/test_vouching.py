"""Signatures of callers' numbers in calls: judged where they come in, made where they leave."""

from __future__ import annotations

from functools import cache

import pytest

from switch.calls.events import CallRefused, IncomingLeg
from switch.sip.events import Invited
from switch.stir.certificates import Authorities, CertificateStore
from switch.stir.identity import read_identity
from switch.stir.passport import Attestation, read_passport
from switch.stir.signing import Signer
from switch.stir.verification import Verifier
from switch.trunks.identity import CallerHeader, CallerPolicy, OwnNumbers
from switch.trunks.settings import (
    EntrySettings,
    NumberPlanSettings,
    PhoneRange,
    RouteSettings,
    TrunkSettings,
    Verification,
)
from tests.kit.stir import NOW, URL, Holder, holder, provider_code
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_redirection import send_on

CARRIER = ("127.0.0.1", 5091)
OURS, FOREIGN = "+12025550100", "+442079460123"


@cache
def parties() -> tuple[Holder, Holder]:
    root = holder("Authority", is_authority=True, begins=0, days=50_000)
    return root, holder("P", by=root, numbers=provider_code(), begins=0, days=50_000)


def signer() -> Signer:
    return Signer(parties()[1].key, URL, new_origin=lambda: "origin")


def plan(
    verify: Verification = Verification.OFF, *, is_trusted: bool = False, **caller: object
) -> NumberPlanSettings:
    own = OwnNumbers.parse((f"{OURS}-+12025550109",))
    trunk = TrunkSettings(
        name="out",
        match=("127.0.0.1",),
        proxy_host=CARRIER[0],
        proxy_port=CARRIER[1],
        callers=frozenset({"1001"}),
        caller=CallerPolicy(own=own, **caller),  # type: ignore[arg-type]
        verify=verify,
        trusts_identity=is_trusted,
        sign=True,
    )
    return NumberPlanSettings(
        entries=(EntrySettings(name="menu", numbers=("+12025550123", "4000")),),
        phones=(PhoneRange(first="1001", last="1050"),),
        routes=(RouteSettings(trunk="out", prefixes=("+",)),),
        trunks={"out": trunk},
    )


def bench(settings: NumberPlanSettings) -> Bench:
    root, provider = parties()
    store = CertificateStore(Authorities(root.pem))
    store.put(URL, provider.pem)
    return Bench(plan=settings, verifier=Verifier(store), signer=signer())


def claims(of: Phone) -> tuple[str, str, str] | None:
    """Attestation, caller and callee of the signature that came last."""
    invited = of.last(Invited)
    assert invited is not None
    value = invited.request.headers.get("Identity")
    if value is None:
        return None
    payload = read_passport(read_identity(value).token).payload
    return payload.attest, payload.orig.tn, payload.dest.tn[0]


@pytest.mark.parametrize(
    ("caller", "signed"),
    [
        ({"main": OURS}, ("A", OURS[1:], FOREIGN[1:])),
        ({"main": "+12025550199"}, ("B", "12025550199", FOREIGN[1:])),
        ({}, None),
        ({"shown": (("1001", "+12025550105"),)}, ("A", "12025550105", FOREIGN[1:])),
    ],
)
def test_a_call_out_is_vouched_for_as_far_as_the_number_is_ours(
    caller: dict[str, object], signed: tuple[str, str, str] | None
) -> None:
    own = bench(plan(**caller))  # type: ignore[arg-type]
    carrier = own.stranger("carrier", CARRIER)
    own.phone("1001").call(FOREIGN)
    assert claims(carrier) == signed


def test_a_call_that_a_phone_sends_on_is_vouched_for_no_further_than_that() -> None:
    own = bench(plan(shown=(("1001", OURS),)))
    carrier, bob = own.stranger("carrier", CARRIER), own.phone("1003")
    own.phone("1001").call("1003")
    send_on(bob, f"<sip:{FOREIGN}@127.0.0.1>")
    assert claims(carrier) == ("C", OURS[1:], FOREIGN[1:])


@pytest.mark.parametrize("number", [OURS, FOREIGN])
def test_a_caller_who_came_in_on_a_trunk_is_passed_on_as_such(number: str) -> None:
    own = bench(plan(header=CallerHeader.ASSERTED))
    own.stranger(number, ("127.0.0.1", 6900)).call("4000")
    (incoming,) = own.of(IncomingLeg)
    carrier = own.stranger("carrier", CARRIER)
    own.calls.call_trunk(
        "out",
        "+12025550155",
        call=incoming.call,
        caller_number=incoming.caller_number,
        caller_name="",
        ring_timeout_s=30,
    )
    own.pump()
    assert claims(carrier) == ("C", number[1:], "12025550155")


def identity(own: Bench, *, caller: str = FOREIGN, age_s: float = 0) -> str:
    value = signer().sign(caller, "+12025550123", Attestation.PARTIAL, own.clock.wall() - age_s)
    assert value is not None
    return value


def test_a_good_signature_is_told_with_the_call() -> None:
    own = bench(plan(Verification.REJECT))
    caller = own.stranger(FOREIGN, ("127.0.0.1", 6900))
    caller.headers["Identity"] = identity(own)
    caller.call("+12025550123")
    (incoming,) = own.of(IncomingLeg)
    assert (incoming.verstat, incoming.attestation) == ("TN-Validation-Passed", "B")


@pytest.mark.parametrize(
    ("age_s", "signs_for", "status", "verstat"),
    [
        (None, "", 428, "No-TN-Validation"),
        (100, FOREIGN, 403, "TN-Validation-Failed"),
        (0, "+442079460199", 438, "TN-Validation-Failed"),
    ],
)
def test_a_bad_one_is_tagged_or_refused_as_the_trunk_says(
    age_s: float | None, signs_for: str, status: int, verstat: str
) -> None:
    for verify in (Verification.REJECT, Verification.TAG, Verification.OFF):
        own = bench(plan(verify))
        caller = own.stranger(FOREIGN, ("127.0.0.1", 6900))
        if age_s is not None:
            caller.headers["Identity"] = identity(own, caller=signs_for, age_s=age_s)
        caller.call("+12025550123")
        if verify is Verification.REJECT:
            assert [event.status for event in own.of(CallRefused)] == [status]
            assert caller.statuses() == [status]
        else:
            (incoming,) = own.of(IncomingLeg)
            expected = verstat if verify is Verification.TAG else ""
            assert (incoming.verstat, incoming.attestation) == (expected, "")


@pytest.mark.parametrize(
    ("is_trusted", "from_", "asserted", "privacy", "verstat"),
    [
        (False, "+12025550177", FOREIGN, "", "TN-Validation-Failed"),
        (False, FOREIGN, "+12025550177", "", "TN-Validation-Passed"),
        (True, "+12025550177", FOREIGN, "", "TN-Validation-Passed"),
        (True, FOREIGN, "+12025550177", "", "TN-Validation-Failed"),
        (True, "anonymous", FOREIGN, "id", "TN-Validation-Passed"),
        (False, "anonymous", FOREIGN, "id", "TN-Validation-Passed"),
    ],
)
def test_a_signature_speaks_for_the_number_that_is_shown_and_no_other(
    is_trusted: bool, from_: str, asserted: str, privacy: str, verstat: str
) -> None:
    own = bench(plan(Verification.TAG, is_trusted=is_trusted))
    caller = own.stranger(from_, ("127.0.0.1", 6900))
    caller.headers["P-Asserted-Identity"] = f"<sip:{asserted}@example.com>"
    caller.headers["Identity"] = identity(own)
    if privacy:
        caller.headers["Privacy"] = privacy
    caller.call("+12025550123")
    (incoming,) = own.of(IncomingLeg)
    assert incoming.verstat == verstat
    assert incoming.caller_number == ("" if privacy else asserted if is_trusted else from_)


def test_certificates_of_the_kit_hold_now() -> None:
    assert parties()[1].certificate.not_valid_after_utc.timestamp() > NOW
