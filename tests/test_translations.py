"""What the server says is known to the page in Chinese, and the page knows nothing it does not say."""

import ast
import json
import re
from collections.abc import Iterator

import pytest
from google.genai.errors import APIError

from pipeline import endings, joining, live_news, live_service, picture_process, refusals
from pipeline.limits import Due, Limit
from pipeline.persona import load_personas
from pipeline.settings import ROOT
from serving import front_desk, rooms
from serving.access import own_keys
from serving.admission.admission import Admission, CallRequest, Limits, Refusal
from serving.page import OFFLINE_NOTICE
from serving.supervisor.endings import SENTENCES

TRANSLATIONS = json.loads((ROOT / "web/src/words/zh.server.json").read_text(encoding="utf-8"))
HOLE = re.compile(r"\{\w+\}")
PATTERNS = [
    re.compile(re.escape(HOLE.sub("\0", said)).replace("\0", ".+")) for said in TRANSLATIONS
]

RUN = 20
"""So many characters in a row are no chance."""


def is_known(sentence: str) -> bool:
    """As the page looks for it: `translate` in `web/src/translation.ts`, and `withWait` before."""
    what, *_ = sentence.split("; please try again")
    return any(pattern.fullmatch(said) for pattern in PATTERNS for said in (sentence, what))


def refused(limits: Limits, *, free: int, has_own_key: bool = False, closing: bool = False) -> str:
    """What the second of two calls is told."""
    admission = Admission(limits)
    admission.reserve(CallRequest(session_id="one", model_key="k"), free=9, now_s=0)
    admission.is_draining = closing
    call = CallRequest(
        session_id="two", client="c", caller="c", model_key="k", has_own_key=has_own_key
    )
    with pytest.raises(Refusal) as error:
        admission.reserve(call, free=free, now_s=0)
    return error.value.sentence


def sentences() -> Iterator[str]:
    """What a page may be told."""
    yield OFFLINE_NOTICE
    yield from live_news._SENTENCES.values()
    yield from (live_service._SLOW, live_service._ASK_AGAIN, live_service._NOTHING_TO_SAY)
    yield from (sentence.format(model="m") for _, sentence in refusals._BY_REASON)
    yield from refusals._BY_STATUS.values()
    yield refusals._BAD_OWN_KEY
    for error in (
        TimeoutError(),
        OSError(),
        ValueError(),
        APIError(1007, {"error": {"message": "Cannot find field: x."}}),
        APIError(1011, {"error": {"message": "Internal error encountered."}}),
    ):
        yield refusals.explain(error, model="m").sentence
    for ending in (endings.IDLE, endings.BROKEN, endings.UNWRITTEN, *endings.AT_LIMIT.values()):
        yield ending.text
    for limit, left in ((Limit.COST, 1), (Limit.TIME, 1), (Limit.TIME, 60), (Limit.TIME, 300)):
        yield endings.warning(Due(limit=limit, left=left, is_over=False))
    yield from SENTENCES.values()
    yield f"The Daily room could not be joined within {joining.JOIN_S:g} seconds."
    yield from (front_desk.HAS_BEGUN, front_desk.HAS_ENDED, front_desk.KEY_IS_GONE, rooms.NO_ROOM)
    yield from (own_keys._NO_KEY, own_keys._NEEDED, own_keys._NONE_TAKEN)
    yield refused(Limits(), free=0)
    yield refused(Limits(), free=9, closing=True)
    yield refused(Limits(per_client=0), free=9)
    yield refused(Limits(per_caller=0), free=9)
    yield refused(Limits(per_model_key=1), free=9)
    yield refused(Limits(per_model_key=1), free=9, has_own_key=True)
    yield from (picture_process._BUSY, picture_process._TOO_SLOW, picture_process._DIED)


def test_what_the_server_says_is_translated():
    assert [sentence for sentence in sentences() if not is_known(sentence)] == []


def test_every_translation_is_of_something_that_the_server_says():
    written = "\n".join(texts())

    def is_said(part: str) -> bool:
        # Not the whole: some are put together of two.
        return part[:RUN] in written or part[-RUN:] in written

    unsaid = [said for said in TRANSLATIONS if not is_said(max(HOLE.split(said), key=len))]
    assert unsaid == []


def test_what_differs_has_its_place_in_the_translation():
    for said, translation in TRANSLATIONS.items():
        assert set(HOLE.findall(translation)) <= set(HOLE.findall(said)), said


def test_every_persona_is_introduced_in_chinese():
    for persona in load_personas():
        assert "zh" in persona.translations, persona.name


def texts() -> Iterator[str]:
    """Every text in the server's sources, as it is when the program runs."""
    for folder in ("pipeline", "processors", "serving"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "…"
                        for part in node.values
                    )
