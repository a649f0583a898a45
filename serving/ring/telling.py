"""What becomes of a call, and what is said in it, written as it comes."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from pipeline.settings import load_settings
from understudy.daily.phone import PhoneCall


@contextlib.asynccontextmanager
async def told(call: PhoneCall, began_s: float) -> AsyncIterator[None]:
    """Writes what becomes of the call, and what is said in it."""
    tasks = [asyncio.create_task(_tell_states(call, began_s)), asyncio.create_task(_tell_turns())]
    try:
        yield
    finally:
        await asyncio.sleep(0.3)  # the last turn is on its way to the log
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell_states(call: PhoneCall, began_s: float) -> None:
    told = ""

    def is_news() -> bool:
        return call.state != told

    while True:
        await call.until(is_news, within_s=86_400)
        told = call.state
        where = f" to {call.transferred_to}" if told == "transferred" else ""
        print(f"  {time.monotonic() - began_s:6.1f} s  {told}{where}", flush=True)


async def _tell_turns() -> None:
    """Writes the turns of the call from its log, which is on this machine."""
    folder, begun_s, told = load_settings().turn_log_dir, time.time() - 1, 0
    while True:
        await asyncio.sleep(0.2)
        for path in _since(folder, begun_s)[-1:]:
            turns = [line for line in _lines(path) if "side" in line and line["text"]]
            for turn in turns[told:]:
                side = "bot" if turn["side"] == "bot" else "you"
                print(f"  {side}: {turn['text']}", flush=True)
            told = len(turns)


def _since(folder: Path, begun_s: float) -> list[Path]:
    found = [(path.stat().st_mtime, path) for path in folder.glob("*.jsonl")]
    return [path for changed_s, path in sorted(found) if changed_s >= begun_s]


def _lines(path: Path) -> list[dict]:
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]
