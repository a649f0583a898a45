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
from journal.turns import Turn, TurnLog, iso
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frames import ModelSawFrame, ModelToldFrame, PlayedFrame, SpeakersFrame
from pipeline.network_stats import NetworkStats
from pipeline.usage_metrics import UsageMetricsData


class TurnLogger(BaseObserver):
    """Turns what flows through the pipeline into one JSON line for each turn.

    Between them stand lines of what else became of the session, each with an `event` instead of a
    `side`: see `note`.

    Each frame is looked at once, when it is first pushed. The user's side comes from the local
    VAD, the transcript that the model sends and what is typed or shown; the bot's side from the
    service's response frames, not from the aggregators' turn events, which fire twice.

    Args:
        session_id: Written into each line.
        file: Where the lines go.
        clock: Seconds since the epoch.
        on_turn: Called with each turn that is complete.
    """

    def __init__(
        self,
        *,
        session_id: str,
        file: JournalFile,
        clock: Callable[[], float] = time.time,
        on_turn: Callable[[Turn], None] = lambda turn: None,
    ):
        super().__init__(observe_every_push=False)
        self._session_id = session_id
        self._file = file
        self._clock = clock
        self._on_turn = on_turn
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

    def line_is(self, stats: NetworkStats):
        """Take how the line between the page and the session is."""
        self._write(self._turns.line_is(stats.model_dump(), self._clock()))

    def note(self, event: str, **what: Any):
        """Write a line about the session as a whole.

        Args:
            event: `limit` (it was warned of one), `unpriced` (its budget can't be held to), `call`
                (who telephones), `dial-out` (what became of a call that the bot makes), `transfer`,
                `digits` (keys that the bot has pressed) or `end`.
            **what: What belongs to it, for JSON.
        """
        at = iso(self._clock())
        self._file.append({"session": self._session_id, "event": event, "at": at, **what})

    async def close(self, **end: Any):
        """Write what is still open, and the end; wait until all of it is on the disk.

        Args:
            **end: What is written of the end.
        """
        self._write(self._turns.session_ended(self._clock()))
        self.note("end", **end)
        await asyncio.to_thread(self._file.close)

    def _turns_after(self, frame: Frame) -> list[Turn]:
        now_s, turns = self._clock(), self._turns
        match frame:
            case VADUserStartedSpeakingFrame():
                return turns.user_started(frame.timestamp - frame.start_secs)
            case VADUserStoppedSpeakingFrame():
                return turns.user_stopped(frame.timestamp - frame.stop_secs)
            case SpeakersFrame():
                return turns.users_spoke(frame.speakers, now_s)
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
                case UsageMetricsData():
                    spent = (data.tokens, data.cost_so_far_usd)
                    turns += self._turns.bot_spent(*spent, now_s)
                case FrameMetricsData():
                    judged = (data.source, data.shown, data.left_out)
                    turns += self._turns.frames_judged(*judged, now_s)
        return turns

    def _write(self, turns: list[Turn]):
        for turn in turns:
            self._file.append({"session": self._session_id, **turn.as_record()})
            self._on_turn(turn)


def _tokens(usage: LLMTokenUsage) -> dict[str, Any]:
    return usage.model_dump(exclude_none=True)
