"""Runs the matrix and keeps what came of it in `docs/reliability.md`."""

import asyncio
from collections import Counter

import pytest

from pipeline.exchange import Exchange
from pipeline.live_service import LiveService
from pipeline.settings import ROOT
from tests.reliability.matrix import Cell, Outcome, State, run_cell
from tests.reliability.page import page
from understudy.faults import FAULTS

AT_A_TIME = 6
PERMANENT = {
    *("access-denied", "api-disabled", "credits", "key-expired", "key-not-found"),
    *("key-not-valid", "quota", "refuse-403", "refuse-429", "search-quota", "unregistered-caller"),
}
"""Faults that no new connection can mend: they end the conversation, in words."""


@pytest.mark.timeout(1200)
async def test_every_fault_in_every_state_is_survived_or_ends_in_words():
    slots = asyncio.Semaphore(AT_A_TIME)

    async def cell(fault: str, state: State) -> Cell:
        async with slots:
            return await run_cell(fault, state)

    before = asyncio.all_tasks()
    cells = await asyncio.gather(*(cell(fault, state) for fault in FAULTS for state in State))
    await asyncio.sleep(0.1)
    text = page(cells)
    print(text)
    await asyncio.to_thread((ROOT / "docs" / "reliability.md").write_text, text)

    assert [cell for cell in cells if cell.outcome is Outcome.FAILED] == []
    ended = {cell.fault for cell in cells if cell.outcome is Outcome.ENDED}
    assert ended <= PERMANENT, "a passing fault ended a conversation"
    assert Counter(cell.state for cell in cells) == dict.fromkeys(State, len(FAULTS))
    assert asyncio.all_tasks() - before == set(), "tasks are left"


async def test_it_is_seen_when_a_question_is_lost(monkeypatch):
    monkeypatch.setattr(Exchange, "repeat", lambda self, **_: [])
    cell = await run_cell("rst", State.USER_SPEAKS)
    assert cell.outcome is Outcome.FAILED


async def test_it_is_seen_when_a_function_runs_twice(monkeypatch):
    monkeypatch.setattr("pipeline.calls.Calls.called", lambda *_: None)
    cell = await run_cell("rst", State.TOOL_RUNS)
    assert cell.outcome is Outcome.FAILED and "ran 2 times" in cell.why


async def test_it_is_seen_when_the_user_is_not_told(monkeypatch):
    async def say_nothing(self, news):
        self.link_news = news

    tell = LiveService._tell  # pyright: ignore
    monkeypatch.setattr(LiveService, "_tell", _only_the_first(tell, say_nothing))
    cell = await run_cell("never-answer-setup", State.USER_SPEAKS)
    assert cell.outcome is Outcome.FAILED and "without a word" in cell.why


def _only_the_first(tell, otherwise):
    async def told(self, news):
        first = not getattr(self, "_has_told", False)
        self._has_told = True
        await (tell if first else otherwise)(self, news)

    return told
