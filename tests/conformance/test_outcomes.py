"""The conformance table says what clients have printed, and fails when something is missing."""

import json

from conformance.outcomes import Report, page
from conformance.registry import CAPABILITIES, CLIENTS


def report(**changed) -> Report:
    made = Report(CLIENTS[0])
    made.take(json.dumps({"versions": {"Python": "3.11.7", "google-genai": "2.34.0"}}))
    for capability in CAPABILITIES:
        ok, note = changed.get(capability, (True, "seen"))
        made.take(json.dumps({"capability": capability, "ok": ok, "note": note}))
    made.close("it ended before it came to this")
    return made


def test_a_client_that_does_everything_is_one_row_of_yes():
    made = report()
    assert not made.has_failed
    assert "| google-genai 2.34.0, Python 3.11 | yes | yes | yes | yes | yes | yes | yes |" in page(
        [made]
    )


def test_a_capability_that_fails_is_explained_below_the_table():
    made = report(resume=(False, "the handle was refused"))
    assert made.has_failed
    assert "- google-genai 2.34.0, Python 3.11: resume: the handle was refused" in page([made])
    assert "**no**" in page([made])


def test_what_a_client_has_not_by_its_nature_is_no_failure_but_said():
    made = report(resume=(None, "it keeps no handle"))
    assert not made.has_failed
    assert "has none" in page([made])
    assert "resume: it keeps no handle" in page([made])


def test_a_capability_that_a_client_never_came_to_has_failed():
    made = Report(CLIENTS[0])
    made.take("no JSON")
    made.take('"neither"')
    made.close("it ended with 1 before it came to this")
    assert made.has_failed
    assert set(made.outcomes) == set(CAPABILITIES)


def test_numbers_that_change_from_run_to_run_are_not_on_the_page():
    assert "seen" not in page([report()])
