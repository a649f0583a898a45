import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from pipeline.settings import SettingsError
from serving.access.session_ids import SECRET_FILE, TO_BEGIN_S, SessionIds, token_secret
from serving.refused import Refused
from tests.access.support import refusal, settings

SECRET = b"s" * 32
FORGED = (403, "This session id was not issued by this server.")
EXPIRED = (
    410,
    "This session has ended or was not begun in time; POST /start begins another.",
)


class Clock:
    def __init__(self):
        self.s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ids(clock):
    return SessionIds(SECRET, time_s=clock)


def nobody(session: str) -> bool:
    return False


def read(ids: SessionIds, text: str, is_running=nobody) -> str | tuple[int, str]:
    try:
        return ids.read(text, is_running=is_running)
    except Refused as error:
        return refusal(error)


def test_an_id_is_a_uuid_a_time_and_a_signature(ids):
    uuid, time, signature = ids.issue().split(".")
    assert len(uuid) == 32 and int(uuid, 16)
    assert time and len(signature) == 43  # SHA-256


def test_an_id_fits_into_a_path_as_it_is(ids):
    assert all(c.isalnum() or c in "-_." for c in ids.issue())


def test_what_is_read_is_the_uuid(ids):
    text = ids.issue()
    assert read(ids, text) == text.partition(".")[0]


def test_two_ids_are_not_the_same(ids):
    assert ids.issue() != ids.issue()


def test_a_call_may_begin_until_the_time_is_over(ids, clock):
    text = ids.issue()
    clock.s += TO_BEGIN_S
    assert read(ids, text) == text.partition(".")[0]
    clock.s += 1
    assert read(ids, text) == EXPIRED


@pytest.mark.parametrize("moved_s", [-30 * 86400, -3600, 3600, 30 * 86400])
def test_the_id_of_a_running_session_is_good_whatever_the_clock_does(ids, clock, moved_s):
    text = ids.issue()
    clock.s += moved_s
    assert read(ids, text, lambda session: True) == text.partition(".")[0]


def test_an_id_dies_with_its_session(ids, clock):
    text = ids.issue()
    running = {text.partition(".")[0]}
    clock.s += 3600
    assert read(ids, text, running.__contains__) in running
    running.clear()
    assert read(ids, text, running.__contains__) == EXPIRED


def test_a_clock_that_was_set_back_makes_no_id_that_lasts(ids, clock):
    text = ids.issue()
    clock.s -= 3600
    assert read(ids, text) == EXPIRED


def test_a_clock_that_was_corrected_a_little_harms_no_call(ids, clock):
    text = ids.issue()
    clock.s -= 5
    assert read(ids, text) == text.partition(".")[0]


def test_only_the_session_that_is_asked_for_is_asked_about(ids):
    asked = []
    text = ids.issue()
    ids.read(text, is_running=lambda session: bool(asked.append(session)))
    assert asked == [text.partition(".")[0]]


def test_nobody_else_can_issue_one(ids, clock):
    uuid = "0" * 32
    elsewhere = TimestampSigner(
        SECRET, salt="elsewhere", key_derivation="hmac", digest_method=hashlib.sha256
    )
    others = [
        SessionIds(b"o" * 32, time_s=clock).issue(),
        elsewhere.sign(uuid).decode(),  # the same secret, for something else
        uuid,
        f"{uuid}..",
        "",
        ".",
        "..",
    ]
    assert {read(ids, text, lambda session: True) for text in others} == {FORGED}


@given(st.text(max_size=300))
def test_any_text_is_refused_in_a_sentence(text):
    assert read(SessionIds(SECRET), text, lambda session: True) == FORGED


@given(st.data())
def test_an_id_that_was_changed_anywhere_is_never_another_session(data):
    ids = SessionIds(SECRET)
    text = ids.issue()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    # The last character holds bits that no signature has, so it may be read as the same one.
    assert read(ids, changed, lambda session: True) in (FORGED, text.partition(".")[0])


def test_a_second_server_reads_the_ids_of_the_first(tmp_path: Path):
    first = SessionIds(token_secret(settings(), tmp_path))
    second = SessionIds(token_secret(settings(), tmp_path))
    text = first.issue()
    assert read(second, text) == text.partition(".")[0]


def test_each_run_has_a_secret_of_its_own(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    secrets = {token_secret(settings(), tmp_path / name) for name in "ab"}
    assert len(secrets) == 2 and all(len(secret) == 32 for secret in secrets)


def test_only_its_owner_can_read_the_secret(tmp_path: Path):
    before = os.umask(0)
    try:
        token_secret(settings(), tmp_path)
    finally:
        os.umask(before)
    (file,) = tmp_path.iterdir()
    assert file.name == SECRET_FILE
    assert file.stat().st_mode & 0o777 == 0o600


def test_servers_that_start_together_agree_on_one_secret(tmp_path: Path):
    together = threading.Barrier(16)
    secrets: list[bytes] = []

    def start():
        together.wait()
        secrets.append(token_secret(settings(), tmp_path))

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 16 and len(set(secrets)) == 1
    assert [file.name for file in tmp_path.iterdir()] == [SECRET_FILE]


def test_a_secret_that_is_set_is_used_and_not_written(tmp_path: Path):
    chosen = settings(SALON_TOKEN_SECRET="t" * 32)
    assert token_secret(chosen, tmp_path) == b"t" * 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoil", ["open", "short", "long", "link", "folder"])
def test_a_secret_that_others_could_know_is_not_used(tmp_path: Path, spoil):
    file = tmp_path / SECRET_FILE
    if spoil == "folder":
        file.mkdir()
    elif spoil == "link":
        (tmp_path / "known").write_bytes(b"k" * 32)
        (tmp_path / "known").chmod(0o600)
        file.symlink_to(tmp_path / "known")
    else:
        file.write_bytes(b"k" * {"open": 32, "short": 31, "long": 33}[spoil])
        file.chmod(0o644 if spoil == "open" else 0o600)
    with pytest.raises(SettingsError, match="The secret of session ids can't be kept in .*; set"):
        token_secret(settings(), tmp_path)


def test_a_folder_that_can_not_be_written_to_is_told(tmp_path: Path):
    with pytest.raises(SettingsError, match="No such file or directory"):
        token_secret(settings(), tmp_path / "nowhere")
