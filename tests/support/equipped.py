"""A bot with something to do: it may search, and has a function.

`python -m tests.support.equipped` is the server's command with this bot in place of the real one.
"""

import asyncio
import sys

from pipecat.services.llm_service import FunctionCallParams

import runner

WEATHER_S = 1.5
"""How long it takes to learn: long enough to see that it runs."""


async def get_weather(params: FunctionCallParams, city: str):
    """Tells the weather.

    Args:
        params: Pipecat's.
        city: Where.
    """
    await asyncio.sleep(WEATHER_S)
    await params.result_callback({"degrees": 5})


async def bot(args) -> None:
    """Hold the conversation with more than any persona here has."""
    import bot as real
    from pipeline.build import build

    async def equipped(*parts, persona, **options):
        able = persona.model_copy(update={"search": True})
        return await build(*parts, persona=able, tools=[get_weather], **options)

    real.build = equipped
    await real.bot(args)


if __name__ == "__main__":
    sys.exit(runner.main(bot_path="tests.support.equipped:bot"))
