import pytest

from tests.reliability.losses import measure


@pytest.mark.alone
@pytest.mark.timeout(180)
async def test_nothing_is_lost():
    losses = await measure()
    assert [(loss.case, loss.problems) for loss in losses if loss.problems] == []
    assert {loss.case: loss.lost_ms for loss in losses if loss.lost_ms} == {}
    assert [loss.question_s for loss in losses if loss.question_s] == [
        pytest.approx(losses[0].question_s, abs=0.02)
    ] * 5
    (gap_s,) = [loss.gap_s for loss in losses if loss.gap_s is not None]
    assert gap_s < 0.2, "what a busy machine's clock adds to the pauses between two numbers"
