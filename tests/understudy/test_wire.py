import json

import pytest

from understudy.errors import ProtocolError, truncate_reason
from understudy.messages import (
    ActivityEnd,
    ActivityStart,
    AudioStreamEnd,
    Blob,
    ClientContent,
    ContextUpdate,
    FunctionResult,
    RealtimeMedia,
    RealtimeText,
    Setup,
    ToolResponse,
    Turn,
)
from understudy.wire import audio_rate_hz, duration, encode, parse


def test_reads_what_google_genai_sends():
    frame = b'{"realtime_input":{"audio":{"data":"_9j_-w==","mime_type":"audio/pcm;rate=16000"}}}'
    assert parse(frame) == (
        RealtimeMedia("audio", Blob(b"\xff\xd8\xff\xfb", "audio/pcm;rate=16000")),
    )


def test_reads_what_the_javascript_sdk_sends():
    frame = '{"realtimeInput":{"audio":{"data":"/9j/+w","mimeType":"audio/pcm;rate=16000"}}}'
    assert parse(frame) == (
        RealtimeMedia("audio", Blob(b"\xff\xd8\xff\xfb", "audio/pcm;rate=16000")),
    )


def test_casing_may_change_inside_a_message():
    frame = (
        '{"client_content":{"turns":[{"role":"user","parts":[{"text":"hi"}]}],"turnComplete":1}}'
    )
    with pytest.raises(ProtocolError, match="TYPE_BOOL"):
        parse(frame)
    (content,) = parse(frame.replace("1}}", "true}}"))
    assert content == ClientContent((Turn("user", "hi"),), True)


def test_a_turn_joins_text_and_skips_thoughts():
    parts = [{"text": "a"}, {"text": "secret", "thought": True}, {"text": "b"}]
    (content,) = parse(json.dumps({"clientContent": {"turns": [{"parts": parts}]}}))
    assert content == ClientContent((Turn(None, "a b"),), False)


def test_one_realtime_input_may_carry_several_things():
    frame = (
        '{"realtimeInput":{"text":"x","activityStart":{},"activityEnd":{},"audioStreamEnd":true}}'
    )
    assert parse(frame) == (ActivityStart(), RealtimeText("x"), ActivityEnd(), AudioStreamEnd())


def test_media_chunks_keep_their_field():
    frame = '{"realtime_input":{"mediaChunks":[{"data":"AAA","mime_type":"Audio/PCM"}]}}'
    assert parse(frame) == (RealtimeMedia("mediaChunks", Blob(b"\0\0", "audio/pcm")),)


def test_setup_tool_response_and_context_update():
    (setup,) = parse('{"setup":{"model":"models/m"}}')
    (tool,) = parse('{"tool_response":{"functionResponses":[{"id":"fc_1","response":{"a":1}}]}}')
    (update,) = parse('{"contextUpdate":{"tools":{"tools":[]}}}')
    assert setup == Setup({"model": "models/m"})
    assert tool == ToolResponse((FunctionResult("fc_1", response={"a": 1}),))
    assert update == ContextUpdate({"tools": {"tools": ()}})


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xfe",
        "nonsense",
        "[" * 100_000,
        '{"setup":' * 100_000,
        '{"setup":{"model":' + "9" * 5000 + "}}",
        "[]",
        "null",
        '"setup"',
    ],
)
def test_what_is_no_message_is_1007(frame):
    with pytest.raises(ProtocolError) as caught:
        parse(frame)
    assert caught.value.code == 1007


def test_two_messages_in_one_are_refused():
    with pytest.raises(ProtocolError, match="oneof field 'message_type' is already set"):
        parse('{"setup":{},"clientContent":{}}')


def test_an_empty_message_is_refused():
    with pytest.raises(ProtocolError, match="Request contains an invalid argument."):
        parse("{}")


@pytest.mark.parametrize(
    ("mime_type", "rate_hz"),
    [
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=24000", 24_000),
        ("audio/pcm; rate=8000", 8_000),
        ("audio/l16;rate=48000;channels=1", 48_000),
    ],
)
def test_audio_rate(mime_type, rate_hz):
    assert audio_rate_hz(mime_type) == rate_hz


@pytest.mark.parametrize("mime_type", ["", "audio/webm", "image/png", "audio/pcm;rate=1"])
def test_audio_that_is_not_pcm_is_refused(mime_type):
    with pytest.raises(ProtocolError):
        audio_rate_hz(mime_type)


def test_server_messages_are_indented_by_two_spaces():
    # Recorded from the real service: 7b 0a 20 20 22 73 65.
    assert encode({"setupComplete": {}}) == b'{\n  "setupComplete": {}\n}'
    assert encode({}) == b"{}"


def test_server_audio_is_standard_base64():
    assert b'"data": "/9j/+w=="' in encode({"data": b"\xff\xd8\xff\xfb"})


@pytest.mark.parametrize(("seconds", "text"), [(1.88, "1.880s"), (5.0, "5s"), (0, "0s")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_reasons_fit_a_close_frame():
    assert truncate_reason("short") == "short"
    assert len(truncate_reason("x" * 200)) == 123
    assert len(truncate_reason("é" * 200).encode()) == 122
    assert truncate_reason("\ud800") == "?"
