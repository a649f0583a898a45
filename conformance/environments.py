"""Each client's own environment: made when it is missing or its lock file has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformance.registry import ENVIRONMENTS, HERE, JAVASCRIPT, Client, Runtime

_PROJECT = HERE.parent


def install(client: Client) -> None:
    """Makes a client's environment; does nothing when it is there.

    Raises:
        subprocess.CalledProcessError: Something could not be installed.
    """
    _install_python(client.name)
    if client.runtime is Runtime.NODE:
        _install_javascript()


def command(client: Client) -> list[str]:
    """Returns what runs a client's script."""
    program = "node" if client.runtime is Runtime.NODE else "python"
    return [str(ENVIRONMENTS / client.name / "bin" / program), str(client.script)]


def _install_python(name: str) -> None:
    lock, environment = HERE / f"locks/{name}.lock", ENVIRONMENTS / name
    mark = environment / ".lock-hash"
    if _is_current(mark, lock):
        return
    print(f"installing {name}", flush=True)
    python = environment / "bin/python"
    uv = shutil.which("uv") or str(_PROJECT / ".tools/bin/uv")
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    _run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", lock)
    mark.write_text(_digest(lock))


def _install_javascript() -> None:
    lock, mark = JAVASCRIPT / "package-lock.json", JAVASCRIPT / "node_modules/.lock-hash"
    if _is_current(mark, lock):
        return
    print("installing javascript", flush=True)
    node = ENVIRONMENTS / "node/bin"
    path = f"{node}{os.pathsep}{os.environ.get('PATH', '')}"
    _run(str(node / "npm"), "--silent", "ci", cwd=JAVASCRIPT, env={**os.environ, "PATH": path})
    mark.write_text(_digest(lock))


def _run(*command: str | Path, cwd: Path = _PROJECT, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, check=True)


def _is_current(mark: Path, lock: Path) -> bool:
    return mark.exists() and mark.read_text() == _digest(lock)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
