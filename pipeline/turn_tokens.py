"""Tokens on the span of a turn, where people look for them beside its latency."""

from collections import Counter

from pipecat.frames.frames import MetricsFrame
from pipecat.metrics.metrics import LLMUsageMetricsData
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.utils.tracing.turn_trace_observer import TurnTraceObserver


class TurnTokens(BaseObserver):
    """Adds up a turn's tokens on its span.

    Pipecat 1.14.0 has them on the span of the response only, and there only if they came in the
    message that ended it.

    Args:
        turns: Has the span of the turn under way.
    """

    def __init__(self, turns: TurnTraceObserver):
        super().__init__(observe_every_push=False)
        self._turns = turns
        self._number = 0
        self._tokens: Counter[str] = Counter()

    async def on_push_frame(self, data: FramePushed):
        """Take the tokens of a `MetricsFrame`."""
        span = self._turns._current_span
        if not isinstance(data.frame, MetricsFrame) or span is None:
            return
        if self._number != self._turns._current_turn_number:
            self._number = self._turns._current_turn_number
            self._tokens.clear()
        for metrics in data.frame.data:
            if isinstance(metrics, LLMUsageMetricsData):
                usage = metrics.value
                self._tokens["input_tokens"] += usage.prompt_tokens
                self._tokens["output_tokens"] += usage.completion_tokens
                self._tokens["audio.input_tokens"] += usage.input_audio_tokens or 0
                self._tokens["audio.output_tokens"] += usage.output_audio_tokens or 0
                for kind, count in self._tokens.items():
                    span.set_attribute(f"gen_ai.usage.{kind}", count)
