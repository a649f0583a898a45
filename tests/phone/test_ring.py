"""`make call`, as a person uses it: a server that runs offline, and a terminal."""

import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.settings import ROOT
from tests.support.server import Server, running_server
from tests.support.speech import speech


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ring")
    with running_server(folder, "--offline", SALON_RUN_DIR=str(run_dir(folder))) as server:
        yield server


def run_dir(folder: Path) -> Path:
    return folder / "run"


def ring(folder: Path, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    folders = {"SALON_RUN_DIR": str(run_dir(folder)), "SALON_TURN_LOG_DIR": str(folder / "turns")}
    return subprocess.run(
        [sys.executable, "-m", "serving.ring", *options],
        cwd=ROOT,
        env={"PATH": "", **folders},  # without a program that plays sound
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_what_a_file_says_is_answered_and_what_is_heard_is_kept(server: Server, tmp_path: Path):
    question, heard = tmp_path / "question.wav", tmp_path / "heard.wav"
    with wave.open(str(question), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(speech("What is the weather like today?").tobytes())
    ended = ring(server.folder, "--wav", str(question), "--heard", str(heard))
    assert ended.returncode == 0, ended.stderr
    lines = [line.strip() for line in ended.stdout.splitlines()]
    assert lines[0] == "Ringing +15550100 ..."
    assert [line.split()[0] for line in lines if line.startswith(("bot:", "you:"))] == [
        "bot:",
        "you:",
        "bot:",
    ]
    assert "You spoke for" in ended.stdout
    with wave.open(str(heard)) as file:
        seconds = file.getnframes() / file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert seconds > 6 and np.abs(samples).max() > 2_000


def test_what_is_typed_is_spoken_and_keys_are_pressed(server: Server):
    ended = ring(server.folder, typed="/press 12#\n/press 1x\n/dance\n/hang-up\n")
    assert ended.returncode == 0, ended.stderr
    assert "Keys are 0 to 9, * and #" in ended.stdout
    assert ended.stdout.count("/hang-up (or Ctrl-D) hangs up") == 2
    assert ended.stdout.rstrip().endswith("The call is over: the caller hung up.")


def test_a_number_that_nobody_has_is_told(server: Server):
    ended = ring(server.folder, "--to", "+15559999")
    assert ended.returncode == 0 and "not in service" in ended.stdout


def test_where_nobody_can_be_rung_it_is_one_sentence(short_folder: Path):
    ended = ring(short_folder)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert "make run" in ended.stderr


def test_a_file_that_is_no_sound_is_one_sentence(server: Server):
    ended = ring(server.folder, "--wav", "README.md")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert "README.md can't be read as a WAV file" in ended.stderr
