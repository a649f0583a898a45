"""No bytes make the parser raise anything but `ProtocolError`."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.errors import ProtocolError
from understudy.schema import MESSAGES
from understudy.wire import parse

_names = sorted({name for fields in MESSAGES.values() for name in fields} | {"bogus", ""})
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["AUDIO", "1e999", "NaN", "-1", "9" * 30, "_9j_", "AA=A", "\ud800", "²"])
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_names) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


def _shaped(message: str, depth: int = 3) -> st.SearchStrategy:
    """Messages that follow the schema, so that the walk gets deep, with a fault now and then."""
    if message not in MESSAGES or depth == 0:
        return _values
    fields = {
        name: _shaped(kind.removesuffix("*").removesuffix("{}"), depth - 1)
        if not kind.endswith("*")
        else st.lists(_shaped(kind.removesuffix("*"), depth - 1), max_size=3)
        for name, kind in MESSAGES[message].items()
    }
    return st.fixed_dictionaries({}, optional=fields)


def _only_protocol_errors(frame: str | bytes) -> None:
    try:
        assert parse(frame) is not None
    except ProtocolError as error:
        assert error.code == 1007
        assert len(error.reason.encode()) <= 123


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.text())
def test_any_bytes(frame):
    _only_protocol_errors(frame)


@settings(max_examples=150, deadline=None)
@given(_values)
def test_any_json(value):
    _only_protocol_errors(json.dumps(value))


@settings(max_examples=50, deadline=None)
@given(_shaped("Client"))
def test_anything_like_a_message(value):
    _only_protocol_errors(json.dumps(value))
