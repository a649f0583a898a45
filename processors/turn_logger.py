"""Watches both directions of the pipeline and logs every turn, durable as soon as it is complete.

An observer and not a processor: no audio frame waits for it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    MetricsFrame,
    TranscriptionFrame,
    TTSTextFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import LLMTokenUsage, LLMUsageMetricsData
from pipecat.observers.base_observer import BaseObserver, FramePushed

from journal.journal_file import JournalFile
from journal.turns import Turn, TurnLog
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frames import ModelSawFrame, ModelToldFrame, PlayedFrame


class TurnLogger(BaseObserver):
    """Turns what flows through the pipeline into one JSON line for each turn.

    Each frame is looked at once, when it is first pushed. The user's side comes from the local
    VAD, the transcript that the model sends and what is typed or shown; the bot's side from the
    service's response frames, not from the aggregators' turn events, which fire twice.

    Args:
        session_id: Written into each line.
        file: Where the lines go.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, *, session_id: str, file: JournalFile, clock: Callable[[], float] = time.time
    ):
        super().__init__(observe_every_push=False)
        self._session_id = session_id
        self._file = file
        self._clock = clock
        self._turns = TurnLog()

    async def on_push_frame(self, data: FramePushed):
        """Tell the turn log what the frame means, and write what is complete."""
        try:
            self._write(self._turns_after(data.frame))
        except Exception:
            # Raised, it would end Pipecat's observer task, and with it the log of this session.
            logger.exception(f"{self}: {data.frame} is not in the turn log")

    def bot_was_heard(self, text: str):
        """Take what the user heard of the bot's turn, as the assistant aggregator has it."""
        self._write(self._turns.bot_was_heard(text, self._clock()))

    async def close(self):
        """Write what is still open and wait until all of it is on the disk."""
        self._write(self._turns.session_ended(self._clock()))
        await asyncio.to_thread(self._file.close)

    def _turns_after(self, frame: Frame) -> list[Turn]:
        now_s, turns = self._clock(), self._turns
        match frame:
            case VADUserStartedSpeakingFrame():
                return turns.user_started(frame.timestamp - frame.start_secs)
            case VADUserStoppedSpeakingFrame():
                return turns.user_stopped(frame.timestamp - frame.stop_secs)
            case TranscriptionFrame():
                return turns.user_said(frame.text, now_s)
            case ModelToldFrame():
                return turns.user_typed(frame.text, now_s)
            case ModelSawFrame(source="upload"):
                picture = {
                    "filename": frame.filename,
                    "width": frame.width,
                    "height": frame.height,
                }
                return turns.user_showed(picture, frame.caption or "", now_s)
            case ModelSawFrame():
                return turns.model_saw(frame.source, now_s)
            case PlayedFrame(frame=LLMFullResponseStartFrame()):
                return turns.bot_started(now_s)
            case BotStartedSpeakingFrame():
                return turns.bot_heard(now_s)
            case PlayedFrame(frame=TTSTextFrame() as said):
                return turns.bot_said(said.text, now_s)
            case MetricsFrame():
                return self._turns_after_metrics(frame, now_s)
            case PlayedFrame(frame=LLMFullResponseEndFrame()):
                return turns.bot_ended(now_s)
            case InterruptionFrame():
                return turns.interrupted(now_s)
            case _:
                return []

    def _turns_after_metrics(self, frame: MetricsFrame, now_s: float) -> list[Turn]:
        turns: list[Turn] = []
        for data in frame.data:
            match data:
                case LLMUsageMetricsData():
                    turns += self._turns.bot_counted(_tokens(data.value), now_s)
                case FrameMetricsData():
                    judged = (data.source, data.shown, data.left_out)
                    turns += self._turns.frames_judged(*judged, now_s)
        return turns

    def _write(self, turns: list[Turn]):
        for turn in turns:
            self._file.append({"session": self._session_id, **turn.as_record()})


def _tokens(usage: LLMTokenUsage) -> dict[str, Any]:
    return usage.model_dump(exclude_none=True)
