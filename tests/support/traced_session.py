"""A session in a process of its own, forked from one that has loaded everything, as servers do it.

Called with a folder for its turn log and a question to be asked aloud, or with nothing to be asked.
It says at the end, as JSON, how long it took to stop, which modules of OpenTelemetry are loaded,
and which threads of theirs there are.
"""

import asyncio
import json
import multiprocessing
import sys
import threading
import time
from pathlib import Path

from pipeline.settings import load_settings
from serving.logs import log_as, log_to_stderr

log_to_stderr(load_settings(env_file=None))

import bot
from pipeline.tracing import tracing
from tests.support.conversation import talk
from tests.support.speech import speech


def hold(folder: Path, questions: list[str]):
    """What the forked process does."""
    log_as("talk")
    asyncio.run(_hold(folder, questions))


async def _hold(folder: Path, questions: list[str]):
    settings = bot.load_settings(env_file=None)
    assert settings.google_api_key is not None
    key = settings.google_api_key.get_secret_value()
    async with tracing(with_words=settings.trace_words):
        async with talk(folder, greeting=None, key=key) as conversation:
            await conversation.until(lambda: conversation.states[-1:] == ["ready"])
            for question in questions:
                conversation.say(speech(question))
                await conversation.until(
                    lambda: any(turn["side"] == "bot" for turn in conversation.turns)
                )
        begun_s = time.monotonic()
    stopped_s = time.monotonic() - begun_s
    loaded = sorted(name for name in sys.modules if name.startswith("opentelemetry"))
    threads = [thread.name for thread in threading.enumerate() if "Otel" in thread.name]
    print(json.dumps({"stopped_s": stopped_s, "loaded": loaded, "threads": threads}))


def main():
    """What the first process does."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.support.traced_session"])
    process = forking.Process(target=hold, args=(Path(sys.argv[1]), sys.argv[2:]))
    process.start()
    process.join()
    sys.exit(process.exitcode)
