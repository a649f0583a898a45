import base64
import json

import pytest

from understudy.errors import ProtocolError
from understudy.scalars import CONVERTERS, to_any, to_bytes, to_float, to_int, to_struct
from understudy.schema import ENUMS, MESSAGES, normalise, snake_case

# What google-genai 2.34 writes for a setup with every option, keys in its own mixed casing.
GENAI_SETUP = {
    "model": "models/gemini-3.8-live",
    "generationConfig": {
        "responseModalities": ["AUDIO"],
        "temperature": 0.7,
        "topP": 0.95,
        "topK": 40.0,
        "maxOutputTokens": 1024,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "seed": 7,
        "speechConfig": {
            "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
            "language_code": "en-US",
        },
        "thinkingConfig": {"include_thoughts": True, "thinking_budget": 0},
        "enableAffectiveDialog": True,
    },
    "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
    "tools": [
        {"googleSearch": {}},
        {
            "functionDeclarations": [
                {
                    "description": "d",
                    "name": "get_weather",
                    "parameters": {
                        "properties": {"city": {"type": "STRING"}},
                        "required": ["city"],
                        "type": "OBJECT",
                    },
                    "behavior": "NON_BLOCKING",
                }
            ]
        },
    ],
    "sessionResumption": {"handle": "H0"},
    "inputAudioTranscription": {"language_codes": ["en-US"]},
    "outputAudioTranscription": {},
    "realtimeInputConfig": {
        "automatic_activity_detection": {
            "disabled": False,
            "start_of_speech_sensitivity": "START_SENSITIVITY_LOW",
            "end_of_speech_sensitivity": "END_SENSITIVITY_HIGH",
            "prefix_padding_ms": 20,
            "silence_duration_ms": 100,
        },
        "activity_handling": "NO_INTERRUPTION",
        "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
    },
    "contextWindowCompression": {
        "trigger_tokens": "25600",
        "sliding_window": {"target_tokens": 12800},
    },
    "proactivity": {"proactive_audio": True},
    "historyConfig": {"initial_history_in_client_content": True},
}


def refusal(message, value, path="setup"):
    with pytest.raises(ProtocolError) as caught:
        normalise(message, value, path=path)
    assert caught.value.code == 1007
    return caught.value.reason


def test_a_full_setup_comes_out_in_camel_case():
    setup = normalise("Setup", GENAI_SETUP, path="setup")
    speech = setup["generationConfig"]["speechConfig"]
    assert speech["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"] == "Puck"
    assert setup["contextWindowCompression"]["triggerTokens"] == 25600
    assert setup["tools"][1]["functionDeclarations"][0]["parameters"]["properties"] == {
        "city": {"type": "STRING"}
    }


def test_the_real_service_names_the_place():
    reason = refusal("Setup", {"generation_config": {"inputAudioTranscription": {}}})
    assert reason == (
        'Invalid JSON payload received. Unknown name "inputAudioTranscription" at '
        "'setup.generation_config': Cannot find field."
    )


def test_places_in_lists_have_their_index():
    reason = refusal("Setup", {"tools": [{"functionDeclarations": [{}, {"nme": "x"}]}]})
    assert "at 'setup.tools[0].function_declarations[1]'" in reason


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ({"generationConfig": {"temperature": "hot"}}, '(TYPE_FLOAT), "hot"'),
        ({"generationConfig": {"responseModalities": ["SMELL"]}}, '(Modality), "SMELL"'),
        ({"generationConfig": []}, "(GenerationConfig), list"),
        ({"tools": {}}, "(Tool), dict"),
        ({"labels": {"a": 1}}, "(TYPE_STRING), int"),
    ],
)
def test_values_of_the_wrong_kind(setup, expected):
    assert expected in refusal("Setup", setup)


def test_nulls_are_not_set():
    assert normalise("Setup", {"model": None, "tools": None}) == {}


def test_enumerations_may_be_numbers():
    assert normalise("GenerationConfig", {"responseModalities": [3]}) == {
        "responseModalities": ("AUDIO",)
    }


def test_nesting_has_a_limit():
    schema: dict = {"type": "STRING"}
    for _ in range(100):
        schema = {"items": schema}
    assert "Nesting too deep" in refusal("Schema", schema)


def test_every_declared_type_exists():
    known = {*MESSAGES, *ENUMS, *CONVERTERS}
    declared = {k.rstrip("*").removesuffix("{}") for f in MESSAGES.values() for k in f.values()}
    assert declared <= known


def test_snake_case():
    assert snake_case("automaticActivityDetection") == "automatic_activity_detection"


@pytest.mark.parametrize("text", ["_9j_-w==", "/9j/+w==", "_9j_-w", "/9j/+w="])
def test_base64_in_either_alphabet_with_any_padding(text):
    assert to_bytes(text) == b"\xff\xd8\xff\xfb"


def test_long_base64_is_decoded_in_steps():
    data = bytes(range(256)) * 4096
    assert to_bytes(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["A", "A A", "é", 7, None, "AAAA=AAA", "%%%%"])
def test_what_is_not_base64(text):
    with pytest.raises(ValueError):
        to_bytes(text)


@pytest.mark.parametrize(("value", "number"), [("25600", 25600), (40.0, 40), (-3, -3), ("4e1", 40)])
def test_integers(value, number):
    assert to_int(value) == number


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"a": [1, -0.5, None, True, "ä"]}, {"a": [1, -0.5, None, True, "ä"]}),
        ("\ud800", "?"),
        ({"\ud800": ["\ud800"]}, {"?": ["?"]}),
        (10**30, 1e30),
        (-(2**63), -(2**63)),
    ],
)
def test_free_form_values(value, taken):
    assert to_any(value) == taken
    json.dumps(to_any(value), ensure_ascii=False, allow_nan=False).encode()
    assert to_struct({"a": value}) == {"a": taken}


@pytest.mark.parametrize("value", [float("nan"), {"a": [float("inf")]}, 10**400])
def test_free_form_values_that_are_no_json(value):
    with pytest.raises(ValueError):
        to_any(value)


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_nesting_of_free_form_values_has_a_limit(kind):
    value: object = 1
    for _ in range(100):
        value = [value] if kind == "list" else {"a": value}
    place = "setup.tools[0].function_declarations[0].parameters_json_schema"
    setup = {"tools": [{"functionDeclarations": [{"parametersJsonSchema": value}]}]}
    assert f"Invalid value at '{place}' (google.protobuf.Value)" in refusal("Setup", setup)


@pytest.mark.parametrize("value", [1.5, True, "x", 2**70, "9" * 30, float("nan"), [], "²"])
def test_what_is_no_integer(value):
    with pytest.raises(ValueError):
        to_int(value)


@pytest.mark.parametrize("value", [float("inf"), "1e999", "NaN", 10**400, True])
def test_what_is_no_float(value):
    with pytest.raises(ValueError):
        to_float(value)
