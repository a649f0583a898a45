import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.rates import Rate, RateLimit, client_of

RATE = Rate(count=6, period_s=60)


def take(limit: RateLimit, client: str, now_s: float) -> bool:
    """What a server does: count what it lets through."""
    if limit.wait_s(client, now_s):
        return False
    limit.count(client, now_s)
    return True


def test_all_may_come_at_once_and_then_one_after_another():
    limit = RateLimit(RATE)
    assert [take(limit, "a", 0.0) for _ in range(7)] == [True] * 6 + [False]
    assert limit.wait_s("a", 0.0) == 10.0
    assert not take(limit, "a", 9.9)
    assert take(limit, "a", 10.0)
    assert not take(limit, "a", 10.0)


def test_who_waits_as_long_as_it_is_told_may():
    limit = RateLimit(RATE)
    for _ in range(6):
        take(limit, "a", 3.0)
    assert take(limit, "a", 3.0 + limit.wait_s("a", 3.0))


def test_one_client_does_not_use_up_what_another_may():
    limit = RateLimit(RATE)
    for _ in range(20):
        take(limit, "a", 0.0)
    assert take(limit, "b", 0.0)


def test_asking_counts_nothing():
    limit = RateLimit(RATE)
    assert [limit.wait_s("a", 0.0) for _ in range(20)] == [0.0] * 20
    assert len(limit) == 0


def test_who_is_counted_more_often_than_it_may_waits_no_longer_than_a_turn():
    limit = RateLimit(RATE)
    for _ in range(1000):
        limit.count("a", 0.0)
    assert limit.wait_s("a", 0.0) == 10.0


def test_however_many_clients_come_so_many_are_remembered():
    limit = RateLimit(RATE, max_clients=100)
    for number in range(10_000):
        take(limit, str(number), 0.0)
        assert len(limit) <= 100


def test_who_came_last_is_remembered_when_many_come():
    limit = RateLimit(RATE, max_clients=100)
    for _ in range(6):
        take(limit, "busy", 0.0)
    for number in range(1000):
        limit.count(str(number), 0.0)
        limit.count("busy", 0.0)
    assert not take(limit, "busy", 0.0)


def test_who_has_its_whole_share_again_is_forgotten():
    limit = RateLimit(RATE)
    take(limit, "a", 0.0)
    take(limit, "b", 10.0)
    assert len(limit) == 1


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 10), st.floats(1, 100))
def test_no_more_than_the_share_goes_through_in_any_period(pauses, count, period_s):
    limit = RateLimit(Rate(count=count, period_s=period_s))
    now_s, let_through = 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        if take(limit, "a", now_s):
            let_through.append(now_s)
    for begin_s in let_through:
        # All of a share at once, and what comes in evenly until the period is over.
        within = [s for s in let_through if begin_s <= s < begin_s + period_s * (1 - 1e-9)]
        assert len(within) <= 2 * count
        at_once = [s for s in let_through if begin_s <= s < begin_s + period_s / count * 0.99]
        assert len(at_once) <= count + 1


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        (None, "local"),
        ("", "local"),
        ("testclient", "testclient"),
    ],
)
def test_what_an_address_counts_as(address, client):
    assert client_of(address) == client
