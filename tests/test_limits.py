"""When a session is warned, and when it is over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.endings import AT_LIMIT, warning
from pipeline.limits import Due, Limit, Limits, limits_of
from pipeline.persona import Persona

NOTHING: dict[str, Any] = {"elapsed_s": 0.0, "tokens": 0, "cost_usd": 0.0}


def due(limits: Limits, **used: float) -> list[tuple[Limit, float, bool]]:
    return [(d.limit, d.left, d.is_over) for d in limits.check(**{**NOTHING, **used})]


def persona(**fields: Any) -> Persona:
    return Persona(name="t", title="T", summary="S", instruction="Be kind.", **fields)


def test_without_limits_nothing_is_ever_due():
    limits = Limits()
    assert due(limits, elapsed_s=1e9, tokens=10**12, cost_usd=1e6) == []
    assert limits.seconds_left(1e9) is None and limits.wait_s(1e9) is None


def test_time_is_warned_of_once_and_ends_once():
    limits = Limits(time_limit_s=600, warn_before_s=30)
    assert due(limits, elapsed_s=569.9) == []
    assert due(limits, elapsed_s=571) == [(Limit.TIME, 29, False)]
    assert due(limits, elapsed_s=599) == []
    assert due(limits, elapsed_s=600) == [(Limit.TIME, 0, True)]
    assert due(limits, elapsed_s=601) == []


@pytest.mark.parametrize(("limit_s", "warned_at_s"), [(3600, 3540), (600, 540), (90, 81), (10, 9)])
def test_it_is_warned_of_a_minute_before_or_a_tenth(limit_s, warned_at_s):
    limits = Limits(time_limit_s=limit_s)
    assert limits.wait_s(0) == pytest.approx(warned_at_s)
    assert due(limits, elapsed_s=warned_at_s)[0][2] is False
    assert limits.wait_s(warned_at_s) == pytest.approx(limit_s - warned_at_s)


def test_no_warning_when_none_is_wanted():
    limits = Limits(time_limit_s=60, warn_before_s=0)
    assert limits.wait_s(0) == 60
    assert due(limits, elapsed_s=59.9) == []
    assert due(limits, elapsed_s=60) == [(Limit.TIME, 0, True)]


def test_a_warning_that_would_come_before_the_beginning_comes_at_once():
    assert due(Limits(time_limit_s=20, warn_before_s=30)) == [(Limit.TIME, 20, False)]


def test_tokens_are_warned_of_at_four_fifths():
    limits = Limits(token_limit=1000)
    assert due(limits, tokens=799) == []
    assert due(limits, tokens=850) == [(Limit.TOKENS, 150, False)]
    assert due(limits, tokens=1000) == [(Limit.TOKENS, 0, True)]


def test_cost_is_warned_of_at_four_fifths():
    limits = Limits(cost_limit_usd=0.5)
    assert due(limits, cost_usd=0.39) == []
    assert due(limits, cost_usd=0.45) == [(Limit.COST, pytest.approx(0.05), False)]
    assert due(limits, cost_usd=0.6) == [(Limit.COST, 0, True)]


def test_who_jumps_over_the_warning_hears_only_the_end():
    limits = Limits(token_limit=1000, time_limit_s=60)
    assert due(limits, elapsed_s=55, tokens=2000) == [(Limit.TOKENS, 0, True)]


def test_nothing_comes_after_the_end():
    limits = Limits(time_limit_s=60, token_limit=1000, cost_limit_usd=1)
    assert due(limits, elapsed_s=60) == [(Limit.TIME, 0, True)]
    assert due(limits, elapsed_s=99, tokens=5000, cost_usd=5) == []
    assert limits.wait_s(61) is None


def test_usage_alone_is_not_waited_for_by_time():
    assert Limits(token_limit=1000, cost_limit_usd=1).wait_s(0) is None


def test_the_server_allows_no_persona_more_time_than_itself():
    assert limits_of(persona(time_limit_s=3600), max_session_s=600).time_limit_s == 600
    assert limits_of(persona(time_limit_s=300), max_session_s=600).time_limit_s == 300
    assert limits_of(persona(), max_session_s=600).time_limit_s == 600
    assert limits_of(persona(), max_session_s=None).time_limit_s is None


def test_a_persona_chooses_all_of_them():
    chosen = persona(time_limit_s=100, warn_before_s=20, token_limit=50, cost_limit_usd=0.1)
    limits = limits_of(chosen, max_session_s=None)
    assert limits.wait_s(0) == 80
    assert due(limits, tokens=45, cost_usd=0.09) == [
        (Limit.TOKENS, 5, False),
        (Limit.COST, pytest.approx(0.01), False),
    ]


@pytest.mark.parametrize(
    ("limit", "left", "sentence"),
    [
        (Limit.TIME, 1.2, "This conversation will end in a second."),
        (Limit.TIME, 60, "This conversation will end in 60 seconds."),
        (Limit.TIME, 300, "This conversation will end in 5 minutes."),
        (Limit.COST, 0.1, "This conversation has used most of what it may, and will end soon."),
    ],
)
def test_a_warning_is_one_sentence(limit, left, sentence):
    assert warning(Due(limit=limit, left=left, is_over=False)) == sentence


def test_each_limit_has_an_end_of_its_own():
    assert AT_LIMIT.keys() == set(Limit)
    assert [ending.reason for ending in AT_LIMIT.values()] == ["time", "tokens", "cost"]


amounts = st.floats(1e-6, 1e6)
steps = st.tuples(st.floats(0, 1e5), st.integers(0, 10**6), st.floats(0, 1e3))


@given(
    st.builds(
        Limits,
        time_limit_s=st.none() | amounts,
        warn_before_s=st.none() | st.floats(0, 1e6),
        token_limit=st.none() | st.integers(1, 10**6),
        cost_limit_usd=st.none() | amounts,
    ),
    st.lists(steps, max_size=8),
)
def test_at_most_one_warning_of_each_and_one_end_which_is_last(
    limits: Limits, more: list[tuple[float, int, float]]
):
    elapsed_s, tokens, cost_usd = 0.0, 0, 0.0
    seen: list[Due] = []
    left_before = limits.seconds_left(0.0)
    for step_s, step_tokens, step_usd in more:
        elapsed_s, tokens, cost_usd = elapsed_s + step_s, tokens + step_tokens, cost_usd + step_usd
        seen += limits.check(elapsed_s=elapsed_s, tokens=tokens, cost_usd=cost_usd)
        left = limits.seconds_left(elapsed_s)
        if left is not None:
            assert left_before is not None and 0 <= left <= left_before
            left_before = left
        assert (limits.wait_s(elapsed_s) or 0.0) >= 0
    warned = [d.limit for d in seen if not d.is_over]
    assert len(warned) == len(set(warned))
    assert all(d.left >= 0 for d in seen)
    assert [d.is_over for d in seen[:-1]] == [False] * len(seen[:-1])
