from typing import Any

import pytest

from tests.understudy.support import MODEL_2_5, MODEL_3_1, Client, picture
from understudy.errors import ProtocolError
from understudy.memory import Memory, ResumptionStore
from understudy.profiles import PROFILES


def closed(model="gemini-3.8-live", **fields):
    client = Client().set_up(model, **fields)
    assert not client.messages("setupComplete")
    return client.closed


def test_setup_is_completed_and_3_x_sends_a_handle_unasked():
    client = Client().set_up()
    assert [message for _, message in client.sent] == [
        {"setupComplete": {}},
        {"sessionResumptionUpdate": {"newHandle": "handle-1", "resumable": True}},
    ]


def test_2_5_sends_no_handle_until_a_turn_is_over_and_only_when_asked():
    cases: list[tuple[dict[str, Any], int]] = [({}, 0), ({"sessionResumption": {}}, 1)]
    for resumption, expected in cases:
        client = Client().set_up(MODEL_2_5, **resumption)
        assert not client.messages("sessionResumptionUpdate")
        client.type("hello")
        client.wait(10)
        handles = [u for u in client.messages("sessionResumptionUpdate") if u["resumable"]]
        assert len(handles) == expected


@pytest.mark.parametrize("model", ["gemini-2.0-flash-live-001", "", "x" * 200])
def test_unknown_models(model):
    closing = closed(model)
    assert closing
    code, reason = closing
    assert code == 1008
    assert reason.startswith(f"models/{model[:20]}")
    assert len(reason) <= 123


def test_a_model_that_is_not_live_any_more_is_refused_in_other_words():
    assert closed("gemini-2.0-flash-exp") == (
        1007,
        "gemini-2.0-flash-exp is not supported in the live api.",
    )


def test_the_refusal_of_an_unknown_model_is_cut_like_the_real_one():
    closing = closed("gemini-0.0-flash")
    assert closing
    assert "or is not supported for bidiGenerateContent. Call Li" in closing[1]
    assert len(closing[1]) == 123


def test_a_forced_profile_takes_any_model():
    client = Client(forced_profile=PROFILES["2.5"]).set_up("my-own-model")
    assert client.messages("setupComplete")
    assert client.noted("setup")[0]["profile"] == "2.5"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (
            MODEL_3_1,
            "The requested combination of response modalities (TEXT) is not supported by the "
            "model. models/gemini-3.1-flash-live-preview",
        ),
        (MODEL_2_5, "Cannot extract voices from a non-audio request"),
    ],
)
def test_native_audio_models_do_not_write(model, reason):
    assert closed(model, generationConfig={"responseModalities": ["TEXT"]}) == (1007, reason)


def test_one_modality_at_a_time():
    closing = closed(generationConfig={"responseModalities": ["TEXT", "AUDIO"]})
    assert closing
    assert "(TEXT, AUDIO)" in closing[1]


def test_proactivity_is_unknown_to_3_8_and_known_to_2_5():
    setup: dict[str, Any] = {"proactivity": {"proactiveAudio": True}}
    assert closed(**setup) == (
        1007,
        "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': Cannot find field.",
    )
    assert Client(api_version="v1alpha").set_up(MODEL_2_5, **setup).messages("setupComplete")


def test_additional_properties_are_unknown_in_parameters_and_known_in_a_json_schema():
    schema = {"type": "object", "additionalProperties": False}

    def declare(field: str) -> Client:
        return Client().set_up(tools=[{"functionDeclarations": [{"name": "f", field: schema}]}])

    with pytest.raises(ProtocolError, match='1007 .* Unknown name "additionalProperties" at '):
        declare("parameters")
    assert declare("parametersJsonSchema").messages("setupComplete")


def test_affective_dialog_is_unknown_to_3_8():
    closing = closed(generationConfig={"enableAffectiveDialog": True})
    assert closing
    assert "at 'setup.generation_config'" in closing[1]


@pytest.mark.parametrize(
    ("model", "level", "taken"),
    [
        ("gemini-3.8-live", "LOW", False),
        (MODEL_3_1, "MINIMAL", True),
        (MODEL_2_5, "HIGH", False),
    ],
)
def test_thinking_levels(model, level, taken):
    setup: dict[str, Any] = {"generationConfig": {"thinkingConfig": {"thinkingLevel": level}}}
    client = Client().set_up(model, **setup)
    assert bool(client.messages("setupComplete")) is taken
    if not taken:
        assert client.closed == (1007, "Thinking level is not supported for this model.")


def test_negative_durations_make_no_sense():
    detection = {"silenceDurationMs": -1}
    assert closed(realtimeInputConfig={"automaticActivityDetection": detection}) == (
        1007,
        "Request contains an invalid argument.",
    )


def test_setup_comes_first_and_once():
    early = Client()
    early.type("hello")
    assert early.closed == (1007, "Request contains an invalid argument.")
    twice = Client().set_up()
    twice.set_up()
    assert twice.closed == (1007, "Request contains an invalid argument.")


def test_a_refused_key_is_told_after_the_setup():
    client = Client(refusal=ProtocolError(1007, "API key not valid."))
    assert client.closed is None
    client.set_up()
    assert client.closed == (1007, "API key not valid.")


def test_nothing_is_done_after_the_close():
    client = Client().set_up("X")
    client.set_up()
    client.type("hello")
    client.wait(10)
    assert client.sent == []


def test_an_unknown_handle_is_refused():
    assert closed(sessionResumption={"handle": "gone"}) == (
        1008,
        "BidiGenerateContent session not found",
    )


def test_a_handle_brings_back_what_was_seen_and_when_it_is_too_old_does_not():
    store = ResumptionStore(ttl_s=3600)
    first = Client(store).set_up()
    first.show(picture("blue", source="camera"))
    first.type("hello")
    first.wait(10)
    handle = first.messages("sessionResumptionUpdate")[-1]["newHandle"]

    second = Client(store).set_up(sessionResumption={"handle": handle})
    second.type("what do you see?")
    second.wait(10)
    assert second.said() == "The last camera frame has 640 by 480 pixels, mostly blue."

    third = Client(store)
    third.now_s = first.now_s + 3601
    third.set_up(sessionResumption={"handle": handle})
    assert third.closed == (1008, "BidiGenerateContent session not found")


def test_a_handle_keeps_its_own_moment():
    store = ResumptionStore()
    client = Client(store).set_up()
    early = client.messages("sessionResumptionUpdate")[-1]["newHandle"]
    client.show(picture("blue"))
    client.type("hello")
    client.wait(10)
    again = Client(store).set_up(sessionResumption={"handle": early})
    again.type("what do you see?")
    again.wait(10)
    assert again.said() == "I have not seen any picture yet."


def test_the_store_is_bounded():
    store = ResumptionStore(max_handles=2)
    for number in range(3):
        store.save(str(number), Memory(turns=number), now_s=0)
    assert store.load("0", 0) is None
    assert store.load("2", 0) == Memory(turns=2)
