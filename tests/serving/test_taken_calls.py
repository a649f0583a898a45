"""Which telephone calls have come before, whichever server on the folder was told of them."""

import time
from pathlib import Path

import pytest

from pipeline.phone.call import PhoneCall, Provider
from serving.phone import taken_calls
from serving.phone.taken_calls import KEPT_S, TakenCalls
from serving.refused import Refused


def call(call_id: str = "CA1", provider: Provider = Provider.TWILIO) -> PhoneCall:
    return PhoneCall(provider=provider, call_id=call_id)


def test_a_call_is_remembered_for_a_day(tmp_path: Path):
    now_s = time.time()
    calls = TakenCalls(tmp_path, time_s=lambda: now_s)
    assert calls.take(call()) and not calls.take(call())
    now_s += KEPT_S - 1
    assert not calls.take(call())
    now_s += 2
    assert calls.take(call())


def test_another_server_on_the_folder_knows_the_call_and_its_session(tmp_path: Path):
    TakenCalls(tmp_path).take(call())
    TakenCalls(tmp_path).began(call(), "signed")
    assert not TakenCalls(tmp_path).take(call())
    assert TakenCalls(tmp_path).session(call()) == "signed"


def test_a_call_that_comes_twice_at_once_is_taken_once(tmp_path: Path):
    calls = TakenCalls(tmp_path)
    assert calls.take(call()) and not calls.take(call())
    with pytest.raises(Refused, match="This call is being answered already.") as refused:
        calls.session(call())
    assert refused.value.status == 409


def test_a_call_of_which_nothing_came_may_come_again(tmp_path: Path):
    calls = TakenCalls(tmp_path)
    calls.take(call())
    calls.forget(call())
    assert calls.take(call())


def test_the_same_identifier_with_another_service_or_trunk_is_another_call(tmp_path: Path):
    calls = TakenCalls(tmp_path)
    calls.take(call())
    assert calls.take(call(provider=Provider.PLIVO))
    assert calls.take(call(), whose="trunk one") and calls.take(call(), whose="trunk two")
    assert not calls.take(call(), whose="trunk two")


def test_no_more_than_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taken_calls, "MOST_IN_A_PART", 1)
    taken: list[str] = []
    with pytest.raises(Refused) as refused:
        for number in range(257):  # of 256 parts
            TakenCalls(tmp_path).take(call(str(number)))
            taken.append(str(number))
    assert refused.value.status == 503
    assert not TakenCalls(tmp_path).take(call(taken[0])), "what is remembered already is no more"


def test_the_name_of_a_call_is_no_path(tmp_path: Path):
    assert TakenCalls(tmp_path).take(call("../../etc/passwd"))
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept.relative_to(tmp_path).parts[0] == "taken-calls"


def test_who_can_not_keep_anything_takes_no_call(tmp_path: Path):
    (tmp_path / "taken-calls").write_text("not a folder")
    with pytest.raises(Refused, match="The call can't be noted"):
        TakenCalls(tmp_path).take(call())
