"""What Daily tells of the bot's own line."""

from typing import Any

import pytest

from pipeline.line_quality import EASED_A_S, HELD_S, HIGHEST
from pipeline.network_stats import NetworkStats
from pipeline.rooms.line import RoomsLine


def measured(**latest: Any) -> dict[str, Any]:
    return {"quality": 100, "threshold": "good", "stats": {"latest": latest}}


def lossy(line: RoomsLine, loss: float, *, of: int = 5, from_s: float = 0.0) -> None:
    for number in range(of):
        told = measured(totalRecvPacketLoss=loss, totalSendPacketLoss=0)
        line.measured(told, from_s + 2.0 * number)


def test_a_line_on_which_nothing_is_lost_has_no_pressure():
    line = RoomsLine()
    lossy(line, 0.0)
    assert line.pressure == 0


def test_loss_in_either_direction_is_pressure():
    for key in ("totalRecvPacketLoss", "totalSendPacketLoss"):
        line = RoomsLine()
        for number in range(5):
            line.measured(measured(**{key: 0.2}), 2.0 * number)
        assert line.pressure == HIGHEST


def test_pressure_goes_when_the_line_is_good_again():
    line = RoomsLine()
    lossy(line, 0.2)
    lossy(line, 0.0, of=round((HELD_S + 1 / EASED_A_S) / 2) + 5, from_s=10.0)
    assert line.pressure == 0


@pytest.mark.parametrize(
    ("threshold", "pressure"), [("good", 0), ("low", 0.5), ("very-low", HIGHEST)]
)
def test_dailys_own_judgement_counts(threshold: str, pressure: float):
    line = RoomsLine()
    line.measured(measured() | {"threshold": threshold}, 0.0)
    assert line.pressure == pressure


def test_an_interruption_is_as_much_as_there_is_and_over_when_it_is_over():
    line = RoomsLine()
    line.connection({"connection": "signalling", "event": "interrupted"})
    line.connection({"connection": "recvTransport", "event": "interrupted"})
    assert line.pressure == HIGHEST
    line.connection({"connection": "signalling", "event": "connected"})
    assert line.pressure == HIGHEST
    line.connection({"connection": "recvTransport", "event": "connected"})
    assert line.pressure == 0


def test_it_is_logged_as_a_pages_line_is():
    told = measured(
        totalRecvPacketLoss=0.01, totalSendPacketLoss=0.03, availableOutgoingBitrate=2_000_000
    )
    stats = RoomsLine().measured(told, 0.0)
    assert stats == NetworkStats(loss=0.03, available_bps=2_000_000.0)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"stats": {}},
        {"stats": {"latest": None}},
        measured(totalRecvPacketLoss=None),
        measured(totalRecvPacketLoss="bad", totalSendPacketLoss=True),
        measured(totalRecvPacketLoss=float("nan"), availableOutgoingBitrate=-1),
        {"threshold": [], "stats": 3},
    ],
    ids=repr,
)
def test_what_is_not_known_is_nothing(told: Any):
    line = RoomsLine()
    assert line.measured(told, 0.0) is None
    line.connection(told)
    assert line.pressure == 0
