import json
import os
import threading
from pathlib import Path

import pytest

from understudy.record import MAX_BYTES, MAX_RECORDS, MAX_UNWRITTEN, Recorder


def test_lines_are_appended_with_seconds_since_the_start(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"old": 1}\n')
    now = [5.0]
    recorder = Recorder(clock=lambda: now[0], path=path)
    now[0] = 6.23456
    recorder.add("s1", "text", {"text": "grüß dich"})
    recorder.close()
    assert recorder.records == [{"t": 1.235, "session": "s1", "event": "text", "text": "grüß dich"}]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"old": 1},
        *recorder.records,
    ]


def test_memory_is_bounded():
    recorder = Recorder(clock=lambda: 0.0)
    for _ in range(MAX_RECORDS + 10):
        recorder.add("s1", "audio", {})
    assert len(recorder.records) == MAX_RECORDS


def test_as_many_events_as_one_wants():
    recorder = Recorder(clock=lambda: 0.0, max_records=3)
    for number in range(10):
        recorder.add("s1", "audio", {"ms": number})
    assert [record["ms"] for record in recorder.records] == [7, 8, 9]


@pytest.mark.parametrize("name", ["x" * 100_000, ["x" * 1_000] * 100, {"x": ["x" * 100_000]}])
def test_what_a_client_names_in_megabytes_does_not_fill_the_memory(name):
    recorder = Recorder(clock=lambda: 0.0, max_bytes=1_000_000)
    for number in range(100):
        recorder.add("s1", "tool_response", {"ids": name, "number": number})
    numbers = [record["number"] for record in recorder.records]
    assert numbers == list(range(100 - len(numbers), 100))
    assert 8 <= len(numbers) <= 10


def test_the_usual_events_are_not_too_big():
    recorder = Recorder(clock=lambda: 0.0, max_bytes=MAX_BYTES // 100)
    for _ in range(MAX_RECORDS // 100):
        recorder.add("s123", "audio", {"ms": 20, "rate": 16000, "dbfs": -23.4})
    assert len(recorder.records) == MAX_RECORDS // 100


def test_a_disk_that_stands_still_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    slow = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    recorder = Recorder(clock=lambda: 1.0, path=path)
    text = "x" * 1_000_000
    for _ in range(30):
        recorder.add("s1", "text", {"text": text})
    os.set_blocking(slow, True)
    with open(slow) as file:
        lines = [json.loads(file.readline()) for _ in range(8)]  # there is room again
        recorder.add("s1", "text", {"text": "the last"})
        closing = threading.Thread(target=recorder.close)
        closing.start()
        lines += map(json.loads, file)
        closing.join()
    *written, lost, last = lines
    assert [line["text"] for line in written] == [text] * (MAX_UNWRITTEN // 1_000_000)
    assert lost == {"t": 0.0, "session": "", "event": "lost", "lines": 30 - len(written)}
    assert last["text"] == "the last"


def test_a_full_disk_ends_the_record_and_nothing_else(caplog):
    recorder = Recorder(clock=lambda: 0.0, path=Path("/dev/full"))
    for _ in range(10):
        recorder.add("s1", "audio", {})
    recorder.close()
    assert len(recorder.records) == 10
    assert "the record /dev/full ends here" in caplog.text
