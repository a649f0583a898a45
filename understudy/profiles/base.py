"""What distinguishes one model family from another, as data."""

from __future__ import annotations

from dataclasses import dataclass

AUDIO_TOKENS_PER_S = 25
"""Vendor documentation: audio is billed at 25 tokens per second, in and out."""

FRAME_TOKENS = {
    "MEDIA_RESOLUTION_LOW": 64,
    "MEDIA_RESOLUTION_MEDIUM": 256,
    "MEDIA_RESOLUTION_HIGH": 256,
}
"""Tokens of one picture by media resolution; 258 when none is set (vendor documentation)."""

DEFAULT_FRAME_TOKENS = 258


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a model family behaves on the wire.

    Attributes:
        name: What `--profile` calls it.
        models: Model ids it answers to, without `models/`. The first is the usual one.
        unknown_setup_fields: Dotted camelCase paths in the setup that this family refuses as
            unknown names.
        v1alpha_setup_fields: The same outside v1alpha.
        output_modalities: What responseModalities may ask for, one at a time.
        modality_refusal: Close reason for any other; `{modalities}` and `{model}` are filled in.
        thinking_levels: thinkingLevel values taken. Empty: every one is refused.
        takes_media_chunks: Whether the deprecated realtimeInput.mediaChunks still works.
        takes_context_update: Whether the contextUpdate message exists.
        requires_turn_role: Whether a turn's role must be `user` or `model`.
        takes_function_turns: Whether turns may hold functionCall and functionResponse parts.
        content_after_first_turn: Whether clientContent is allowed once the model has answered.
        honours_history: Whether historyConfig.initialHistoryInClientContent opens a phase in
            which clientContent is history that is not answered.
        bundles_transcript: Whether audio and its transcript share one message.
        transcribes_words: Transcript pieces are single words with a leading space; otherwise
            they are groups of words with a trailing one.
        sends_empty_frames: Whether `{}` precedes each audio message.
        sends_voice_activity: Whether voiceActivity events are sent.
        sends_unasked_handles: Whether resumption handles come without sessionResumption in the
            setup, and the first at once; otherwise only when asked for, and after each turn.
        call_id_prefix: How function call ids begin. Empty: calls have none, and responses are
            matched by name.
        function_behaviours: What a declaration's behavior may be; the first is the default.
        ends_turn_at_call: Whether a turn is completed by a function call even when it blocks, so
            that the answer is a turn of its own.
        refuses_unknown_calls: Whether a toolResponse that nobody waits for ends the session.
        filler: What is said at once while the model thinks, as a turn of its own; such a model
            sends interactionStatus with each turnComplete. Empty: nothing.
        thinking_s: From the end of that turn to what follows.
        requires_thinking_level: Whether the setup has to have a thinkingLevel.
        sends_thoughts: Whether includeThoughts brings thought parts before the answer.
        pacing: Seconds of audio sent per second.
        chunk_s: Seconds of audio in one message.
        transcript_lead_s: How far a transcript piece runs ahead of its audio.
        answer_delay_s: From the end of the user's turn to the first audio.
        turn_coverage: turnCoverage when the setup has none.
        context_tokens: Size of the context window.
        compressed_connection_s: How long a connection lasts with contextWindowCompression, and
            then ends unannounced; None: as long as without, about ten minutes.
    """

    name: str
    models: tuple[str, ...]
    unknown_setup_fields: frozenset[str] = frozenset()
    v1alpha_setup_fields: frozenset[str] = frozenset()
    output_modalities: frozenset[str] = frozenset({"AUDIO"})
    modality_refusal: str
    thinking_levels: frozenset[str] = frozenset()
    takes_media_chunks: bool
    takes_context_update: bool
    requires_turn_role: bool
    takes_function_turns: bool
    content_after_first_turn: bool
    honours_history: bool
    bundles_transcript: bool
    transcribes_words: bool
    sends_empty_frames: bool
    sends_voice_activity: bool
    sends_unasked_handles: bool
    call_id_prefix: str
    function_behaviours: tuple[str, ...]
    ends_turn_at_call: bool = False
    refuses_unknown_calls: bool = False
    filler: str = ""
    thinking_s: float = 0.0
    requires_thinking_level: bool = False
    sends_thoughts: bool = False
    pacing: float
    chunk_s: float
    transcript_lead_s: float
    answer_delay_s: float
    turn_coverage: str
    context_tokens: int = 131_072
    compressed_connection_s: float | None = None
