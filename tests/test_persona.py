import pytest

from pipeline.persona import PersonaError, load_persona, load_personas, persona_names


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


def test_a_persona_chooses_how_much_is_shown(tmp_path):
    (tmp_path / "guide.md").write_text(video("screen: {silent_fps: 0.07}"))
    chosen = load_persona("guide", folder=tmp_path).video
    assert (chosen.screen.silent_fps, chosen.screen.long_edge_px) == (0.07, 1536)
    assert chosen.camera.silent_fps == 0.1
