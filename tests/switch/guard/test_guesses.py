"""Pauses for who guesses passwords, and what SIP tells of it."""

from __future__ import annotations

from switch.guard.guard import Guard
from switch.guard.guesses import Guesses, GuessSettings
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from switch.guard.watch import SipWatch

A, B = "198.51.100.1", "198.51.100.2"


def test_the_pauses_double_with_each_wrong_password() -> None:
    guesses = Guesses(GuessSettings(tries=3, pause_s=1.0, pause_max_s=5.0))
    now, pauses = 0.0, []
    for _ in range(7):
        guesses.count("1001", A, now)
        pauses.append(guesses.wait("1001", A, now))
        now += pauses[-1]
    assert pauses == [0.0, 0.0, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_others_do_not_wait_until_the_address_has_failed_often() -> None:
    guesses = Guesses(GuessSettings(tries=3, address_factor=4))
    for _ in range(4):
        guesses.count("1001", A, 0.0)
    assert guesses.wait("1001", A, 0.0) > 0
    assert guesses.wait("1002", A, 0.0) == 0
    assert guesses.wait("1001", B, 0.0) == 0
    for number in range(8):
        guesses.count(f"user{number}", A, 0.0)
    assert guesses.wait("1002", A, 0.0) > 0
    assert guesses.wait("1002", B, 0.0) == 0


def test_a_right_password_clears_the_slate_of_that_login_alone() -> None:
    guesses = Guesses(GuessSettings(tries=2, address_factor=3))
    for _ in range(5):
        guesses.count("1001", A, 0.0)
    guesses.forgive("1001", A, counted=False)
    guesses.count("1001", A, 0.0)
    # Whoever knows one password may not guess all the others with it.
    assert guesses.wait("1002", A, 0.0) > 0


def test_what_is_remembered_is_bounded() -> None:
    guesses = Guesses(GuessSettings(remembered=50))
    for number in range(1000):
        guesses.count(f"user{number}", A, 0.0)
    assert len(guesses) == 50


def test_what_happened_long_ago_is_forgotten() -> None:
    guesses = Guesses(GuessSettings(tries=2, pause_max_s=100.0))
    guesses.count("1001", A, 0.0)
    guesses.count("1001", A, 101.0)
    assert guesses.wait("1001", A, 101.0) == 0.0


def make_watch() -> tuple[SipWatch, Guard]:
    guard = Guard(GuardSettings())
    return SipWatch(guard, GuessSettings(tries=3)), guard


def test_wrong_passwords_slow_down_and_then_shut_out() -> None:
    watch, guard = make_watch()
    waits = []
    for _ in range(10):
        waits.append(watch.pause("1001", A, 0.0) > 0)
        watch.wrong("1001", A, 0.0)
    assert waits == [False] * 3 + [True] * 7
    assert guard.is_banned(A, 0.0)
    assert not guard.is_banned(B, 0.0)
    assert watch.paused == 7


def test_a_right_password_makes_the_address_known() -> None:
    watch, guard = make_watch()
    watch.wrong("1001", A, 0.0)
    watch.right("1001", A, 1.0)
    assert not watch.is_stranger(A, 1.0)
    assert watch.pause("1001", A, 1.0) == 0.0
    watch.challenged(A, 1.0)
    assert guard.counters(1.0).offences == {Offence.WRONG_PASSWORD: 1}


def phones_with_old_passwords(watch: SipWatch, host: str, *, phones: int, hours: int) -> None:
    """They register every 30 s and never stop; an hour is enough for the pauses to be longest."""
    for tick in range(hours * 120):
        for phone in range(phones):
            now = 1000.0 + 30 * tick + phone
            watch.challenged(host, now)
            if watch.pause(f"bad{phone}", host, now) == 0:
                watch.wrong(f"bad{phone}", host, now)
        watch.right("good", host, 1029.0 + 30 * tick)


def test_phones_with_old_passwords_do_not_shut_out_their_office() -> None:
    guard = Guard(GuardSettings())
    watch = SipWatch(guard)
    watch.right("good", A, 1000.0)
    phones_with_old_passwords(watch, A, phones=15, hours=24)
    counters = guard.counters(1000.0)
    assert counters.bans == 0
    assert counters.offences[Offence.WRONG_PASSWORD] > 1000
    end = 1000.0 + 24 * 3600
    assert watch.pause("good", A, end) == 0
    assert watch.pause("bad1", A, end) > 60


def test_who_belongs_to_an_office_may_still_not_try_all_its_users() -> None:
    guard = Guard(GuardSettings())
    watch = SipWatch(guard)
    watch.right("good", A, 1000.0)
    for number in range(100):
        watch.wrong(f"user{number}", A, 1000.0)
    assert guard.is_banned(A, 1000.0)


def test_strangers_behind_an_exempt_proxy_do_not_hold_up_its_phones() -> None:
    watch = SipWatch(Guard(GuardSettings(exempt=(A,))))
    for number in range(500):
        watch.wrong(f"user{number}", A, 1000.0)
    for _ in range(20):
        watch.wrong("1001", A, 1000.0)
    assert watch.pause("1002", A, 1000.0) == 0
    assert watch.pause("1001", A, 1000.0) > 0


def test_exempt_proxies_are_one_origin_and_strangers_are_their_network() -> None:
    watch = SipWatch(Guard(GuardSettings(exempt=("192.0.2.0/24",))))
    assert watch.origin("192.0.2.1") == watch.origin("192.0.2.2") == ""
    assert watch.origin(A) == A
    assert watch.origin("2001:db8::1") == watch.origin("2001:db8::2") == "2001:db8::/64"


def test_scanners_give_themselves_away() -> None:
    watch, guard = make_watch()
    assert not watch.turns_away(A, "baresip v3", 0.0)
    for _ in range(10):
        assert watch.turns_away(A, "friendly-scanner", 0.0)
    assert guard.is_banned(A, 0.0)
