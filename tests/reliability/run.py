"""`make reliability`: breaks the line in every way, and keeps what came of it in a page.

The matrix runs in a process for each processor, several conversations at a time in each.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from loguru import logger

from pipeline.settings import ROOT
from tests.reliability import hour, losses
from tests.reliability.matrix import PERMANENT, Cell, Outcome, State, run_cell
from tests.reliability.page import page
from understudy.faults import FAULTS

AT_A_TIME = 6
SHARE = 42
"""How many cells a process takes at once."""
_PAGE = ROOT / "docs" / "reliability.md"
_EVERY = [(fault, state) for fault in FAULTS for state in State]


def _quiet() -> None:
    logger.remove()
    logging.disable(logging.CRITICAL)


async def _run_cells(which: Sequence[tuple[str, State]]) -> tuple[list[Cell], list[str]]:
    slots = asyncio.Semaphore(AT_A_TIME)

    async def cell(fault: str, state: State) -> Cell:
        async with slots:
            return await run_cell(fault, state)

    before = asyncio.all_tasks()
    cells = await asyncio.gather(*(cell(*each) for each in which))
    await asyncio.sleep(0.1)
    return list(cells), [repr(task) for task in asyncio.all_tasks() - before]


def _share(which: Sequence[tuple[str, State]]) -> tuple[list[Cell], list[str]]:
    return asyncio.run(_run_cells(which))


def run_matrix(which: Sequence[tuple[str, State]]) -> Iterator[tuple[list[Cell], list[str]]]:
    """Runs cells; yields them as they are done, with the tasks that they left."""
    shares = [which[start : start + SHARE] for start in range(0, len(which), SHARE)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_quiet) as pool:
        for done in as_completed([pool.submit(_share, share) for share in shares]):
            yield done.result()


def _matrix() -> tuple[dict[tuple[str, State], Cell], list[str]]:
    """All cells; one that failed is tried again by itself: the machine may have been busy."""
    cells: dict[tuple[str, State], Cell] = {}
    left: list[str] = []
    for again in (False, True):
        todo = [key for key in _EVERY if not again or cells[key].outcome is Outcome.FAILED]
        for done, tasks in run_matrix(todo):
            left += [f"a task is left: {task}" for task in tasks]
            cells |= {(cell.fault, cell.state): cell for cell in done}
            for cell in done:
                mark = " (again)" if again else ""
                print(f"{cell.fault:32} {cell.state:14} {cell.outcome:15} {cell.why}{mark}")
            sys.stdout.flush()
    return cells, left


def main() -> int:
    """Runs it.

    Returns:
        0; 1 when something was lost, left or silent, or the page lacks a fault.
    """
    parser = argparse.ArgumentParser(prog="make reliability", description=__doc__)
    parser.add_argument("--check", action="store_true", help="run the matrix; write nothing")
    is_check = parser.parse_args().check
    _quiet()
    cells, problems = _matrix()
    failed = [cell for cell in cells.values() if cell.outcome is Outcome.FAILED]
    problems += [f"{cell.fault}, {cell.state}: {cell.why}" for cell in failed]
    ended = {cell.fault for cell in cells.values() if cell.outcome is Outcome.ENDED}
    problems += [f"{name} ended a conversation, and passes" for name in sorted(ended - PERMANENT)]
    if is_check:
        known = _PAGE.read_text()
        problems += [f"{_PAGE.name} lacks {name}" for name in FAULTS if f"`{name}`" not in known]
    else:
        lost = asyncio.run(losses.measure())
        problems += [f"{loss.case}: {problem}" for loss in lost for problem in loss.problems]
        problems += [f"{loss.case}: {loss.lost_ms} ms are lost" for loss in lost if loss.lost_ms]
        _PAGE.write_text(page(list(cells.values()), lost, asyncio.run(hour.measure())))
        print(f"{_PAGE.relative_to(ROOT)} is written")
    for problem in problems:
        print(f"reliability: {problem}", file=sys.stderr)
    print(f"{len(cells)} cells, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
