"""Wrong JSON for the members of requests, each with what DynamoDB says of it.

The types are refused with a SerializationException, what is no value with a ValidationException.
"""

from typing import Any

Wrong = list[tuple[Any, str]]

JAVA = "com.amazonaws.dynamodb.v20120810."
_STRUCTURE = "Start of structure or map found where not expected"
_FIELD = "Unexpected field type"


def _scalar(java_type: str, *spared: str) -> Wrong:
    tokens = [
        ("x", "STRING_VALUE"),
        (5, "NUMBER_VALUE"),
        (1.5, "DECIMAL_VALUE"),
        (True, "TRUE_VALUE"),
        (False, "FALSE_VALUE"),
    ]
    wrong: Wrong = [
        (value, f"{token} cannot be converted to {java_type}")
        for value, token in tokens
        if token not in spared
    ]
    unrecognized = f"Unrecognized collection type class java.lang.{java_type}"
    return [*wrong, ([], unrecognized), ({}, _STRUCTURE)]


STRING = _scalar("String", "STRING_VALUE")
INTEGER = _scalar("Integer", "NUMBER_VALUE", "DECIMAL_VALUE")
LONG = _scalar("Long", "NUMBER_VALUE", "DECIMAL_VALUE")
BOOLEAN = [
    *_scalar("Boolean", "STRING_VALUE", "TRUE_VALUE", "FALSE_VALUE"),
    ("true", "Unexpected token received from parser"),
]
LIST: Wrong = [("x", _FIELD), (5, _FIELD), (True, _FIELD), ({}, _STRUCTURE)]


def map_of(java_type: str) -> Wrong:
    """Return what is no map of values of that Java type."""
    text = f"Unrecognized collection type java.util.Map<java.lang.String, {java_type}>"
    return [("x", _FIELD), (5, _FIELD), (True, _FIELD), ([], text)]


def structure(name: str) -> Wrong:
    """Return what is no structure of that name."""
    text = f"Unrecognized collection type class {JAVA}{name}"
    return [("x", _FIELD), (5, _FIELD), (True, _FIELD), ([], text)]


ATTRIBUTE_MAP = map_of(f"{JAVA}AttributeValue")
NAME_MAP = map_of("java.lang.String")
ATTRIBUTE_VALUE: Wrong = [
    *structure("AttributeValue"),
    *[({"S": value}, text) for value, text in STRING],
    *[({"N": value}, text) for value, text in STRING],
    *[({"BOOL": value}, text) for value, text in BOOLEAN],
    *[({"NULL": value}, text) for value, text in BOOLEAN],
    *[({"SS": value}, text) for value, text in LIST],
    *[({"NS": value}, text) for value, text in LIST],
    *[({"BS": value}, text) for value, text in LIST],
    *[({"L": value}, text) for value, text in LIST],
    *[({"SS": ["a", value]}, text) for value, text in STRING],
    *[({"NS": [value]}, text) for value, text in STRING],
    ({"M": "x"}, _FIELD),
    ({"M": []}, "Start of list found where not expected"),
    ({"L": [{"N": 5}]}, "NUMBER_VALUE cannot be converted to String"),
    ({"M": {"b": {"L": [{"S": 5}]}}}, "NUMBER_VALUE cannot be converted to String"),
    ({"B": 5}, "only base64-encoded strings are convertible to bytes"),
    ({"B": True}, "only base64-encoded strings are convertible to bytes"),
    ({"B": []}, "Unrecognized collection type class java.nio.ByteBuffer"),
    ({"B": {}}, _STRUCTURE),
    ({"B": "a"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 1"),
    ({"B": "ab.="}, "Invalid Base64 character: '.'"),
    ({"BS": ["YQ==", "b"]}, "Base64 encoded length is expected a multiple of 4 bytes but found: 1"),
]

NOT_VALUES: list[tuple[Any, str]] = [
    (
        None,
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
    ),
    ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    (
        {"S": None},
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
    ),
    (
        {"X": "a"},
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
    ),
    (
        {"S": "a", "N": "1"},
        (
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of"
            " the supported datatypes"
        ),
    ),
    (
        {"NULL": False},
        (
            "One or more parameter values were invalid: Null attribute value types must have the"
            " value of true"
        ),
    ),
    ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
    ({"NS": []}, "One or more parameter values were invalid: An number set  may not be empty"),
    ({"BS": []}, "One or more parameter values were invalid: Binary sets should not be empty"),
    (
        {"SS": ["a", "b", "a"]},
        (
            "One or more parameter values were invalid: Input collection [a, b, a] contains"
            " duplicates."
        ),
    ),
    (
        {"BS": ["YQ==", "YQ=="]},
        (
            "One or more parameter values were invalid: Input collection [YQ==, YQ==] contains"
            " duplicates."
        ),
    ),
    ({"NS": ["1", "2", "1.0"]}, "Input collection contains duplicates"),
    ({"N": "x"}, "The parameter cannot be converted to a numeric value: x"),
    ({"N": ""}, "The parameter cannot be converted to a numeric value"),
    ({"N": "NaN"}, "The parameter cannot be converted to a numeric value: NaN"),
    ({"N": "Infinity"}, "The parameter cannot be converted to a numeric value: Infinity"),
    ({"N": "0x1"}, "The parameter cannot be converted to a numeric value: 0x1"),
    (
        {"N": "1" * 39},
        "Attempting to store more than 38 significant digits in a Number",
    ),
    (
        {"N": "1e126"},
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ),
    (
        {"N": "-1e126"},
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ),
    (
        {"N": "1e-131"},
        (
            "Number underflow. Attempting to store a number with magnitude smaller than supported"
            " range"
        ),
    ),
    (
        {"NS": ["1", "1e126"]},
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ),
    ({"L": [{"N": "x"}]}, "The parameter cannot be converted to a numeric value: x"),
    (
        {"M": {"b": {"SS": []}}},
        "One or more parameter values were invalid: An string set  may not be empty",
    ),
]
"""Values of the right JSON types that are none, each with the text of the ValidationException."""


def nested(levels: int, kind: str = "M") -> dict[str, Any]:
    """Return a text in `levels` maps or lists around one another."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"M": {"a": value}} if kind == "M" else {"L": [value]}
    return value
