"""A session's process, as the server sees it."""

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from serving.supervisor import channel
from serving.supervisor.entry import enter
from serving.supervisor.watch import Bounds, Watch

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["serving.supervisor.preload"])
_STARTING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forks")
"""Starting a process waits for the fork, and multiprocessing does it for one thread at a time."""

MAX_REPORT_BYTES = 64 * 1024


class ProcessFailed(Exception):
    """A session's process did not come up."""


class SessionProcess:
    """One process, from its fork to its end.

    Parameters:
        pid: The process.
        path: The socket at which it is asked; it moves with `rename`.
        watch: How it is.
        ended: Done when the process is gone, with its exit status; negative: a signal's number.
        stacks: Where its threads were, if it crashed or was stuck; known once it has ended.
        ended_itself: Whether it said that its call is over.
    """

    def __init__(self, process: Any, reports: int, path: Path, bounds: Bounds, now_s: float):
        loop = asyncio.get_running_loop()
        self._process = process
        self._reports = reports
        self._line = b""
        self.pid: int = process.pid
        self.path = path
        self.watch = Watch(bounds, now_s=now_s)
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self.ended_itself = False
        self.stacks = ""
        self.on_report: Callable[[dict[str, Any]], None] = lambda report: None
        os.set_blocking(reports, False)
        loop.add_reader(reports, self._read)
        loop.add_reader(process.sentinel, self._gone)

    @classmethod
    async def start(cls, path: Path, *, bounds: Bounds, bot_path: str) -> "SessionProcess":
        """Fork one that waits for its call.

        Args:
            path: Where its socket shall be.
            bounds: What it may use.
            bot_path: The bot as `module:function`.

        Raises:
            ProcessFailed: When it can't be started.
        """
        loop = asyncio.get_running_loop()

        def fork() -> tuple[Any, int]:
            ours, theirs = _FORKS.Pipe(duplex=False)
            with theirs:
                process = _FORKS.Process(
                    target=enter,
                    args=(theirs, str(path), str(path.with_suffix(".stacks")), bounds, bot_path),
                    daemon=True,
                )
                process.start()
            reports = os.dup(ours.fileno())
            ours.close()
            return process, reports

        forking = loop.run_in_executor(_STARTING, fork)
        try:
            process, reports = await asyncio.shield(forking)
        except asyncio.CancelledError:
            unwanted = cls(*await forking, path, bounds, loop.time())
            unwanted.kill()
            await unwanted.ended
            raise
        except (OSError, EOFError) as error:
            raise ProcessFailed(f"A session's process can't be started: {error}.") from None
        return cls(process, reports, path, bounds, loop.time())

    def rename(self, path: Path) -> None:
        """Give its socket, and the file of its stacks, another name."""
        for suffix in (".sock", ".stacks"):
            self.path.with_suffix(suffix).rename(path.with_suffix(suffix))
        self.path = path

    async def ask(self, question: dict[str, Any], *, fd: int | None = None) -> dict[str, Any]:
        """Ask it.

        Raises:
            NobodyAnswers: When it does not answer, or is gone before it does.
        """
        asking = asyncio.ensure_future(channel.ask(self.path, question, fd=fd))
        await asyncio.wait({asking, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
            raise channel.NobodyAnswers(f"{self.path.stem}: its process has ended")
        return asking.result()

    def measure(self) -> None:
        """Take its memory."""
        with contextlib.suppress(psutil.Error):
            memory = psutil.Process(self.pid).memory_info()
            self.watch.measured(memory.rss - getattr(memory, "shared", 0))

    def cpu_s(self) -> float:
        """The processor time that it has used, in seconds."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return times.user + times.system

    def kill(self) -> None:
        """End it at once; a stopped process too."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def read_stacks(self) -> str:
        """Where its threads were when it was stuck or crashed; empty when it never was."""
        with contextlib.suppress(OSError):
            text = self.path.with_suffix(".stacks").read_text(errors="replace")
            # The thread of the event loop comes last, and is what one wants to see.
            return "\n\n".join(reversed(text[-MAX_REPORT_BYTES:].split("\n\n")))
        return ""

    def _read(self) -> None:
        try:
            data = os.read(self._reports, MAX_REPORT_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._stop_reading()
        *lines, self._line = (self._line + data).split(b"\n")
        self._line = self._line[-MAX_REPORT_BYTES:]
        for line in lines:
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))

    def _take(self, report: Any) -> None:
        if not isinstance(report, dict):
            return
        self.watch.beat(now_s=asyncio.get_running_loop().time())
        if not self.ready.done():
            self.ready.set_result(None)
        self.ended_itself |= report.get("ended") is True
        self.on_report(report)

    def _stop_reading(self) -> None:
        if self._reports >= 0:
            asyncio.get_running_loop().remove_reader(self._reports)
            os.close(self._reports)
            self._reports = -1

    def _gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        if self._reports >= 0:
            self._read()
            self._stop_reading()
        self._process.join(0)
        code = self._process.exitcode
        self._process.close()
        if code == 255:
            self.kill()  # it was the forkserver that died
        self.stacks = self.read_stacks()
        if not self.ready.done():
            self.ready.set_exception(ProcessFailed("A session's process ended before its call."))
            self.ready.exception()  # told by `ended` to whoever does not wait for it
        self.ended.set_result(code if code is not None else 255)
        # After those who wait for that, so that at any time there is a socket or an ending.
        self.ended.add_done_callback(self._delete_files)

    def _delete_files(self, ended: object) -> None:
        for suffix in (".sock", ".stacks"):
            self.path.with_suffix(suffix).unlink(missing_ok=True)
