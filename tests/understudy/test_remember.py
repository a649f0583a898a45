"""What the user tells a session is what a resumed one knows: how clients prove resumption."""

import pytest

from tests.understudy.support import MODEL_2_5, Client
from understudy.answers import to_keep
from understudy.memory import ResumptionStore
from understudy.output import Ask, ModelTurn
from understudy.profiles import PROFILES


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Remember that my dog is Rex", "my dog is Rex"),
        ("please remember: 42", "42"),
        ("remember me?", ""),
        ("what do you remember", ""),
        ("remember", ""),
        ("remember " + "," * 200_000 + "?", ""),
    ],
)
def test_what_is_kept(text, kept):
    assert to_keep(text) == kept


def test_a_resumed_session_knows_what_the_first_was_told():
    store = ResumptionStore()
    first = Client(store).set_up()
    first.type("Remember that my dog is Rex")
    first.wait(10)
    assert first.said() == "I will remember: my dog is Rex."
    handle = first.messages("sessionResumptionUpdate")[-1]["newHandle"]
    second = Client(store).set_up(sessionResumption={"handle": handle})
    second.type("What did I tell you?")
    second.wait(10)
    assert second.said() == "I have answered you once. You told me: my dog is Rex."


def test_the_handle_of_a_turns_start_knows_the_question_but_not_that_it_was_answered():
    store = ResumptionStore()
    first = Client(store).set_up()
    first.type("Remember that my dog is Rex")
    first.wait(1)
    started, locked = first.messages("sessionResumptionUpdate")[-2:]
    assert locked == {"resumable": False}
    second = Client(store).set_up(sessionResumption={"handle": started["newHandle"]})
    second.type("What did I tell you?")
    second.wait(10)
    assert second.said() == "I have answered you 0 times. You told me: my dog is Rex."


def test_2_5_has_no_handle_at_the_start_of_a_turn():
    client = Client().set_up(MODEL_2_5, sessionResumption={})
    client.type("hello")
    client.wait(1)
    assert client.messages("sessionResumptionUpdate") == [{"resumable": False}]


def test_thoughts_come_first_and_are_counted_apart():
    thinking = {"thinkingConfig": {"includeThoughts": True}}
    client = Client().set_up(MODEL_2_5, generationConfig=thinking)
    client.type("hello")
    client.wait(10)
    first = client.messages("serverContent")[0]["modelTurn"]["parts"][0]
    assert first["thought"]
    assert first["text"].startswith("**")
    (usage,) = client.messages("usageMetadata")
    assert usage["thoughtsTokenCount"] > 0
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["responseTokenCount"]


def test_a_turn_without_an_answer_has_nothing_due():
    turn = ModelTurn(Ask(text="x"), asked_s=0, profile=PROFILES["3.8"], transcribes=True)
    assert turn.next_due_s is None


def test_what_the_history_asks_to_be_remembered_is_known_too():
    client = Client().set_up(historyConfig={"initialHistoryInClientContent": True})
    turns = [
        {"role": "user", "parts": [{"text": "Remember that my dog is Rex"}]},
        {"role": "model", "parts": [{"text": "I will."}]},
    ]
    client.content(*turns)
    client.wait(10)
    client.type("What did I tell you?")
    client.wait(10)
    assert "You told me: my dog is Rex." in client.said()
