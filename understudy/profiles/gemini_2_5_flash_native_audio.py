"""gemini-2.5-flash-native-audio-preview: deprecated, still served; one field per message."""

from understudy.profiles.base import Profile

PROFILE = Profile(
    name="2.5",
    models=(
        "gemini-2.5-flash-native-audio-preview-12-2025",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        "gemini-2.5-flash-native-audio-latest",
    ),
    # Vendor documentation: proactive audio and affective dialog need v1alpha.
    v1alpha_setup_fields=frozenset({"proactivity", "generationConfig.enableAffectiveDialog"}),
    modality_refusal="Cannot extract voices from a non-audio request",
    takes_media_chunks=True,
    takes_context_update=False,
    requires_turn_role=False,
    takes_function_turns=False,
    content_after_first_turn=True,
    honours_history=False,
    bundles_transcript=False,
    transcribes_words=True,
    sends_empty_frames=False,
    sends_voice_activity=False,
    sends_unasked_handles=False,
    call_id_prefix="function-call-",
    function_behaviours=("BLOCKING", "NON_BLOCKING"),
    refuses_unknown_calls=True,  # reported, without the model's name
    sends_thoughts=True,
    pacing=4.3,  # not recorded for this family: the figure of 3.8
    chunk_s=0.1,  # recorded: 40 to 120 ms
    transcript_lead_s=0.3,  # recorded: pieces precede their audio; the figure is ours
    answer_delay_s=0.57,
    turn_coverage="TURN_INCLUDES_ONLY_ACTIVITY",
)
