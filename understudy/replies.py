"""What becomes of a question: which functions it calls, or what is said to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from understudy import answers, searching
from understudy.answers import Answer
from understudy.knowledge import Knowledge
from understudy.memory import Gathered
from understudy.output import Ask
from understudy.scenario import Scenario
from understudy.tools import Call, Function, requested


def calls_for(
    ask: Ask, gathered: Gathered, functions: Sequence[Function], *, turn: int, scenario: Scenario
) -> tuple[Call, ...]:
    """Returns the calls that a question, or the last text of a conversation's history, asks for.

    Args:
        ask: The question.
        gathered: What came in before it.
        functions: What is declared.
        turn: Which answer of the conversation it is, from 1.
        scenario: What to call instead.
    """
    text = gathered.texts[-1] if ask.is_greeting and gathered.texts else ask.text or ""
    is_new = not ask.results and ask.then is None
    return requested((scenario.call(turn, text) if is_new else None) or text, functions)


def reply(
    ask: Ask,
    gathered: Gathered,
    knowledge: Knowledge,
    scenario: Scenario,
    *,
    can_search: bool = False,
) -> Answer:
    """Returns what is said to a question, and keeps what it asks to be remembered.

    Args:
        ask: The question.
        gathered: What came in before it.
        knowledge: What the session knows.
        scenario: What to say instead.
        can_search: Whether there is a search to be asked for.
    """
    truth = _truth(ask, gathered, knowledge, can_search=can_search)
    functions = [result.name for result in ask.results]
    text = truth.text if functions else ask.text or " ".join(gathered.texts)
    say = scenario.answer(knowledge.memory.turns + 1, text, functions=functions)
    return truth if say is None else Answer(say, "scenario")


def _truth(ask: Ask, gathered: Gathered, knowledge: Knowledge, *, can_search: bool) -> Answer:
    if ask.results:
        return answers.returned(ask.results)
    if ask.heard is not None:
        return answers.spoken(ask.heard, gathered)
    if ask.is_greeting:
        return answers.greeting(gathered)
    if can_search and (query := searching.wanted(ask.text or "")):
        return searching.found(query)
    answer = answers.written(ask.text or "", gathered, knowledge.memory)
    if answer.why == "remember":
        knowledge.keep(answers.to_keep(ask.text or ""))
    return answer
