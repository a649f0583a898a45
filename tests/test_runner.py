"""The command as a user gives it: what it prints, refuses, and leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from pipeline.settings import ROOT
from tests.support.caller import Caller
from tests.support.ports import free_port
from tests.support.server import running_server


def runner(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Give the command and wait for its end."""
    environment = {**os.environ, **variables}
    command = [sys.executable, "runner.py", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SALON_LOG_LEVEL": "loud"}, "SALON_LOG_LEVEL must be TRACE"),
        ({"SALON_PERSONA": "nobody"}, "There is no persona 'nobody'"),
        (
            {"SALON_PRICES": "no/such.yaml"},
            "The prices in no/such.yaml can't be read: No such file",
        ),
        ({"SALON_CONNECT_TIMEOUT_S": "0"}, "SALON_CONNECT_TIMEOUT_S must be a number"),
    ],
)
def test_a_bad_value_stops_it_with_one_sentence(variables, sentence):
    ended = runner(**variables)
    assert ended.returncode == 2
    assert ended.stderr.count("Salon can't start") == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = runner("--host", "127.0.0.1", "--port", str(port))
    assert ended.returncode == 2
    assert f"127.0.0.1:{port} can't be listened on" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_tells_the_options_and_starts_nothing():
    ended = runner("--help")
    assert ended.returncode == 0
    assert "--offline" in ended.stdout and "--port" in ended.stdout


def test_without_a_key_it_is_offline_and_says_so(tmp_path):
    with running_server(tmp_path) as server:
        about = httpx.get(f"{server.url}/api/salon").json()
        log = server.log()
    assert about["offline"] is True
    assert "understudy" in about["notice"]
    assert [p["name"] for p in about["personas"] if p["default"]] == ["companion"]
    assert f"Salon is open at {server.url}" in log and "Offline" in log


def test_the_page_and_its_parts_come_from_the_server(server):
    page = httpx.get(server.url)
    assert page.headers["content-type"].startswith("text/html")
    for line in page.text.splitlines():
        for part in line.split('"'):
            if part.startswith("/assets/"):
                assert httpx.get(server.url + part).status_code == 200, part


def ended_within(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and not _is_zombie(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopping_it_ends_calls_and_processes_within_three_seconds(tmp_path, number):
    with running_server(tmp_path, "--offline") as server:
        async with Caller(server.url) as caller:
            await caller.bot_said("understudy")
            children = [p.pid for p in psutil.Process(server.process.pid).children(recursive=True)]
            assert children
            server.process.send_signal(number)
            ended = await caller.hears("server-message", type="ended", within_s=3)
            assert ended["text"] == "The server is closing."
            assert ended_within([server.process.pid, *children], 3)
        assert server.process.wait(timeout=1) == 0
        assert "Traceback" not in server.log()
        assert len(server.turns(caller.session["sessionId"])) == 1


def test_a_server_that_is_killed_takes_its_understudy_along(tmp_path):
    with running_server(tmp_path, "--offline") as server:
        children = [p.pid for p in psutil.Process(server.process.pid).children(recursive=True)]
        server.process.kill()
        server.process.wait()
        assert ended_within(children, 3)


async def test_no_secret_is_printed_or_sent_even_when_a_call_fails(tmp_path):
    with running_server(
        tmp_path,
        GOOGLE_API_KEY="AIza-planted-key",
        DAILY_API_KEY="daily-planted-key",
        PIPECAT_ICE_SERVERS='{"urls": "turn:127.0.0.1:9", "username": "u", "credential": "x"}',
        GOOGLE_GEMINI_BASE_URL=f"https://127.0.0.1:{free_port()}",
        SALON_CONNECT_TIMEOUT_S="1",
    ) as server:
        async with httpx.AsyncClient() as http:
            about = (await http.get(f"{server.url}/api/salon")).text
        async with Caller(server.url) as caller:
            await caller.hears("server-message", type="ended")
        log = server.log()
    assert "can't" in log or "cannot be reached" in log
    assert "planted" not in about + log + str(caller.messages)


def test_where_sessions_can_not_be_started_it_says_so(tmp_path):
    """Nothing fits into the run folder: a name in it would be too long for a socket."""
    deep = tmp_path / ("x" * 60)
    ended = runner("--offline", "--port", str(free_port()), SALON_RUN_DIR=str(deep))
    assert ended.returncode == 2
    assert "too long a path" in ended.stderr and "Traceback" not in ended.stderr


def test_a_process_that_does_not_come_up_is_one_sentence(tmp_path):
    """What sessions are made of can't be loaded."""
    (tmp_path / "aiortc").mkdir()
    (tmp_path / "aiortc" / "__init__.py").write_text("raise RuntimeError('broken')")
    ended = runner("--offline", "--port", str(free_port()), PYTHONPATH=str(tmp_path))
    assert ended.returncode == 2
    assert "Salon can't start: A session's process" in ended.stderr
