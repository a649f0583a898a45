"""`make reliability`: runs the whole matrix and keeps what came of it in `docs/reliability.md`."""

import asyncio
import logging
import sys

from loguru import logger

from pipeline.settings import ROOT
from tests.reliability.matrix import PERMANENT, Cell, Outcome, State, run_cell
from tests.reliability.page import page
from understudy.faults import FAULTS

AT_A_TIME = 6


async def run_matrix() -> tuple[list[Cell], set[asyncio.Task]]:
    """Runs every cell and returns them, with the tasks that were left."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def cell(fault: str, state: State) -> Cell:
        async with slots:
            done = await run_cell(fault, state)
            print(f"{done.fault:32} {done.state:14} {done.outcome:15} {done.why}", flush=True)
            return done

    before = asyncio.all_tasks()
    cells = await asyncio.gather(*(cell(fault, state) for fault in FAULTS for state in State))
    await asyncio.sleep(0.1)
    return list(cells), asyncio.all_tasks() - before


def main() -> int:
    """Runs it.

    Returns:
        0; 1 when something was lost, left or silent.
    """
    logger.remove()
    logging.disable(logging.CRITICAL)
    cells, left = asyncio.run(run_matrix())
    text = page(cells)
    (ROOT / "docs" / "reliability.md").write_text(text)
    print(text)
    problems = [f"{c.fault}, {c.state}: {c.why}" for c in cells if c.outcome is Outcome.FAILED]
    ended = {cell.fault for cell in cells if cell.outcome is Outcome.ENDED}
    problems += [f"{name} ended a conversation, and passes" for name in sorted(ended - PERMANENT)]
    problems += [f"a task is left: {task!r}" for task in left]
    for problem in problems:
        print(f"reliability: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
