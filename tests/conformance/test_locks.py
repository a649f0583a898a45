"""The lock files of clients and peers: what is wanted is pinned, with hashes, from wherever."""

import re
from pathlib import Path

import pytest

from conformance.environments import javascript_pins, pinned, python_pins
from conformance.registry import CLIENTS, HERE

PEERS = HERE.parent / "bench/peers"
LOCKS = sorted(
    [
        *HERE.glob("locks/*.lock"),
        *PEERS.glob("*/requirements.lock"),
        HERE / "javascript/package-lock.json",
    ]
)
WANTED = {
    "google-genai-2": {"google-genai": "2.34"},
    "google-genai-3": {"google-genai": "3.4"},
    "node": {"@google/genai": "2.32", "Node": "20"},
    "pipecat": {"pipecat-ai": "1.14"},
    "livekit": {"livekit-agents": "1.8.9", "livekit-plugins-google": "1.8.9"},
}


def _name(lock: Path) -> str:
    return f"{lock.parent.name}/{lock.name}"


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_client_is_the_one_that_is_promised(client):
    versions = pinned(client)
    for name, version in WANTED[client.name].items():
        assert f"{versions[name]}.".startswith(f"{version}.")


@pytest.mark.parametrize(
    ("peer", "package", "version"),
    [
        ("pipecat", "pipecat-ai", "1.14"),
        ("fastrtc", "fastrtc", "0.0.34"),
        ("relay", "google-genai", "2.34"),
    ],
)
def test_each_peer_is_the_one_that_is_promised(peer, package, version):
    versions = python_pins((PEERS / peer / "requirements.lock").read_text())
    assert f"{versions[package]}.".startswith(f"{version}.")


@pytest.mark.parametrize("lock", LOCKS, ids=_name)
def test_no_lock_file_says_where_packages_come_from(lock: Path):
    text = lock.read_text()
    assert len(text) > 500
    assert not re.search(r'"resolved"|index-url|find-links|registry|file:', text)


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.suffix == ".lock"], ids=_name)
def test_each_python_package_has_a_hash(lock: Path):
    text = lock.read_text()
    pins = re.findall(r"^\S+==.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 0


def test_reading_pins():
    lock = "a-b==1.2.3 \\\n    --hash=sha256:0\nc[d]==4.0 ; python_version < '3.12' \\\n# e==5\n"
    assert python_pins(lock) == {"a-b": "1.2.3", "c": "4.0"}
    npm = '{"packages": {"": {}, "node_modules/@a/b": {"version": "1.0.0"}}}'
    assert javascript_pins(npm) == {"@a/b": "1.0.0"}
