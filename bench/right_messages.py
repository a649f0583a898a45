"""Messages that a client may send: wrong ones are made from them, and sent in between."""

from __future__ import annotations

import base64
import json
from typing import Any

from understudy.profiles import PROFILES

PCM = base64.b64encode(bytes(range(256)) * 4).decode()
_PICTURE = {"data": base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(64)).decode()}
_FUNCTION = {
    "name": "f",
    "parameters": {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "enum": ["x", "y"]},
            "b": {"type": "NUMBER", "default": 2},
        },
        "required": ["a", "b"],
    },
}
_ANY_FUNCTION = {
    "name": "f",
    "parametersJsonSchema": {
        "type": "object",
        "properties": {"a": {"enum": [{"deep": [1]}]}, "b": {"default": "z"}},
        "required": ["a", "b"],
    },
}
_TOOLS: dict[str, Any] = {"tools": [{"functionDeclarations": [_FUNCTION]}]}
_NO_INTERRUPTION: dict[str, Any] = {"activityHandling": "NO_INTERRUPTION"}
_MANUAL: dict[str, Any] = {"automaticActivityDetection": {"disabled": True, "prefixPaddingMs": 20}}


def setups() -> list[dict[str, Any]]:
    """Returns setups of every model family, with what each of them takes."""
    return [
        _setup("3.8"),
        _setup(
            "3.8",
            ["AUDIO"],
            {"temperature": 0.7, "topK": 40.0, "speechConfig": _voice("Puck")},
            systemInstruction={"parts": [{"text": "Be brief."}], "role": "user"},
            sessionResumption={},
            realtimeInputConfig=_MANUAL,
        ),
        _setup(
            "3.8",
            tools=[{"functionDeclarations": [_ANY_FUNCTION]}],
            realtimeInputConfig=_MANUAL,
            contextWindowCompression={"triggerTokens": "400", "slidingWindow": {}},
        ),
        _setup("3.8", historyConfig={"initialHistoryInClientContent": True}),
        _setup("3.8", **_TOOLS, realtimeInputConfig=_NO_INTERRUPTION),
        _setup("3.8-extended-thinking", thinking={"thinkingLevel": "LOW"}, **_TOOLS),
        _setup("3.1", ["AUDIO"], **_TOOLS, inputAudioTranscription={}),
        _setup("2.5", ["AUDIO"], thinking={"includeThoughts": True}, sessionResumption={}),
        _setup("2.5", ["AUDIO"], **_TOOLS),
        _setup("2.5-half-cascade", ["TEXT"], **_TOOLS, sessionResumption={}),
    ]


def messages() -> list[dict[str, Any]]:
    """Returns what may come once a session is set up, if its model takes it."""
    blob = {"data": PCM, "mimeType": "audio/pcm;rate=16000"}
    response = {"id": "fc_1", "name": "f", "response": {"result": "ok"}, "scheduling": "SILENT"}
    says = [
        "hello",
        "f",
        "f a=1 b=99999999999999999999, then f",
        "remember that 1 is 2",
        "what did I tell you",
    ]
    return [
        {"realtimeInput": {"audio": blob}},
        {"realtime_input": {"audio": {"data": PCM, "mime_type": "audio/pcm"}}},
        {"realtimeInput": {"video": {**_PICTURE, "mimeType": "image/jpeg"}}},
        {"realtimeInput": {"mediaChunks": [blob]}},
        *({"realtimeInput": {"text": text}} for text in says),
        {"realtimeInput": {"activityStart": {}}},
        {"realtimeInput": {"activityEnd": {}}},
        {"realtimeInput": {"audioStreamEnd": True}},
        _content({"text": "hi"}, {"inlineData": {**_PICTURE, "mimeType": "image/jpeg"}}),
        _content({"text": "f"}),
        {"clientContent": {"turnComplete": False}},
        {"toolResponse": {"functionResponses": [response]}},
        {"toolResponse": {"functionResponses": [{**response, "id": "function-call-1"}]}},
        {"contextUpdate": {"systemInstruction": {"parts": [{"text": "new"}]}}},
        {"contextUpdate": {"tools": {"tools": [{"functionDeclarations": [_ANY_FUNCTION]}]}}},
    ]


def many_names() -> str:
    """Returns a message with more names in it than orjson remembers, which is 2,048."""
    names = {f"name {number}": 0 for number in range(20_000)}
    return json.dumps({"toolResponse": {"functionResponses": [{"id": "x", "response": names}]}})


def _setup(
    profile: str,
    modalities: list[str] | None = None,
    generation: dict[str, Any] | None = None,
    *,
    thinking: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    config = {
        **({"responseModalities": modalities} if modalities else {}),
        **({"thinkingConfig": thinking} if thinking else {}),
        **(generation or {}),
    }
    model = f"models/{PROFILES[profile].models[0]}"
    return {"setup": {"model": model, "generationConfig": config, **fields}}


def _voice(name: str) -> dict[str, Any]:
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}


def _content(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"clientContent": {"turns": [{"role": "user", "parts": parts}], "turnComplete": True}}
