"""Google Search: what an answer with sources looks like. Nothing is searched for here. Pure."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

from understudy.answers import Answer

_WANTED = re.compile(r"\bsearch(?: the (?:web|internet))? for\s+(.+)", re.IGNORECASE)
_MAX_CHARACTERS = 120
_PAGES = ("example.org", "example.com")
"""Reserved for examples (RFC 2606)."""


def wanted(text: str) -> str:
    """Returns what a typed text asks to be searched for, or ""."""
    match = _WANTED.search(" ".join(text.split()))
    return match[1].rstrip(" ?!.,;:")[:_MAX_CHARACTERS] if match else ""


def found(query: str) -> Answer:
    """Answers with sources, which are made up, as it says."""
    first, second = _sentences(query)
    return Answer(f"{first} {second}", "search", query=query)


def grounding(answer: Answer) -> dict[str, Any]:
    """Returns the groundingMetadata of an answer that was searched for, as on the wire."""
    first, second = (sentence.encode() for sentence in _sentences(answer.query))
    segments = [
        {"endIndex": len(first), "text": first.decode()},
        {
            "startIndex": len(first) + 1,
            "endIndex": len(first) + 1 + len(second),
            "text": second.decode(),
        },
    ]
    return {
        "webSearchQueries": [answer.query],
        "searchEntryPoint": {"renderedContent": f"<div>{html.escape(answer.query)}</div>"},
        "groundingChunks": [
            {"web": {"uri": f"https://{page}/?q={quote(answer.query)}", "title": page}}
            for page in _PAGES
        ],
        "groundingSupports": [
            {"segment": segment, "groundingChunkIndices": [number], "confidenceScores": [0.9]}
            for number, segment in enumerate(segments)
        ],
    }


def _sentences(query: str) -> tuple[str, str]:
    return (
        f"You asked me to search for {query}.",
        "I can't search, so the two pages that I name are made up.",
    )
