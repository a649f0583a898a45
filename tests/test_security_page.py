"""docs/security.md says which test shows what: each of them must exist."""

import ast
import re

from pipeline.settings import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def promises() -> list[str]:
    """The rows of all tables, without their heads."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| Promise |", "| --- |"))]


def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


def test_every_test_that_is_named_exists():
    missing = [f"{path}::{name}" for path, name in NAMED if name not in functions_in(path)]
    assert missing == []


def test_every_promise_names_a_test():
    assert len(promises()) >= 30
    assert [row for row in promises() if not re.search(r"`tests/[\w/]+\.py::test_\w+`", row)] == []


def test_nothing_looks_like_a_test_and_is_none():
    assert PAGE.count("::") == len(NAMED)


def test_every_file_that_is_named_exists():
    for name in set(re.findall(r"`(\w+\.py)`", PAGE)):
        assert list((ROOT / "serving").rglob(name)) or list(ROOT.glob(f"*/{name}")), name
