"""Daily's library, the real one, begun twice in a process of its own."""

import subprocess
import sys

from pipeline.settings import ROOT

TWICE = "from daily import Daily; Daily.init(); Daily.init(); print('alive')"
GUARDED = f"from pipeline.daily_once import use_daily_once; use_daily_once(); {TWICE}"


def test_a_second_beginning_ends_the_process_and_with_ours_it_does_nothing():
    bare, guarded = _run(TWICE), _run(GUARDED)
    assert bare.returncode < 0 and "alive" not in bare.stdout
    assert (guarded.returncode, guarded.stdout.strip()) == (0, "alive")


def test_the_rest_of_the_library_is_reached():
    checked = _run(
        "from pipeline.daily_once import use_daily_once; use_daily_once(); use_daily_once();"
        "from pipecat.transports.daily import transport; import daily;"
        "assert transport.Daily is daily.Daily; daily.Daily.init();"
        "print(daily.Daily.create_native_vad(sample_rate=16000).sample_rate)"
    )
    assert checked.stdout.strip() == "16000"


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
