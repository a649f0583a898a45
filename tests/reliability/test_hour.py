from tests.reliability.hour import GO_AWAYS, measure


async def test_an_hour_with_six_go_aways_and_a_cut_remembers_its_first_minute():
    hour = await measure()
    assert "Minka" in hour.recalled and hour.told == 1
    assert hour.states.count("draining") == len(GO_AWAYS)
    assert "reseeding" in hour.states, "after the cut the handle was no good"
    assert "failed" not in hour.states
