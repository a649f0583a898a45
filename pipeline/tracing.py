"""Traces of a session, through Pipecat's own: conversation, turns, and what the model did in them.

They are on when `OTEL_EXPORTER_OTLP_ENDPOINT` says where to. Otherwise nothing of OpenTelemetry is
even loaded.
"""

import asyncio
import atexit
import contextlib
import functools
import importlib
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.trace_export import DiscreetExporter

SERVICE = "salon"
"""What collectors call us when `OTEL_SERVICE_NAME` does not say otherwise."""

FLUSH_S = 2.0
"""How long the end of a session waits for a collector that takes its time."""


def prepare_tracing() -> None:
    """Load what traces need, or keep it from being loaded; before anything of Pipecat is.

    Pipecat 1.14.0 loads the SDK wherever it is installed: 2 MB, and 0.2 s of each fresh process.
    No thread is started here, so the process may be forked afterwards.
    """
    if is_tracing_wanted():
        importlib.import_module("pipeline.trace_export")
    elif "opentelemetry" not in sys.modules:
        sys.modules["opentelemetry"] = None  # pyright: ignore - how Python marks what can't be had
        importlib.import_module("pipecat.utils.tracing.setup")
        del sys.modules["opentelemetry"]


def is_tracing_wanted() -> bool:
    """Whether the environment says where traces go."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


@contextlib.asynccontextmanager
async def tracing(*, with_words: bool) -> AsyncIterator[None]:
    """Send the traces of what happens in the context, if they are wanted.

    For the process that holds the session: what sends has a thread, which no fork survives. On
    leaving, what is still to be sent is, within `FLUSH_S`.

    Args:
        with_words: Whether they hold what was said; the first context of a process decides.
    """
    if not is_tracing_wanted():
        yield
        return
    exporter = await asyncio.to_thread(_set_up, with_words)
    try:
        yield
    finally:
        await _flush(exporter)


@functools.cache
def _set_up(with_words: bool) -> "DiscreetExporter":
    from opentelemetry import trace
    from pipecat.utils.tracing.setup import setup_tracing

    from pipeline.trace_export import DiscreetExporter

    exporter = DiscreetExporter(with_words=with_words)
    setup_tracing(os.environ.get("OTEL_SERVICE_NAME") or SERVICE, exporter)
    # What is left is sent at the end of the session; the SDK would wait 30 s at the process's.
    atexit.unregister(trace.get_tracer_provider().shutdown)  # pyright: ignore - as set up here
    return exporter


async def _flush(exporter: "DiscreetExporter"):
    """Send what is left; a collector that takes longer than that gets nothing more."""
    from opentelemetry import trace

    flush = trace.get_tracer_provider().force_flush  # pyright: ignore - as set up here
    # A thread of its own, which the end of the process does not wait for.
    sending = threading.Thread(target=flush, daemon=True)
    sending.start()
    await asyncio.to_thread(sending.join, 0.0 if exporter.is_failing else FLUSH_S)
    if sending.is_alive():
        exporter.give_up()
