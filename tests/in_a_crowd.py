"""Run tests several at a time; what fails there is run once more by itself, which decides.

With two cores, some tests fail only because of those beside them. pytest prints what failed in
both runs. Called with the number of processes and pytest's options.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MOST = 15
"""Where more fail, it is not because of the crowd."""
ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"


def main(processes: str, *options: str) -> int:
    """Returns pytest's exit code; 0 also if the options leave no tests."""
    CACHE.unlink(missing_ok=True)  # it also keeps failures of earlier runs
    code = _pytest("-n", processes, *options)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        return 0
    failed = _failed()
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= MOST:
        return code
    print(f"\n{len(failed)} failed with others beside them: once more, by themselves.", flush=True)
    code = _pytest("--last-failed", "--last-failed-no-failures", "none", *options)
    return code or len(_failed())  # those that were not found again are still there


def _failed() -> list[str]:
    return list(json.loads(CACHE.read_text())) if CACHE.exists() else []


def _pytest(*options: str) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", *options], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
