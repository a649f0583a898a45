"""gemini-3.1-flash-live-preview: March 2026, legacy; clientContent only before the first answer."""

from understudy.profiles.base import Profile

PROFILE = Profile(
    name="3.1",
    models=("gemini-3.1-flash-live-preview",),
    unknown_setup_fields=frozenset({"proactivity", "generationConfig.enableAffectiveDialog"}),
    modality_refusal=(
        "The requested combination of response modalities ({modalities}) is not supported by "
        "the model. models/{model}"
    ),
    thinking_levels=frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH"}),
    takes_media_chunks=False,
    takes_context_update=False,
    requires_turn_role=False,
    takes_function_turns=False,
    content_after_first_turn=False,
    honours_history=True,
    bundles_transcript=True,
    transcribes_words=False,
    sends_empty_frames=True,
    sends_voice_activity=True,
    sends_unasked_handles=True,
    call_id_prefix="fc_",
    function_behaviours=("BLOCKING",),
    pacing=4.3,
    chunk_s=0.2,
    transcript_lead_s=1.7,
    answer_delay_s=0.57,
    turn_coverage="TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
)
