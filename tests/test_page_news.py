"""What a page is told in a whole session: what it takes, which functions run, what is cited."""

import pytest
from loguru import logger
from pipecat.services.llm_service import FunctionCallParams

from pipeline.network_stats import NetworkStats
from pipeline.page_news import USAGE_EVERY_S
from tests.support.conversation import Talk, talk

LINE = {"rtt_ms": 45, "loss": 0.01, "jitter_ms": None, "available_bps": 900_000, "path": "udp"}


async def get_weather(params: FunctionCallParams, city: str):
    """Tells the weather.

    Args:
        params: Pipecat's.
        city: Where.
    """
    await params.result_callback({"degrees": 5})


def told(conversation: Talk, *kinds: str) -> list[tuple[str, dict]]:
    """The RTVI messages of some kinds, in order, with their data."""
    messages = (message for _, message in conversation.transport.told)
    return [(m["type"], m.get("data") or {}) for m in messages if m.get("type") in kinds]


async def ready(conversation: Talk) -> None:
    await conversation.until(lambda: conversation.states[-1:] == ["ready"])


# --- what it takes -----------------------------------------------------------------------------------


async def test_what_the_session_takes_is_told_at_the_start_and_as_it_changes(tmp_path):
    limits = {"time_limit_s": 600.0}
    async with talk(tmp_path, greeting=None, limits=limits) as conversation:
        await conversation.until(lambda: conversation.notices("usage"))
        for text in ("One.", "Two.", "Three."):
            await conversation.type(text)
            await conversation.until(lambda: len(conversation.notices("usage")) > 1)
        used = conversation.session.usage
        total = sum(used.tokens.values())
        await conversation.until(lambda: conversation.notices("usage")[-1][1]["tokens"] >= total)
        notices = conversation.notices("usage")

    (began_s, first), *later = notices
    assert (first["tokens"], first["cost_usd"]) == (0, 0)
    assert first["elapsed_s"] < 1 and first["left_s"] == pytest.approx(600, abs=1)
    times_s = [began_s, *(at_s for at_s, _ in later)]
    gaps_s = [after - before for before, after in zip(times_s, times_s[1:], strict=False)]
    assert min(gaps_s) > USAGE_EVERY_S - 0.05
    assert 0 < len(later) <= 3
    for at_s, told in later:
        assert told["elapsed_s"] == pytest.approx(first["elapsed_s"] + at_s - began_s, abs=0.3)
        assert told["left_s"] + told["elapsed_s"] == pytest.approx(600, abs=0.2)
        assert told["tokens"] > 0 and told["cost_usd"] > 0


async def test_a_price_that_nobody_knows_and_no_limit_are_null(tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text("dated: 2026-01-01\nmodels: {gemini-3.8-live: {text_in: null}}\n")
    async with talk(tmp_path, prices=prices) as conversation:
        await conversation.until(
            lambda: any(told["tokens"] for _, told in conversation.notices("usage"))
        )
        last = conversation.notices("usage")[-1][1]
    assert last["cost_usd"] is None and last["left_s"] is None


async def test_who_has_no_page_is_told_nothing(tmp_path):
    async with talk(tmp_path, has_page=False) as conversation:
        await conversation.until(lambda: conversation.turns, within_s=15)
        assert not conversation.notices("usage")


# --- tools and citations -----------------------------------------------------------------------------


async def test_functions_are_told_by_name_once_each_without_what_they_take_and_return(tmp_path):
    async with talk(tmp_path, greeting=None, tools=[get_weather]) as conversation:
        await ready(conversation)
        await conversation.type("get_weather for Oslo")
        await conversation.until(
            lambda: told(conversation, "llm-function-call-stopped"), within_s=15
        )
        messages = told(
            conversation,
            "llm-function-call-started",
            "llm-function-call-in-progress",
            "llm-function-call-stopped",
        )
    (_, call), _ = messages[1:]
    name, call_id = {"function_name": "get_weather"}, {"tool_call_id": call["tool_call_id"]}
    assert messages == [
        ("llm-function-call-started", name),
        ("llm-function-call-in-progress", {**name, **call_id}),
        ("llm-function-call-stopped", {**name, **call_id, "cancelled": False}),
    ]


async def test_what_is_searched_for_is_told_with_its_sources(tmp_path):
    async with talk(tmp_path, greeting=None, limits={"search": True}) as conversation:
        await ready(conversation)
        await conversation.type("search for tea in London")
        await conversation.until(lambda: told(conversation, "bot-llm-search-response"))
        ((_, found),) = told(conversation, "bot-llm-search-response")
        await conversation.until(lambda: len(conversation.turns) == 2, within_s=20)
        assert len(told(conversation, "bot-llm-search-response")) == 1
    first, second = found["origins"]
    assert first["site_uri"] == "https://example.org/?q=tea%20in%20London"
    assert (first["site_title"], second["site_title"]) == ("example.org", "example.com")
    (result,) = first["results"]
    assert result["text"] == "You asked me to search for tea in London."
    assert "tea in London" in found["rendered_content"]
    assert found["search_result"].startswith(result["text"])


async def test_a_persona_without_it_has_no_search(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        await ready(conversation)
        assert conversation.events("setup")[-1]["tools"] == 0


async def test_the_search_goes_and_comes_with_the_persona_beside_the_functions(tmp_path):
    limits = {"search": True}
    async with talk(tmp_path, greeting=None, tools=[get_weather], limits=limits) as conversation:
        await ready(conversation)
        persona = conversation.session._persona
        counts = [2]
        for number, can_search in enumerate((False, True), start=2):
            await conversation.service.play(persona.model_copy(update={"search": can_search}))
            await conversation.until(lambda n=number: len(conversation.events("setup")) == n)
            counts.append(1 + can_search)
        assert [event["tools"] for event in conversation.events("setup")] == counts


# --- the page's line ---------------------------------------------------------------------------------


async def say(conversation: Talk, stats: object) -> None:
    await conversation.transport.ear.receive("client-message", {"t": "network-stats", "d": stats})


async def test_what_the_page_says_of_its_line_is_in_the_turn_log_and_the_report(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        await ready(conversation)
        await say(conversation, LINE)
        await conversation.until(lambda: "network" in conversation.session.vitals.report())
        await conversation.type("Hello.")
        await conversation.until(lambda: len(conversation.turns) == 2)
    assert [turn["network"] for turn in conversation.turns] == [LINE, LINE]


async def test_rubbish_is_ignored_and_logged_once_without_its_words(tmp_path):
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", filter="pipeline")
    async with talk(tmp_path, greeting=None) as conversation:
        await ready(conversation)
        for rubbish in (None, "forged", [], {"rtt_ms": "forged"}, {"loss": 2}, {"rtt_ms": -1}):
            await say(conversation, rubbish)
        await say(conversation, {"path": "forged"})
        await say(conversation, LINE)
        await conversation.until(lambda: "network" in conversation.session.vitals.report())
    logger.remove(sink)
    (line,) = [line for line in lines if "the line" in line]
    assert "forged" not in line and "talk" in line


@pytest.mark.parametrize("name", ["rtt_ms", "loss", "jitter_ms", "available_bps"])
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -0.1, 1e20, True, "1"])
def test_no_number_is_taken_that_is_none(name, odd):
    with pytest.raises(ValueError, match=name):
        NetworkStats.model_validate({**LINE, name: odd})
