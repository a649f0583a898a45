"""Which fault when and how often; and what a person is told who writes nonsense."""

from pathlib import Path

import pytest

from tests.understudy.stage import CALL, Stage
from understudy.faults import FAULTS, documentation
from understudy.rules import ScenarioError, make_rule, read_option


def closes(*faults: str, connection: int = 1) -> bool:
    client = Stage(*faults, connection=connection).set_up()
    client.wait(1)
    return bool(client.closed)


def test_nothing_is_changed_without_faults():
    client = Stage().set_up()
    client.type("Good morning")
    client.wait(20)
    assert client.said() == "You typed: Good morning."
    assert client.director.next_due_s is None


def test_only_the_kth_connection():
    assert [closes("close:connection=2", connection=k) for k in (1, 2, 3)] == [False, True, False]


def test_n_times_in_all_connections():
    rule = read_option("close:times=2")
    struck = []
    for connection in (1, 2, 3):
        struck.append(bool(Stage(rule, connection=connection).set_up().closed))
    assert struck == [True, True, False]


def test_at_turn_n():
    client = Stage("close:turn=2").set_up()
    client.type("one")
    client.wait(20)
    assert not client.closed
    client.type("two, and more than that")
    client.wait(20)
    assert client.closed
    assert client.content_fields()[-2:] == ["modelTurn", "outputTranscription"]


def test_before_the_setup_is_answered():
    client = Stage("close:at=setup").set_up()
    assert client.closed
    assert not client.messages("setupComplete")
    assert not client.noted("setup")


def test_some_time_after_a_moment():
    client = Stage("close:at=after-setup,after_ms=500").set_up()
    client.wait(0.4)
    assert not client.closed
    client.wait(1)
    assert client.closed_s == 100.5


def test_what_lasts_too_short_is_not_struck():
    client = Stage(CALL, "close:at=tool,after_ms=500", "cancel-tool:after_ms=100").set_up()
    client.wait(2)
    assert not client.closed


def test_a_fault_switched_on_in_a_running_session():
    client = Stage().set_up()
    client.inject("close:connection=2")
    client.wait(1)
    assert not client.closed
    client.inject("close:after_s=2")
    client.wait(1.9)
    assert not client.closed
    client.wait(0.2)
    assert client.closed


def test_a_fault_switched_off_stops():
    client = Stage("no-usage").set_up()
    client.rules[0].is_on = False
    client.type("hi")
    client.wait(20)
    assert client.messages("usageMetadata")


def test_nothing_follows_the_end():
    client = Stage("close", "goaway:at=after-setup").set_up()
    client.wait(100)
    client.type("hello?")
    assert "goAway" not in str(client.sent)
    assert client.director.next_due_s is None


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("quotta", "there is no fault 'quotta': did you mean 'quota'?"),
        ("x", "there is no fault 'x': understudy/SCENARIOS.md lists them"),
        ("close:kode=1", "fault close has no parameter 'kode'; it has code, reason"),
        ("rst:a=1", "fault rst has no parameter 'a'; it has none"),
        ("close:code=x", "fault close: code has to be a whole number from 0 on, not 'x'"),
        ("close:code=1.5", "fault close: code has to be a whole number from 0 on, not '1.5'"),
        ("close:code=1006", "fault close: no connection can be closed with the code 1006"),
        ("slow-audio:speed=-1", "fault slow-audio: speed has to be a number from 0 on, not '-1'"),
        (
            "close:at=speeking",
            "fault close: there is no moment 'speeking': did you mean 'speaking'?",
        ),
        ("close:turn=0", "fault close: turn has to be a whole number from 1 on, not '0'"),
        ("close:times=never", "fault close: times has to be a number from 0 on, not 'never'"),
        ("close:1011", "fault close: write parameters as name=value, not '1011'"),
        ("refuse-503:turn=2", "fault refuse-503 can only be at connect: it answers the upgrade"),
    ],
)
def test_nonsense_is_answered_in_one_sentence(option, sentence):
    with pytest.raises(ScenarioError) as caught:
        read_option(option)
    assert str(caught.value) == sentence


def test_a_rule_describes_itself():
    rule = make_rule("close", parameters={"code": "1008"}, moment={"at": "speaking", "after_ms": 5})
    assert rule.describe() == {
        "name": "close",
        "parameters": {"code": 1008, "reason": "Internal error encountered."},
        "moment": {
            "at": "speaking",
            "after_ms": 5,
            "turn": None,
            "connection": None,
            "times": "always",
        },
        "struck": 0,
    }


def test_every_fault_is_documented_and_tested():
    tests = "".join(p.read_text() for p in Path(__file__).parent.glob("test_faults_*.py"))
    page = (Path(__file__).parents[2] / "understudy" / "SCENARIOS.md").read_text()
    for name, fault in FAULTS.items():
        assert documentation(fault).endswith("."), name
        assert f'"{name}"' in tests or f'"{name}:' in tests, name
        assert f"| `{name}` | {documentation(fault)} |" in page, name
