"""The conformance table says what clients have printed, and fails when something is missing."""

from conformance.outcomes import Report, page
from conformance.registry import CAPABILITIES, CLIENTS
from tests.conformance.support import VERSIONS, report


def test_a_client_that_does_everything_is_one_row_of_yes():
    made = report()
    assert not made.has_failed
    row = "| google-genai 2.34.0, Python | yes | yes | yes | yes | yes | yes | yes |"
    assert row in page([made]).splitlines()


def test_a_capability_that_fails_is_explained_below_the_table():
    made = report(resume=(False, "the handle was refused"))
    assert made.has_failed
    assert "- google-genai 2.34.0, Python: resume: the handle was refused" in page([made])
    assert "**no**" in page([made])


def test_a_capability_that_a_client_never_came_to_has_failed():
    made = Report(CLIENTS[0])
    made.take("no JSON")
    made.take('"neither"')
    made.close("it ended with 1 before it came to this")
    assert made.has_failed
    assert set(made.outcomes) == set(CAPABILITIES)


def test_what_changes_from_run_to_run_or_from_machine_to_machine_is_not_on_the_page():
    elsewhere = report({**VERSIONS, "Python": "3.13.1"}, speak=(True, "at another level"))
    assert page([report()]) == page([elsewhere])
