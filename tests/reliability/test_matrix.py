"""A few cells of the matrix, and that it sees what goes wrong; `make reliability` runs it all."""

import asyncio

import pytest

from pipeline.exchange import Exchange
from pipeline.live_service import LiveService
from tests.reliability.matrix import Outcome, State, run_cell


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("rst", Outcome.TOLD),
        ("resume-refused", Outcome.TOLD),
        ("quota", Outcome.ENDED),
    ],
)
async def test_in_every_state(fault, outcome):
    cells = await asyncio.gather(*(run_cell(fault, state) for state in State))
    assert [(cell.outcome, cell.why) for cell in cells] == [(outcome, "")] * len(State)


async def test_it_is_seen_when_a_question_is_lost(monkeypatch):
    monkeypatch.setattr(Exchange, "repeat", lambda self, **_: [])
    cell = await run_cell("rst", State.USER_SPEAKS)
    assert cell.outcome is Outcome.FAILED and "not heard" in cell.why


async def test_it_is_seen_when_a_function_runs_twice(monkeypatch):
    monkeypatch.setattr("pipeline.calls.Calls.called", lambda *_: None)
    cell = await run_cell("rst", State.TOOL_RUNS)
    assert cell.outcome is Outcome.FAILED and "ran 2 times" in cell.why


async def test_it_is_seen_when_the_user_is_not_told(monkeypatch):
    tell = LiveService._tell  # pyright: ignore

    async def only_the_first(self, news):
        if not getattr(self, "_has_told", False):
            await tell(self, news)
        self._has_told, self.link_news = True, news

    monkeypatch.setattr(LiveService, "_tell", only_the_first)
    cell = await run_cell("never-answer-setup", State.USER_SPEAKS)
    assert cell.outcome is Outcome.FAILED
