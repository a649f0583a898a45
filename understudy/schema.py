"""Which fields a client message may have: one table, and the walk that checks against it.

The service refuses an unknown field at any depth, takes every name in camelCase and in
snake_case, even mixed in one message, and names the offending place in its close reason:
`Invalid JSON payload received. Unknown name "foo" at 'setup.generation_config': Cannot find field.`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from understudy.errors import ProtocolError, invalid
from understudy.scalars import CONVERTERS, MAX_DEPTH, to_string

MESSAGES: dict[str, dict[str, str]] = {
    "Client": {
        "setup": "Setup",
        "clientContent": "ClientContent",
        "realtimeInput": "RealtimeInput",
        "toolResponse": "ToolResponse",
        "contextUpdate": "ContextUpdate",
    },
    "Setup": {
        "model": "string",
        "generationConfig": "GenerationConfig",
        "systemInstruction": "Content",
        "tools": "Tool*",
        "sessionResumption": "SessionResumption",
        "inputAudioTranscription": "AudioTranscription",
        "outputAudioTranscription": "AudioTranscription",
        "realtimeInputConfig": "RealtimeInputConfig",
        "contextWindowCompression": "ContextWindowCompression",
        "proactivity": "Proactivity",
        "historyConfig": "HistoryConfig",
        "safetySettings": "SafetySetting*",
        "labels": "string{}",
    },
    "GenerationConfig": {
        "candidateCount": "int",
        "enableAffectiveDialog": "bool",
        "frequencyPenalty": "float",
        "maxOutputTokens": "int",
        "mediaResolution": "MediaResolution",
        "presencePenalty": "float",
        "responseModalities": "Modality*",
        "seed": "int",
        "speechConfig": "SpeechConfig",
        "temperature": "float",
        "thinkingConfig": "ThinkingConfig",
        "topK": "float",
        "topP": "float",
    },
    "SpeechConfig": {"voiceConfig": "VoiceConfig", "languageCode": "string"},
    "VoiceConfig": {"prebuiltVoiceConfig": "PrebuiltVoice"},
    "PrebuiltVoice": {"voiceName": "string"},
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int",
        "thinkingLevel": "ThinkingLevel",
    },
    "SessionResumption": {"handle": "string"},
    "AudioTranscription": {
        "languageCodes": "string*",
        "languageAuto": "struct",
        "languageHints": "struct",
        "customVocabulary": "string*",
        "adaptationPhrases": "string*",
        "wordTimestamp": "bool",
        "diarization": "bool",
        "mode": "string",
    },
    "RealtimeInputConfig": {
        "automaticActivityDetection": "AutomaticActivityDetection",
        "activityHandling": "ActivityHandling",
        "turnCoverage": "TurnCoverage",
    },
    "AutomaticActivityDetection": {
        "disabled": "bool",
        "startOfSpeechSensitivity": "StartSensitivity",
        "endOfSpeechSensitivity": "EndSensitivity",
        "prefixPaddingMs": "int",
        "silenceDurationMs": "int",
    },
    "ContextWindowCompression": {"triggerTokens": "int", "slidingWindow": "SlidingWindow"},
    "SlidingWindow": {"targetTokens": "int"},
    "Proactivity": {"proactiveAudio": "bool"},
    "HistoryConfig": {"initialHistoryInClientContent": "bool"},
    "SafetySetting": {"category": "string", "threshold": "string"},
    "Tool": {
        "functionDeclarations": "FunctionDeclaration*",
        "googleSearch": "struct",
        "googleSearchRetrieval": "struct",
        "codeExecution": "struct",
        "urlContext": "struct",
        "googleMaps": "struct",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
        "behavior": "Behavior",
    },
    "Schema": {
        "type": "string",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "string*",
        "items": "Schema",
        "maxItems": "int",
        "minItems": "int",
        "properties": "Schema{}",
        "required": "string*",
        "minProperties": "int",
        "maxProperties": "int",
        "minLength": "int",
        "maxLength": "int",
        "pattern": "string",
        "example": "any",
        "anyOf": "Schema*",
        "propertyOrdering": "string*",
        "default": "any",
        "minimum": "float",
        "maximum": "float",
    },
    "Content": {"parts": "Part*", "role": "string"},
    "Part": {
        "text": "string",
        "inlineData": "Blob",
        "fileData": "struct",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "struct",
        "codeExecutionResult": "struct",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "videoMetadata": "struct",
        "mediaResolution": "struct",
    },
    "Blob": {"data": "bytes", "mimeType": "string", "displayName": "string"},
    "FunctionCall": {"id": "string", "name": "string", "args": "struct"},
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "struct",
        "scheduling": "Scheduling",
        "willContinue": "bool",
    },
    "ClientContent": {"turns": "Content*", "turnComplete": "bool"},
    "RealtimeInput": {
        "audio": "Blob",
        "video": "Blob",
        "text": "string",
        "mediaChunks": "Blob*",
        "activityStart": "Empty",
        "activityEnd": "Empty",
        "audioStreamEnd": "bool",
    },
    "Empty": {},
    "ToolResponse": {"functionResponses": "FunctionResponse*"},
    "ContextUpdate": {"systemInstruction": "Content", "tools": "ContextUpdateTools"},
    "ContextUpdateTools": {"tools": "Tool*"},
    "AuthToken": {
        "expireTime": "string",
        "newSessionExpireTime": "string",
        "uses": "int",
        "bidiGenerateContentSetup": "Setup",
        "fieldMask": "string",
    },
}
"""Message -> field in camelCase -> type: a scalar, an enumeration or a message; `*` marks a
repeated field, `{}` a map from strings."""

ENUMS: dict[str, tuple[str, ...]] = {
    "Modality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"),
    "MediaResolution": tuple(
        f"MEDIA_RESOLUTION_{level}" for level in ("UNSPECIFIED", "LOW", "MEDIUM", "HIGH")
    ),
    "ThinkingLevel": ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"),
    "ActivityHandling": (
        "ACTIVITY_HANDLING_UNSPECIFIED",
        "START_OF_ACTIVITY_INTERRUPTS",
        "NO_INTERRUPTION",
    ),
    "TurnCoverage": (
        "TURN_COVERAGE_UNSPECIFIED",
        "TURN_INCLUDES_ONLY_ACTIVITY",
        "TURN_INCLUDES_ALL_INPUT",
        "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
    ),
    "StartSensitivity": tuple(f"START_SENSITIVITY_{s}" for s in ("UNSPECIFIED", "HIGH", "LOW")),
    "EndSensitivity": tuple(f"END_SENSITIVITY_{s}" for s in ("UNSPECIFIED", "HIGH", "LOW")),
    "Behavior": ("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"),
    "Scheduling": ("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"),
}
"""Enumeration -> names in the order of their numbers (proto JSON takes either)."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    snake: str
    kind: str
    shape: str  # "", "*" or "{}"


def snake_case(name: str) -> str:
    """Returns `generation_config` for `generationConfig`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _compile(fields: dict[str, str]) -> dict[str, _Field]:
    compiled = {}
    for name, declared in fields.items():
        kind = declared.removesuffix("*").removesuffix("{}")
        field = _Field(name, snake_case(name), kind, declared.removeprefix(kind))
        compiled[field.name] = compiled[field.snake] = field
    return compiled


_FIELDS = {message: _compile(fields) for message, fields in MESSAGES.items()}


def normalise(message: str, value: object, *, path: str = "", depth: int = 0) -> dict[str, Any]:
    """Checks a parsed JSON value against a message of the table.

    Args:
        message: Name of a message in `MESSAGES`.
        value: What the JSON parser returned.
        path: Where the value stands, in the service's notation (`setup.tools[0]`).
        depth: How deep that is.

    Returns:
        The message with camelCase names, converted scalars (base64 as `bytes`) and without
        nulls, which in proto JSON mean "not set".

    Raises:
        ProtocolError: 1007, with the path of the offending field.
    """
    if not isinstance(value, dict):
        raise _invalid_value(path, message, value)
    if depth > MAX_DEPTH:
        raise invalid("Invalid JSON payload received. Nesting too deep.")
    known = _FIELDS[message]
    result: dict[str, Any] = {}
    for name, item in value.items():
        field = known.get(name)
        if field is None:
            raise unknown_name(name, path)
        if item is not None:
            place = f"{path}.{field.snake}" if path else field.snake
            result[field.name] = _field_value(field, item, place, depth + 1)
    return result


def _field_value(field: _Field, value: object, path: str, depth: int) -> object:
    if field.shape == "*":
        if not isinstance(value, list):
            raise _invalid_value(path, field.kind, value)
        return tuple(
            _single(field.kind, item, f"{path}[{index}]", depth) for index, item in enumerate(value)
        )
    if field.shape == "{}":
        if not isinstance(value, dict):
            raise _invalid_value(path, field.kind, value)
        return {
            to_string(key): _single(field.kind, item, f"{path}[{key!r}]", depth)
            for key, item in value.items()
        }
    return _single(field.kind, value, path, depth)


def _single(kind: str, value: object, path: str, depth: int) -> object:
    if kind in _FIELDS:
        return normalise(kind, value, path=path, depth=depth)
    if kind in ENUMS:
        names = ENUMS[kind]
        if isinstance(value, str) and value in names:
            return value
        if type(value) is int and 0 <= value < len(names):
            return names[value]
        raise _invalid_value(path, kind, value)
    shown, convert = CONVERTERS[kind]
    try:
        return convert(value)
    except ValueError:
        raise _invalid_value(path, shown, value) from None


def unknown_name(name: str, path: str) -> ProtocolError:
    """Returns the refusal of a field the service doesn't know.

    Args:
        name: The field as the client spelled it.
        path: The message it stands in, such as `setup.generation_config`; empty at the top.
    """
    place = f" at '{path}'" if path else ""
    return invalid(
        f'Invalid JSON payload received. Unknown name "{name[:80]}"{place}: Cannot find field.'
    )


def _invalid_value(path: str, kind: str, value: object) -> ProtocolError:
    shown = f'"{value[:40]}"' if isinstance(value, str) else type(value).__name__
    place = f" at '{path}'" if path else ""
    return invalid(f"Invalid value{place} ({kind}), {shown}")
