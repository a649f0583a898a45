"""Observers that are told of a frame only if they would look at it.

Pipecat 1.14.0 puts each frame into a queue for each observer, twice for each processor that it
passes, and a task for each observer takes it out again. Most frames are 20 ms of sound, and nobody
here looks at those, or at frames that are processed.
"""

from pipecat.frames.frames import AudioRawFrame
from pipecat.observers.base_observer import BaseObserver, FrameProcessed, FramePushed
from pipecat.pipeline import worker
from pipecat.pipeline.worker_observer import WorkerObserver


class SparingObserver(WorkerObserver):
    """Passes on what is pushed, but no sound, and what is processed only to those who care."""

    async def on_push_frame(self, data: FramePushed):
        """Tell the observers of a frame that goes from one processor to the next."""
        if not isinstance(data.frame, AudioRawFrame):
            await super().on_push_frame(data)

    async def on_process_frame(self, data: FrameProcessed):
        """Tell those observers that have a method of their own for it."""
        for observer, proxy in (self._proxies or {}).items():
            if type(observer).on_process_frame is not BaseObserver.on_process_frame:
                await proxy.queue.put(data)


def use_sparing_observers() -> None:
    """Make Pipecat's workers observe with `SparingObserver`; doing it twice is harmless."""
    worker.WorkerObserver = SparingObserver  # pyright: ignore
