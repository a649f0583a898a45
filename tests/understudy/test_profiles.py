"""The model that thinks for long, and the one that writes."""

from typing import Any

import pytest

from tests.understudy.support import MODEL_2_5, MODEL_3_1, Client, user

THINKING = "gemini-3.8-live-extended-thinking"
WRITING = "gemini-live-2.5-flash"
FILLER = "Let me think about that for a moment."


def level(name: str) -> dict[str, Any]:
    return {"generationConfig": {"thinkingConfig": {"thinkingLevel": name}}}


def tools(behavior: str) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "look_up", "behavior": behavior}]}]}


def thinking(**fields: Any) -> Client:
    return Client().set_up(THINKING, **level("LOW"), **fields)


def statuses(client: Client) -> list[str]:
    contents = client.messages("serverContent")
    return [c["interactionStatus"] for c in contents if "interactionStatus" in c]


def writing(model: str = WRITING, **fields: Any) -> Client:
    return Client().set_up(model, generationConfig={"responseModalities": ["TEXT"]}, **fields)


def written(client: Client) -> str:
    turns = [c["modelTurn"] for c in client.messages("serverContent") if "modelTurn" in c]
    return "".join(part["text"] for turn in turns for part in turn["parts"]).strip()


# Extended thinking


def test_a_thinking_level_has_to_be_given():
    assert Client().set_up(THINKING).closed == (
        1007,
        "Thinking level must be specified for this model.",
    )


@pytest.mark.parametrize("name", ["LOW", "MEDIUM", "HIGH"])
def test_levels_that_are_taken(name):
    assert Client().set_up(THINKING, **level(name)).messages("setupComplete")


def test_minimal_is_refused():
    assert Client().set_up(THINKING, **level("MINIMAL")).closed == (
        1007,
        "Thinking level MINIMAL is not supported for this model",
    )


def test_a_filler_comes_at_once_and_the_answer_after_some_thought():
    client = thinking()
    client.type("hello")
    client.wait(30)
    assert [note["text"] for note in client.noted("answer")] == [FILLER, "You typed: hello."]
    assert statuses(client) == ["IN_PROGRESS", "IDLE"]
    first, second = client.times("turnComplete")
    assert client.times("modelTurn")[0] == pytest.approx(100.6)
    assert min(t for t in client.times("modelTurn") if t > first) - first == pytest.approx(3.6)
    assert second > first


def test_it_speaks_as_fast_as_it_plays():
    client = thinking()
    client.type("hello")
    client.wait(3)
    starts = client.times("modelTurn")
    assert starts[1] - starts[0] == pytest.approx(0.2)


def test_an_interruption_ends_the_thinking():
    client = thinking()
    client.type("hello")
    client.wait(1)
    client.content(user("stop"), complete=False)
    client.wait(30)
    assert statuses(client) == ["IDLE"]
    assert [note["text"] for note in client.noted("answer")] == [FILLER]


def test_its_functions_never_block():
    assert thinking(**tools("BLOCKING")).closed == (
        1007,
        "BLOCKING function calls are not supported for this model",
    )
    client = thinking(**tools("NON_BLOCKING"))
    client.type("look_up")
    client.wait(30)
    (call,) = client.messages("toolCall")[0]["functionCalls"]
    assert statuses(client) == ["IN_PROGRESS", "IN_PROGRESS"]
    response = {"id": call["id"], "response": {"result": "found"}}
    client.say(toolResponse={"functionResponses": [response]})
    client.wait(30)
    assert statuses(client)[-1] == "IDLE"
    assert client.said() == "look_up returned found."


def test_a_silent_result_ends_the_interaction_too():
    client = thinking(**tools("NON_BLOCKING"))
    client.type("look_up")
    client.wait(30)
    key = client.messages("toolCall")[0]["functionCalls"][0]["id"]
    response = {"id": key, "response": {}, "scheduling": "SILENT"}
    client.say(toolResponse={"functionResponses": [response]})
    assert statuses(client)[-1] == "IDLE"


def test_other_models_send_no_status():
    client = Client().set_up()
    client.type("hello")
    client.wait(10)
    assert statuses(client) == []


# Half-cascade


def test_it_writes():
    client = writing()
    client.type("Good morning")
    client.wait(10)
    assert written(client) == "You typed: Good morning."
    assert "outputTranscription" not in client.content_fields()
    assert client.content_fields()[-2:] == ["generationComplete", "turnComplete"]
    (usage,) = client.messages("usageMetadata")
    assert usage["responseTokensDetails"] == [{"modality": "TEXT", "tokenCount": 6}]
    assert not client.noted("audio_out")[0]["ms"]


def test_writing_is_interrupted_where_it_is():
    client = writing()
    client.type("count to 100")
    client.wait(1)
    client.type("stop")
    client.wait(10)
    assert "interrupted" in client.content_fields()
    assert "100." not in written(client)


def test_it_speaks_when_that_is_asked_for():
    client = Client().set_up(WRITING)
    client.type("Good morning")
    client.wait(10)
    assert client.noted("audio_out")[0]["ms"]
    assert client.said() == "You typed: Good morning."


def test_its_calls_have_no_ids_and_end_the_turn():
    client = writing(**tools("BLOCKING"))
    client.type("look_up")
    client.wait(1)
    assert client.messages("toolCall") == [{"functionCalls": [{"name": "look_up", "args": {}}]}]
    assert client.content_fields() == ["turnComplete"]
    response = {"name": "look_up", "response": {"result": "found"}}
    client.say(toolResponse={"functionResponses": [response]})
    client.wait(10)
    assert written(client) == "look_up returned found."
    assert len(client.messages("usageMetadata")) == 2


def test_new_input_makes_its_call_void():
    client = writing(**tools("BLOCKING"))
    client.type("look_up")
    client.wait(1)
    client.type("never mind")
    client.wait(10)
    assert client.noted("tool_call_cancelled")
    assert written(client) == "You typed: never mind."


@pytest.mark.parametrize("field", ["historyConfig", "proactivity"])
def test_what_it_does_not_know(field):
    unknown: dict[str, Any] = {field: {}}
    client = writing(**unknown)
    assert client.closed
    assert f'Unknown name "{field}"' in client.closed[1]


def test_proactive_audio_and_affective_dialog_by_model():
    wishes: dict[str, Any] = {
        "proactivity": {"proactiveAudio": True},
        "generationConfig": {"enableAffectiveDialog": True},
    }
    assert Client(api_version="v1alpha").set_up(MODEL_2_5, **wishes).closed is None
    refused = [(MODEL_3_1, "v1alpha"), ("gemini-3.8-live", "v1alpha"), (MODEL_2_5, "v1beta")]
    for model, version in refused:
        for name, value in wishes.items():
            client = Client(api_version=version).set_up(model, **{name: value})
            assert client.closed
            assert client.closed[1].startswith("Invalid JSON payload received. Unknown name")
