"""How long connections, sessions, handles and the context window last."""

import tracemalloc
from typing import Any

import pytest

from tests.understudy.support import MODEL_2_5, Client, picture
from understudy.context import MAX_TOLD, MAX_TURNS, Context, Exchange, Sliding, read_sliding
from understudy.facts import Heard, Seen
from understudy.memory import Memory, ResumptionStore
from understudy.tools import declared_tokens
from understudy.usage import Usage

COMPRESSED: dict[str, Any] = {"contextWindowCompression": {"slidingWindow": {}}}
ABORTED = (1008, "The operation was aborted.")
INVALID = (1007, "Request contains an invalid argument.")


def last_handle(client: Client) -> str:
    updates = client.messages("sessionResumptionUpdate")
    return [update["newHandle"] for update in updates if update["resumable"]][-1]


def resume(store: ResumptionStore, first: Client, **fields: Any) -> Client:
    client = Client(store, exclusive_handles=True)
    client.now_s = first.now_s
    return client.set_up(sessionResumption={"handle": last_handle(first)}, **fields)


# A connection


def test_go_away_comes_at_nine_minutes_and_the_end_as_recorded():
    client = Client().set_up()
    client.wait(539.9)
    assert not client.messages("goAway")
    client.wait(0.2)
    assert client.messages("goAway") == [{"timeLeft": "50s"}]
    assert client.noted("go_away") == [{"time_left": "50s"}]
    client.wait(50.2)
    assert client.closed is None
    client.wait(0.2)
    assert client.closed == ABORTED
    assert len(client.messages("goAway")) == 1


def test_ten_minutes_pass_in_a_second():
    client = Client(clock_scale=600).set_up()
    client.wait(0.91)
    assert client.messages("goAway") == [{"timeLeft": "50s"}]
    client.wait(0.09)
    assert client.closed == ABORTED


def test_with_compression_a_3_8_connection_ends_unannounced_after_58_minutes():
    client = Client().set_up(**COMPRESSED)
    client.wait(58 * 60 - 0.1)
    assert client.closed is None
    client.wait(0.2)
    assert not client.messages("goAway")
    assert client.closed == (1011, "Deadline expired before operation could complete.")


def test_with_compression_a_2_5_connection_ends_as_any_other():
    client = Client().set_up(MODEL_2_5, **COMPRESSED)
    client.wait(600)
    assert client.messages("goAway")
    assert client.closed == ABORTED


# A session


def test_with_video_a_session_lasts_two_minutes():
    client = Client().set_up()
    client.show(picture())
    client.wait(70)
    assert client.messages("goAway")
    client.wait(50)
    assert client.closed == ABORTED


def test_late_video_leaves_time_to_be_told():
    client = Client().set_up()
    client.wait(300)
    client.show(picture())
    client.wait(0.1)
    assert client.messages("goAway")
    client.wait(50)
    assert client.closed is None
    client.wait(1)
    assert client.closed == ABORTED


def test_with_compression_video_is_no_limit():
    client = Client().set_up(**COMPRESSED)
    client.show(picture())
    client.wait(600)
    assert client.closed is None


def test_a_session_lasts_fifteen_minutes_over_its_connections():
    store = ResumptionStore()
    first = Client(store).set_up()
    first.wait(500)
    first.type("hello")
    first.wait(10)
    first._session.end()
    second = resume(store, first)
    second.wait(900 - 510 - 51)
    assert not second.messages("goAway")
    second.wait(60)  # what came after the last handle has not been
    assert second.messages("goAway")
    assert second.closed == ABORTED


def test_a_session_that_has_used_up_its_time_is_not_resumed():
    store = ResumptionStore()
    first = Client(store).set_up()
    first.wait(130)
    first.type("hello")
    first.show(picture())
    first.type("hello")
    first.wait(10)
    first._session.end()
    assert resume(store, first).closed == INVALID
    assert resume(store, first, **COMPRESSED).closed is None


# Handles


def test_a_handle_is_refused_while_its_connection_is_open():
    store = ResumptionStore()
    first = Client(store).set_up()
    assert resume(store, first).closed == (1011, "Internal error encountered.")
    first._session.end()
    assert resume(store, first).closed is None


def test_the_end_of_a_session_frees_its_handle():
    store = ResumptionStore()
    first = Client(store).set_up()
    first.set_up()
    assert first.closed
    assert resume(store, first).closed is None


def test_a_poisoned_handle_is_refused():
    store = ResumptionStore()
    first = Client(store).set_up()
    first._session.end()
    store.poison(last_handle(first))
    store.poison("unknown")
    assert resume(store, first).closed == INVALID
    assert not store.is_poisoned("unknown")


# The context window


def test_a_full_window_ends_the_session():
    client = Client().set_up()
    client.type("x" * 4 * 131_000)
    client.wait(30)
    assert client.closed is None
    client.type("x" * 400)
    assert client.closed == INVALID


def test_with_compression_it_slides_and_usage_tells():
    sliding = {"triggerTokens": "1000", "slidingWindow": {"targetTokens": 500}}
    client = Client().set_up(
        contextWindowCompression=sliding, systemInstruction={"parts": [{"text": "x" * 40}]}
    )
    for _ in range(6):
        client.type("x" * 800)  # 200 tokens, and what the answer adds
        client.wait(60)
    prompts = [usage["promptTokenCount"] for usage in client.messages("usageMetadata")]
    (first, *_) = client.noted("context_slid")
    assert first["tokens"] >= 1000
    assert first["left"] <= 500
    assert prompts != sorted(prompts)
    assert max(prompts) < 1300


def test_what_slid_out_is_forgotten():
    sliding = {"triggerTokens": "500", "slidingWindow": {"targetTokens": 300}}
    client = Client().set_up(contextWindowCompression=sliding)
    client.show(picture("red", source="camera"))
    client.type("remember that my dog is Rex")
    client.wait(10)
    client.show(picture("blue", source="screenVideo"))
    client.type("remember that my cat is Tom")
    client.wait(10)
    client.type("what did I tell you?")
    client.wait(20)
    assert client.noted("context_slid")
    assert client.said().startswith("I have answered you 2 times. You told me: my cat is Tom.")
    assert "screen frame" in client.said()
    assert "camera" not in client.said()


def test_without_compression_nothing_is_forgotten():
    client = Client().set_up()
    client.type("remember that my dog is Rex")
    client.wait(10)
    client.type("x" * 4 * 10_000)
    client.wait(30)
    client.type("what did I tell you?")
    client.wait(20)
    assert "my dog is Rex" in client.said()


def test_what_interrupts_counts_for_the_exchange_it_begins():
    client = Client().set_up()
    client.type("count to 50")
    client.wait(1)
    client.type("x" * 400)
    client.wait(20)
    cut, whole = client.messages("usageMetadata")
    assert cut["promptTokenCount"] == 3
    assert whole["promptTokenCount"] >= 103


def test_declared_tools_cost_tokens_and_stay_when_the_window_slides():
    declaration = {"name": "get_weather", "description": "x" * 400}
    tools = [{"functionDeclarations": [declaration]}]
    plain, equipped = Client().set_up(), Client().set_up(tools=tools)
    for client in (plain, equipped):
        client.type("hello")
        client.wait(10)
    first, second = (c.messages("usageMetadata")[0]["promptTokenCount"] for c in (plain, equipped))
    assert 100 < second - first < 130
    equipped.say(contextUpdate={"tools": {"tools": []}})
    equipped.type("hello")
    equipped.wait(10)
    assert equipped.messages("usageMetadata")[1]["promptTokenCount"] < 100
    context = Context(Usage(text=1), Usage(text=2)).add(text=3).begin_turn().add(text=4)
    assert context.slid(Sliding(10, 0)).usage == Usage(text=7)


def test_the_tokens_of_endless_declarations_are_counted_to_an_end():
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    many: Any = {"a": ["xxxx"] * 100_000}
    assert declared_tokens([{"googleSearch": deep}]) == 3
    assert 19_000 < declared_tokens([{"googleSearch": many}]) < 20_010


def test_figures_of_the_window():
    assert read_sliding(None, None, window=131_072) == Sliding(104_857, 52_428)
    assert read_sliding(25_600, None, window=131_072) == Sliding(25_600, 12_800)
    assert read_sliding(25_600, 0, window=131_072) == Sliding(25_600, 0)
    negative: dict[str, Any] = {"contextWindowCompression": {"triggerTokens": -1}}
    assert Client().set_up(**negative).closed == INVALID


def test_it_is_cut_where_a_turn_begins_and_keeps_the_instruction_and_the_present_turn():
    context = Context(Usage(text=10))
    for tokens in (30, 40, 50):
        context = context.begin_turn().add(audio=tokens)
    assert context.usage.total == 130
    assert context.slid(Sliding(131, 0)) is context
    assert context.slid(Sliding(130, 100)).turns == (
        Exchange(Usage(audio=40)),
        Exchange(Usage(audio=50)),
    )
    assert context.slid(Sliding(130, 0)).usage == Usage(text=10, audio=50)


def test_the_oldest_of_very_many_turns_are_counted_as_one():
    context = Context(Usage(text=10))
    for tokens in range(1, 1_001):
        context = context.begin_turn().add(text=tokens)
    assert len(context.turns) == MAX_TURNS
    assert context.usage.total == 10 + 500_500
    assert context.turns[-1] == Exchange(Usage(text=1_000))
    assert context.turns[1] == Exchange(Usage(text=1_000 - MAX_TURNS + 2))


def test_nothing_that_is_told_is_lost_with_the_oldest_of_very_many_turns():
    """And nothing else is kept of them: each handle has it."""
    heard = Heard(0.0, 1.0, 1.0, -20.0)
    red, green, blue = (
        Seen("camera", 1, 1, 0, ((name, 1.0),)) for name in ("red", "green", "blue")
    )
    context = Context().note(heard=heard, seen={"camera": red, "upload": blue})
    context = context.begin_turn().note(seen={"camera": green})
    for number in range(1_000):
        context = context.begin_turn().note(told=(str(number),))
    memory = Memory(context=context)
    assert memory.heard == heard
    assert memory.latest == {"camera": green, "upload": blue}
    assert memory.told == tuple(map(str, range(1_000 - (MAX_TURNS - 1) - MAX_TOLD, 1_000)))
    assert context.turns[0].told == memory.told[:MAX_TOLD]


def test_handles_of_a_session_of_thousands_of_turns_take_little():
    """Each handle knows each turn; a client that types on and on had 66 MB after 4,000 texts."""
    store = ResumptionStore()
    client = Client(store).set_up()
    tracemalloc.start()
    for _ in range(2_000):
        client.type("a")
        client.sent.clear()
        client.notes.clear()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert client.closed is None
    assert taken < 4_000 * 3_000


@pytest.mark.parametrize("scale", [1, 60])
def test_handles_live_two_hours_on_the_same_clock(scale):
    store = ResumptionStore(ttl_s=7200 / scale)
    first = Client(store, clock_scale=scale).set_up()
    first._session.end()
    first.now_s += 7200 / scale + 1
    assert resume(store, first).closed == (1008, "BidiGenerateContent session not found")
