"""What the model counts: by modality, added up and priced."""

from typing import Any

from google.genai.types import LiveServerMessage
from pipecat.frames.frames import MetricsFrame
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService

from pipeline.costs import ModelPrices, Spending, tokens_of
from pipeline.usage_metrics import UsageMetricsData


class LiveUsage(GeminiLiveLLMService):
    """Gemini Live that knows what its session has taken and cost.

    Each count goes out as a `MetricsFrame` with a `UsageMetricsData`.

    Event handlers available:

    - on_counted(service): The model has counted; see `spending`.

    Args:
        prices: Of the model; without any, no cost is known.
        **kwargs: As for `GeminiLiveLLMService`.

    Attributes:
        spending: All of the session so far, over all of its connections.
    """

    def __init__(self, *, prices: ModelPrices | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.spending = Spending(prices)
        self._register_event_handler("on_counted")

    async def _handle_msg_usage_metadata(self, message: LiveServerMessage):
        """Count by modality; of that Pipecat 1.14.0 keeps how much of it is audio."""
        if message.usage_metadata:
            tokens = tokens_of(message.usage_metadata)
            self.spending.add(tokens)
            if self.usage_metrics_enabled:
                # First: the framework's own count completes a turn in the log.
                counted = UsageMetricsData(
                    processor=self.name,
                    model=str(self._settings.model),
                    tokens=tokens.as_record(),
                    cost_so_far_usd=self.spending.cost_usd,
                )
                await self.push_frame(MetricsFrame(data=[counted]))
            await self._call_event_handler("on_counted")
        await super()._handle_msg_usage_metadata(message)
