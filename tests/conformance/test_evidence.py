"""What a client tells counts only if the understudy's record tells the same."""

import pytest

from tests.conformance.support import (
    HEARD_MS,
    KEY,
    NAME,
    PINNED,
    VERSIONS,
    record,
    report,
    sessions,
)

CAPABILITIES = list(sessions())


def verify(made, changed, *, name=NAME):
    """Returns which capabilities the record has refuted."""
    made.verify(pinned=PINNED, record=record(changed, name=name))
    return [capability for capability, outcome in made.outcomes.items() if not outcome.ok]


def test_a_true_report_stands():
    assert verify(report(), sessions()) == []


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_has_left_no_trace_has_not_happened(capability):
    held = sessions()
    del held[capability]
    if capability == "speak":  # being answered and interrupted have speech in them too
        held = {name: held[name] for name in held if not name.startswith("be ")}
        assert "speak" in verify(report(), held)
    else:
        assert verify(report(), held) == [capability]


@pytest.mark.parametrize("capability", HEARD_MS)
def test_an_answer_that_came_in_part_did_not_come(capability):
    held = sessions()
    event, fields = held[capability][-1]
    held[capability][-1] = (event, {"ms": fields["ms"] + 20})
    assert verify(report(), held) == [capability]


@pytest.mark.parametrize(
    ("capability", "before", "after"),
    [
        ("connect", "connected", {"constrained": False, "credentials": []}),
        ("be interrupted", "interrupted", {"generated": True}),
        ("call a tool", "tool_call", {"name": "get_weather", "args": {}, "id": "fc_1"}),
        ("call a tool", "tool_response", {"ids": ["fc_1"], "unknown": ["fc_1"]}),
        ("call a tool", "tool_response", {"ids": ["fc_2"]}),
        ("resume", "setup", {"resumed": False}),
        ("ephemeral token", "connected", KEY),
        ("ephemeral token", "connected", {"constrained": True, "credentials": ["key", "token"]}),
    ],
)
def test_what_happened_otherwise_did_not_happen(capability, before, after):
    held = sessions()
    held[capability] = [
        (event, after if event == before else fields) for event, fields in held[capability]
    ]
    assert verify(report(), held) == [capability]


def test_a_second_call_is_one_too_many():
    held = sessions()
    held["call a tool"].insert(2, ("tool_call", {"name": "other", "args": {}, "id": "fc_2"}))
    assert verify(report(), held) == ["call a tool"]


def test_sessions_of_another_client_prove_nothing():
    assert verify(report(), sessions(), name=f"{NAME} pipecat/1.14.0") == CAPABILITIES


def test_a_version_that_is_not_pinned_is_a_failure():
    other = report({**VERSIONS, "google-genai": "2.35.0"})
    doubts = other.verify(pinned=PINNED, record=record(sessions()))
    assert doubts[0] == "connect: no: google-genai is 2.35.0 and should be 2.34.0"


def test_a_failure_keeps_its_own_reason():
    made = report(resume=(False, "the handle was refused"))
    assert verify(made, {}) == CAPABILITIES
    assert made.outcomes["resume"].note == "the handle was refused"
