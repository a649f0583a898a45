"""What is pressed on a telephone's keypad reaches the model.

Pipecat 1.14's `DTMFAggregator` makes a transcript of it, which a live model's service does not send:
it takes transcripts for what the model has heard itself.
"""

from pipecat.frames.frames import InputDTMFFrame, InputTextRawFrame
from pipecat.processors.aggregators.dtmf_aggregator import DTMFAggregator
from pipecat.processors.aggregators.llm_context import LLMContext

from processors.passing import PassingProcessor

MAX_KEYS = 32
"""How many keys are told at a time; more than any number or card has."""


class Keypad(PassingProcessor, DTMFAggregator):
    """Tells the model which keys were pressed, as if it were typed.

    Its place is between the user aggregator and the service. Keys are gathered until `#`, for 2 s
    after the last or up to `MAX_KEYS`. The first interrupts the bot, as typing does.

    Args:
        context: Gets one user message for each group of keys.
    """

    def __init__(self, *, context: LLMContext):
        super().__init__()
        self._context = context

    async def _handle_dtmf_frame(self, frame: InputDTMFFrame):
        await super()._handle_dtmf_frame(frame)
        if len(self._aggregation) >= MAX_KEYS:
            await self._flush_aggregation()

    async def _flush_aggregation(self):
        keys, self._aggregation = self._aggregation, ""
        if keys:
            text = InputTextRawFrame(text=f"(The caller pressed: {' '.join(keys)})")
            # It is a TextFrame: the assistant's aggregator would take it for the bot's words.
            text.append_to_context = False
            self._context.add_message({"role": "user", "content": text.text})
            await self.push_frame(text)
