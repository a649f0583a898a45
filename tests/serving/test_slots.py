"""How many more sessions a machine can carry."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.admission.slots import SESSION_BYTES, SESSION_CORES, SPARE_BYTES, Load, free_slots

GB = 2**30
IDLE = Load(cores=2.0, busy_cores=0.0, free_bytes=4 * GB)

loads = st.builds(
    Load,
    cores=st.floats(0.5, 256),
    busy_cores=st.floats(0, 256),
    free_bytes=st.integers(0, 2**40),
    # A mean of differences: a session that ended between two looks makes it nothing, or less.
    session_cores=st.none() | st.floats(-1, 4),
)
counts = st.integers(0, 500)
mosts = st.none() | st.integers(1, 1000)


@pytest.mark.parametrize(
    ("load", "loading", "slots"),
    [
        (IDLE, 0, 8),  # 1.7 cores in fifths
        (IDLE, 3, 5),
        (IDLE, 20, 0),
        (dataclasses.replace(IDLE, busy_cores=1.0), 0, 3),
        (dataclasses.replace(IDLE, busy_cores=1.69), 0, 0),
        (dataclasses.replace(IDLE, session_cores=0.1), 0, 17),
        (dataclasses.replace(IDLE, free_bytes=SPARE_BYTES + 3 * SESSION_BYTES), 0, 3),
        (dataclasses.replace(IDLE, free_bytes=SPARE_BYTES + 3 * SESSION_BYTES), 2, 1),
        (dataclasses.replace(IDLE, free_bytes=0), 0, 0),
    ],
)
def test_what_the_scarcer_of_processor_and_memory_allows(load: Load, loading: int, slots: int):
    assert free_slots(load, running=20, loading=loading, most=None) == slots


def test_a_number_that_was_set_is_all_that_counts():
    full = Load(cores=1.0, busy_cores=9.0, free_bytes=0)
    assert free_slots(full, running=3, loading=3, most=8) == 5
    assert free_slots(IDLE, running=9, loading=0, most=8) == 0


def test_sessions_that_did_nothing_yet_are_not_taken_for_costly_nor_for_free():
    nothing = free_slots(
        dataclasses.replace(IDLE, session_cores=0.0), running=9, loading=0, most=None
    )
    little = free_slots(
        dataclasses.replace(IDLE, session_cores=0.001), running=9, loading=0, most=None
    )
    assert nothing == little == int(1.7 / (SESSION_CORES / 4))


@given(load=loads, running=counts, loading=counts, most=mosts)
def test_it_is_never_negative(load: Load, running: int, loading: int, most: int | None):
    assert free_slots(load, running=running, loading=loading, most=most) >= 0


@given(load=loads)
def test_where_none_runs_there_is_room_for_one_whatever_the_load(load: Load):
    assert free_slots(load, running=0, loading=0, most=None) >= 1


@given(load=loads, running=counts, loading=counts, most=mosts, more=st.data())
def test_more_load_is_never_more_slots(
    load: Load, running: int, loading: int, most: int | None, more: st.DataObject
):
    slots = free_slots(load, running=running, loading=loading, most=most)
    busier = dataclasses.replace(load, busy_cores=load.busy_cores + more.draw(st.floats(0, 9)))
    fuller = dataclasses.replace(load, free_bytes=more.draw(st.integers(0, load.free_bytes)))
    costlier = dataclasses.replace(
        load,
        session_cores=more.draw(
            st.floats(SESSION_CORES if load.session_cores is None else load.session_cores, 9)
        ),
    )
    for worse in (busier, fuller, costlier):
        assert free_slots(worse, running=running, loading=loading, most=most) <= slots
    later = running + more.draw(counts), loading + more.draw(counts)
    assert free_slots(load, running=later[0], loading=loading, most=most) <= slots
    assert free_slots(load, running=running, loading=later[1], most=most) <= slots
