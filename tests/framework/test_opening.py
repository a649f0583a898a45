"""How a conversation begins: what `build` has to give Pipecat's service, so that it does."""

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.google.gemini_live.llm import ContextWindowCompressionParams
from pipecat.turns.user_start import VADUserTurnStartStrategy

from pipeline.build import _opening, _service, _user_params
from pipeline.costs import ModelPrices
from pipeline.persona import Persona
from pipeline.settings import Settings
from tests.framework.minimal import line, pipecats

PERSONA = Persona(name="p", title="T", summary="S", greeting=None, instruction="Be brief.")
TOOL = FunctionSchema(name="look_up", description="Looks up.", properties={}, required=[])


async def test_an_empty_context_is_a_silent_start():
    async with line(pipecats, system_instruction="Be brief.") as talk:
        await talk.open("")
        assert not await talk.happens(lambda: talk.events("content") or talk.errors)
    assert _opening(PERSONA, None), "a context of ours is never empty"


async def test_without_a_context_no_sound_is_sent():
    async with line(pipecats) as talk:
        await talk.until(lambda: talk.events("setup"))
        await talk.send_sound(0.1)
        assert not await talk.happens(lambda: talk.events("audio"))


async def test_functions_in_the_context_cost_a_second_connection():
    async with line(pipecats) as talk:
        await talk.until(lambda: talk.events("setup"))
        context = LLMContext(
            [{"role": "developer", "content": "Greet the person."}],
            ToolsSchema(standard_tools=[TOOL]),
        )
        await talk.send(LLMContextFrame(context))
        await talk.until(lambda: len(talk.events("setup")) == 2)

    async with line(pipecats, greets=False, tools=[TOOL], system_instruction="Brief.") as talk:
        await talk.begin()
        assert len(talk.events("setup")) == 1


def test_the_local_detector_would_cut_answers_that_the_model_goes_on_with():
    strategies = _user_params().user_turn_strategies
    assert strategies and strategies.start
    assert VADUserTurnStartStrategy()._enable_interruptions
    assert not any(strategy._enable_interruptions for strategy in strategies.start)


async def test_the_context_window_is_not_compressed():
    async with line(pipecats) as talk:
        assert not talk.service._settings.context_window_compression
    settings = Settings.model_validate({"GOOGLE_API_KEY": "any"})
    compression = _service(
        PERSONA, settings, None, ModelPrices(), is_written=False, has_own_key=False
    )._settings.context_window_compression
    assert isinstance(compression, ContextWindowCompressionParams) and compression.enabled
