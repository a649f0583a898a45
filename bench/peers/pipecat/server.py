"""Pipecat 1.14 as its published Gemini Live video example uses it, with the runner it comes with.

With BENCH_VAD it has the local VAD besides that the example shows in a comment.
"""

import asyncio
import os
import sys
from pathlib import Path

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.run import main
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport, maybe_capture_participant_camera
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

sys.path.append(str(Path(__file__).parents[1]))
from loopback import use_loopback_only

TRANSPORTS = {
    "webrtc": lambda: TransportParams(
        audio_in_enabled=True, audio_out_enabled=True, video_in_enabled=True
    ),
}


async def bot(args: RunnerArguments) -> None:
    """Holds a conversation."""
    transport = await create_transport(args, TRANSPORTS)
    service = GeminiLiveLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        settings=GeminiLiveLLMService.Settings(voice="Aoede"),
    )
    context = LLMContext([{"role": "developer", "content": "Say hello."}])
    vad = SileroVADAnalyzer() if os.environ.get("BENCH_VAD") else None
    aggregators = LLMContextAggregatorPair(
        context,
        realtime_service_mode=True,
        user_params=LLMUserAggregatorParams(vad_analyzer=vad),
    )
    worker = PipelineWorker(
        Pipeline(
            [
                transport.input(),
                aggregators.user(),
                service,
                transport.output(),
                aggregators.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        idle_timeout_secs=args.pipeline_idle_timeout_secs,
    )

    @transport.event_handler("on_client_connected")
    async def on_client_connected(transport, client):
        await maybe_capture_participant_camera(transport, client, framerate=1)
        await worker.queue_frames([LLMRunFrame()])
        await asyncio.sleep(3)
        service.set_audio_input_paused(False)
        service.set_video_input_paused(False)

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport, client):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=args.handle_sigint)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    use_loopback_only()
    main()
