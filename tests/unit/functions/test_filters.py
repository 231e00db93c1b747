"""Filters: the grammar as a table of cases, on records as functions get them.

Cases marked [S] were seen on AWS; the others follow from the documentation, or from decisions that
docs/differences.md lists.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base import limits
from penstock.functions.filters import BadPattern, compile_filters

Json = dict[str, Any]

RECORD = b"""{"eventID":"e","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",
"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1571849028.0,
"Keys":{"id":{"S":"a-1"}},
"NewImage":{"id":{"S":"a-1"},"price":{"N":"101"},"stock":{"N":"42"},"on":{"BOOL":true},
"off":{"BOOL":false},"none":{"NULL":true},"empty":{"S":""},"city":{"S":"Gro\\u00dfstadt"},
"tags":{"SS":["red","green"]},"sizes":{"NS":["1","2"]},
"list":{"L":[{"S":"x"},{"M":{"k":{"S":"1"},"v":{"S":"2"}}},{"M":{"k":{"S":"3"},"v":{"S":"4"}}},
{"L":[{"S":"deep"}]}]},"nothing":{"L":[]},"map":{"M":{"inner":{"M":{"leaf":{"S":"found"}}}}},
"S":{"S":"named as a type"}},
"SequenceNumber":"100000000000000000001","SizeBytes":59,"StreamViewType":"NEW_IMAGE"},
"eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s"}"""

EXPIRED = b"""{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"a-1"}}},
"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}"""

# Not what DynamoDB sends, but what else JSON has.
OTHER = b"""{"null":null,"true":true,"number":300,"fraction":300.0,"exponent":3e2,"minus":-5,
"big":123456789012345678901234567890,"text":"300","list":[1,"two",null,[3,[4]]],"empty":[],
"objects":[{"a":1,"b":2},{"a":3,"b":4,"c":5}],"nested":[[{"a":7}]],"object":{},"$or":"field"}"""


def image(attribute: str, type_tag: str, *alternatives: Any) -> Json:
    return {"dynamodb": {"NewImage": {attribute: {type_tag: list(alternatives)}}}}


EQUALITY = [
    ({"eventName": ["INSERT", "MODIFY"]}, True),
    ({"eventName": ["INSERT"]}, False),
    ({"eventName": ["modify"]}, False),
    ({"eventname": ["MODIFY"]}, False),
    ({"eventName": [""]}, False),
    ({"eventName": [None]}, False),
    ({"eventName": ["MODIFY"], "awsRegion": ["us-east-1"]}, True),
    ({"eventName": ["MODIFY"], "awsRegion": ["us-east-2"]}, False),
    ({"eventName": ["MODIFY"], "absent": ["x"]}, False),
    ({"eventSourceARN": [{"suffix": "/stream/s"}]}, True),
    (image("price", "N", "101"), True),
    (image("price", "N", 101), False),  # the record has a string
    (image("price", "N", "101.0"), False),
    (image("price", "S", "101"), False),
    (image("on", "BOOL", True), True),
    (image("on", "BOOL", False), False),
    (image("off", "BOOL", False), True),
    (image("off", "BOOL", None), False),
    (image("on", "BOOL", "true"), False),
    (image("on", "BOOL", 1), False),
    (image("none", "NULL", True), True),
    (image("empty", "S", ""), True),
    (image("empty", "S", None), False),
    (image("city", "S", "Großstadt"), True),
    (image("S", "S", "named as a type"), True),
    (image("map", "M", "found"), False),  # an object is no leaf
    ({"dynamodb": {"NewImage": {"price": ["101"]}}}, False),  # [S] the type tag is left out
    (
        {"dynamodb": {"NewImage": {"map": {"M": {"inner": {"M": {"leaf": {"S": ["found"]}}}}}}}},
        True,
    ),
    (
        {"dynamodb": {"NewImage": {"map": {"M": {"inner": {"M": {"leaf": {"S": ["lost"]}}}}}}}},
        False,
    ),
    ({"dynamodb": {"OldImage": {"price": {"N": ["101"]}}}}, False),
    ({"dynamodb": {"SizeBytes": [59]}}, True),
    ({"dynamodb": {"SizeBytes": [59.0]}}, False),
    ({"dynamodb": {"SizeBytes": ["59"]}}, False),
    ({"dynamodb": {"ApproximateCreationDateTime": [1571849028.0]}}, True),
    ({"dynamodb": {"ApproximateCreationDateTime": [1571849028]}}, False),
    ({"eventName": {"deeper": ["MODIFY"]}}, False),
]

OPERATORS = [
    (image("id", "S", {"prefix": "a-"}), True),
    (image("id", "S", {"prefix": "b-"}), False),
    (image("id", "S", {"prefix": ""}), True),
    (image("id", "S", {"prefix": "A-"}), False),
    (image("id", "S", {"prefix": {"equals-ignore-case": "A-"}}), True),
    (image("id", "S", {"prefix": {"equals-ignore-case": "B-"}}), False),
    (image("price", "N", {"prefix": "10"}), True),  # [S] works on the string
    (image("on", "BOOL", {"prefix": "t"}), False),
    ({"dynamodb": {"SizeBytes": [{"prefix": "5"}]}}, False),
    (image("id", "S", {"suffix": "-1"}), True),
    (image("id", "S", {"suffix": "-2"}), False),
    (image("city", "S", {"suffix": {"equals-ignore-case": "STADT"}}), True),
    (image("city", "S", {"suffix": {"equals-ignore-case": "DORF"}}), False),
    (image("absent", "S", {"prefix": ""}), False),
    ({"eventName": [{"equals-ignore-case": "modify"}]}, True),
    ({"eventName": [{"equals-ignore-case": "insert"}]}, False),
    (image("on", "BOOL", {"equals-ignore-case": "TRUE"}), False),
    (image("stock", "N", {"anything-but": "101"}), True),  # [S]
    (image("price", "N", {"anything-but": "101"}), False),
    (image("price", "N", {"anything-but": ["1", "101"]}), False),
    (image("price", "N", {"anything-but": ["1", "2"]}), True),
    (image("price", "N", {"anything-but": [101]}), True),  # the record has a string
    ({"dynamodb": {"SizeBytes": [{"anything-but": 59}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"anything-but": [59.0, 58]}]}}, True),
    (image("on", "BOOL", {"anything-but": ["x"]}), True),
    (image("absent", "S", {"anything-but": ["x"]}), False),
    (image("price", "N", {"numeric": [">", 100]}), False),  # [S] N is a string in the record
    ({"dynamodb": {"ApproximateCreationDateTime": [{"numeric": [">", 1571849027]}]}}, True),  # [S]
    ({"dynamodb": {"ApproximateCreationDateTime": [{"numeric": ["=", 1571849028]}]}}, True),
    ({"dynamodb": {"ApproximateCreationDateTime": [{"numeric": ["<", 1571849028]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 59.0]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 58]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["!=", 59]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["!=", 58]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">", 59]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">=", 59]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["<", 59]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["<=", 59]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["<=", 58.9]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">", 10, "<=", 59]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">", 10, "<", 59]}]}}, False),
    ({"dynamodb": {"SizeBytes": [{"numeric": ["<", 60, ">=", 59]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">=", 59, "<=", 59]}]}}, True),
    ({"dynamodb": {"SizeBytes": [{"numeric": [">", 5.8e1]}]}}, True),
    ({"eventName": [{"numeric": ["!=", 1]}]}, False),
    (image("on", "BOOL", {"numeric": ["=", 1]}), False),
    ({"eventName": ["INSERT", {"prefix": "X"}, {"suffix": "FY"}]}, True),
    ({"eventName": ["INSERT", {"prefix": "X"}, {"suffix": "FX"}]}, False),
]

EXISTENCE = [
    (image("price", "N", {"exists": True}), True),  # [S]
    (image("price", "N", {"exists": False}), False),
    (image("absent", "S", {"exists": True}), False),
    (image("absent", "S", {"exists": False}), True),  # [S] the parent is missing
    (image("price", "S", {"exists": False}), True),
    ({"dynamodb": {"NewImage": {"price": [{"exists": True}]}}}, False),  # [S] no leaf
    ({"dynamodb": {"NewImage": {"price": [{"exists": False}]}}}, True),  # [S] no leaf
    ({"dynamodb": [{"exists": False}]}, True),
    ({"userIdentity": {"type": [{"exists": False}]}}, True),
    ({"userIdentity": {"type": [{"exists": True}]}}, False),
    ({"eventName": {"deeper": [{"exists": False}]}}, True),
    ({"absent": {"a": [{"exists": False}], "b": ["x"]}}, False),
    ({"absent": ["x", {"exists": False}]}, True),
    ({"eventName": ["x", {"exists": False}]}, False),
    ({"eventName": ["MODIFY", {"exists": False}]}, True),
    (image("none", "NULL", {"exists": True}), True),
    (image("empty", "S", {"exists": True}), True),
    (image("tags", "SS", {"exists": True}), True),
    (image("nothing", "L", {"exists": True}), False),
    (image("nothing", "L", {"exists": False}), True),
]

ARRAYS = [
    (image("tags", "SS", "green"), True),
    (image("tags", "SS", "blue"), False),
    (image("tags", "SS", {"prefix": "gr"}), True),
    (image("tags", "SS", {"anything-but": "red"}), True),  # green is
    (image("tags", "SS", {"anything-but": ["red", "green"]}), False),
    (image("sizes", "NS", "2"), True),
    (image("sizes", "NS", 2), False),
    (image("nothing", "L", {"anything-but": "x"}), False),
    ({"dynamodb": {"NewImage": {"list": {"L": {"S": ["x"]}}}}}, True),
    ({"dynamodb": {"NewImage": {"list": {"L": {"S": ["y"]}}}}}, False),
    ({"dynamodb": {"NewImage": {"list": {"L": {"L": {"S": ["deep"]}}}}}}, True),
    (
        {"dynamodb": {"NewImage": {"list": {"L": {"M": {"k": {"S": ["1"]}, "v": {"S": ["2"]}}}}}}},
        True,
    ),
    # No one element has both.
    (
        {"dynamodb": {"NewImage": {"list": {"L": {"M": {"k": {"S": ["1"]}, "v": {"S": ["4"]}}}}}}},
        False,
    ),
    ({"dynamodb": {"NewImage": {"list": {"L": {"M": {"k": {"S": [{"exists": False}]}}}}}}}, False),
    ({"dynamodb": {"NewImage": {"list": {"L": {"M": {"z": {"S": [{"exists": False}]}}}}}}}, True),
]

OR = [
    ({"$or": [{"eventName": ["INSERT"]}, {"awsRegion": ["us-east-1"]}]}, True),
    ({"$or": [{"eventName": ["INSERT"]}, {"awsRegion": ["us-east-2"]}]}, False),
    ({"$or": [{"eventName": ["INSERT"]}, {"absent": [{"exists": False}]}]}, True),
    ({"eventName": ["MODIFY"], "$or": [{"a": ["b"]}, {"awsRegion": ["us-east-1"]}]}, True),
    ({"eventName": ["INSERT"], "$or": [{"a": ["b"]}, {"awsRegion": ["us-east-1"]}]}, False),
    ({"eventName": ["MODIFY"], "$or": [{"a": ["b"]}, {"awsRegion": ["us-east-2"]}]}, False),
    (
        {"$or": [{"a": ["b"]}, {"$or": [{"c": ["d"]}, {"eventName": ["MODIFY"]}]}]},
        True,
    ),
    (
        {
            "dynamodb": {
                "NewImage": {"$or": [{"price": {"N": ["1"]}}, {"stock": {"N": ["42"]}}]},
                "StreamViewType": ["NEW_IMAGE"],
            }
        },
        True,
    ),
    (
        {
            "dynamodb": {
                "NewImage": {"$or": [{"price": {"N": ["1"]}}, {"stock": {"N": ["41"]}}]},
            }
        },
        False,
    ),
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [*EQUALITY, *OPERATORS, *EXISTENCE, *ARRAYS, *OR],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_a_record_of_a_table(pattern: Json, expected: bool) -> None:
    filters = compile_filters([json.dumps(pattern)])
    assert filters.matches_bytes(RECORD) is expected
    assert filters.matches(json.loads(RECORD)) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"userIdentity": {"type": ["Service"]}}, True),
        ({"userIdentity": {"principalId": ["dynamodb.amazonaws.com"]}}, True),
        ({"userIdentity": {"Type": ["Service"]}}, False),
        ({"userIdentity": {"type": [{"exists": False}]}}, False),
    ],
)
def test_who_deleted_an_expired_item(pattern: Json, expected: bool) -> None:
    assert compile_filters([json.dumps(pattern)]).matches_bytes(EXPIRED) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{"null":[null]}', True),
        ('{"true":[null]}', False),
        ('{"null":[{"exists":true}]}', True),
        ('{"null":[{"anything-but":"null"}]}', True),
        ('{"number":[300]}', True),
        ('{"number":[300.0]}', False),
        ('{"number":[3.0e2]}', False),
        ('{"number":["300"]}', False),
        ('{"text":[300]}', False),
        ('{"text":["300"]}', True),
        ('{"fraction":[300.0]}', True),
        ('{"fraction":[300]}', False),
        ('{"fraction":["300.0"]}', False),
        ('{"exponent":[3e2]}', True),
        ('{"exponent":[3E2]}', False),
        ('{"fraction":[{"anything-but":300}]}', True),
        ('{"fraction":[{"anything-but":300.0}]}', False),
        ('{"fraction":[{"numeric":["=",3e2]}]}', True),
        ('{"exponent":[{"numeric":["=",300]}]}', True),
        ('{"minus":[-5]}', True),
        ('{"minus":[{"numeric":["<",-4.5]}]}', True),
        ('{"minus":[{"numeric":["<",-5.5]}]}', False),
        ('{"big":[123456789012345678901234567890]}', True),
        ('{"big":[123456789012345678901234567891]}', False),
        ('{"big":[{"numeric":[">",123456789012345678901234567889]}]}', True),
        ('{"list":["two"]}', True),
        ('{"list":[4]}', True),
        ('{"list":[null]}', True),
        ('{"list":[5]}', False),
        ('{"list":{"a":[{"exists":false}]}}', True),
        ('{"empty":[{"exists":true}]}', False),
        ('{"empty":{"a":[{"exists":false}]}}', True),
        ('{"objects":{"a":[1],"b":[2]}}', True),
        ('{"objects":{"a":[1],"b":[4]}}', False),
        ('{"objects":{"c":[{"exists":false}]}}', False),
        ('{"objects":{"d":[{"exists":false}],"a":[3]}}', True),
        ('{"objects":{"$or":[{"c":[5]},{"a":[9]}],"b":[4]}}', True),
        ('{"objects":{"$or":[{"c":[5]},{"a":[9]}],"b":[2]}}', False),
        ('{"nested":{"a":[7]}}', True),
        ('{"object":[{"exists":true}]}', False),
        ('{"object":{"a":[{"exists":false}]}}', True),
        ('{"number":[1],"number":[300]}', True),  # of two members of a name the last holds
        ('{"number":[300],"number":[1]}', False),
        ('{"text":[{"prefix":"x","prefix":"3"}]}', True),
    ],
)
def test_what_else_json_has(pattern: str, expected: bool) -> None:
    assert compile_filters([pattern]).matches_bytes(OTHER) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "simple text",
        "null",
        '"text"',
        '["MODIFY"]',
        "{",
        "{}",
        '{"a":[1],}',
        "{'a':['b']}",
        '{"a":[NaN]}',
        '{"a":[Infinity]}',
        '{"a":["\\ud800"]}',
        '{"eventName":"INSERT"}',
        '{"a":1}',
        '{"a":null}',
        '{"a":[]}',
        '{"a":{}}',
        '{"a":[[1]]}',
        '{"a":[{}]}',
        '{"a":[{"prefix":"x","suffix":"y"}]}',
        '{"a":[{"unknown":"x"}]}',
        '{"a":[{"prefix":1}]}',
        '{"a":[{"prefix":["x"]}]}',
        '{"a":[{"prefix":{"suffix":"x"}}]}',
        '{"a":[{"suffix":null}]}',
        '{"a":[{"suffix":{"equals-ignore-case":1}}]}',
        '{"a":[{"equals-ignore-case":1}]}',
        '{"a":[{"equals-ignore-case":["x"]}]}',
        '{"a":[{"anything-but":[]}]}',
        '{"a":[{"anything-but":null}]}',
        '{"a":[{"anything-but":[true]}]}',
        '{"a":[{"anything-but":["x",1]}]}',
        '{"a":[{"anything-but":{"prefix":"x"}}]}',
        '{"a":[{"anything-but":{"wildcard":"*x"}}]}',
        '{"a":[{"wildcard":"*x"}]}',
        '{"a":[{"cidr":"10.0.0.0/24"}]}',
        '{"a":[{"numeric":[]}]}',
        '{"a":[{"numeric":[">"]}]}',
        '{"a":[{"numeric":[">","1"]}]}',
        '{"a":[{"numeric":["~",1]}]}',
        '{"a":[{"numeric":[1,">"]}]}',
        '{"a":[{"numeric":[">",1,"<"]}]}',
        '{"a":[{"numeric":[">",1,">",2]}]}',
        '{"a":[{"numeric":["=",1,"<",2]}]}',
        '{"a":[{"numeric":[">",2,"<",1]}]}',
        '{"a":[{"numeric":[">",1,"<=",1]}]}',
        '{"a":[{"numeric":[">",1,"<",2,"<",3]}]}',
        '{"a":[{"numeric":1}]}',
        '{"a":[{"exists":1}]}',
        '{"a":[{"exists":"true"}]}',
        '{"$or":[]}',
        '{"$or":[{"a":[1]}]}',
        '{"$or":["a","b"]}',
        '{"$or":{"a":[1]}}',
        '{"$or":[{"a":[1]},{}]}',
        '{"$or":[{"a":[1]},{"b":2}]}',
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compile_filters([pattern])


def test_a_pattern_has_limits() -> None:
    """Of characters, and of levels, so that no pattern exhausts the stack."""

    def deep(levels: int) -> str:
        return '{"a":' * levels + "[1]" + "}" * levels

    def long(chars: int) -> str:
        return '{"a":["' + "x" * (chars - 10) + '"]}'

    compile_filters([deep(limits.filter_pattern_levels_max)])
    compile_filters([long(limits.filter_pattern_chars_max)])
    with pytest.raises(BadPattern, match="levels"):
        compile_filters([deep(limits.filter_pattern_levels_max + 2)])
    with pytest.raises(BadPattern, match="characters"):
        compile_filters([long(limits.filter_pattern_chars_max + 1)])
    with pytest.raises(BadPattern, match="not JSON"):
        compile_filters(['{"a":' + "[" * 4000])


def test_any_of_several_filters_lets_a_record_through() -> None:
    patterns = ['{"eventName":["INSERT"]}', '{"awsRegion":["us-east-1"]}']
    assert compile_filters(patterns).matches_bytes(RECORD)
    assert not compile_filters(patterns[:1]).matches_bytes(RECORD)


def test_without_a_filter_all_pass_and_nothing_is_decoded() -> None:
    filters = compile_filters([])
    assert not filters
    assert filters.matches_bytes(b"no JSON at all")
    assert filters.matches({})


def test_a_text_that_tells_where_a_pattern_is_wrong() -> None:
    with pytest.raises(BadPattern, match=r"at 'dynamodb\.NewImage' stands an array without"):
        compile_filters(['{"dynamodb":{"NewImage":[]}}'])


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "", "1"])
names = st.sampled_from(["a", "b", "dynamodb", "NewImage"])
records = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
alternatives = st.one_of(
    scalars,
    st.builds(lambda present: {"exists": present}, st.booleans()),
    st.builds(lambda text: {"prefix": text}, st.sampled_from(["a", ""])),
    st.builds(lambda number: {"numeric": ["<", number]}, st.integers(-3, 3)),
    st.just({"anything-but": ["a", "1"]}),
)
leaves = st.lists(alternatives, min_size=1, max_size=3)
patterns = st.dictionaries(
    names,
    st.recursive(leaves, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=2)),
    min_size=1,
    max_size=2,
)


@given(st.dictionaries(names, records, max_size=4), st.lists(patterns, min_size=1, max_size=3))
def test_decoding_only_what_is_named_changes_nothing(record: Json, filters: list[Json]) -> None:
    compiled = compile_filters([json.dumps(pattern) for pattern in filters])
    assert compiled.matches_bytes(json.dumps(record).encode()) is compiled.matches(record)


@given(st.dictionaries(names, records, max_size=4), st.lists(patterns, min_size=2, max_size=3))
def test_or_is_as_several_filters(record: Json, several: list[Json]) -> None:
    one = compile_filters([json.dumps({"$or": several})])
    assert one.matches(record) is compile_filters(map(json.dumps, several)).matches(record)


@given(records)
def test_a_leaf_exists_or_does_not(value: Any) -> None:
    """Each record meets one of the two, wherever arrays and objects stand on the way."""
    verdicts = {
        compile_filters([json.dumps({"a": {"b": [{"exists": present}]}})]).matches({"a": value})
        for present in (True, False)
    }
    assert verdicts == {True, False}
