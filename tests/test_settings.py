import re
from pathlib import Path

import pytest

from pipeline.settings import ROOT, Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in Settings.variables():
        monkeypatch.delenv(name, raising=False)


def test_every_variable_is_documented_and_every_documented_one_is_read():
    documented = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(Settings.variables())


def test_the_example_file_can_be_used_as_it_is(monkeypatch):
    assert load_settings(env_file=ROOT / ".env.example").model == "gemini-3.8-live"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("SALON_MODEL=from-file\nSALON_LANGUAGE=de-DE\n")
    monkeypatch.setenv("SALON_MODEL", "from-environment")
    monkeypatch.setenv("SALON_LANGUAGE", "")  # restored afterwards; the file must not fill it
    settings = load_settings(env_file=file)
    assert settings.model == "from-environment"


def test_what_the_file_says_reaches_the_sdks_too(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "")
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL")
    file = tmp_path / ".env"
    file.write_text("GOOGLE_GEMINI_BASE_URL=https://127.0.0.1:8443\n")
    load_settings(env_file=file)
    import os

    assert os.environ["GOOGLE_GEMINI_BASE_URL"] == "https://127.0.0.1:8443"


def test_an_empty_line_of_the_file_sets_nothing(tmp_path: Path):
    """An empty `SSL_CERT_FILE` in the environment leaves OpenSSL without any authority."""
    import os

    file = tmp_path / ".env"
    file.write_text("SSL_CERT_FILE=\n")
    load_settings(env_file=file)
    assert "SSL_CERT_FILE" not in os.environ


@pytest.mark.parametrize(
    "value",
    [
        "stun:a:1",
        "stun:a:1, stun:[2001:db8::7]:2",
        '{"urls": "turn:a?transport=tcp", "username": "u", "credential": "c"}',
        '[{"urls": ["stun:a", "turns:b"], "username": "u", "credential": "c"}, "stun:c"]',
    ],
)
def test_ice_servers_are_taken_in_each_form(monkeypatch, value):
    monkeypatch.setenv("PIPECAT_ICE_SERVERS", value)
    assert load_settings(env_file=None).ice_servers


@pytest.mark.parametrize(
    "value",
    [
        '{"url": "turn:a"}',
        "[3]",
        "{",
        '{"credential": "topsecret"}',
        '{"urls": "turn:a", "credential": "topsecret"}',
        '{"urls": "turn:a", "username": "u", "credential": "topsecret", "credentialType": "x"}',
        "turn:a",
        "stun://a",
        "stun:a:99999",
        "stun:a?transport=udp",
    ],
)
def test_bad_ice_servers_are_refused_without_their_credential(monkeypatch, value):
    monkeypatch.setenv("PIPECAT_ICE_SERVERS", value)
    with pytest.raises(SettingsError) as error:
        load_settings(env_file=None)
    assert "topsecret" not in str(error.value)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("SALON_CONNECT_TIMEOUT_S", "")
    assert load_settings(env_file=None).connect_timeout_s == 8.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SALON_CONNECT_TIMEOUT_S", "soon"),
        ("SALON_CONNECT_TIMEOUT_S", "900"),
        ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:8443"),
        ("SALON_ICE_ADDRESSES", "127.0.0.1,somewhere"),
        ("SALON_LOG_LEVEL", "loud"),
        ("SALON_PERSONA", "../secret"),
        ("SALON_LANGUAGE", "English please"),
        ("SALON_OFFLINE", "perhaps"),
        ("PIPECAT_ICE_SERVERS", "stun.example.com"),
        ("DAILY_ROOM_URL", "my room"),
        ("SALON_ICE_PORTS", "40100-40000"),
        ("SALON_ICE_PORTS", "80-90"),
        ("SALON_ICE_PORTS", "40000"),
        ("SALON_PUBLIC_ADDRESS", "salon.example.com"),
        ("SALON_PUBLIC_ADDRESS", "203.0.113.7,203.0.113.8"),
        ("SALON_TURN_URLS", "stun:turn.example.com"),
        ("SALON_TURN_URLS", "turn.example.com:3478"),
        ("SALON_TURN_TTL_S", "forever"),
        ("SALON_MAX_SESSION_S", "0"),
        ("SALON_MAX_SESSION_S", "inf"),
    ],
)
def test_a_bad_value_is_one_sentence_with_the_variable_and_an_example(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings(env_file=None)
    sentence = str(error.value)
    assert sentence.startswith(f"{name} must be ")
    assert value in sentence or name == "PIPECAT_ICE_SERVERS"  # may hold a credential
    assert f"for example {name}=" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("SALON_TURN_URLS", "turn:turn.example.com", "SALON_TURN_SECRET"),
        ("SALON_TURN_SECRET", "topsecret", "SALON_TURN_URLS"),
    ],
)
def test_turn_servers_and_their_secret_need_each_other(monkeypatch, name, value, missing):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{missing} is missing") as error:
        load_settings(env_file=None)
    assert "topsecret" not in str(error.value)


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-very-secret")
    monkeypatch.setenv("DAILY_API_KEY", "daily-very-secret")
    monkeypatch.setenv("SALON_TURN_URLS", "turn:turn.example.com")
    monkeypatch.setenv("SALON_TURN_SECRET", "turn-very-secret")
    settings = load_settings(env_file=None)
    assert "very-secret" not in repr(settings) + str(settings) + settings.model_dump_json()
