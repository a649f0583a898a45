"""What runs a session's pipeline: Pipecat's worker, as every session needs it."""

from collections.abc import Iterable

from pipecat.frames.frames import (
    BotSpeakingFrame,
    InputTextRawFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.frameworks.rtvi import RTVIFunctionCallReportLevel, RTVIObserverParams

from pipeline.frames import PictureTurnFrame
from pipeline.observing import use_sparing_observers
from pipeline.tracing import is_tracing_wanted
from pipeline.turn_tokens import TurnTokens

SIGNS_OF_LIFE = (
    BotSpeakingFrame,
    InputTextRawFrame,
    PictureTurnFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
)
"""Frames that keep a session from being ended for idleness."""


def session_worker(
    pipeline: Pipeline,
    *,
    name: str,
    idle_limit_s: float | None,
    observers: Iterable[BaseObserver],
) -> PipelineWorker:
    """Make the worker of a session.

    Args:
        pipeline: Of the session.
        name: Of the session, for traces.
        idle_limit_s: After so long without a sign of life it calls `on_idle_timeout`; None: never.
        observers: Who watches, beside those that tell the page and the trace.
    """
    use_sparing_observers()
    # A page is told which functions run; what they are called with, and return, may be private.
    told = RTVIObserverParams(function_call_report_level={"*": RTVIFunctionCallReportLevel.NAME})
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=list(observers),
        processor_unusable_policy=ProcessorUnusablePolicy.END,
        idle_timeout_secs=idle_limit_s,
        idle_timeout_frames=SIGNS_OF_LIFE,
        cancel_on_idle_timeout=False,
        enable_tracing=is_tracing_wanted(),
        conversation_id=name,
        rtvi_observer_params=told,
    )
    if worker.turn_trace_observer:
        worker.add_observer(TurnTokens(worker.turn_trace_observer))
    return worker
