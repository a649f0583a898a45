import json
import threading

from journal.journal_file import JournalFile


def records(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_is_on_disk_when_its_future_is_done(tmp_path):
    file = JournalFile(tmp_path / "logs" / "turns" / "a.jsonl")
    file.append({"turn": 1, "text": "grüß dich\nzweimal"}).result()
    assert records(file.path) == [{"turn": 1, "text": "grüß dich\nzweimal"}]
    file.close()


def test_half_an_emoji_does_not_cost_the_line(tmp_path):
    file = JournalFile(tmp_path / "a.jsonl")
    file.append({"turn": 1, "text": "half \ud83d"}).result()
    file.append({"turn": 2}).result()
    assert [r["turn"] for r in records(file.path)] == [1, 2]
    file.close()


def test_records_are_appended_in_order_and_only_the_owner_reads_them(tmp_path):
    file = JournalFile(tmp_path / "a.jsonl")
    for number in range(100):
        file.append({"turn": number})
    file.close()
    assert [r["turn"] for r in records(file.path)] == list(range(100))
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_created_before_there_is_something_to_say(tmp_path):
    file = JournalFile(tmp_path / "logs" / "a.jsonl")
    file.close()
    assert not (tmp_path / "logs").exists()


def test_what_could_not_be_written_is_written_later(tmp_path):
    folder = tmp_path / "logs"
    folder.write_text("a file where the folder should be")
    file = JournalFile(folder / "a.jsonl")
    file.append({"turn": 1}).result()
    folder.unlink()
    file.append({"turn": 2}).result()
    assert [r["turn"] for r in records(file.path)] == [1, 2]
    file.close()


def test_closing_leaves_no_thread(tmp_path):
    before = threading.active_count()
    file = JournalFile(tmp_path / "a.jsonl")
    file.append({"turn": 1})
    file.close()
    assert threading.active_count() == before
