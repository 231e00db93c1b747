"""What projections take out of items."""

from typing import Any

import pytest

from expression_requests import projection, refusal_of

ITEM: dict[str, Any] = {
    "a": {"S": "x"},
    "l": {"L": [{"N": "0"}, {"N": "1"}, {"M": {"p": {"S": "q"}, "r": {"S": "s"}}}]},
    "m": {"M": {"x": {"N": "1"}, "y": {"M": {"z": {"N": "2"}, "w": {"N": "3"}}}}},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a", {"a": {"S": "x"}}),
        ("a, gone", {"a": {"S": "x"}}),
        ("gone", {}),
        ("m.x", {"m": {"M": {"x": {"N": "1"}}}}),
        ("m.y.z, m.x", {"m": {"M": {"x": {"N": "1"}, "y": {"M": {"z": {"N": "2"}}}}}}),
        ("m.gone, m.y.gone", {}),
        ("a.x, a[0]", None),
        ("a.x", {}),
        ("a[0]", {}),
        ("m[0]", {}),
        ("l[2], l[0]", {"l": {"L": [{"N": "0"}, {"M": {"p": {"S": "q"}, "r": {"S": "s"}}}]}}),
        ("l[2].r, l[9]", {"l": {"L": [{"M": {"r": {"S": "s"}}}]}}),
        ("l[0].x", {}),
    ],
)
def test_a_projection_takes_parts_and_closes_up_lists(
    text: str, result: dict[str, Any] | None
) -> None:
    if result is None:
        assert refusal_of("ProjectionExpression", text).startswith("Two document paths conflict")
    else:
        assert projection(text).apply(ITEM) == result


def test_a_projection_knows_its_attributes() -> None:
    assert projection("m.x, #l[0], m.y", names={"#l": "l"}).names == {"m", "l"}


@pytest.mark.parametrize("text", ["a, a", "a, a.b", "l[0].x, l[0]"])
def test_paths_of_a_projection_do_not_overlap(text: str) -> None:
    message = refusal_of("ProjectionExpression", text)
    assert message.startswith("Two document paths overlap with each other;")
