from pathlib import Path

import pytest

from pipeline.persona import PERSONAS_DIR, PersonaError, load_persona, load_personas, persona_names


def test_three_are_shipped_and_each_has_all_that_the_page_shows():
    personas = load_personas()
    assert [p.name for p in personas] == ["art-critic", "companion", "screen-helper"]
    assert all(p.title and p.summary and p.greeting and p.instruction for p in personas)


def test_an_unknown_name_is_refused_with_the_names_that_there_are():
    with pytest.raises(PersonaError, match="nobody.*art-critic, companion, screen-helper"):
        load_persona("nobody")


@pytest.mark.parametrize("name", ["../personas/companion", "/etc/passwd", "", "companion.md"])
def test_a_name_cannot_choose_another_file(name):
    with pytest.raises(PersonaError):
        load_persona(name)


def video(lines: str) -> str:
    return f"---\ntitle: T\nsummary: S\nvideo:\n  {lines}\n---\nBe kind."


def limit(lines: str) -> str:
    return f"---\ntitle: T\nsummary: S\n{lines}\n---\nBe kind."


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("no front matter", "front matter"),
        ("---\ntitle: [\n---\nBe kind.", "not YAML"),
        ("---\njust text\n---\nBe kind.", "fields"),
        ("---\ntitle: T\n---\nBe kind.", "summary"),
        (
            video("camera: {max_fps: 30}"),
            "video.camera.max_fps: Input should be less than or equal",
        ),
        (video("camera: {silent_fps: 0.9}"), "video.camera: Value error, silent_fps <= speaking_"),
        (video("screen: {width: 9}"), "video.screen.width: Extra inputs are not permitted"),
        ("---\ntitle: T\nsummary: S\nvioce: Puck\n---\nBe kind.", "vioce"),
        ("---\ntitle: T\nsummary: S\n---\n\n", "instruction"),
        (limit("time_limit_s: 0"), "time_limit_s: Input should be greater than 0"),
        (limit("time_limit_s: .nan"), "time_limit_s: Input should be"),
        (limit("time_limit_s: an hour"), "time_limit_s: Input should be a valid number"),
        (limit("warn_before_s: -1"), "warn_before_s: Input should be greater than or equal to 0"),
        (
            limit("time_limit_s: 60\nwarn_before_s: 60"),
            "warn_before_s: Value error, must be less than time_limit_s, which is 60",
        ),
        (limit("idle_limit_s: 0"), "idle_limit_s: Input should be greater than 0"),
        (limit("token_limit: 0.5"), "token_limit: Input should be a valid integer"),
        (limit("token_limit: 0"), "token_limit: Input should be greater than 0"),
        (limit("cost_limit_usd: .inf"), "cost_limit_usd: Input should be a finite number"),
        (limit("cost_limit_usd: $2"), "cost_limit_usd: Input should be a valid number"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_it(tmp_path, text, wrong):
    (tmp_path / "broken.md").write_text(text)
    with pytest.raises(PersonaError) as error:
        load_persona("broken", folder=tmp_path)
    assert "personas/broken.md" in str(error.value)
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


def test_a_persona_is_one_file(tmp_path):
    (tmp_path / "guide.md").write_text("---\ntitle: Guide\nsummary: Shows.\n---\nShow the way.\n")
    assert persona_names(folder=tmp_path) == ["guide"]
    guide = load_persona("guide", folder=tmp_path)
    assert guide.instruction == "Show the way."
    assert guide.greeting is None and guide.time_limit_s is None
    assert guide.video.camera.max_fps == 1


def test_a_persona_ends_by_idleness_only_unless_it_says_more(tmp_path):
    (tmp_path / "guide.md").write_text(limit("voice: Puck"))
    plain = load_persona("guide", folder=tmp_path)
    limits = (plain.time_limit_s, plain.warn_before_s, plain.token_limit, plain.cost_limit_usd)
    assert limits == (None, None, None, None) and plain.idle_limit_s == 300


def test_a_persona_chooses_its_limits(tmp_path):
    (tmp_path / "guide.md").write_text(
        limit(
            "time_limit_s: 90\nwarn_before_s: 15\nidle_limit_s: null\ntoken_limit: 50000\n"
            "cost_limit_usd: 0.25"
        )
    )
    guide = load_persona("guide", folder=tmp_path)
    assert (guide.time_limit_s, guide.warn_before_s, guide.idle_limit_s) == (90, 15, None)
    assert (guide.token_limit, guide.cost_limit_usd) == (50_000, 0.25)


def test_a_persona_chooses_how_much_is_shown(tmp_path):
    (tmp_path / "guide.md").write_text(video("screen: {silent_fps: 0.07}"))
    chosen = load_persona("guide", folder=tmp_path).video
    assert (chosen.screen.silent_fps, chosen.screen.long_edge_px) == (0.07, 1536)
    assert chosen.camera.silent_fps == 0.1


PORTRAIT = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'


def pictured(folder: Path, name: str, content: bytes | None) -> None:
    """Write a persona whose portrait is a file with this in it; None: it is not there."""
    text = f"---\ntitle: T\nsummary: S\npicture: {name}\n---\nBe kind."
    (folder / "tester.md").write_text(text)
    if content is not None:
        (folder / name).write_bytes(content)


def test_a_persona_may_have_a_portrait_beside_it(tmp_path):
    pictured(tmp_path, "tester.svg", PORTRAIT.encode())
    assert load_persona("tester", folder=tmp_path).picture == "tester.svg"


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("tester.svg", None, "tester.svg can't be read"),
        ("tester.svg", b"no picture", "must be a picture of the kind"),
        ("tester.png", PORTRAIT.encode(), "must be a picture of the kind"),
        ("tester.svg", PORTRAIT.encode() + bytes(64 * 1024), "not be larger than 64 KB"),
        ("tester.gif", b"GIF89a", "picture: String should match pattern"),
        ("../tester.svg", None, "picture: String should match pattern"),
    ],
)
def test_a_portrait_that_can_not_be_used_is_told_of(tmp_path, name, content, wrong):
    (tmp_path / "personas").mkdir()
    pictured(tmp_path / "personas", name, content)
    with pytest.raises(PersonaError, match=wrong) as error:
        load_persona("tester", folder=tmp_path / "personas")
    assert str(error.value).startswith("personas/tester.md: picture: ")


def test_the_portraits_that_are_shipped_are_small():
    for persona in load_personas():
        assert persona.picture and (PERSONAS_DIR / persona.picture).stat().st_size < 3 * 1024
