"""What a whole run measures, and for how long."""

from collections import Counter

from bench.media.figures import Figures
from bench.media.line import LINES
from bench.media.plan import Saturation, Wanted, loads, seconds


def test_a_whole_run_takes_less_than_an_hour():
    assert 40 < sum(map(seconds, loads(Wanted()))) / 60 < 60


def test_each_row_has_turns_enough():
    for load in loads(Wanted()):
        if load.line != "clean":
            assert load.turns >= 4 and load.barge_ins == 0
        elif load.system.name in ("Salon", "Pipecat", "FastRTC"):
            assert load.turns >= 3 and load.turns * load.sessions >= 12
            assert not load.camera or load.barge_ins * load.sessions >= 4
        else:
            assert (load.sessions, load.turns, load.barge_ins) == (1, 5, 2)


def test_salon_is_measured_with_more_sessions_than_peers():
    most: Counter[tuple[str, bool]] = Counter()
    for load in loads(Wanted()):
        key = load.system.name, load.camera
        most[key] = max(most[key], load.sessions)
    assert most["Salon", True] == 10
    assert most["FastRTC", True] == 4
    assert most["FastRTC", False] == most["Salon", False] == 8
    assert most["Pipecat with VAD", True] == most["relay", True] == most["floor", True] == 1


def test_bad_lines_are_measured_with_one_voice_of_those_that_are_compared():
    bad = [load for load in loads(Wanted()) if load.line != "clean"]
    assert {load.line for load in bad} == set(LINES) - {"clean"}
    assert {load.system.name for load in bad} == {"Salon", "Pipecat", "FastRTC"}
    assert {(load.sessions, load.camera) for load in bad} == {(1, False)}


def test_servers_take_turns_under_the_same_load():
    names = [load.system.name for load in loads(Wanted()) if load.line == "clean"]
    assert names[:3] == ["Salon", "Pipecat", "FastRTC"]
    under = [(load.line, load.camera, load.sessions) for load in loads(Wanted())]
    assert under == sorted(under, key=under.index)


def test_what_is_asked_for_is_what_is_measured():
    wanted = Wanted(only=["relay", "floor"], sessions=(1, 16), turns=5, barge_ins=0)
    shown = [load for load in loads(wanted) if load.camera]
    assert [(load.system.name, load.sessions) for load in shown] == [
        ("relay", 1),
        ("floor", 1),
        ("relay", 16),
    ]
    assert {(load.turns, load.barge_ins) for load in shown} == {(5, 0)}
    assert not list(loads(Wanted(only=["relay"], lines=["5 % lost"])))
    assert not list(loads(Wanted(only=["Salon WebSocket"], media=(True,))))


def test_a_peer_that_lost_most_turns_is_loaded_no_further():
    saturation = Saturation()
    by_key = {
        (load.system.name, load.sessions, load.camera): load
        for load in loads(Wanted(lines=["clean"], only=["Salon", "Pipecat", "FastRTC"]))
    }
    saturation.note(by_key["Pipecat", 2, True], Figures(added=[500.0], lost=2))
    saturation.note(by_key["FastRTC", 4, True], Figures(added=[500.0, 500.0], lost=2))
    saturation.note(by_key["FastRTC", 4, False], None)
    saturation.note(by_key["Salon", 1, True], None)
    spared = {key for key, load in by_key.items() if saturation.spares(load)}
    assert spared == {
        *(("Pipecat", sessions, True) for sessions in (4, 6, 8, 10)),
        ("FastRTC", 8, False),
    }
