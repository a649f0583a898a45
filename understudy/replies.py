"""What becomes of a question: which functions it calls, or what is said to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from understudy import answers
from understudy.answers import Answer
from understudy.knowledge import Knowledge
from understudy.memory import Gathered
from understudy.output import Ask
from understudy.scenario import Scenario
from understudy.tools import Call, Function, requested


def calls_for(ask: Ask, gathered: Gathered, functions: Sequence[Function]) -> tuple[Call, ...]:
    """Returns the calls that a question, or the last text of a conversation's history, asks for."""
    if ask.is_greeting and gathered.texts:
        return requested(gathered.texts[-1], functions)
    return requested(ask.text or "", functions)


def reply(ask: Ask, gathered: Gathered, knowledge: Knowledge, scenario: Scenario) -> Answer:
    """Returns what is said to a question, and keeps what it asks to be remembered.

    Args:
        ask: The question.
        gathered: What came in before it.
        knowledge: What the session knows.
        scenario: What to say instead.
    """
    truth = _truth(ask, gathered, knowledge)
    functions = [result.name for result in ask.results]
    text = truth.text if functions else ask.text or " ".join(gathered.texts)
    say = scenario.answer(knowledge.memory.turns + 1, text, functions=functions)
    return truth if say is None else Answer(say, "scenario")


def _truth(ask: Ask, gathered: Gathered, knowledge: Knowledge) -> Answer:
    if ask.results:
        return answers.returned(ask.results)
    if ask.heard is not None:
        return answers.spoken(ask.heard, gathered)
    if ask.is_greeting:
        return answers.greeting(gathered)
    answer = answers.written(ask.text or "", gathered, knowledge.memory)
    if answer.why == "remember":
        knowledge.keep(answers.to_keep(ask.text or ""))
    return answer
