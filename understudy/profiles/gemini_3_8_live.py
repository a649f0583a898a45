"""gemini-3.8-live: the stable model since September 2026, and Pipecat 1.14's default."""

from understudy.profiles.base import Profile

PROFILE = Profile(
    name="3.8",
    models=("gemini-3.8-live",),
    # Proactive audio is always on and affective dialog was removed: both names are refused.
    unknown_setup_fields=frozenset({"proactivity", "generationConfig.enableAffectiveDialog"}),
    modality_refusal=(
        "The requested combination of response modalities ({modalities}) is not supported by "
        "the model. models/{model}"
    ),
    takes_media_chunks=False,
    takes_context_update=True,
    requires_turn_role=True,
    takes_function_turns=True,
    content_after_first_turn=True,
    honours_history=True,
    bundles_transcript=True,
    transcribes_words=False,
    sends_empty_frames=True,
    sends_voice_activity=True,
    sends_unasked_handles=True,
    call_id_prefix="fc_",
    function_behaviours=("NON_BLOCKING", "BLOCKING"),
    pacing=4.3,  # measured on the real service: 4.3 to 4.4 times real time
    chunk_s=0.2,  # recorded: 0.16 to 0.64 s
    transcript_lead_s=1.7,  # recorded: 0.24 to 3.2 s, median 1.7 s
    answer_delay_s=0.57,  # recorded: typed turn to first audio
    turn_coverage="TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
    compressed_connection_s=3480.0,  # reported: 58:00.0, several times
)
