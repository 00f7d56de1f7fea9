from __future__ import annotations

from collections.abc import Callable

import pytest

from cti.api.ports import ApiSettings
from cti.api.throttle import MOST_WAITING, SignOnThrottle
from cti.errors import TooMany

SETTINGS = ApiSettings(
    token_secret=b"x" * 32, sign_on_tries=3, sign_on_pause_s=10, sign_on_pause_max_s=100
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> SignOnThrottle:
    return SignOnThrottle(SETTINGS, clock)


def pause_of(action: Callable[[], None]) -> float:
    with pytest.raises(TooMany) as refused:
        action()
    return refused.value.retry_after_s


def test_pauses_grow_with_each_further_failure(throttle: SignOnThrottle, clock: Clock) -> None:
    for _ in range(3):
        throttle.begin("ann", "127.0.0.1")
    pauses = []
    for _ in range(5):
        pauses.append(pause_of(lambda: throttle.begin("ann", "127.0.0.1")))
        clock.now += pauses[-1]
        throttle.begin("ann", "127.0.0.1")
    assert pauses == [10, 20, 40, 80, 100]


def test_success_clears_the_slate(throttle: SignOnThrottle) -> None:
    for _ in range(10):
        throttle.begin("ann", "127.0.0.1")
        throttle.begin("ann", "127.0.0.1")
        throttle.succeeded("ann", "127.0.0.1")


def test_other_logins_and_addresses_are_free(throttle: SignOnThrottle) -> None:
    for _ in range(3):
        throttle.begin("ann", "127.0.0.1")
    throttle.begin("ben", "127.0.0.1")
    throttle.begin("ann", "127.0.0.2")


def test_old_failures_are_forgiven(throttle: SignOnThrottle, clock: Clock) -> None:
    for _ in range(20):
        throttle.begin("ann", "127.0.0.1")
        throttle.begin("ann", "127.0.0.1")
        clock.now += 101


def test_one_address_cannot_try_every_login(throttle: SignOnThrottle) -> None:
    for number in range(60):
        throttle.begin(f"user {number}", "127.0.0.1")
    assert pause_of(lambda: throttle.begin("another", "127.0.0.1")) == 10
    throttle.begin("another", "127.0.0.2")


def test_memory_is_bounded(throttle: SignOnThrottle, clock: Clock) -> None:
    for number in range(12_000):
        throttle.begin(f"user {number}", f"address {number}")
        throttle.ended()
    assert throttle.remembered == 10_000


def test_an_office_is_not_paused_for_what_some_of_it_mistype(
    throttle: SignOnThrottle, clock: Clock
) -> None:
    for number in range(200):
        throttle.begin(f"agent{number}", "198.51.100.1", is_shared=True)
        throttle.ended()
        clock.now += 60
    throttle.begin("ann", "198.51.100.1", is_shared=True)
    pause_of(lambda: throttle.begin("ann", "198.51.100.1"))
    assert not throttle.is_slowed("ann", "198.51.100.1")
    for _ in range(2):
        throttle.begin("ann", "198.51.100.1", is_shared=True)
    assert throttle.is_slowed("ann", "198.51.100.1")
    pause_of(lambda: throttle.begin("ann", "198.51.100.1", is_shared=True))


def test_passwords_do_not_wait_without_end(throttle: SignOnThrottle) -> None:
    for number in range(MOST_WAITING):
        throttle.begin(f"user{number}", "198.51.100.1", is_shared=True)
    for _ in range(5):  # which does not count as a failure
        assert pause_of(lambda: throttle.begin("ann", "198.51.100.2")) == 3.0
    throttle.ended()
    throttle.begin("ann", "198.51.100.2")
