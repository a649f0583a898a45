"""`python -m understudy`, as a person or another program runs it."""

import signal
import socket
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "understudy", "--port", "0", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> tuple[str, Path]:
    assert process.stdout
    match process.stdout.readline().split():
        case ["understudy", "ready", url, "cert", cert]:
            return url, Path(cert)
        case other:
            raise AssertionError(f"{other}, {process.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_its_directory_is_gone(number):
    process = start()
    _, cert = ready(process)
    assert cert.exists()
    process.send_signal(number)
    assert process.stdout
    assert process.stderr
    output, errors = process.stdout.read(), process.stderr.read()
    assert process.wait(timeout=20) == 0  # 1 s, on a machine with nothing else to do
    assert errors == ""
    assert "GOOGLE_GEMINI_BASE_URL=https://127.0.0.1:" in output
    assert "NODE_EXTRA_CA_CERTS" in output
    assert not cert.parent.exists()
    process.communicate()


def test_it_ends_with_its_standard_input(tmp_path):
    process = start("--until-eof", "--cert-dir", str(tmp_path / "new"))
    url, cert = ready(process)
    assert cert == tmp_path / "new" / "cert.pem"
    assert [path.name for path in cert.parent.iterdir()] == ["cert.pem"]
    context = ssl.create_default_context(cafile=str(cert))
    for host in ("127.0.0.1", "localhost"):
        place = f"{url.replace('127.0.0.1', host)}//v1beta/models"
        with urllib.request.urlopen(place, context=context, timeout=5) as answer:
            assert b"models/gemini-3.8-live" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/else", context=context, timeout=5)
    assert caught.value.code == 404
    assert b"plays the Gemini Live API only" in caught.value.read()
    caught.value.close()
    _, errors = process.communicate(timeout=5)
    assert (process.returncode, errors) == (0, "")


def test_what_cannot_be_done_is_one_sentence():
    impossible = [
        ["--port", "abc"],
        ["--port", "99999"],
        ["--profile", "x"],
        ["--misbehave", "x"],
        ["--scenario", "/nowhere/x.yaml"],
        ["--replay", "/nowhere/x.jsonl"],
        ["--clock-scale", "0"],
        ["--max-sessions-per-key", "0"],
        ["--tokens-per-minute-per-key", "9" * 19],
        ["--max-records", "0"],
        ["--max-handles", "many"],
        ["--keys", ","],
        ["--cert-dir", "/proc/nowhere"],
        ["--record", "/nowhere/x.jsonl"],
        ["--host", "203.0.113.1"],
    ]
    for process in [start(*options) for options in impossible]:
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 2
        assert output == ""
        assert errors.startswith("understudy: ")
        assert errors.count("\n") == 1


def test_a_taken_port_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "address already in use" in errors
    assert errors.count("\n") == 1


def test_the_record_belongs_to_its_owner_alone(tmp_path):
    process = start("--until-eof", "--record", str(tmp_path / "r.jsonl"))
    ready(process)
    process.communicate(timeout=5)
    assert stat.S_IMODE((tmp_path / "r.jsonl").stat().st_mode) == 0o600
