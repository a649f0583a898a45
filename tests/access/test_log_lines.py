import subprocess
import sys

import pytest

from pipeline.settings import ROOT
from serving.access.log_lines import MAX_PATH_CHARACTERS, path_for_log

UUID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/start", "'/start'"),
        ("/a\nb", r"'/a\nb'"),
        (f"/sessions/{UUID}.aRdr.s1g_na-ture/api/offer", f"'/sessions/{UUID}/api/offer'"),
        (f"/sessions/{UUID}/files", f"'/sessions/{UUID}/files'"),
        ("/sessions/secret", "'/sessions/...'"),
        (f"/sessions/{UUID}0.secret/files", "'/sessions/.../files'"),
        ("//x/sessions/secret/files", "'//x/sessions/.../files'"),
    ],
)
def test_a_path_is_logged_without_the_right_to_use_its_session(path, shown):
    assert path_for_log(path) == shown


def test_a_path_is_logged_as_far_as_it_is_of_use():
    assert len(path_for_log("/" + "x" * 9999)) == MAX_PATH_CHARACTERS + 2


FORGES = """
from loguru import logger
from pipeline.settings import Settings
from serving.logs import log_to_stderr

log_to_stderr(Settings())
evil = "x\\n2026-01-01 00:00:00.000 | INFO     | forged:line:1 - all well"
logger.info(f"a caller says {evil}")
try:
    raise ValueError(evil)
except ValueError:
    logger.exception("It failed")
"""


def test_the_servers_log_has_as_many_entries_as_were_logged():
    done = subprocess.run(
        [sys.executable, "-c", FORGES], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    lines = done.stderr.splitlines()
    assert [line.partition(" - ")[2][:13] for line in lines if line[:1].isdigit()] == [
        "a caller says",
        "It failed",
    ]
    assert sum("forged:line:1" in line for line in lines) >= 2
