import hashlib
import hmac
import itertools
from collections.abc import Sequence

import pytest
from aiosipua.auth import SipDigestAuth, build_credentials
from aiosipua.headers import parse_auth, stringify_auth
from hypothesis import given
from hypothesis import strategies as st

from switch.sip.digest import (
    Accepted,
    Challenge,
    Challenger,
    DigestSettings,
    Method,
    Paused,
    Refused,
    ha1,
)
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.ports import Unguarded, Witness

REALM = "switchroom"
USERS = {
    (name, algorithm): [ha1(name, REALM, f"lab-{name}", algorithm)]
    for name in ("1001", "1002")
    for algorithm in ("SHA-256", "MD5")
}


def look_up(user: str, algorithm: str) -> Sequence[str]:
    return USERS.get((user, algorithm), ())


def make_challenger(*, witness: Witness | None = None, **settings: float) -> Challenger:
    numbers = itertools.count(1)
    return Challenger(
        settings=DigestSettings(realm=REALM, **settings),  # type: ignore[arg-type]
        secret=b"0123456789abcdef",
        new_token=lambda: f"t{next(numbers)}",
        witness=witness,
    )


def nonce_of(challenges: list[tuple[str, str]]) -> str:
    return challenges[0][1].split('nonce="')[1].split('"')[0]


def response_to(
    nonce: str,
    /,
    *,
    user: str = "1001",
    password: str | None = None,
    algorithm: str = "SHA-256",
    resource: str = "sip:example.com",
    nc: str | None = "00000001",
    method: str = "REGISTER",
    **changes: str | None,
) -> str:
    digest = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
    first = ha1(user, REALM, f"lab-{user}" if password is None else password, algorithm)
    second = digest(f"{method}:{resource}".encode()).hexdigest()
    answer = digest(f"{first}:{nonce}:{nc}:c:auth:{second}".encode()).hexdigest()
    params: dict[str, str | None] = {
        "username": f'"{user}"',
        "realm": f'"{REALM}"',
        "nonce": f'"{nonce}"',
        "uri": f'"{resource}"',
        "response": f'"{answer}"',
        "algorithm": algorithm,
        "qop": "auth",
        "nc": nc,
        "cnonce": '"c"',
    }
    params |= changes
    return "Digest " + ", ".join(f"{k}={v}" for k, v in params.items() if v is not None)


def request(*credentials: str, uri: str = "sip:example.com") -> Request:
    return Request("REGISTER", uri, Headers([("Authorization", value) for value in credentials]))


def test_challenges_stand_side_by_side_sha_256_first() -> None:
    challenges = make_challenger().challenges(10.0)
    assert [name for name, _ in challenges] == ["WWW-Authenticate"] * 2
    assert "algorithm=SHA-256" in challenges[0][1]
    assert "algorithm=MD5" in challenges[1][1]
    assert all('realm="switchroom"' in v and 'qop="auth"' in v for _, v in challenges)
    assert "stale" not in challenges[0][1]
    assert "stale=true" in make_challenger().challenges(10.0, stale=True)[0][1]
    assert make_challenger().challenges(1.0, method=Method.PROXY)[0][0] == "Proxy-Authenticate"


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_the_right_password_is_accepted(algorithm: str) -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    verdict = challenger.verify(request(response_to(nonce, algorithm=algorithm)), look_up, 11.0)
    assert verdict == Accepted("1001")


def test_the_rfc_7616_example_values() -> None:
    user, password = "Mufasa", "Circle of Life"
    assert ha1(user, "http-auth@example.org", password, "MD5") == "3d78807defe7de2157e2b0b6573a855f"
    assert (
        ha1(user, "http-auth@example.org", password, "SHA-256")
        == "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
    )


def test_no_credentials_or_foreign_ones_get_a_challenge() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    for values in (
        (),
        ("Basic Zm9vOmJhcg==",),
        ("Bearer x",),
        (response_to(nonce, realm='"elsewhere"'),),
        (response_to(nonce, algorithm="MD5").replace("algorithm=MD5", "algorithm=SHA-512-256"),),
    ):
        assert challenger.verify(request(*values), look_up, 11.0) == Challenge(stale=False)


def test_credentials_for_our_realm_are_found_among_others() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    values = (response_to("x", realm='"elsewhere"'), "Bearer x", response_to(nonce))
    assert challenger.verify(request(*values), look_up, 11.0) == Accepted("1001")


def test_a_wrong_password_and_an_unknown_user_look_alike() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    wrong = challenger.verify(request(response_to(nonce, password="no")), look_up, 11.0)
    unknown = challenger.verify(request(response_to(nonce, user="7777")), look_up, 11.0)
    assert wrong == unknown == Refused("wrong user or password", 403)


def test_the_dummy_for_unknown_users_is_no_password() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    dummy = hashlib.sha256(b"0123456789abcdef").hexdigest()
    second = hashlib.sha256(b"REGISTER:sip:example.com").hexdigest()
    forged = hashlib.sha256(f"{dummy}:{nonce}:00000001:c:auth:{second}".encode()).hexdigest()
    verdict = challenger.verify(
        request(response_to(nonce, user="7777", response=f'"{forged}"')), look_up, 11.0
    )
    assert isinstance(verdict, Refused)


def test_any_of_several_stored_values_is_right() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    stored = [ha1("1001", REALM, "old", "MD5").upper(), ha1("1001", REALM, "new", "MD5")]
    for nc, password in (("00000001", "old"), ("00000002", "new")):
        value = response_to(nonce, password=password, algorithm="MD5", nc=nc)
        assert challenger.verify(request(value), lambda *_: stored, 11.0) == Accepted("1001")


def test_the_nonce_count_must_grow() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    first = request(response_to(nonce))
    assert challenger.verify(first, look_up, 11.0) == Accepted("1001")
    assert challenger.verify(first, look_up, 11.0) == Challenge(stale=True)
    later = request(response_to(nonce, nc="0000000a"))
    assert challenger.verify(later, look_up, 12.0) == Accepted("1001")
    between = request(response_to(nonce, nc="00000009"))
    assert challenger.verify(between, look_up, 12.0) == Challenge(stale=True)
    zero = request(response_to(nonce_of(challenger.challenges(12.0)), nc="00000000"))
    assert challenger.verify(zero, look_up, 12.0) == Challenge(stale=True)


def test_with_a_nonce_of_no_use_no_password_is_looked_at() -> None:
    challenger = make_challenger(nonce_life_s=60.0)
    nonce = nonce_of(challenger.challenges(10.0, host="192.0.2.1"))
    foreign = nonce[:-1] + ("0" if nonce[-1] != "0" else "1")
    looked_up: list[str] = []

    def watched(user: str, algorithm: str) -> Sequence[str]:
        looked_up.append(user)
        return look_up(user, algorithm)

    for bad, now, host in (
        (nonce, 71.0, "192.0.2.1"),
        (foreign, 11.0, "192.0.2.1"),
        ("made-up", 11.0, "192.0.2.1"),
        (nonce, 11.0, "192.0.2.2"),
    ):
        for password in (None, "no"):
            given = request(response_to(bad, password=password))
            assert challenger.verify(given, watched, now, host=host) == Challenge(stale=True)
    assert looked_up == []
    right = request(response_to(nonce))
    assert challenger.verify(right, watched, 11.0, host="192.0.2.1") == Accepted("1001")


class Notes(Unguarded):
    """Writes down what it is told; `waits` is the pause it gives to everybody."""

    def __init__(self) -> None:
        self.waits = 0.0
        self.told: list[tuple[str, ...]] = []

    def challenged(self, host: str, now: float, *, is_connected: bool = False) -> None:
        self.told.append(("challenged", host))

    def pause(self, user: str, host: str, now: float) -> float:
        return self.waits

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        self.told.append(("malformed", host))

    def wrong(self, user: str, host: str, now: float) -> None:
        self.told.append(("wrong", user, host))

    def right(self, user: str, host: str, now: float) -> None:
        self.told.append(("right", user, host))


def test_the_witness_is_told_how_it_went() -> None:
    notes = Notes()
    challenger = make_challenger(witness=notes)
    nonce = nonce_of(challenger.challenges(10.0, host="h"))
    for message in (
        request(),
        request("Digest nonsense"),
        request(response_to(nonce, password="no")),
        request(response_to(nonce, user="9999")),
        request(response_to(nonce)),
        request(response_to(nonce)),  # replayed: nothing is said against who may be robbed
    ):
        challenger.verify(message, look_up, 11.0, host="h")
    assert notes.told == [
        ("challenged", "h"),
        ("malformed", "h"),
        ("wrong", "1001", "h"),
        ("wrong", "9999", "h"),
        ("right", "1001", "h"),
    ]


def test_during_a_pause_no_password_is_looked_at() -> None:
    notes = Notes()
    challenger = make_challenger(witness=notes)
    nonce = nonce_of(challenger.challenges(10.0))
    notes.waits = 7.5
    for user in ("1001", "9999"):
        for password in (None, "no"):
            given = request(response_to(nonce, user=user, password=password))
            assert challenger.verify(given, look_up, 11.0) == Paused(7.5)
    assert notes.told == []


def test_unknown_users_and_wrong_passwords_cost_the_same_hashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of stored values, one of stored values, no such user: the work is the same."""
    compared: list[int] = []
    compare = hmac.compare_digest

    def counting(a: bytes, b: bytes) -> bool:
        compared[-1] += 1
        return compare(a, b)

    monkeypatch.setattr("switch.sip.digest.hmac.compare_digest", counting)
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    given = request(response_to(nonce, password="no"))
    for values in ((), ("00" * 32,), ("00" * 32, "11" * 32)):
        compared.append(0)
        verdict = challenger.verify(given, lambda user, algorithm, v=values: v, 11.0)  # type: ignore[misc]
        assert verdict == Refused("wrong user or password")
    assert len(set(compared)) == 1


def test_counts_are_bounded_and_a_forgotten_count_cannot_be_replayed() -> None:
    challenger = make_challenger(max_nonces=3)
    requests = []
    for number in range(6):
        nonce = nonce_of(challenger.challenges(10.0 + number))
        requests.append(request(response_to(nonce)))
        assert challenger.verify(requests[-1], look_up, 16.0) == Accepted("1001")
    assert challenger.nonces == challenger.most_nonces == 3
    for replay in requests:
        assert challenger.verify(replay, look_up, 16.0) == Challenge(stale=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"qop": None},
        {"qop": "auth-int"},
        {"nc": "1"},
        {"nc": "0000000x"},
        {"nc": None},
        {"cnonce": None},
        {"nonce": None},
        {"username": None},
        {"username": '""'},
        {"response": None},
        {"uri": '"sip:elsewhere.example.com"'},
        {"uri": '"nonsense"'},
        {"username": '"1001'},
        {"cnonce": '"' + "x" * 3000 + '"'},
        {"username": '"1001", username="1002"'},
    ],
)
def test_unusable_credentials_are_refused_with_400(changes: dict[str, str | None]) -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    value = response_to(nonce, **changes)  # type: ignore[arg-type]
    verdict = challenger.verify(request(value), look_up, 11.0)
    assert isinstance(verdict, Refused)
    assert verdict.status == 400


@pytest.mark.parametrize(
    "uri", ["sip:example.com", "sip:EXAMPLE.com:5060", "sip:example.com;transport=udp"]
)
def test_equivalent_uris_are_tolerated(uri: str) -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    assert challenger.verify(request(response_to(nonce, resource=uri)), look_up, 11.0) == Accepted(
        "1001"
    )


def test_another_methods_credentials_do_not_fit() -> None:
    challenger = make_challenger()
    nonce = nonce_of(challenger.challenges(10.0))
    verdict = challenger.verify(request(response_to(nonce, method="INVITE")), look_up, 11.0)
    assert isinstance(verdict, Refused)


@pytest.mark.parametrize("which", [0, 1], ids=["first challenge", "last challenge"])
def test_an_independent_client_is_accepted(which: int) -> None:
    challenger = make_challenger()
    challenge = parse_auth(challenger.challenges(10.0)[which][1])
    for count in (1, 2):
        credentials = build_credentials(
            SipDigestAuth("1001", "lab-1001"),
            challenge,
            "REGISTER",
            "sip:example.com",
            nonce_count=count,
        )
        assert credentials is not None
        verdict = challenger.verify(request(stringify_auth(credentials)), look_up, 11.0)
        assert verdict == Accepted("1001")


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    value = text.replace("\r", "").replace("\n", "").replace("\0", "")
    for authorization in (value, f"Digest {value}", f'Digest realm="{REALM}", {value}'):
        verdict = make_challenger().verify(request(authorization), look_up, 11.0)
        assert not isinstance(verdict, Accepted)
