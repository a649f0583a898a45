"""Faults of session resumption: what one connection does to the next. On the fake clock."""

from typing import Any

from tests.understudy.stage import Stage
from tests.understudy.support import picture
from understudy.memory import ResumptionStore


def first(*faults: str, store: ResumptionStore | None = None) -> Stage:
    client = Stage(*faults, store=store).set_up()
    client.type("remember this")
    client.wait(20)
    return client


def second(earlier: Stage, store: ResumptionStore | None = None, **fields: Any) -> Stage:
    """Resumes with the last handle; the faults know what they saw before."""
    updates = earlier.messages("sessionResumptionUpdate")
    handle = [update["newHandle"] for update in updates if update.get("newHandle")][-1]
    client = Stage(*earlier.rules, connection=2, store=store)
    client.now_s = earlier.now_s
    return client.set_up(sessionResumption={"handle": handle}, **fields)


def test_resumable_false():
    client = first("resumable-false")
    assert set(map(str, client.messages("sessionResumptionUpdate"))) == {"{'resumable': False}"}


def test_duplicate_handle():
    updates = first("duplicate-handle").messages("sessionResumptionUpdate")
    assert updates[0] == updates[1] != updates[2] == updates[3]


def test_no_handle():
    client = first("no-handle")
    assert not client.messages("sessionResumptionUpdate")
    assert client.messages("setupComplete")


def test_resume_forgets():
    store = ResumptionStore()
    for fault, remembers in (("no-usage", True), ("resume-forgets", False)):
        client = second(first(fault, store=store), store)
        client.type("what do you remember?")
        client.wait(20)
        assert client.said().startswith("I have answered you 0 times") is not remembers
        assert client.noted("setup")[0]["resumed"] is remembers


def test_resume_forgets_only_with_a_long_instruction_if_told_so():
    store = ResumptionStore()
    earlier = first("resume-forgets:over_tokens=200", store=store)
    for tokens, remembers in ((200, True), (201, False)):
        instruction = {"parts": [{"text": "x" * 4 * tokens}]}
        client = second(earlier, store, systemInstruction=instruction)
        assert client.noted("setup")[0]["resumed"] is remembers


def test_after_a_deadline_no_handle_of_the_session_is_good():
    store = ResumptionStore()
    earlier = first("deadline:after_s=30", "resume-fails-after-1011", store=store)
    earlier.wait(20)
    assert earlier.closed == (1011, "Deadline expired before operation could complete.")
    assert second(earlier, store).closed == (1007, "Request contains an invalid argument.")


def test_resume_refused():
    store = ResumptionStore()
    earlier = first("resume-refused:times=once", store=store)
    assert not earlier.closed
    assert second(earlier, store).closed == (1007, "Invalid session handle")
    assert not second(earlier, store).closed


def test_session_not_found():
    store = ResumptionStore()
    earlier = first("session-not-found", store=store)
    assert second(earlier, store).closed == (1008, "BidiGenerateContent session not found")


def test_resume_fails_after_video():
    store = ResumptionStore()
    earlier = first("resume-fails-after-video", store=store)
    assert not second(earlier, store).closed
    earlier.show(picture(size=(8, 8)))
    refused = second(earlier, store)
    assert refused.closed == (1007, "Request contains an invalid argument.")
    assert not refused.messages("setupComplete")


def test_resume_fails_after_1011():
    store = ResumptionStore()
    earlier = first("resume-fails-after-1011:code=1008", "internal:turn=2", store=store)
    assert not second(earlier, store).closed
    earlier.type("and now?")
    earlier.wait(20)
    assert earlier.closed and earlier.closed[0] == 1011
    refused = second(earlier, store)
    assert refused.closed and refused.closed[0] == 1008


def test_reconnect_window():
    store = ResumptionStore()
    client = second(first("reconnect-window:delay_ms=2000", store=store), store)
    client.type("lost")
    assert not client.sent
    client.wait(2)
    assert client.messages("setupComplete") == [{}]
    client.type("heard")
    assert [note["text"] for note in client.noted("text")] == ["heard"]
