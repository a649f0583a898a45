"""Google Search as a tool: an answer with sources, which are made up, and says so."""

from typing import Any

from tests.understudy.support import MODEL_2_5, Client
from understudy.searching import wanted

SEARCH: dict[str, Any] = {"tools": [{"googleSearch": {}}]}


def searched(model: str = "gemini-3.8-live", **fields) -> Client:
    client = Client().set_up(model, **fields)
    client.type("Please search the web for tea in London.")
    client.wait(20)
    return client


def test_what_is_searched_for_has_sources_before_the_generation_is_complete():
    for model in ("gemini-3.8-live", MODEL_2_5):
        client = searched(model, **SEARCH)
        assert client.said().startswith("You asked me to search for tea in London.")
        assert client.said().endswith("made up.")
        fields = client.content_fields()
        assert fields.count("groundingMetadata") == 1
        sources, end = fields.index("groundingMetadata"), fields.index("generationComplete")
        assert max(fields.index("modelTurn"), sources) == sources == end - 1


def test_each_source_supports_a_part_of_what_was_said():
    client = searched(**SEARCH)
    (found,) = (
        c["groundingMetadata"] for c in client.messages("serverContent") if "groundingMetadata" in c
    )
    assert found["webSearchQueries"] == ["tea in London"]
    for number, support in enumerate(found["groundingSupports"]):
        segment = support["segment"]
        start, end = segment.get("startIndex", 0), segment["endIndex"]
        assert client.said().encode()[start:end].decode() == segment["text"]
        assert support["groundingChunkIndices"] == [number]
    assert [c["web"]["title"] for c in found["groundingChunks"]] == ["example.org", "example.com"]


def test_without_the_tool_it_is_something_typed():
    client = searched()
    assert "groundingMetadata" not in client.content_fields()
    assert client.said().startswith("You typed:")


def test_an_answer_that_is_cut_has_no_sources():
    client = Client().set_up(**SEARCH)
    client.type("search for tea")
    client.wait(1)
    client.type("hello")
    client.wait(20)
    assert "interrupted" in client.content_fields()
    assert "groundingMetadata" not in client.content_fields()


def test_only_a_request_is_one():
    assert wanted("Search for  tea\nin London?") == "tea in London"
    assert wanted("search the internet for tea") == "tea"
    assert not wanted("research for tea")
    assert not wanted("I searched for tea")
    assert len(wanted("search for " + "tea " * 500)) <= 120
