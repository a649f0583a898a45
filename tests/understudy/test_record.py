import json
from pathlib import Path

from understudy.record import MAX_RECORDS, Recorder


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


def test_a_full_disk_ends_the_record_and_nothing_else(caplog):
    recorder = Recorder(clock=lambda: 0.0, path=Path("/dev/full"))
    for _ in range(10):
        recorder.add("s1", "audio", {})
    recorder.close()
    assert len(recorder.records) == 10
    assert "the record /dev/full ends here" in caplog.text
