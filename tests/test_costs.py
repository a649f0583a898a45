"""Tokens by modality and what they cost: nothing negative, nothing lost, nothing pretended."""

from dataclasses import asdict, replace

import pytest
from google.genai.types import MediaModality, ModalityTokenCount, UsageMetadata
from hypothesis import given
from hypothesis import strategies as st

from pipeline.costs import ModelPrices, Spending, Tokens, tokens_of

PRICES = ModelPrices(text_in=0.75, audio_in=3, image_in=1, text_out=4.5, audio_out=12)

RECORDED = UsageMetadata.model_validate(
    {
        "promptTokenCount": 626,
        "responseTokenCount": 63,
        "totalTokenCount": 689,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 312},
            {"modality": "AUDIO", "tokenCount": 287},
        ],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 63}],
        "thoughtsTokenCount": 40,
    }
)
"""Of the real service: its details leave out 27 tokens of the prompt, its total the thoughts."""

counts = st.none() | st.integers(-5, 10**7)
details = st.none() | st.lists(
    st.builds(
        ModalityTokenCount,
        modality=st.none() | st.sampled_from(MediaModality),
        token_count=counts,
    ),
    max_size=6,
)
usages = st.builds(
    UsageMetadata,
    prompt_token_count=counts,
    prompt_tokens_details=details,
    tool_use_prompt_token_count=counts,
    tool_use_prompt_tokens_details=details,
    response_token_count=counts,
    response_tokens_details=details,
    thoughts_token_count=counts,
)
prices = st.builds(
    ModelPrices,
    **dict.fromkeys(asdict(PRICES), st.none() | st.floats(0, 10_000)),  # pyright: ignore
)


def spending(prices: ModelPrices | None, *tokens: Tokens) -> Spending:
    spent = Spending(prices)
    for some in tokens:
        spent.add(some)
    return spent


def test_what_the_details_leave_out_is_counted_too():
    assert tokens_of(RECORDED) == Tokens(
        text_in=312, audio_in=287, other_in=27, audio_out=63, thoughts=40
    )


def test_it_is_priced_as_the_dearest_of_what_it_may_be():
    spent = spending(PRICES, tokens_of(RECORDED))
    dollars = 312 * 0.75 + (287 + 27) * 3 + 63 * 12 + 40 * 4.5
    assert spent.cost_usd == pytest.approx(dollars / 1e6)


def test_pictures_and_video_are_one_kind_and_documents_are_of_no_known_one():
    usage = UsageMetadata(
        prompt_token_count=700,
        prompt_tokens_details=[
            ModalityTokenCount(modality=MediaModality.IMAGE, token_count=258),
            ModalityTokenCount(modality=MediaModality.VIDEO, token_count=258),
            ModalityTokenCount(modality=MediaModality.DOCUMENT, token_count=100),
        ],
    )
    assert tokens_of(usage) == Tokens(image_in=516, other_in=184)


def test_what_functions_return_is_read_by_the_model():
    usage = UsageMetadata(
        prompt_token_count=5,
        prompt_tokens_details=[ModalityTokenCount(modality=MediaModality.TEXT, token_count=5)],
        tool_use_prompt_token_count=7,
    )
    assert tokens_of(usage) == Tokens(text_in=5, other_in=7)


def test_the_context_is_paid_for_again_with_each_turn():
    first, second = Tokens(audio_in=100, audio_out=50), Tokens(audio_in=250, audio_out=50)
    spent = spending(PRICES, first, second)
    assert spent.tokens == Tokens(audio_in=350, audio_out=100)
    assert spent.cost_usd == pytest.approx((350 * 3 + 100 * 12) / 1e6)


def test_a_model_without_prices_has_a_cost_that_nobody_knows():
    spent = spending(None, Tokens(audio_in=1))
    assert spent.cost_usd is None and spent.at_least_usd == 0 and spent.unpriced == ["audio_in"]


def test_nothing_was_used_and_nothing_is_to_be_paid():
    assert spending(None).cost_usd == 0 and spending(None).tokens.as_record() == {}


def test_a_price_that_nothing_takes_need_not_be_known():
    without_pictures = replace(PRICES, image_in=None)
    assert spending(without_pictures, Tokens(audio_in=10)).cost_usd is not None
    seen = spending(without_pictures, Tokens(audio_in=10), Tokens(image_in=258))
    assert seen.cost_usd is None and seen.at_least_usd == pytest.approx(30 / 1e6)


def test_something_free_costs_nothing_and_that_is_known():
    free = ModelPrices(text_in=0, audio_in=0, image_in=0, text_out=0, audio_out=0)
    assert spending(free, tokens_of(RECORDED)).cost_usd == 0


@given(usages)
def test_no_count_is_negative_and_none_is_lost(usage: UsageMetadata):
    tokens = tokens_of(usage)
    assert min(asdict(tokens).values()) >= 0
    totals = (
        usage.prompt_token_count,
        usage.tool_use_prompt_token_count,
        usage.response_token_count,
        usage.thoughts_token_count,
    )
    assert tokens.total >= sum(max(total or 0, 0) for total in totals)


@given(prices, st.lists(usages, max_size=6))
def test_what_is_spent_never_shrinks_and_what_is_unknown_stays_so(
    prices: ModelPrices, messages: list[UsageMetadata]
):
    spent = Spending(prices)
    before, at_least, was_known = spent.tokens, 0.0, True
    for usage in messages:
        spent.add(tokens_of(usage))
        pairs = zip(asdict(before).values(), asdict(spent.tokens).values(), strict=True)
        assert all(earlier <= later for earlier, later in pairs)
        assert spent.at_least_usd >= at_least
        assert was_known or spent.cost_usd is None
        assert spent.cost_usd in (None, spent.at_least_usd)
        assert (spent.cost_usd is None) == bool(spent.unpriced)
        before, at_least, was_known = spent.tokens, spent.at_least_usd, spent.cost_usd is not None
