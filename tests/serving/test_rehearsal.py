"""What is rehearsed before processes are forked leaves nothing that a fork could stumble over."""

import asyncio
import os
import threading

from serving.supervisor.rehearsal import rehearse


def test_a_rehearsal_leaves_no_thread_and_no_open_file():
    before = set(os.listdir("/proc/self/fd")), threading.enumerate()
    asyncio.run(rehearse())
    assert (set(os.listdir("/proc/self/fd")), threading.enumerate()) == before
