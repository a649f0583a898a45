"""Google Search as a tool of the model's: it searches by itself, and says where it has it from."""

from typing import Any

from pipecat.adapters.llm.schemas.tools_schema import AdapterType, ToolsSchema

_SEARCH = {AdapterType.GEMINI: [{"google_search": {}}]}


def tools_of(functions: list[Any] | None, *, can_search: bool) -> ToolsSchema | list[Any] | None:
    """The tools of a persona: functions, and the search if it has that."""
    if not can_search:
        return functions
    return ToolsSchema(standard_tools=functions or [], custom_tools=_SEARCH)


def has_search(tools: ToolsSchema | list[Any] | None) -> bool:
    """Whether the search is among tools."""
    return isinstance(tools, ToolsSchema) and bool(tools.custom_tools)


def functions_of(tools: ToolsSchema | list[Any] | None) -> list[Any]:
    """The functions among tools."""
    return list(tools.standard_tools if isinstance(tools, ToolsSchema) else tools or ())
