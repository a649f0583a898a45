"""Workers: threads for what would hold up the event loop."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from understudy.effects import Failed, Job, Look, Result, Speak, Voice

_P = ParamSpec("_P")
_T = TypeVar("_T")
_logger = logging.getLogger(__name__)

_LOOKING_THREADS = 2


class Workers:
    """Does the work that sessions ask for.

    Speech has one thread, since espeak-ng does one thing at a time; pictures and long messages
    share two. Threads suffice: espeak-ng, Pillow and soxr release the interpreter lock.
    """

    def __init__(self) -> None:
        self._speaking = ThreadPoolExecutor(1, thread_name_prefix="understudy-speak")
        self._looking = ThreadPoolExecutor(_LOOKING_THREADS, thread_name_prefix="understudy-look")

    async def run(self, job: Job) -> Result:
        """Does a job and returns its result; a failure is a result too, and is logged."""
        executor = self._speaking if isinstance(job, Speak) else self._looking
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, _do, job)
        except Exception as error:  # whatever a worker raises is this session's failure only
            _logger.exception("%s failed", type(job).__name__)
            return Failed(f"{type(error).__name__}: {error}")

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Calls a function in a looking thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._looking, lambda: function(*args, **kwargs))

    async def warm_up(self) -> None:
        """Loads what sessions need, in a thread, while the server listens already.

        Numpy, soxr and the speech detector take 0.4 s, Pillow and the voice 0.2 s. Each is a step
        of its own, so that a server told to stop meanwhile stops soon.
        """
        for module in _HEAVY:
            await self.call(importlib.import_module, module)
        await self.run(Speak("Hello.", Voice()))

    def close(self) -> None:
        """Lets the threads end; work not yet begun is dropped."""
        self._speaking.shutdown(wait=False, cancel_futures=True)
        self._looking.shutdown(wait=False, cancel_futures=True)


_HEAVY = ("numpy", "soxr", "understudy.session", "PIL.Image", "understudy.seeing")


def _do(job: Job) -> Result:
    # Imported here because Pillow and espeak-ng are heavy: see Workers.warm_up.
    if isinstance(job, Look):
        from understudy.seeing import look

        return look(job.data)
    from understudy.espeak import speak
    from understudy.speaking import espeak_voice

    voice = espeak_voice(job.voice)
    return speak(job.text, voices=voice.names, pitch=voice.pitch)
