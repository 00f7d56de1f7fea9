"""We prove who we are: the answers to challenges, and when we stop answering."""

import re

import pytest

from switch.sip.client_digest import ClientCredentials, Prover, Realm
from switch.sip.digest import Accepted, Challenger, DigestSettings, Method, Verdict, ha1
from switch.sip.headers import Headers
from switch.sip.message import Request, Response

URI = "sip:registrar.example.com"
SECRET = ClientCredentials(username="trunk", password="open sesame")


def request(method: str = "REGISTER", uri: str = URI, body: bytes = b"") -> Request:
    return Request(method, uri, Headers([("CSeq", f"1 {method}")]), body)


def prover(credentials: ClientCredentials = SECRET, token: str = "0a4f113b") -> Prover:
    return Prover(credentials, lambda: token)


def challenged(*challenges: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(status, "", Headers([(name, value) for value in challenges]))


def answer(given: Prover, asked: Request, header: str = "Authorization") -> dict[str, str]:
    given.prove(asked)
    (value,) = asked.headers.get_all(header)
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,]+))', value)
    return {name: quoted or plain for name, quoted, plain in found}


def no_tries() -> dict[Realm, int]:
    return {}


class Server:
    """The server's side, as it is written in this project, with a clock of its own."""

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        self.tokens = iter(range(1000))
        self.challenger = Challenger(
            settings=DigestSettings(realm="example.com", algorithms=algorithms),
            secret=b"s" * 16,
            new_token=lambda: f"n{next(self.tokens)}",
        )

    def challenge(self, method: Method = Method.SERVER, *, stale: bool = False) -> Response:
        headers = self.challenger.challenges(1.0, method=method, stale=stale)
        return Response(401 if method is Method.SERVER else 407, "", Headers(headers))

    def judge(self, asked: Request, method: Method = Method.SERVER) -> Verdict:
        def secrets(user: str, algorithm: str) -> list[str]:
            return [ha1("trunk", "example.com", "open sesame", algorithm)]

        return self.challenger.verify(asked, secrets, 2.0, method=method)


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("MD5", "SHA-256")])
@pytest.mark.parametrize("method", [Method.SERVER, Method.PROXY])
def test_our_server_takes_what_our_client_says(algorithms: tuple[str, ...], method: Method) -> None:
    server, client, asked = Server(algorithms), prover(), request()
    assert client.take(server.challenge(method), {})
    client.prove(asked)
    assert server.judge(asked, method) == Accepted("trunk")


def test_the_strongest_algorithm_is_taken_wherever_it_stands() -> None:
    client, asked = prover(), request()
    assert client.take(Server(("MD5", "SHA-256")).challenge(), {})
    assert answer(client, asked)["algorithm"] == "SHA-256"


def test_without_the_password_the_algorithm_is_the_one_that_there_is_a_secret_for() -> None:
    server, asked = Server(("SHA-256", "MD5")), request()
    known = {"MD5": ha1("trunk", "example.com", "open sesame", "MD5").upper()}
    client = prover(ClientCredentials(username="trunk", realm="example.com", ha1=known))
    assert client.take(server.challenge(), {})
    assert answer(client, asked)["algorithm"] == "MD5"
    assert server.judge(asked) == Accepted("trunk")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, expected: str) -> None:
    credentials = ClientCredentials(username="Mufasa", password="Circle of Life")
    client = prover(credentials, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    assert client.take(challenged(challenge), {})
    given = answer(client, request("GET", "/dir/index.html"))
    assert given["response"] == expected
    assert given["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    assert (given["qop"], given["nc"]) == ("auth", "00000001")


def test_the_example_of_rfc_2617_and_the_way_of_rfc_2069() -> None:
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    credentials = ClientCredentials(username="Mufasa", password="Circle Of Life")
    client = prover(credentials)
    old = f'Digest realm="testrealm@host.com", nonce="{nonce}"'
    assert client.take(challenged(old + ', qop="auth,auth-int"'), {})
    given = answer(client, request("GET", "/dir/index.html"))
    assert given["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in given
    assert client.take(challenged(old), {})
    given = answer(client, request("GET", "/dir/index.html"))
    assert given["response"] == "670fd8c2df070c60b045671b8b24ff02"
    assert not {"qop", "nc", "cnonce"} & set(given)


def test_a_session_key_is_made_of_nonce_and_cnonce() -> None:
    """Reckoned by hand after RFC 7616 section 3.4.2."""
    from hashlib import sha256

    client = prover()
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256-sess'
    assert client.take(challenged(challenge), {})
    given = answer(client, request())

    def h(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    key = h(f"{h('trunk:r:open sesame')}:n:0a4f113b")
    middle = f"n:00000001:0a4f113b:auth:{h(f'REGISTER:{URI}')}"
    assert given["response"] == h(f"{key}:{middle}")
    assert given["algorithm"] == "SHA-256-sess"


def test_the_body_is_protected_where_nothing_else_is_offered() -> None:
    client, with_body = prover(), request("MESSAGE", body=b"hello")
    assert client.take(challenged('Digest realm="r", nonce="n", qop="auth-int"'), {})
    one = answer(client, with_body)
    assert one["qop"] == "auth-int"
    with_body.body = b"other"
    assert answer(client, with_body)["response"] != one["response"]


def test_each_use_of_a_nonce_counts() -> None:
    server, client = Server(("SHA-256",)), prover()
    assert client.take(server.challenge(), {})
    for count in (1, 2, 3):
        asked = request("OPTIONS")
        assert answer(client, asked)["nc"] == f"{count:08x}"
        assert server.judge(asked) == Accepted("trunk")


def test_a_wrong_password_is_tried_once() -> None:
    server, client, tried = Server(("MD5",)), prover(), no_tries()
    assert client.take(server.challenge(), tried)
    assert not client.take(server.challenge(), tried)


def test_a_nonce_that_is_too_old_is_replaced_once() -> None:
    server, client, tried = Server(("MD5",)), prover(), no_tries()
    assert client.take(server.challenge(), tried)
    assert client.take(server.challenge(stale=True), tried)
    assert not client.take(server.challenge(stale=True), tried)


def test_a_proxy_and_a_server_may_both_ask() -> None:
    first, second = Server(("MD5",)), Server(("MD5",))
    client, asked, tried = prover(), request("INVITE"), no_tries()
    assert client.take(first.challenge(Method.PROXY), tried)
    assert client.take(second.challenge(), tried)
    client.prove(asked)
    assert first.judge(asked, Method.PROXY) == Accepted("trunk")
    assert second.judge(asked) == Accepted("trunk")


@pytest.mark.parametrize(
    "challenge",
    [
        "Basic realm=x",
        'Digest realm="other", nonce="n"',
        'Digest realm="mine"',
        'Digest nonce="n"',
        'Digest realm="mine", nonce=""',
        'Digest realm="mine", nonce="n", algorithm=SHA-1',
        'Digest realm="mine", nonce="n", qop="token"',
        'Digest realm="mine", nonce="n", nonce="m"',
        'Digest realm="mine", nonce="n", opaque="a\x85b"',
        "Digest " + "x" * 3000,
        'Digest realm="mine", nonce="n',
        "Digest",
        "",
    ],
)
def test_what_cannot_be_answered_is_a_failure(challenge: str) -> None:
    client = prover(ClientCredentials(username="u", password="p", realm="mine"))
    assert not client.take(challenged(challenge), {})
    asked = request()
    client.prove(asked)
    assert "Authorization" not in asked.headers


def test_a_response_full_of_realms_is_bounded() -> None:
    client = prover()
    many = [f'Digest realm="r{n}", nonce="n"' for n in range(500)]
    assert not client.take(challenged(*many), {})


def test_quotes_in_a_realm_come_back_as_they_came() -> None:
    client, asked = prover(), request()
    assert client.take(challenged(r'Digest realm="a \"b\" \\ c", nonce="n"'), {})
    assert answer(client, asked)["realm"] == r"a \"b\" \\ c"


def test_passwords_are_not_shown() -> None:
    assert "sesame" not in repr(SECRET)
