"""A frame processor that works on something beside the frames that pass through it."""

import asyncio
from abc import abstractmethod

from pipecat.processors.frame_processor import FrameProcessorSetup

from processors.passing import PassingProcessor


class WorkingProcessor(PassingProcessor):
    """Does `work` over and over in a task of its own, so that no audio frame waits for it.

    Work that fails is reported as an error of the pipeline, and the next is done.
    """

    def __init__(self):
        super().__init__()
        self._task: asyncio.Task | None = None

    @abstractmethod
    async def work(self) -> None:
        """Wait for something to do, and do it."""

    async def setup(self, setup: FrameProcessorSetup):
        """Start to work."""
        await super().setup(setup)
        self._task = self.create_task(self._keep_working())

    async def cleanup(self):
        """Stop working."""
        await super().cleanup()
        if self._task:
            await self.cancel_task(self._task)
            self._task = None

    async def _keep_working(self):
        while True:
            try:
                await self.work()
            except Exception as error:
                await self.push_error(f"{self}: {error}", exception=error)
