"""Reading the setup message: what the session was asked to be, or why it is refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from understudy.context import Sliding, read_sliding
from understudy.effects import Voice
from understudy.errors import invalid, refused
from understudy.hearing import ActivityDetection
from understudy.messages import Turn
from understudy.profiles import Profile, profile_for
from understudy.schema import snake_case, unknown_name
from understudy.tools import Function, declared_tokens, read_functions
from understudy.wire import read_turn

_NOT_LIVE = ("gemini-2.0-flash-exp",)
"""Models that are gone, refused in other words than those that never were (reported)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A setup that was accepted.

    Attributes:
        model: Model id without `models/`.
        profile: How that model behaves.
        instruction: The system instruction's text.
        voice: How to speak.
        media_resolution: `MEDIA_RESOLUTION_...`, or "".
        detection: How speech is detected.
        turn_coverage: `TURN_INCLUDES_...`: what of the input is counted.
        interrupts: Whether the user's activity cuts an answer short.
        transcribes_input: Whether inputTranscription was asked for.
        transcribes_output: Whether outputTranscription was asked for.
        sends_handles: Whether resumption handles are sent.
        handle: The handle to resume from, if any.
        history_first: Whether the conversation begins with history in clientContent.
        tools: How many functions and built-in tools were declared.
        functions: The functions among them.
        can_search: Whether googleSearch is among them.
        tool_tokens: What their declarations cost.
        sliding: How the context window slides; None: it doesn't, and a full one ends the session.
        writes: Whether answers are text instead of audio.
        shows_thoughts: Whether thought parts were asked for, and the model has them.
    """

    model: str
    profile: Profile
    instruction: str
    voice: Voice
    media_resolution: str
    detection: ActivityDetection
    turn_coverage: str
    interrupts: bool
    transcribes_input: bool
    transcribes_output: bool
    sends_handles: bool
    handle: str | None
    history_first: bool
    tools: int
    functions: tuple[Function, ...]
    can_search: bool
    tool_tokens: int
    sliding: Sliding | None
    writes: bool
    shows_thoughts: bool


def read_setup(
    fields: Mapping[str, Any], *, api_version: str, forced_profile: Profile | None = None
) -> Settings:
    """Reads a setup that has passed the schema.

    Args:
        fields: The normalised `Setup`.
        api_version: The version in the URL, for the refusal of unknown models.
        forced_profile: Play this one whatever the model is called.

    Raises:
        ProtocolError: 1007 or 1008, in the real service's words.
    """
    model = fields.get("model", "").removeprefix("models/")
    profile = forced_profile or profile_for(model)
    if forced_profile is None and model in _NOT_LIVE:
        raise invalid(f"{model} is not supported in the live api.")
    if profile is None or not model:
        raise refused(
            f"models/{model} is not found for API version {api_version}, or is not supported for "
            "bidiGenerateContent. Call ListModels to see the list of available models"
        )
    _refuse_unknown(fields, profile.unknown_setup_fields)
    if api_version != "v1alpha":
        _refuse_unknown(fields, profile.v1alpha_setup_fields)
    generation = fields.get("generationConfig", {})
    _check_modalities(generation, profile, model)
    _check_thinking(generation.get("thinkingConfig", {}), profile)
    resumption = fields.get("sessionResumption")
    handle = (resumption or {}).get("handle") or None
    history = fields.get("historyConfig", {}).get("initialHistoryInClientContent", False)
    realtime = fields.get("realtimeInputConfig", {})
    speech = generation.get("speechConfig", {})
    voice = speech.get("voiceConfig", {}).get("prebuiltVoiceConfig", {})
    return Settings(
        model=model,
        profile=profile,
        instruction=_instruction(fields).text,
        voice=Voice(voice.get("voiceName", ""), speech.get("languageCode", "")),
        media_resolution=generation.get("mediaResolution", ""),
        detection=_detection(realtime.get("automaticActivityDetection", {})),
        turn_coverage=realtime.get("turnCoverage", profile.turn_coverage),
        interrupts=realtime.get("activityHandling") != "NO_INTERRUPTION",
        transcribes_input="inputAudioTranscription" in fields,
        transcribes_output="outputAudioTranscription" in fields,
        sends_handles=profile.sends_unasked_handles or resumption is not None,
        handle=handle,
        # A resumed session has its history already: waiting for it again would hang the client.
        history_first=history and profile.honours_history and handle is None,
        tools=sum(
            len(tool.get("functionDeclarations", ())) or 1 for tool in fields.get("tools", ())
        ),
        functions=read_functions(fields.get("tools", ()), profile),
        can_search=any("googleSearch" in tool for tool in fields.get("tools", ())),
        tool_tokens=declared_tokens(fields.get("tools", ())),
        sliding=_sliding(fields.get("contextWindowCompression"), profile),
        writes=generation.get("responseModalities") == ("TEXT",),
        shows_thoughts=profile.sends_thoughts
        and generation.get("thinkingConfig", {}).get("includeThoughts", False),
    )


def _refuse_unknown(fields: Mapping[str, Any], unknown: Collection[str]) -> None:
    for path in unknown:
        *parents, name = path.split(".")
        at: Mapping[str, Any] = fields
        for parent in parents:
            at = at.get(parent, {})
        if name in at:
            raise unknown_name(name, ".".join(["setup", *map(snake_case, parents)]))


def _check_modalities(generation: Mapping[str, Any], profile: Profile, model: str) -> None:
    modalities = generation.get("responseModalities") or ("AUDIO",)
    if len(modalities) > 1 or modalities[0] not in profile.output_modalities:
        raise invalid(
            profile.modality_refusal.format(modalities=", ".join(modalities), model=model)
        )


def _check_thinking(thinking: Mapping[str, Any], profile: Profile) -> None:
    level = thinking.get("thinkingLevel", "THINKING_LEVEL_UNSPECIFIED")
    if level == "THINKING_LEVEL_UNSPECIFIED":
        if profile.requires_thinking_level:
            raise invalid("Thinking level must be specified for this model.")
        return
    if level in profile.thinking_levels:
        return
    if profile.thinking_levels:
        raise invalid(f"Thinking level {level} is not supported for this model")
    raise invalid("Thinking level is not supported for this model.")


def _sliding(fields: Mapping[str, Any] | None, profile: Profile) -> Sliding | None:
    if fields is None:
        return None
    trigger = fields.get("triggerTokens")
    target = fields.get("slidingWindow", {}).get("targetTokens")
    if any(tokens is not None and tokens < 0 for tokens in (trigger, target)):
        raise invalid()
    return read_sliding(trigger, target, window=profile.context_tokens)


def _instruction(fields: Mapping[str, Any]) -> Turn:
    return read_turn(fields.get("systemInstruction", {}))


def _detection(fields: Mapping[str, Any]) -> ActivityDetection:
    for name in ("prefixPaddingMs", "silenceDurationMs"):
        if fields.get(name, 0) < 0:
            raise invalid()
    return ActivityDetection(
        disabled=fields.get("disabled", False),
        start_is_low=fields.get("startOfSpeechSensitivity") == "START_SENSITIVITY_LOW",
        end_is_low=fields.get("endOfSpeechSensitivity") == "END_SENSITIVITY_LOW",
        prefix_padding_ms=fields.get("prefixPaddingMs", 20),
        silence_duration_ms=fields.get("silenceDurationMs"),
    )
