"""What was measured, as data: for plots, and for who wants to count again. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.media.figures import Figures
from bench.media.rows import Row, percentile

_MOST = 101
"""Of what comes many times a second, the percentiles from 0 to 100 stand for all."""
_MANY = ("late", "lag_ms", "frame_bytes")


def as_json(rows: Sequence[Row], *, machine: str) -> str:
    """Rows as JSON, each on a line; milliseconds to a tenth.

    Args:
        rows: What was measured.
        machine: On what, in a sentence.
    """
    lines = ",\n".join(json.dumps(_short(asdict(row))) for row in rows)
    return f'{{"machine": {json.dumps(machine)}, "rows": [\n{lines}\n]}}\n'


def rows_of(text: str) -> list[Row]:
    """The rows that were written down."""
    fields: list[dict[str, Any]] = json.loads(text)["rows"]
    return [Row(**{**row, "figures": Figures(**row["figures"])}) for row in fields]


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _shortened(name, value) for name, value in fields.items()}


def _shortened(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _short(value)
    if not isinstance(value, list) or name == "failed":
        return value
    if name in _MANY and len(value) > _MOST:
        value = [percentile(value, percent) for percent in range(_MOST)]
    return [round(number, 1) for number in value]
