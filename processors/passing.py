"""A frame processor that holds nothing up."""

from pipecat.processors.frame_processor import FrameProcessor


class PassingProcessor(FrameProcessor):
    """Handles frames in the task of whoever pushes them.

    By default each frame waits in a processor's queue for a task of its own (Pipecat 1.14.0), 0.1 ms
    of a core each time. What such a processor does must not take long; work that does belongs into
    a task, see `WorkingProcessor`.
    """

    def __init__(self):
        super().__init__(enable_direct_mode=True)
