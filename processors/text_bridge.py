"""What is typed reaches the model.

Pipecat 1.14 puts typed text into the context only, which a live model's service never sends:
`RTVIProcessor` pushes `LLMMessagesAppendFrame`, the user aggregator consumes it, and
`GeminiLiveLLMService._handle_context` ignores the context frame that follows. The bot is
interrupted and then silent.
"""

from pipecat.frames.frames import Frame, InputTextRawFrame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame

from processors.passing import PassingProcessor


class TextBridge(PassingProcessor):
    """Turns a typed message into `InputTextRawFrame`, which the service sends to the model.

    Its place is between the user aggregator, which has put the message into the context, and the
    service.
    """

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Add the text that the model gets; pass everything on."""
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, RTVISendTextFrame) and frame.text.strip():
            text = InputTextRawFrame(text=frame.text)
            # It is a TextFrame: the assistant's aggregator would take it for the bot's words.
            text.append_to_context = False
            await self.push_frame(text)
