"""The committed table must be true: a run writes it, or says that it is not what it saw."""

import pytest

from conformance import run


@pytest.fixture
def committed(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_PROJECT", tmp_path)
    monkeypatch.setattr(run, "_PAGE", tmp_path / "conformance.md")
    return tmp_path / "conformance.md"


def test_a_run_writes_the_page(committed):
    assert run._publish("| yes |\n", only_compares=False)
    assert committed.read_text() == "| yes |\n"


def test_a_page_that_says_what_the_run_saw_stands(committed):
    committed.write_text("| yes |\n")
    assert run._publish("| yes |\n", only_compares=True)


def test_a_page_that_says_something_else_is_told_and_left_alone(committed, capsys):
    committed.write_text("| yes |\n")
    assert not run._publish("| **no** |\n", only_compares=True)
    said = capsys.readouterr()
    assert "-| yes |\n+| **no** |" in said.out
    assert said.err == (
        "conformance: conformance.md does not say what this run saw; `make conformance` writes it\n"
    )
    assert committed.read_text() == "| yes |\n"


def test_no_page_at_all_is_not_a_true_one(committed):
    assert not run._publish("| yes |\n", only_compares=True)
    assert not committed.exists()
