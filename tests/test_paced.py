"""What a page is told again and again comes at its own pace, and is never old."""

from pipeline.paced import Paced


def test_the_first_goes_out_at_once():
    paced: Paced[int] = Paced({"a": 1.0})
    assert paced.next_due_s() is None and paced.due(10.0) == []
    paced.put("a", 1)
    assert paced.due(10.0) == [("a", 1)]
    assert paced.next_due_s() is None and paced.due(99.0) == []


def test_of_what_comes_too_soon_the_latest_goes_out_when_it_may():
    paced: Paced[int] = Paced({"a": 1.0})
    paced.put("a", 1)
    paced.due(10.0)
    for number in range(2, 9):
        paced.put("a", number)
    assert paced.due(10.9) == []
    assert paced.next_due_s() == 11.0
    assert paced.due(11.0) == [("a", 8)]


def test_one_kind_does_not_wait_for_another():
    paced: Paced[int] = Paced({"a": 1.0, "b": 2.0})
    paced.put("a", 1)
    paced.put("b", 1)
    assert sorted(paced.due(10.0)) == [("a", 1), ("b", 1)]
    paced.put("b", 2)
    paced.put("a", 2)
    assert paced.next_due_s() == 11.0
    assert paced.due(11.0) == [("a", 2)]
    assert paced.next_due_s() == 12.0
