"""Which calls are taken, whatever order they come, begin, end and are given up in."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from serving.admission.admission import (
    LOADING_S,
    RESERVED_S,
    Admission,
    CallRequest,
    Limits,
    Refusal,
    Why,
)


def call(session_id: str, client: str | None = "a", **who: str | None) -> CallRequest:
    return CallRequest(session_id=session_id, client=client, **who)  # pyright: ignore


def refused(admission: Admission, request: CallRequest, *, free: int = 9) -> Refusal:
    with pytest.raises(Refusal) as caught:
        admission.reserve(request, free=free, now_s=0.0)
    assert str(caught.value) == caught.value.sentence
    return caught.value


def test_a_slot_is_reserved_leased_and_free_again():
    admission = Admission(Limits())
    admission.reserve(call("1"), free=1, now_s=0.0)
    assert (admission.running, admission.leased) == (1, 0)
    assert admission.lease("1", now_s=1.0)
    assert (admission.running, admission.leased) == (1, 1)
    admission.release("1")
    admission.release("1")
    assert (admission.running, admission.leased) == (0, 0)


def test_a_session_has_one_lease_and_only_if_it_was_accepted():
    admission = Admission(Limits())
    assert not admission.lease("1", now_s=0.0)
    admission.reserve(call("1"), free=1, now_s=0.0)
    assert admission.lease("1", now_s=0.0)
    assert not admission.lease("1", now_s=0.0)
    admission.reserve(call("1"), free=1, now_s=0.0)
    assert not admission.lease("1", now_s=0.0)


def test_a_full_server_refuses_in_a_sentence_and_says_when_to_come_again():
    refusal = refused(Admission(Limits()), call("1"), free=0)
    assert (refusal.why, refusal.status) == (Why.FULL, 503)
    assert refusal.sentence.startswith("All lines are busy") and refusal.retry_after_s > 0


def test_who_is_accepted_already_stays_so_on_a_full_server_and_on_one_that_closes():
    admission = Admission(Limits(per_client=1))
    admission.reserve(call("1"), free=1, now_s=0.0)
    admission.is_draining = True
    admission.reserve(call("1"), free=0, now_s=0.0)
    assert admission.running == 1


def test_a_server_that_closes_takes_nobody():
    admission = Admission(Limits())
    admission.is_draining = True
    refusal = refused(admission, call("1"))
    assert (refusal.why, refusal.status) == (Why.DRAINING, 503)


@pytest.mark.parametrize(
    ("limits", "why", "status", "same"),
    [
        (Limits(per_client=2), Why.CLIENT, 429, {"client": "x"}),
        (Limits(per_caller=2), Why.CALLER, 429, {"caller": "x"}),
        (Limits(per_number=2), Why.NUMBER, 429, {"number": "x"}),
        (Limits(per_model_key=2), Why.MODEL_KEY, 503, {"model_key": "x"}),
    ],
)
def test_nobody_has_more_than_is_allowed(limits: Limits, why: Why, status: int, same: dict):
    admission = Admission(limits)
    admission.reserve(call("1", **same), free=9, now_s=0.0)
    admission.reserve(call("2", **same), free=9, now_s=0.0)
    refusal = refused(admission, call("3", **same))
    assert (refusal.why, refusal.status) == (why, status)
    others = {"client": "y", "caller": "y", "number": "y", "model_key": "y"}
    admission.reserve(call("4", **others), free=9, now_s=0.0)
    admission.release("1")
    admission.reserve(call("5", **same), free=9, now_s=0.0)


def test_whose_own_key_is_in_use_is_refused_alone():
    admission = Admission(Limits(per_model_key=1))
    own = CallRequest(session_id="1", client="c", model_key="x", has_own_key=True)
    admission.reserve(own, free=9, now_s=0.0)
    refusal = refused(admission, replace(own, session_id="2"))
    assert (refusal.why, refusal.status, refusal.is_for_all) == (Why.OWN_KEY, 429, False)
    admission.reserve(call("3"), free=9, now_s=0.0)


def test_callers_whom_nobody_asked_who_they_are_are_not_one_caller():
    admission = Admission(Limits(per_caller=1))
    for name in "123":
        admission.reserve(call(name), free=9, now_s=0.0)


def test_callers_by_telephone_have_no_address_and_some_no_number():
    admission = Admission(Limits(per_client=1, per_number=1))
    for name in "123":
        admission.reserve(call(name, client=None), free=9, now_s=0.0)
    admission.reserve(call("4", client=None, number="+1"), free=9, now_s=0.0)
    admission.reserve(call("5", client=None, number="+2"), free=9, now_s=0.0)


def test_what_does_not_begin_in_time_is_free_again_and_what_has_begun_is_not():
    admission = Admission(Limits())
    for name in "12":
        admission.reserve(call(name), free=9, now_s=0.0)
    admission.lease("2", now_s=0.0)
    assert admission.expire(now_s=RESERVED_S) == []
    assert admission.expire(now_s=RESERVED_S + 0.1) == ["1"]
    assert not admission.lease("1", now_s=RESERVED_S + 0.1)
    assert admission.running == admission.leased == 1


def test_what_is_not_in_the_measured_load_yet_is_loading():
    admission = Admission(Limits())
    for name in "12":
        admission.reserve(call(name), free=9, now_s=0.0)
    admission.lease("2", now_s=1.0)
    assert admission.loading(now_s=1.0) == 2
    assert admission.loading(now_s=1.0 + LOADING_S) == 1


SLOTS = 4
LIMITS = Limits(per_client=2, per_caller=2, per_model_key=3)
names = st.sampled_from([str(number) for number in range(8)])


class Calls(RuleBasedStateMachine):
    """Calls come and go in any order; beside them a record of what may be, kept by hand."""

    def __init__(self):
        super().__init__()
        self.admission = Admission(LIMITS)
        self.now_s = 0.0
        self.taken: dict[str, CallRequest] = {}
        self.since_s: dict[str, float] = {}
        self.leased: set[str] = set()

    @rule(
        session_id=names,
        client=st.sampled_from("ab"),
        caller=st.sampled_from([None, "k", "l"]),
        model_key=st.sampled_from(["", "m"]),
    )
    def offer(self, session_id, client, caller, model_key):
        request = call(session_id, client, caller=caller, model_key=model_key)
        free = SLOTS - self.admission.running
        try:
            self.admission.reserve(request, free=free, now_s=self.now_s)
        except Refusal as refusal:
            assert session_id not in self.taken
            assert self.reasons(request)[refusal.why]
            return
        if session_id not in self.taken:
            assert not any(self.reasons(request).values())
            self.taken[session_id] = request
            self.since_s[session_id] = self.now_s

    def reasons(self, request: CallRequest) -> dict[Why, bool]:
        taken = list(self.taken.values())
        return {
            Why.FULL: len(taken) >= SLOTS,
            Why.DRAINING: self.admission.is_draining,
            Why.CLIENT: sum(one.client == request.client for one in taken) >= 2,
            Why.CALLER: request.caller is not None
            and sum(one.caller == request.caller for one in taken) >= 2,
            Why.MODEL_KEY: sum(one.model_key == request.model_key for one in taken) >= 3,
        }

    @rule(session_id=names)
    def lease(self, session_id):
        may = session_id in self.taken and session_id not in self.leased
        assert self.admission.lease(session_id, now_s=self.now_s) is may
        if may:
            self.leased.add(session_id)

    @rule(session_id=names, times=st.integers(1, 2))
    def release(self, session_id, times):
        for _ in range(times):
            self.admission.release(session_id)
        self.forget(session_id)

    @rule(seconds=st.floats(0, RESERVED_S * 1.5))
    def wait(self, seconds):
        self.now_s += seconds

    @rule()
    def expire(self):
        late = self.admission.expire(now_s=self.now_s)
        assert set(late) == {
            session_id
            for session_id in self.taken.keys() - self.leased
            if self.now_s - self.since_s[session_id] > RESERVED_S
        }
        for session_id in late:
            self.forget(session_id)

    @precondition(lambda self: not self.admission.is_draining)
    @rule()
    def drain(self):
        self.admission.is_draining = True

    @precondition(lambda self: self.admission.is_draining)
    @rule()
    def open_again(self):
        self.admission.is_draining = False

    def forget(self, session_id: str) -> None:
        self.taken.pop(session_id, None)
        self.leased.discard(session_id)

    @invariant()
    def counts_are_right_and_never_exceeded(self):
        assert self.admission.running == len(self.taken) <= SLOTS
        assert self.admission.leased == len(self.leased)
        loading = self.admission.loading(now_s=self.now_s)
        assert len(self.taken) - len(self.leased) <= loading <= len(self.taken)


TestCalls = Calls.TestCase
