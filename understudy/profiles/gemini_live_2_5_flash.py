"""gemini-live-2.5-flash: the half-cascade model of the enterprise API, which can write."""

from understudy.profiles.base import Profile

PROFILE = Profile(
    name="2.5-half-cascade",
    models=("gemini-live-2.5-flash",),
    unknown_setup_fields=frozenset(
        {"historyConfig", "proactivity", "generationConfig.enableAffectiveDialog"}
    ),
    output_modalities=frozenset({"AUDIO", "TEXT"}),
    modality_refusal=(
        "The requested combination of response modalities ({modalities}) is not supported by "
        "the model. models/{model}"
    ),
    takes_media_chunks=True,
    takes_context_update=False,
    requires_turn_role=False,
    takes_function_turns=True,
    content_after_first_turn=True,
    honours_history=False,
    bundles_transcript=False,
    transcribes_words=True,
    sends_empty_frames=False,
    sends_voice_activity=False,
    sends_unasked_handles=False,
    call_id_prefix="",  # the enterprise API's calls have no ids
    function_behaviours=("BLOCKING", "NON_BLOCKING"),
    ends_turn_at_call=True,
    pacing=4.3,  # from here on nothing was recorded for this model: the figures of 2.5
    chunk_s=0.1,
    transcript_lead_s=0.3,
    answer_delay_s=0.57,
    turn_coverage="TURN_INCLUDES_ONLY_ACTIVITY",
    context_tokens=32_768,  # vendor documentation
)
