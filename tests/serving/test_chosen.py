"""What `/api/salon` offers, over the real server: it can be chosen, and then it is so."""

import httpx
import pytest
from fastapi import FastAPI, Response

from pipeline.choices import Answers
from pipeline.persona_picture import MAX_BYTES
from serving.access.page_headers import PICTURE_POLICY, PageHeaders
from tests.access.support import served
from tests.page.support import becomes_true
from tests.support.caller import Caller

EVIL = """<svg xmlns="http://www.w3.org/2000/svg" onload="document.title = 'it ran'">
<style>circle { fill: red }</style><circle r="9"/>
<script>document.title = "it ran"</script><script href="/assets/any.js"/>
</svg>"""


@pytest.fixture(scope="module")
def about(server) -> dict:
    return httpx.get(f"{server.url}/api/salon").json()


def test_what_there_is_to_choose_is_told(about):
    assert "Charon" in about["voices"] and len(about["voices"]) == 30
    assert about["language"] in about["languages"] and "cmn-CN" in about["languages"]
    assert about["transports"] == ["webrtc", "websocket"]  # Daily's key is not set
    for persona in about["personas"]:
        assert persona["voice"] in about["voices"]


async def test_what_is_chosen_is_what_the_model_is_set_up_with(server):
    before = len([e for e in server.record() if e["event"] == "setup"])
    choices = {"answers": "text", "voice": "Zephyr", "language": "de-DE"}
    async with Caller(server.url, choices=choices) as caller:
        session = await caller.hears("server-message", type="session")
        assert choices.items() <= session.items()
        await caller.bot_said("understudy")
        caller.types("good evening")
        await caller.bot_said("good evening")
        assert caller.ear.levels and caller.ear.voice_s() == 0
    setup = [e for e in server.record() if e["event"] == "setup"][before]
    assert setup["voice"] == "Zephyr" and setup["language"].startswith("de")


async def test_each_persona_is_heard_in_its_own_voice_where_none_is_chosen(server, about):
    (persona,) = [one for one in about["personas"] if one["name"] == "screen-helper"]
    async with Caller(server.url, persona="screen-helper") as caller:
        session = await caller.hears("server-message", type="session")
    assert (session["voice"], session["answers"]) == (persona["voice"], Answers.VOICE)


@pytest.mark.parametrize(
    ("body", "named"), [({"voice": "Nobody"}, "Zephyr"), ({"answers": "song"}, "text")]
)
def test_what_can_not_be_had_is_refused_with_what_there_is(server, body, named):
    answer = httpx.post(f"{server.url}/start", json={"body": body})
    assert answer.status_code == 400 and named in answer.json()["detail"]


# --- portraits --------------------------------------------------------------------------------------


def test_each_persona_has_its_portrait(server, about):
    for persona in about["personas"]:
        answer = httpx.get(server.url + persona["picture"])
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"] == PICTURE_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert 0 < len(answer.content) < MAX_BYTES


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e%2fbot"])
def test_there_is_no_portrait_of_anybody_else(server, name):
    answer = httpx.get(f"{server.url}/personas/{name}/picture")
    assert answer.status_code == 404 and "detail" in answer.json()


async def test_the_page_can_show_them(page, about):
    await page.evaluate(
        """paths => paths.forEach(path => document.body.append(
            Object.assign(document.createElement('img'), {src: path, className: 'portrait'})))""",
        [persona["picture"] for persona in about["personas"]],
    )
    shown = "[...document.querySelectorAll('.portrait')].every(one => one.naturalWidth > 0)"
    await becomes_true(page, shown)


async def test_a_portrait_that_is_opened_runs_nothing(page):
    app = FastAPI()

    @app.get("/personas/evil/picture")
    def picture() -> Response:
        return Response(EVIL, media_type="image/svg+xml")

    app.add_middleware(PageHeaders)
    opened = await page.context.browser.new_page()  # its console is full of what is refused
    async with served(app) as url:
        answer = await opened.goto(f"{url}/personas/evil/picture")
        assert answer.ok
        await becomes_true(opened, "document.querySelector('circle')")
        assert await opened.title() == ""
