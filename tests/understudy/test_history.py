"""How a conversation begins, in both of Pipecat's ways and on both kinds of model."""

from typing import Any

from tests.understudy.support import (
    MODEL_2_5,
    Client,
    model,
    pcm_blob,
    silence,
    speech,
    user,
)
from understudy.answers import GREETING
from understudy.memory import ResumptionStore

HISTORY: dict[str, Any] = {"historyConfig": {"initialHistoryInClientContent": True}}


def test_what_waits_for_the_history_is_bounded_in_bytes():
    client = Client().set_up(**HISTORY, contextWindowCompression={"slidingWindow": {}})
    for _ in range(3):
        client.type("x" * 1_000_000)
    assert not client.noted("text")
    client.type("x" * 1_000_000)
    assert len(client.noted("text")) == 4


def test_3_x_does_not_answer_history_until_it_is_nudged():
    client = Client().set_up(**HISTORY)
    client.content(user("Greet the user."))
    client.wait(5)
    assert not client.noted("answer")
    client.type(" ")
    client.wait(10)
    assert client.said() == GREETING
    assert client.noted("answer")[0]["why"] == "greeting"


def test_a_second_nudge_is_ignored():
    client = Client().set_up(**HISTORY)
    client.content(user("Greet the user."))
    client.type(" ")
    client.wait(0.7)
    client.type(" ")
    client.wait(20)
    client.type(" ")
    client.wait(20)
    assert len(client.noted("answer")) == 1
    assert not client.noted("interrupted")


def test_history_may_end_on_a_model_turn():
    client = Client().set_up(**HISTORY)
    client.content(user("hello"), model("hi"))
    client.type(" ")
    client.wait(10)
    assert client.said() == f"{GREETING} I have read one earlier turn."


def test_history_that_is_never_completed_is_released_by_the_microphone():
    client = Client().set_up(**HISTORY)
    client.content(user("You are a helpful bot."), complete=False)
    client.hear(silence(0.2))
    client.hear(speech())
    client.hear(silence(0.8))
    client.wait(10)
    assert client.said().startswith("You spoke for")
    assert len(client.noted("answer")) == 1


def test_realtime_input_waits_for_history():
    client = Client().set_up(**HISTORY)
    client.type("hello")
    client.wait(0.5)
    assert not client.noted("text")
    client.content(user("Be brief."))
    client.wait(10)
    assert client.said() == "You typed: hello."


def test_history_that_does_not_come_is_not_waited_for_forever():
    client = Client().set_up(**HISTORY)
    client.realtime(audio=pcm_blob(silence(0.1)))
    client.wait(0.9)
    assert not client.noted("audio")
    client.wait(0.2)
    assert client.noted("audio")


def test_2_5_answers_its_first_content():
    client = Client().set_up(MODEL_2_5, **HISTORY)
    client.content(user("Greet the user."))
    client.wait(10)
    assert client.said() == GREETING


def test_2_5_with_a_silent_start_greets_when_the_content_is_completed():
    # Pipecat completes the seed when the user has stopped speaking; the real model then gives a
    # naive answer, followed by one to the speech.
    client = Client().set_up(MODEL_2_5, **HISTORY)
    client.content(user("You are a helpful bot."), complete=False)
    client.hear(speech())
    client.hear(silence(0.2))
    client.say(clientContent={"turnComplete": True})
    client.hear(silence(0.8))
    client.wait(10)
    assert [note["why"] for note in client.noted("answer")] == ["greeting", "speech"]


def test_there_is_no_history_phase_after_resumption():
    store = ResumptionStore()
    handle = Client(store).set_up().messages("sessionResumptionUpdate")[0]["newHandle"]
    client = Client(store).set_up(sessionResumption={"handle": handle}, **HISTORY)
    client.type("hello")
    client.wait(10)
    assert client.said() == "You typed: hello."


def test_without_history_config_content_is_answered():
    # LiveKit's generate_reply.
    client = Client().set_up()
    client.content(user("say hi"))
    client.wait(10)
    assert client.said() == "You typed: say hi."


def test_a_history_that_asks_to_count_is_counted():
    client = Client().set_up(**HISTORY)
    client.content(user("count to 3"))
    client.type(" ")
    client.wait(10)
    assert client.said() == "1, 2, 3."
