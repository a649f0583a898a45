"""gemini-3.8-live-extended-thinking: says something at once, thinks, and then answers."""

from dataclasses import replace

from understudy.profiles.gemini_3_8_live import PROFILE as BASE

PROFILE = replace(
    BASE,
    name="3.8-extended-thinking",
    models=("gemini-3.8-live-extended-thinking",),
    requires_thinking_level=True,
    thinking_levels=frozenset({"LOW", "MEDIUM", "HIGH"}),
    function_behaviours=("NON_BLOCKING",),
    filler="Let me think about that for a moment.",  # recorded: a filler, its words are ours
    thinking_s=3.6,  # recorded: turnComplete at 3.9 s, toolCall at 7.5 s
    pacing=1.0,  # measured on the real service
    answer_delay_s=0.6,  # recorded: question to filler
)
