"""Spans on their way out: without what was said, and without a word about each that is lost.

Only `pipeline.tracing` imports this, and only where traces are wanted.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from loguru import logger
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Status

TELLING = (
    "conversation.",
    "exception.type",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.usage.",
    "language",
    "metrics.",
    "output_modality",
    "settings.language",
    "settings.model",
    "settings.voice",
    "tool.call_id",
    "tool.calls_count",
    "tool.function_name",
    "tool.result_status",
    "tools.count",
    "turn.",
    "turn_complete",
)
"""Attributes, or how their names begin, that hold nothing of what anybody said or wrote."""

WORDS = ("output", "tool.arguments", "tool.result", "transcript")
"""Attributes with what was said, and what functions were asked and answered."""

TRANSCRIPT = "stt"
"""A span for a transcript; Pipecat 1.14.0 ends it when the next one comes, so its time means nothing."""

_CHATTY = ("opentelemetry.exporter", "opentelemetry.sdk")


class DiscreetExporter(OTLPSpanExporter):
    """Sends spans over HTTP, set up by the standard `OTEL_EXPORTER_OTLP_*` variables.

    Pipecat 1.14.0 puts the instruction, transcripts, and functions' arguments and results into its
    spans; only what is known to be harmless goes out, unless words are wanted.

    Args:
        with_words: Whether what was said goes out too.

    Attributes:
        is_failing: Whether the last batch could not be sent.
    """

    def __init__(self, *, with_words: bool):
        super().__init__()
        self._allowed = TELLING + WORDS if with_words else TELLING
        self._left_out = () if with_words else (TRANSCRIPT,)
        self._is_told = False
        self.is_failing = False
        for name in _CHATTY:
            # Each batch and each attempt would be a line of the log.
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; the first that can't be sent is reported, once."""
        kept = [self._without_words(span) for span in spans if span.name not in self._left_out]
        result = super().export(kept) if kept else SpanExportResult.SUCCESS
        self.is_failing = result is not SpanExportResult.SUCCESS
        if self.is_failing:
            self._tell()
        return result

    def give_up(self):
        """Send nothing more."""
        self._tell()
        if not self._shutdown:
            self.shutdown()

    def _tell(self):
        if not self._is_told:
            self._is_told = True
            logger.warning(
                f"Traces don't arrive at {_place(self._endpoint)}; "
                "sessions go on without. Check OTEL_EXPORTER_OTLP_ENDPOINT."
            )

    def _without_words(self, span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._of(span.attributes),
            events=[Event(e.name, self._of(e.attributes), e.timestamp) for e in span.events],
            links=span.links,
            kind=span.kind,
            instrumentation_scope=span.instrumentation_scope,
            status=Status(span.status.status_code),  # its description is that of an exception
            start_time=span.start_time,
            end_time=span.end_time,
        )

    def _of(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {
            name: value
            for name, value in (attributes or {}).items()
            if any(name == allowed or _begins(name, allowed) for allowed in self._allowed)
        }


def _begins(name: str, allowed: str) -> bool:
    return allowed.endswith(".") and name.startswith(allowed)


def _place(endpoint: str) -> str:
    """An address without a password or a token that may be in it."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
