"""Event source mappings as the API keeps them: what is stored and shown, and what is refused."""

import asyncio
import dataclasses
from typing import Any

import msgspec
import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.functions.mapping import State, mappings, result_key, store_mapping
from penstock.functions.remote_function import parse_remote_function
from penstock.functions.tags import read_tags
from penstock.operations.aws_lambda import (
    create_event_source_mapping,
    delete_event_source_mapping,
    get_event_source_mapping,
    list_event_source_mappings,
    list_tags,
    tag_resource,
    update_event_source_mapping,
)
from penstock.storage.format import pack
from penstock.storage.waist import Lock, Span
from unit.operations.mappings_in_memory import ROOT, Store
from unit.tables.tables_in_memory import ACCOUNT, REGION

INVALID = "InvalidParameterValueException"
IN_USE = "ResourceInUseException"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
PATTERN = '{"eventName":["INSERT"]}'
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"
FULL: dict[str, Any] = {
    "BatchSize": 10,
    "MaximumBatchingWindowInSeconds": 2,
    "ParallelizationFactor": 3,
    "MaximumRecordAgeInSeconds": 60,
    "MaximumRetryAttempts": 4,
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": PATTERN}]},
    "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
    "MetricsConfig": {"Metrics": ["EventCount"]},
}


@pytest.fixture
def store() -> Store:
    """A store with a stream and two functions."""
    return Store()


def test_a_new_mapping_is_stored_and_told(store: Store) -> None:
    """It is Creating, who runs mappings hears of it, and Get shows the same as Create."""
    answer = store.call(
        create_event_source_mapping,
        EventSourceArn=store.stream,
        FunctionName="ship",
        StartingPosition="TRIM_HORIZON",
    )
    assert store.has_rung()
    assert (answer["State"], answer["StateTransitionReason"]) == ("Creating", "User action")
    assert (answer["EventSourceArn"], answer["FunctionArn"]) == (store.stream, f"{ROOT}ship")
    assert answer["LastModified"] == store.clock.now_ms() / 1000
    assert store.get(answer["UUID"]) == answer
    mapping = store.stored(answer["UUID"])
    assert (mapping.generation, mapping.enabled) == (1, True)
    assert mapping.created_ms == mapping.modified_ms == store.clock.now_ms()


def test_every_setting_of_a_new_mapping_is_kept(store: Store) -> None:
    """What is set comes back, and a mapping that begins disabled is Creating all the same."""
    answer = store.get(store.create(**FULL, Enabled=False))
    assert {name: answer[name] for name in FULL} == FULL
    assert answer["State"] == "Creating"
    assert not store.stored(answer["UUID"]).enabled


NAMES = [
    ("ship", "ship"),
    ("ship:$LATEST", "ship:$LATEST"),
    ("ship:1", "ship:1"),
    (f"{ROOT}ship", "ship"),
    (f"{ROOT}ship:1", "ship:1"),
    (f"{ACCOUNT}:function:ship", "ship"),
    (f"{ACCOUNT}:function:ship:1", "ship:1"),
    ("function:ship", "ship"),
    ("ship:live", "ship:live"),
    (f"{ROOT}ship:live", "ship:live"),
]


@pytest.mark.parametrize(("name", "function"), NAMES)
def test_how_a_function_may_be_named(store: Store, name: str, function: str) -> None:
    """A name, a part of an ARN or all of it, with or without a version, mean the function."""
    assert store.get(store.create(name))["FunctionArn"] == ROOT + function


NO_FUNCTIONS = [
    "none",
    "ship:2",
    "ship:dead",
    "bill:1",
    f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ship",
    f"arn:aws:lambda:{REGION}:111111111111:function:ship",
    "111111111111:function:ship",
]


@pytest.mark.parametrize("name", NO_FUNCTIONS)
def test_functions_that_are_not_there(store: Store, name: str) -> None:
    """Neither a new nor a changed mapping takes a function, or a version, that does not exist."""
    request = {"EventSourceArn": store.stream, "StartingPosition": "LATEST", "FunctionName": name}
    text = store.refused(INVALID, create_event_source_mapping, **request)
    assert text == "Function does not exist"
    uuid = store.create(settle="Enabled")
    request = {"UUID": uuid, "FunctionName": name}
    assert store.refused(INVALID, update_event_source_mapping, **request) == text


def test_functions_that_live_elsewhere(store: Store) -> None:
    """Such a function is known by its name alone, with any version."""
    far = {"far": parse_remote_function("lambda://far")}
    store.services = dataclasses.replace(store.services, remote_functions=far)
    assert store.get(store.create("far"))["FunctionArn"] == f"{ROOT}far"
    assert store.get(store.create("far:live"))["FunctionArn"] == f"{ROOT}far:live"


def test_functions_at_a_url_have_no_versions(store: Store) -> None:
    """A mapping to one would find nothing for ever."""
    far = {"far": parse_remote_function("http://127.0.0.1:1/in")}
    store.services = dataclasses.replace(store.services, remote_functions=far)
    request = {"EventSourceArn": store.stream, "StartingPosition": "LATEST"}
    uuid = store.create("far:$LATEST", settle="Enabled")
    for name in ("far:live", "far:1"):
        text = store.refused(INVALID, create_event_source_mapping, **request, FunctionName=name)
        assert text.startswith("The function far has no versions and no aliases")
        changed = {"UUID": uuid, "FunctionName": name}
        assert store.refused(INVALID, update_event_source_mapping, **changed) == text


def test_streams_that_are_not_there(store: Store) -> None:
    """A stream is one of the caller's own, in the region of the request; a table is none."""
    table = store.stream.partition("/stream/")[0]
    for arn in (
        f"{table}/stream/2001-01-01T00:00:00.000",
        store.stream.replace(REGION, "eu-west-1"),
        store.stream.replace(ACCOUNT, "111111111111"),
        table,
    ):
        request = {"EventSourceArn": arn, "FunctionName": "ship", "StartingPosition": "LATEST"}
        text = store.refused(INVALID, create_event_source_mapping, **request)
        assert text == f"Stream not found: {arn}"


def test_one_mapping_of_a_source_and_a_function(store: Store) -> None:
    """A second one is a conflict, named by the first; another version is another function."""
    first = store.create()
    request = {"EventSourceArn": store.stream, "StartingPosition": "LATEST"}
    text = store.refused(
        "ResourceConflictException", create_event_source_mapping, **request, FunctionName="ship"
    )
    assert text == (
        f'The event source arn (" {store.stream} ") and function (" ship ") provided mapping '
        f"already exists. Please update or delete the existing mapping with UUID {first}"
    )
    store.create("ship:1")
    second = store.create("bill", settle="Enabled")
    text = store.refused(
        "ResourceConflictException",
        update_event_source_mapping,
        UUID=second,
        FunctionName=f"{ROOT}ship:1",
    )
    assert 'function (" ship:1 ")' in text
    assert store.update(second, FunctionName="bill")["FunctionArn"] == f"{ROOT}bill"


def test_of_two_at_once_one_is_made(store: Store) -> None:
    """Whether a source and function are free is decided where the mapping is stored."""
    request = {"EventSourceArn": store.stream, "FunctionName": "ship", "StartingPosition": "LATEST"}
    shape, context = create_event_source_mapping.SHAPE, store.context()

    async def both() -> list[Any]:
        runs = [create_event_source_mapping.run(context, shape.request(request)) for _ in range(2)]
        return list(await asyncio.gather(*runs, return_exceptions=True))

    answers = asyncio.run(both())
    (made,) = [each for each in answers if isinstance(each, dict)]
    (error,) = [each for each in answers if isinstance(each, ApiError)]
    assert error.code == "ResourceConflictException"
    assert str(error).endswith(made["UUID"])


def test_a_mapping_that_goes_is_in_the_way_until_it_is_gone(store: Store) -> None:
    """As on AWS, a source and function are free again when the old mapping has been taken away."""
    first = store.create(settle="Enabled")
    store.delete(first)
    request = {"EventSourceArn": store.stream, "StartingPosition": "LATEST", "FunctionName": "ship"}
    store.refused("ResourceConflictException", create_event_source_mapping, **request)
    store.forget(first)
    assert store.create() != first


TRANSITIONS: list[tuple[State, bool, dict[str, Any], State, bool]] = [
    ("Enabled", True, {"Enabled": False}, "Disabling", False),
    ("Disabled", False, {"Enabled": True}, "Enabling", True),
    ("Enabled", True, {"Enabled": True}, "Updating", True),
    ("Disabled", False, {"Enabled": False}, "Updating", False),
    ("Enabled", True, {"BatchSize": 5}, "Updating", True),
    ("Disabled", False, {"BatchSize": 5}, "Updating", False),
    ("Enabled", True, {"Enabled": False, "BatchSize": 5}, "Disabling", False),
    ("Disabled", False, {"Enabled": True, "BatchSize": 5}, "Enabling", True),
    ("Enabled", True, {}, "Updating", True),
]


@pytest.mark.parametrize(("before", "enabled", "change", "after", "shall_be"), TRANSITIONS)
def test_what_a_change_does_to_the_state(
    store: Store, before: State, enabled: bool, change: Any, after: State, shall_be: bool
) -> None:
    """Switching it on or off is Enabling or Disabling, whatever else changes; the rest Updating."""
    uuid = store.create(settle=before, Enabled=enabled)
    store.has_rung()
    store.clock.advance(1500)
    answer = store.update(uuid, **change)
    assert store.has_rung()
    assert (answer["State"], answer["StateTransitionReason"]) == (after, "User action")
    assert answer["LastModified"] == store.clock.now_ms() / 1000
    assert store.get(uuid) == answer
    mapping = store.stored(uuid)
    assert (mapping.enabled, mapping.generation) == (shall_be, 2)
    assert mapping.batch_size == change.get("BatchSize", 100)


CHANGES: list[tuple[str, Any, Any]] = [
    ("BatchSize", 77, 77),
    ("MaximumBatchingWindowInSeconds", 0, 0),
    ("ParallelizationFactor", 1, 1),
    ("MaximumRecordAgeInSeconds", -1, -1),
    ("MaximumRetryAttempts", 0, 0),
    ("BisectBatchOnFunctionError", False, False),
    ("FunctionResponseTypes", [], []),
    ("FilterCriteria", {}, None),
    ("FilterCriteria", {"Filters": []}, None),
    ("DestinationConfig", {}, {"OnFailure": {}}),
    ("DestinationConfig", {"OnFailure": {}}, {"OnFailure": {}}),
    ("DestinationConfig", {"OnFailure": {"Destination": ""}}, {"OnFailure": {}}),
    ("MetricsConfig", {}, None),
    ("MetricsConfig", {"Metrics": []}, None),
]


@pytest.mark.parametrize(("name", "given", "shown"), CHANGES)
def test_each_setting_changes_alone(store: Store, name: str, given: Any, shown: Any) -> None:
    """An update changes what it names, an empty one takes away, and the rest stays as it was."""
    uuid = store.create(settle="Enabled", **FULL)
    before = store.get(uuid)
    after = store.update(uuid, **{name: given})
    expected = before | {"State": "Updating", name: shown}
    assert after == {key: value for key, value in expected.items() if value is not None}


def test_a_tumbling_window_beside_lanes(store: Store) -> None:
    """What excludes each other is judged with what is stored already."""
    uuid = store.create(settle="Enabled", ParallelizationFactor=2)
    text = store.refused(INVALID, update_event_source_mapping, UUID=uuid, TumblingWindowInSeconds=5)
    assert text == "ParallelizationFactor must be 1 where TumblingWindowInSeconds is more than 0."
    answer = store.update(uuid, TumblingWindowInSeconds=5, ParallelizationFactor=1)
    assert answer["TumblingWindowInSeconds"] == 5


@pytest.mark.parametrize("state", ["Creating", "Updating", "Enabling", "Disabling", "Deleting"])
def test_a_mapping_on_its_way_cannot_be_changed(store: Store, state: State) -> None:
    """Neither updated nor deleted, and nothing is stored or told."""
    uuid = store.create(settle=state)
    store.has_rung()
    before = store.stored(uuid)
    assert store.refused(IN_USE, update_event_source_mapping, UUID=uuid, BatchSize=1) == (
        "Cannot update the event source mapping because it is in use."
    )
    assert store.refused(IN_USE, delete_event_source_mapping, UUID=uuid) == (
        "Cannot delete the event source mapping because it is in use."
    )
    assert store.stored(uuid) == before
    assert not store.has_rung()


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
def test_deleting_answers_with_the_mapping(store: Store, state: State) -> None:
    """It is Deleting until who runs it has taken it away, then it is not there."""
    uuid = store.create(settle=state)
    store.has_rung()
    answer = store.delete(uuid)
    assert store.has_rung()
    assert (answer["UUID"], answer["State"]) == (uuid, "Deleting")
    assert store.get(uuid) == answer
    assert store.stored(uuid).generation == 2
    store.forget(uuid)
    for module in (get_event_source_mapping, delete_event_source_mapping):
        text = store.refused("ResourceNotFoundException", module, UUID=uuid)
        assert text == "The resource you requested does not exist."


def test_ids_that_no_mapping_has(store: Store) -> None:
    """An unknown id is not found, also in another region, and one that is none breaks the model."""
    uuid = store.create(settle="Enabled")
    for module in (
        get_event_source_mapping,
        update_event_source_mapping,
        delete_event_source_mapping,
    ):
        text = store.refused("ResourceNotFoundException", module, UUID=UNKNOWN)
        assert text == "The resource you requested does not exist."
        store.refused("ResourceNotFoundException", module, UUID=uuid, region="eu-west-1")
        text = store.refused("ValidationException", module, UUID="abc")
        assert text == (
            "1 validation error detected: Value 'abc' at 'uUID' failed to satisfy constraint: "
            "Member must have length greater than or equal to 36"
        )


def test_the_last_result_is_shown(store: Store) -> None:
    """What came of the last batch stands in every answer that shows the mapping."""
    uuid = store.create(settle="Enabled")
    key = result_key(store.stored(uuid).id)
    lock = Lock(b"result", (Span.of_key(key),))
    text = "PROBLEM: Function call failed"

    async def work() -> None:
        await store.tables.engine.transact(
            lambda txn: txn.set(key, pack(text.encode())), locks=[lock]
        )

    asyncio.run(work())
    assert store.get(uuid)["LastProcessingResult"] == text
    assert store.list()["EventSourceMappings"][0]["LastProcessingResult"] == text
    assert store.update(uuid)["LastProcessingResult"] == text
    store.settle(uuid, "Enabled")
    assert store.delete(uuid)["LastProcessingResult"] == text


def test_tags_come_and_go_with_their_mapping(store: Store) -> None:
    """They are stored under the mapping's ARN, and are gone as soon as it is Deleting."""
    uuid = store.create(settle="Enabled", Tags={"team": "orders"})
    arn = store.get(uuid)["EventSourceMappingArn"]
    assert store.tables.read(lambda reader: read_tags(reader, arn)) == {"team": "orders"}
    store.delete(uuid)
    assert store.tables.read(lambda reader: read_tags(reader, arn)) == {}
    for module, more in ((list_tags, {}), (tag_resource, {"Tags": {"a": "b"}})):
        text = store.refused("ResourceNotFoundException", module, Resource=arn, **more)
        assert text == f"The resource you requested does not exist: {arn}"


def test_lists_by_source_and_function(store: Store) -> None:
    """A list may be of one source or one function, which is meant as it is written."""
    plain, first, bill = store.create(), store.create("ship:1"), store.create("bill")

    def listed(**request: Any) -> set[str]:
        answer = store.list(**request)
        assert "NextMarker" not in answer
        return {each["UUID"] for each in answer["EventSourceMappings"]}

    assert listed() == listed(EventSourceArn=store.stream) == {plain, first, bill}
    assert listed(FunctionName="ship") == listed(FunctionName=f"{ROOT}ship") == {plain}
    assert listed(FunctionName="ship:1") == listed(FunctionName=f"{ROOT}ship:1") == {first}
    assert listed(FunctionName="bill", EventSourceArn=store.stream) == {bill}
    assert listed(FunctionName="none") == set()
    assert listed(EventSourceArn=f"{store.stream}0") == set()
    assert store.call(list_event_source_mappings, "eu-west-1") == {"EventSourceMappings": []}


def test_lists_come_in_pages(store: Store) -> None:
    """Every mapping once, in the order of the ids, with a marker as long as there are more."""
    uuids = sorted(store.create(name) for name in ("ship", "ship:1", "bill"))
    for count in (1, 2, 3):
        pages: list[list[str]] = []
        marker: dict[str, str] = {}
        while True:
            answer = store.list(MaxItems=count, **marker)
            pages.append([each["UUID"] for each in answer["EventSourceMappings"]])
            if "NextMarker" not in answer:
                break
            marker = {"Marker": answer["NextMarker"]}
        assert [uuid for page in pages for uuid in page] == uuids
        assert [len(page) for page in pages[:-1]] == [count] * (len(pages) - 1)


@pytest.mark.parametrize("marker", ["a", "/w==", "ä", "YQ"])
def test_markers_that_no_list_has_given(store: Store, marker: str) -> None:
    assert (
        store.refused(INVALID, list_event_source_mappings, Marker=marker)
        == "Invalid value for parameter Marker"
    )


def test_a_region_has_a_limit_of_mappings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused; those that are there can still be changed to another function."""
    monkeypatch.setattr(limits, "mappings_per_region_max", 2)
    store.create()
    second = store.create("ship:1", settle="Enabled")
    request = {"EventSourceArn": store.stream, "StartingPosition": "LATEST", "FunctionName": "bill"}
    text = store.refused(INVALID, create_event_source_mapping, **request)
    assert text == "There are 2 event source mappings in this region already."
    assert store.update(second, FunctionName="bill")["FunctionArn"] == f"{ROOT}bill"


def test_a_page_has_a_hundred_at_most(store: Store) -> None:
    """Whatever MaxItems says."""
    one = store.stored(store.create())

    def many(txn: Any) -> None:
        for number in range(limits.mappings_page_max):
            uuid = f"{number:08}-0000-4000-8000-000000000000"
            store_mapping(txn, msgspec.structs.replace(one, uuid=uuid))

    store.transact(many)
    answer = store.list(MaxItems=10_000)
    assert len(answer["EventSourceMappings"]) == limits.mappings_page_max
    rest = store.list(Marker=answer["NextMarker"])
    assert len(rest["EventSourceMappings"]) == 1
    found = store.tables.read(lambda reader: list(mappings(reader, REGION)))
    assert len(found) == limits.mappings_page_max + 1
