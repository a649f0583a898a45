"""What was measured outlives the measuring: as data, and as plots that are made from it."""

from xml.etree import ElementTree

import pytest

from bench.media.figures import Figures
from bench.media.plots import draw
from bench.media.results import as_json, rows_of
from bench.media.rows import LATER, SOON, Row, percentile
from bench.media.table import table


def measured(system="Salon", sessions=1, camera=True, line="clean") -> Row:
    values = [30.5 + n for n in range(4)]
    return Row(
        system=system,
        sessions=sessions,
        camera=camera,
        line=line,
        figures=Figures(
            added=[2 * value for value in values],
            uplink=values,
            downlink=values,
            since_loss=[1.0, 2.0, 3.0, 4.0] if line in (SOON, LATER) else [],
            start=[250.0],
            late=[float(n % 51) for n in range(51_000)],
        ),
        cpu_s=[9.0],
        memory_mb=[30.0],
        lag_ms=[float(n % 7) for n in range(2_000)],
        others_cores=[0.0],
        failed=["it did not start"],
    )


ROWS = [
    *(measured(sessions=n) for n in (1, 8)),
    *(measured(name, camera=False) for name in ("Salon", "FastRTC")),
    *(measured(camera=False, line=line) for line in (SOON, LATER, "5 % lost")),
]


def test_rows_survive_being_written_down():
    text = as_json(ROWS, machine="Measured here.")
    read = rows_of(text)
    assert table(read) == table(ROWS)
    assert as_json(read, machine="Measured here.") == text
    assert read[0].figures.uplink == [30.5, 31.5, 32.5, 33.5]
    assert read[0].failed == ["it did not start"]


def test_a_tenth_of_a_millisecond_is_enough():
    row = measured()
    row.figures.uplink = [30.0449]
    (read,) = rows_of(as_json([row], machine=""))
    assert read.figures.uplink == [30.0]


def test_what_comes_many_times_a_second_is_kept_by_its_percentiles():
    text = as_json(ROWS[:1], machine="Measured here.")
    assert len(text) < 5_000
    (read,) = rows_of(text)
    for percent in (0, 5, 50, 95, 100):
        before = percentile(ROWS[0].figures.late, percent)
        assert percentile(read.figures.late, percent) == pytest.approx(before, abs=0.051)


def test_the_same_figures_make_the_same_plots(tmp_path):
    draw(ROWS, tmp_path / "once")
    draw(rows_of(as_json(ROWS, machine="")), tmp_path / "again")
    plots = {path.name: path.read_bytes() for path in (tmp_path / "once").iterdir()}
    assert set(plots) == {"added.svg", "parts.svg", "cpu.svg", "lines.svg", "loss.svg"}
    for name, svg in plots.items():
        assert (tmp_path / "again" / name).read_bytes() == svg
        assert len(svg) < 100_000
        words = "".join(ElementTree.fromstring(svg).itertext())
        assert "Salon" in words
        assert "ms" in words or "seconds" in words


def test_a_plot_of_what_was_not_measured_is_empty_and_no_error(tmp_path):
    draw([measured()], tmp_path)
    assert len(list(tmp_path.iterdir())) == 5
