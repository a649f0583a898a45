"""Function calls in a session: what becomes of them and of their results."""

import tracemalloc
from typing import Any

from tests.understudy.support import MODEL_2_5, MODEL_3_1, Client, silence, speech, user
from understudy.memory import ResumptionStore
from understudy.profiles import PROFILES

WEATHER = {
    "name": "get_weather",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
        "required": ["city"],
    },
}
LIGHT = {"name": "turn_on_light"}


def tools(*declarations: dict[str, Any], behavior: str | None = None) -> dict[str, Any]:
    given = {"behavior": behavior} if behavior else {}
    return {"tools": [{"functionDeclarations": [{**d, **given} for d in declarations]}]}


def calls(client: Client) -> list[dict[str, Any]]:
    return [c for message in client.messages("toolCall") for c in message["functionCalls"]]


def respond(client: Client, response: dict[str, Any], *, number: int = -1, **fields: Any) -> None:
    call = calls(client)[number]
    result = {"name": call["name"], "response": response, **fields}
    if "id" in call:
        result["id"] = call["id"]
    client.say(toolResponse={"functionResponses": [result]})


def asked(model: str = "gemini-3.8-live", text: str = "get_weather for Paris", **options: Any):
    client = Client().set_up(model, **tools(WEATHER, LIGHT, **options))
    client.type(text)
    client.wait(1)
    return client


MODEL = "gemini-3.8-live"


# Blocking


def test_a_blocking_call_holds_the_turn_until_its_result_which_the_same_turn_tells():
    client = asked(behavior="BLOCKING")
    (call,) = calls(client)
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})
    assert call["id"].removeprefix("fc_").isdecimal()
    client.wait(60)
    assert client.content_fields() == []
    assert not client.messages("usageMetadata")
    respond(client, {"temperature": 21})
    client.wait(10)
    assert client.said() == "get_weather returned temperature 21."
    assert len(client.messages("usageMetadata")) == len(client.times("turnComplete")) == 1


def test_on_3_1_and_2_5_calls_block_unless_declared_otherwise():
    for model, prefix in ((MODEL_3_1, "fc_"), (MODEL_2_5, "function-call-")):
        client = asked(model)
        client.wait(10)
        assert calls(client)[0]["id"].startswith(prefix)
        assert not client.times("turnComplete")


def test_all_blocking_calls_of_a_turn_have_to_return():
    client = asked(text="get_weather and turn_on_light", behavior="BLOCKING")
    assert len(client.messages("toolCall")) == 1
    respond(client, {"result": "rain"}, number=0)
    client.wait(10)
    assert not client.noted("answer")
    respond(client, {"result": "ok"}, number=1)
    client.wait(10)
    assert client.said() == "get_weather returned rain. turn_on_light returned ok."


def test_typing_during_a_blocking_call_cancels_it():
    client = asked(behavior="BLOCKING")
    key = calls(client)[0]["id"]
    client.type("never mind")
    assert client.messages("toolCallCancellation") == [{"ids": [key]}]
    assert client.noted("tool_call_cancelled") == [{"ids": [key]}]
    assert client.content_fields() == ["interrupted", "turnComplete"]
    client.wait(10)
    assert client.said() == "You typed: never mind."
    respond(client, {"result": "late"})
    client.wait(10)
    assert client.noted("tool_response")[-1] == {"ids": [key], "unknown": [key]}
    assert len(client.noted("answer")) == 1
    assert client.closed is None


def test_speaking_during_a_blocking_call_cancels_it():
    client = asked(behavior="BLOCKING")
    client.hear(silence(0.3))
    client.hear(speech())
    assert client.messages("toolCallCancellation")


def test_with_no_interruption_a_call_goes_on_and_the_next_question_waits():
    quiet = {"realtimeInputConfig": {"activityHandling": "NO_INTERRUPTION"}}
    client = Client().set_up(MODEL, **tools(LIGHT, behavior="BLOCKING"), **quiet)
    client.type("turn_on_light")
    client.wait(1)
    client.type("hello")
    client.wait(5)
    assert not client.messages("toolCallCancellation")
    respond(client, {"result": "on"})
    client.wait(20)
    said = [note["text"] for note in client.noted("answer")]
    assert said == ["turn_on_light returned on.", "You typed: hello."]


def test_a_call_that_was_not_sent_yet_is_not_cancelled():
    client = Client().set_up(**tools(LIGHT, behavior="BLOCKING"))
    client.type("turn_on_light")
    client.wait(0.1)
    client.type("hello")
    client.wait(10)
    assert not client.messages("toolCall")
    assert not client.messages("toolCallCancellation")


# Not blocking


def test_on_3_8_a_call_does_not_block_its_turn_ends_in_silence_and_the_next_tells():
    client = asked()
    assert client.content_fields() == ["turnComplete"]
    assert len(client.messages("usageMetadata")) == 1
    client.wait(5)
    respond(client, {"result": "sun"})
    client.wait(10)
    assert client.said() == "get_weather returned sun."
    assert len(client.times("turnComplete")) == 2


def test_a_conversation_goes_on_while_a_call_runs_and_the_result_waits_for_its_end():
    client = asked()
    client.type("count to 30")
    client.wait(1)
    respond(client, {"result": "sun"})
    client.wait(1)
    assert not client.messages("toolCallCancellation")
    assert "interrupted" not in client.content_fields()
    assert [note["why"] for note in client.noted("answer")] == ["count"]
    client.wait(60)
    assert [note["why"] for note in client.noted("answer")] == ["count", "tool"]


def test_interrupt_tells_at_once_and_silent_never():
    client = asked()
    client.type("count to 30")
    client.wait(1)
    respond(client, {"result": "sun"}, scheduling="INTERRUPT")
    assert "interrupted" in client.content_fields()
    client.wait(20)
    assert [note["why"] for note in client.noted("answer")] == ["count", "tool"]
    quiet = asked()
    respond(quiet, {"result": "sun", "scheduling": "SILENT"})
    quiet.wait(20)
    assert not quiet.noted("answer")


def test_a_result_does_not_speak_while_the_user_does():
    client = asked()
    client.hear(silence(0.3))
    client.hear(speech())
    respond(client, {"result": "sun"})
    client.wait(5)
    assert not client.noted("answer")
    client.hear(silence(0.8))
    client.wait(20)
    assert [note["why"] for note in client.noted("answer")] == ["speech", "tool"]


def test_a_generator_returns_several_results():
    client = asked()
    for city, more in (("rain", True), ("sun", False), ("snow", False)):
        respond(client, {"result": city}, willContinue=more)
        client.wait(10)
    said = [note["text"] for note in client.noted("answer")]
    assert said == ["get_weather returned rain.", "get_weather returned sun."]
    assert "unknown" in client.noted("tool_response")[-1]


def test_results_that_wait_take_little():
    """A client may return megabytes, sixty-four times, while the understudy speaks."""
    client = asked(text="get_weather for Paris turn_on_light")
    client.type("count to 40")
    client.wait(1)
    response = {"output": "x" * 1_000_000, "more": ["x" * 1_000_000]}
    tracemalloc.start()
    for _ in range(10):
        respond(client, response, number=0, willContinue=True)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1_000_000
    client.wait(60)
    assert client.said().count("and so on") == 10


def test_a_session_is_not_resumable_while_it_answers_or_a_call_is_open():
    client = asked()
    updates = client.messages("sessionResumptionUpdate")
    assert updates[-1] == {"resumable": False}
    client.wait(20)
    assert client.messages("sessionResumptionUpdate") == updates
    respond(client, {"result": "x"}, scheduling="SILENT")
    assert client.messages("sessionResumptionUpdate")[-1]["resumable"]


def test_a_resumed_session_has_forgotten_its_calls():
    store = ResumptionStore()
    client = Client(store).set_up(**tools(WEATHER))
    client.type("get_weather")
    client.wait(2)
    handle = client.messages("sessionResumptionUpdate")[-2]["newHandle"]
    again = Client(store).set_up(sessionResumption={"handle": handle})
    key = calls(client)[0]["id"]
    again.say(toolResponse={"functionResponses": [{"id": key, "response": {}}]})
    assert again.noted("tool_response") == [{"ids": [key], "unknown": [key]}]


# What is refused


def test_an_unknown_id_ends_a_2_5_session():
    client = asked(MODEL_2_5)
    client.say(toolResponse={"functionResponses": [{"id": "function-call-1", "response": {}}]})
    assert client.closed == (1008, "Requested entity was not found.")


def test_a_response_needs_an_id():
    client = asked()
    client.say(toolResponse={"functionResponses": [{"name": "get_weather", "response": {}}]})
    assert client.closed == (1007, "Request contains an invalid argument.")


def test_3_1_knows_only_blocking_functions():
    client = Client().set_up(MODEL_3_1, **tools(LIGHT, behavior="NON_BLOCKING"))
    assert client.closed == (
        1007,
        "NON_BLOCKING function calls are not supported for this model",
    )


def test_a_function_needs_a_name():
    assert Client().set_up(**tools({})).closed == (1007, "Request contains an invalid argument.")


# Where functions come from


def test_content_calls_too():
    client = Client().set_up(MODEL_2_5, **tools(LIGHT))
    client.content(user("turn_on_light"))
    client.wait(1)
    assert calls(client)
    respond(client, {"result": "on"})
    client.wait(10)
    client.content(user("thanks"))
    client.wait(10)
    assert client.said() == "You typed: thanks."


def test_instructions_in_content_call_a_function_without_their_markup():
    client = Client().set_up(**tools(WEATHER))
    client.content(user("<instructions>\nget_weather\n</instructions>"))
    client.wait(1)
    assert [call["args"] for call in calls(client)] == [{"city": "example"}]


def test_a_context_update_replaces_the_functions():
    client = Client().set_up(**tools(WEATHER))
    client.say(contextUpdate={"tools": tools(LIGHT)})
    client.type("get_weather")
    client.type("turn_on_light")
    client.wait(1)
    assert [call["name"] for call in calls(client)] == ["turn_on_light"]


def test_ids_differ_and_look_like_those_recorded():
    client = Client().set_up(**tools(LIGHT))
    for _ in range(2):
        client.type("turn_on_light")
        client.wait(1)
    first, second = (call["id"] for call in calls(client))
    assert first != second
    assert PROFILES["3.8"].call_id_prefix == "fc_"
