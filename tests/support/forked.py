"""Decodes a picture as a session does: in a process that was forked from one that is ready.

    python -m tests.support.forked

Prints each picture's width. It is a program of its own because multiprocessing keeps processes.
"""

import asyncio
import multiprocessing
import os

import uvloop

from pipeline.picture_process import clean_picture
from tests.support.pictures import noise


def decode() -> None:
    """Decode on the event loop that sessions have."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(clean_picture(noise("PNG"))).width, flush=True)


if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=decode)
    process.start()
    process.join()
    # Also where the parent has decoded one itself: it has threads that its child has not.
    decode()
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        decode()
        os._exit(0)
