"""The page works under the policy that it is served with, in Chromium, with a real call."""

import re

import httpx
from playwright.async_api import expect

from serving.access.page_headers import EMBED, HEADERS, PageHeaders, page_headers, policy
from tests.page.support import connect, sees, turns
from tests.test_first_light import red_picture


async def test_the_page_calls_shows_and_sends_under_its_policy(page, server):
    """The fixture fails for anything in the console, as is every violation of the policy."""
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await page.set_input_files(
        'input[type="file"]',
        {"name": "red.png", "mimeType": "image/png", "buffer": red_picture()},
    )
    await expect(turns(page, "bot").filter(has_text="red")).not_to_have_count(0, timeout=30_000)
    await page.get_by_test_id("cam").click()
    await sees(server, "camera")
    await page.get_by_test_id("screen").click()
    await sees(server, "screenVideo")
    await page.get_by_test_id("end").click()
    await expect(page.locator("body")).to_have_attribute("data-state", re.compile("idle|ended"))


INJECTED = """async () => {
    const violations = [];
    document.addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.body.append(script);
    const picture = document.createElement('img');
    picture.src = 'http://127.0.0.1:9/spy.png';
    document.body.append(picture);
    const frame = document.createElement('iframe');
    frame.src = 'http://127.0.0.1:9/';
    document.body.append(frame);
    await fetch('http://127.0.0.1:9/').catch(() => null);
    await new Promise(resolve => setTimeout(resolve, 200));
    return [window.injected, violations.sort()];
}"""


async def test_what_would_be_injected_into_the_page_does_nothing(page, server):
    other = await page.context.browser.new_page()  # its console is full of what is refused
    await other.goto(server.url)
    injected, violations = await other.evaluate(INJECTED)
    assert injected is None
    assert violations == ["connect-src", "frame-src", "img-src", "script-src-elem"]


FRIENDS = ["https://b.example", "https://a.example:8443"]


def test_the_policy_names_nobody_else():
    assert re.findall(r"https?:|wss?:|\*|unsafe|daily", policy()) == []


def test_who_is_allowed_may_show_the_page_in_a_frame_and_nobody_else():
    assert policy().endswith("frame-ancestors 'none'")
    assert policy(frames=FRIENDS).endswith(f"frame-ancestors {FRIENDS[1]} {FRIENDS[0]}")
    # An answer that is no page, and the page when nobody is allowed, say so to old browsers too.
    assert page_headers() == HEADERS
    assert HEADERS["X-Frame-Options"] == "DENY"
    assert "X-Frame-Options" not in page_headers(frames=FRIENDS)


def test_daily_is_in_the_policy_where_its_rooms_are_offered():
    changed = set(policy(daily=True).split("; ")) - set(policy().split("; "))
    assert changed == {
        "script-src 'self' https://c.daily.co blob:",
        "connect-src 'self' https://*.daily.co wss://*.daily.co",
    }


def test_camera_microphone_and_screen_are_the_pages_own():
    for name in ("camera", "microphone", "display-capture"):
        assert f"{name}=(self)" in HEADERS["Permissions-Policy"]


async def test_only_the_page_itself_may_be_in_a_frame_and_only_one_file_is_for_all():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    page = page_headers(frames=FRIENDS)
    transport = httpx.ASGITransport(PageHeaders(app, page))  # pyright: ignore
    async with httpx.AsyncClient(transport=transport, base_url="http://salon") as client:
        headers = {
            path: (await client.get(path)).headers
            for path in ("/", "/api/salon", "/assets/icon.svg", EMBED)
        }
    framed = [path for path, of in headers.items() if "x-frame-options" not in of]
    assert framed == ["/"]
    name = "cross-origin-resource-policy"
    assert [path for path, of in headers.items() if of[name] == "cross-origin"] == ["/", EMBED]
    assert headers[EMBED]["cache-control"] == "no-cache"
