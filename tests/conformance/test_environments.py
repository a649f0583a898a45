"""An environment is complete or made anew, and a failure is told in a sentence."""

import subprocess

import pytest

from conformance import environments
from conformance.environments import InstallError, install
from conformance.registry import CLIENTS

CLIENT = CLIENTS[0]
UV = """#!/bin/sh
# Stands for uv: `venv` makes a Python, `pip install` does what the test wants.
echo "$1" >> "{calls}"
for last; do :; done
if [ "$1" = venv ]; then rm -rf "$last"; mkdir -p "$last/bin"; touch "$last/bin/python"; exit; fi
{install}
"""


class Machine:
    """A project whose uv is a script.

    Attributes:
        lock: The client's lock file.
    """

    def __init__(self, root):
        self.root = root
        self.lock = root / f"conformance/locks/{CLIENT.name}.lock"
        self._calls = root / "calls"
        for directory in ("bin", "conformance/locks", "conformance/.envs/logs"):
            (root / directory).mkdir(parents=True)
        self.lock.write_text("one")

    def uv(self, install):
        """Has `uv pip install` be this line of shell from now on."""
        script = self.root / "bin/uv"
        script.write_text(UV.format(calls=self._calls, install=install))
        script.chmod(0o755)

    @property
    def installs(self):
        return self._calls.read_text().split().count("pip")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path)
    monkeypatch.setattr(environments, "HERE", tmp_path / "conformance")
    monkeypatch.setattr(environments, "_PROJECT", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "conformance/.envs")
    monkeypatch.setattr(environments, "LOGS", tmp_path / "conformance/.envs/logs")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return made


def test_an_environment_is_made_once_and_again_when_its_lock_file_changes(machine):
    machine.uv("exit 0")
    install(CLIENT)
    install(CLIENT)
    assert machine.installs == 1
    machine.lock.write_text("two")
    install(CLIENT)
    assert machine.installs == 2


def test_an_environment_whose_python_has_gone_is_made_again(machine):
    machine.uv("exit 0")
    install(CLIENT)
    (machine.root / f"conformance/.envs/{CLIENT.name}/bin/python").unlink()
    install(CLIENT)
    assert machine.installs == 2


def test_a_failure_is_one_sentence_and_the_environment_is_made_again(machine):
    machine.uv("echo no such package; exit 1")
    with pytest.raises(InstallError) as failure:
        install(CLIENT)
    log = f"conformance/.envs/logs/install-{CLIENT.name}.log"
    assert str(failure.value) == f"{CLIENT.name} cannot be installed; the reason is in {log}"
    assert (machine.root / log).read_text() == "no such package\n"
    machine.uv("exit 0")
    install(CLIENT)
    assert machine.installs == 2


def test_an_install_that_was_interrupted_half_way_is_not_taken_for_complete(machine, monkeypatch):
    run = subprocess.run

    def interrupted(command, **options):
        if "pip" in command:
            raise KeyboardInterrupt
        return run(command, **options)

    machine.uv("exit 0")
    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install(CLIENT)
    assert (machine.root / f"conformance/.envs/{CLIENT.name}/bin/python").exists()
    monkeypatch.setattr(subprocess, "run", run)
    install(CLIENT)
    assert machine.installs == 1


def test_no_uv_at_all_is_one_sentence_too(machine):
    with pytest.raises(InstallError, match=r"cannot be installed: \S+uv: No such file"):
        install(CLIENT)
