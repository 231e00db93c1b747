"""Event source mappings by the API, and the engine that runs them: states and places."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.functions.invoker import Outcome
from penstock.functions.remote_function import HttpFunction
from penstock.operations.aws_lambda import (
    create_event_source_mapping,
    delete_event_source_mapping,
    get_event_source_mapping,
    update_event_source_mapping,
)
from penstock.operations.operation import Context, Services
from penstock.tables.tables import Tables
from penstock.wire.sigv4 import Caller
from unit.consumers.world import ACCOUNT, REGION, World, answered, in_world

FILTER = {"Filters": [{"Pattern": '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"y"}]}}}}'}]}


class Api:
    """The API over the store of a world, in which the function `f` lives elsewhere."""

    def __init__(self, world: World) -> None:
        self._world = world
        tables = Tables(world.store, world.clock, Entropy(2), ACCOUNT)
        self._services = Services(
            tables, 1, remote_functions={"f": HttpFunction("http://127.0.0.1:1")}
        )

    async def call(self, module: ModuleType, **request: Any) -> dict[str, Any]:
        context = Context(self._services, Caller(REGION, "AKIDEXAMPLE"))
        answer: dict[str, Any] = await module.run(context, module.SHAPE.request(request))
        return answer

    async def create(self, **more: Any) -> str:
        """Make a mapping that begins at the trim horizon, and return its id once it runs."""
        answer = await self.call(
            create_event_source_mapping,
            EventSourceArn=self._world.stream.arn,
            FunctionName="f",
            StartingPosition="TRIM_HORIZON",
            **more,
        )
        assert answer["State"] == "Creating"
        await self._world.look()
        uuid: str = answer["UUID"]
        return uuid

    async def update(self, uuid: str, **request: Any) -> str:
        """Change a mapping, and return the state that the answer tells."""
        answer = await self.call(update_event_source_mapping, UUID=uuid, **request)
        state: str = answer["State"]
        return state

    async def state(self, uuid: str) -> str:
        """Return the state of a mapping, `gone` without one."""
        try:
            return str((await self.call(get_event_source_mapping, UUID=uuid))["State"])
        except ApiError as error:
            assert error.code == "ResourceNotFoundException"
            return "gone"


@in_world()
async def test_off_and_on_again(world: World) -> None:
    """What comes while a mapping is Disabled is read when it is Enabled again."""
    api = Api(world)
    uuid = await api.create()
    assert await api.state(uuid) == "Enabled"
    await world.put("a")
    assert world.function.batches == [["a"]]
    assert await api.update(uuid, Enabled=False) == "Disabling"
    await world.look()
    assert await api.state(uuid) == "Disabled"
    await world.put("b", "c")
    assert world.function.batches == [["a"]]
    assert await api.update(uuid, BatchSize=10) == "Updating"
    await world.look()
    assert await api.state(uuid) == "Disabled"
    assert await api.update(uuid, Enabled=True) == "Enabling"
    await world.look()
    assert await api.state(uuid) == "Enabled"
    assert sum(world.function.batches, []) == ["a", "b", "c"]  # noqa: RUF017
    shown = await api.call(get_event_source_mapping, UUID=uuid)
    assert shown["LastProcessingResult"] == "OK"


@in_world()
async def test_one_that_begins_disabled(world: World) -> None:
    """It is Creating, then Disabled, and reads nothing."""
    api = Api(world)
    uuid = await api.create(Enabled=False)
    await world.put("a")
    assert (await api.state(uuid), world.function.events) == ("Disabled", [])


@in_world()
async def test_a_change_holds_for_what_comes(world: World) -> None:
    """A filter that is set, and taken away again, while the mapping runs."""
    api = Api(world)
    uuid = await api.create()
    assert await api.update(uuid, FilterCriteria=FILTER) == "Updating"
    await world.look()
    assert await api.state(uuid) == "Enabled"
    await world.put("no", "yes")
    assert await api.update(uuid, FilterCriteria={}) == "Updating"
    await world.look()
    await world.put("no")
    assert [keys for keys in world.function.batches if keys] == [["yes"], ["no"]]


@in_world()
async def test_it_is_disabling_while_a_batch_is_under_way(world: World) -> None:
    """And nothing else can be done to it until the batch has ended."""
    api = Api(world)
    release = asyncio.Event()

    async def answer(event: dict[str, Any]) -> Outcome:
        await release.wait()
        return answered()

    world.function.answer = answer
    uuid = await api.create()
    await world.put("a")
    assert await api.update(uuid, Enabled=False) == "Disabling"
    await world.look()
    assert await api.state(uuid) == "Disabling"
    for module in (update_event_source_mapping, delete_event_source_mapping):
        with pytest.raises(ApiError) as caught:
            await api.call(module, UUID=uuid)
        assert caught.value.code == "ResourceInUseException"
    release.set()
    await world.settle()
    assert await api.state(uuid) == "Disabled"


@in_world()
async def test_one_that_is_deleted_forgets_its_place(world: World) -> None:
    """It is Deleting, then gone; another one of the same source and function begins anew."""
    api = Api(world)
    uuid = await api.create(Tags={"a": "b"})
    await world.put("a")
    answer = await api.call(delete_event_source_mapping, UUID=uuid)
    assert (answer["State"], answer["LastProcessingResult"]) == ("Deleting", "OK")
    await world.look()
    assert await api.state(uuid) == "gone"
    assert await api.create() != uuid
    await world.settle()
    assert world.function.batches == [["a"], ["a"]]
