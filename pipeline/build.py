"""What a session is made of: the pipeline, in the order in which media flows through it."""

import asyncio
from dataclasses import dataclass

from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregator,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.services.google.gemini_live.llm import ContextWindowCompressionParams
from pipecat.transports.base_transport import BaseTransport
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.file_resolver import FileResolver
from pipecat.utils.file_storage import FileStorage

from pipeline.link import LinkState
from pipeline.live_news import LinkNews
from pipeline.live_service import LiveService
from pipeline.persona import Persona
from pipeline.settings import Settings
from pipeline.vad import SparingVADAnalyzer
from pipeline.warm_up import warm_up
from processors.announcer import Announcer
from processors.ear import Ear
from processors.frame_rate_limiter import FrameRateLimiter
from processors.image_injector import ImageInjector
from processors.keypad import Keypad
from processors.playout import Playout
from processors.sound_end import SoundEnd
from processors.text_bridge import TextBridge


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A pipeline with the parts that a session speaks to."""

    pipeline: Pipeline
    service: LiveService
    assistant: LLMAssistantAggregator
    announcer: Announcer


async def build(
    transport: BaseTransport,
    *,
    persona: Persona,
    settings: Settings,
    file_storage: FileStorage | None,
    tools: list | None = None,
) -> Conversation:
    """Chain a session's processors; the same chain for every way in.

    Args:
        transport: The way in.
        persona: Who answers.
        settings: Of this server.
        file_storage: Where uploads are.
        tools: Functions that the model may call, as Pipecat takes them.
    """
    # Done already where a server is; models take tens of milliseconds to load: not on the loop.
    await asyncio.to_thread(warm_up)
    vad = SparingVADAnalyzer()

    context = LLMContext(_opening(persona))
    aggregators = LLMContextAggregatorPair(context, user_params=_user_params())
    service = _service(persona, settings, tools)
    playout = Playout(output=transport.output())
    announcer = Announcer(language=settings.language)
    limiter = FrameRateLimiter(limits=persona.video, pressure=lambda: service.pressure)
    _show_again_over_new_links(service, limiter)

    pipeline = Pipeline(
        [
            transport.input(),
            Ear(vad_analyzer=vad, service=service, playout=playout),
            limiter,
            aggregators.user(),
            TextBridge(),
            Keypad(context=context),
            ImageInjector(context=context, files=FileResolver(file_storage=file_storage)),
            service,
            playout,
            announcer,
            transport.output(),
            SoundEnd(),
            aggregators.assistant(),
        ]
    )
    return Conversation(
        pipeline=pipeline,
        service=service,
        assistant=aggregators.assistant(),
        announcer=announcer,
    )


def _show_again_over_new_links(service: LiveService, limiter: FrameRateLimiter) -> None:
    """A new connection may be a new session, which has seen nothing."""

    @service.event_handler("on_link_changed")
    async def on_link_changed(service: LiveService, link: LinkNews):
        if link.state is LinkState.READY:
            limiter.look()


def _opening(persona: Persona) -> list:
    """What the context holds before anybody spoke.

    Never nothing: with an empty context and a system instruction Pipecat 1.14.0 has nobody begin,
    and says nothing of it.
    """
    text = persona.greeting or "Wait for the person to speak first."
    return [{"role": "developer", "content": text}]


def _user_params() -> LLMUserAggregatorParams:
    """Local turns are for the log, the page and latency; the model decides about interruptions.

    A local interruption would not be told to the model, whose answer would go on 25 ms later. The
    default strategies load a turn model that holds the user's audio for up to 860 ms.
    """
    return LLMUserAggregatorParams(
        user_turn_strategies=UserTurnStrategies(
            start=[VADUserTurnStartStrategy(enable_interruptions=False)],
            stop=[SpeechTimeoutUserTurnStopStrategy(wait_for_transcript=False)],
        ),
    )


def _service(persona: Persona, settings: Settings, tools: list | None) -> LiveService:
    """The model, with instruction and tools from the start; later they would cost a reconnect."""
    key = settings.google_api_key
    return LiveService(
        api_key=key.get_secret_value() if key else "",
        connect_timeout_s=settings.connect_timeout_s,
        system_instruction=persona.instruction,
        tools=tools,
        inference_on_context_initialization=persona.greeting is not None,
        settings=LiveService.Settings(
            model=f"models/{settings.model.removeprefix('models/')}",
            voice=persona.voice,
            language=settings.language,
            # Without it a call with video ends after two minutes, one without after fifteen.
            context_window_compression=ContextWindowCompressionParams(enabled=True),
        ),
    )
