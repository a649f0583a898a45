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
from pipecat.services.google.gemini_live.llm import ContextWindowCompressionParams, GeminiModalities
from pipecat.transports.base_transport import BaseTransport
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.file_resolver import FileResolver
from pipecat.utils.file_storage import FileStorage

from pipeline.choices import Answers
from pipeline.costs import ModelPrices
from pipeline.link import LinkState
from pipeline.live_news import LinkNews
from pipeline.live_service import LiveService
from pipeline.model_offers import can_write
from pipeline.persona import Persona
from pipeline.prices import load_prices
from pipeline.rooms.room import Room
from pipeline.search import tools_of
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
from processors.written import Written


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A pipeline with the parts that a session speaks to."""

    pipeline: Pipeline
    service: LiveService
    assistant: LLMAssistantAggregator
    announcer: Announcer
    answers: Answers
    playout: Playout | None
    context: LLMContext
    room: Room | None = None


async def build(
    transport: BaseTransport,
    *,
    persona: Persona,
    settings: Settings,
    file_storage: FileStorage | None,
    tools: list | None = None,
    answers: Answers = Answers.VOICE,
    has_own_key: bool = False,
    about: str | None = None,
    room: Room | None = None,
) -> Conversation:
    """Chain a session's processors; the same chain for every way in.

    Args:
        transport: The way in.
        persona: Who answers.
        settings: Of this server.
        file_storage: Where uploads are.
        tools: Functions that the model may call, as Pipecat takes them.
        answers: Whether the bot is heard, or read.
        has_own_key: Whether the key to the model, in the settings, is the caller's own.
        about: What the model is told of the call before it begins.
        room: Where there may be several people.
    """
    # Done already where a server is; models take tens of milliseconds to load: not on the loop.
    await asyncio.to_thread(warm_up)
    vad = SparingVADAnalyzer()

    context = LLMContext(_opening(persona, about))
    aggregators = LLMContextAggregatorPair(context, user_params=_user_params())
    prices = await asyncio.to_thread(load_prices, settings.model, override=settings.prices_file)
    is_written = answers is Answers.TEXT
    service = _service(persona, settings, tools, prices, is_written, has_own_key)
    output = transport.output()
    playout = Written(output=output) if is_written else Playout(output=output)
    announcer = Announcer(language=settings.language, is_silent=is_written)
    limiter = FrameRateLimiter(limits=persona.video, pressure=lambda: service.pressure)
    _show_again_over_new_links(service, limiter)

    pipeline = Pipeline(
        [
            transport.input(),
            *([room.media] if room else []),
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
        answers=answers,
        playout=None if isinstance(playout, Written) else playout,
        context=context,
        room=room,
    )


def _show_again_over_new_links(service: LiveService, limiter: FrameRateLimiter) -> None:
    """A new connection may be a new session, which has seen nothing."""

    @service.event_handler("on_link_changed")
    async def on_link_changed(service: LiveService, link: LinkNews):
        if link.state is LinkState.READY:
            limiter.look()


def _opening(persona: Persona, about: str | None) -> list:
    """What the context holds before anybody spoke.

    Never nothing: with an empty context and a system instruction Pipecat 1.14.0 has nobody begin,
    and says nothing of it.
    """
    text = persona.greeting or "Wait for the person to speak first."
    return [{"role": "developer", "content": f"{about}\n\n{text}" if about else text}]


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


def _service(
    persona: Persona,
    settings: Settings,
    tools: list | None,
    prices: ModelPrices,
    is_written: bool,
    has_own_key: bool,
) -> LiveService:
    """The model, with instruction and tools from the start; later they would cost a reconnect."""
    key = settings.google_api_key
    writes = is_written and can_write(settings.model)
    return LiveService(
        api_key=key.get_secret_value() if key else "",
        connect_timeout_s=settings.connect_timeout_s,
        prices=prices,
        is_written=is_written,
        has_own_key=has_own_key,
        system_instruction=persona.instruction,
        tools=tools_of(tools, can_search=persona.search),
        inference_on_context_initialization=persona.greeting is not None,
        settings=LiveService.Settings(
            model=f"models/{settings.model.removeprefix('models/')}",
            voice=persona.voice,
            language=settings.language,
            modalities=GeminiModalities.TEXT if writes else GeminiModalities.AUDIO,
            # Without it a call with video ends after two minutes, one without after fifteen.
            context_window_compression=ContextWindowCompressionParams(enabled=True),
        ),
    )
