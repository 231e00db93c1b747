"""PynamoDB's index classes, and its attribute for the time to live."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
    LocalSecondaryIndex,
)
from pynamodb.models import Model


class ByPlayer(GlobalSecondaryIndex[Any]):
    """The scores of a player, best last."""

    class Meta:
        index_name = "by-player"
        projection = AllProjection()

    player = UnicodeAttribute(hash_key=True)
    points = NumberAttribute(range_key=True)


class ByPlace(GlobalSecondaryIndex[Any]):
    """Where something was won: few items have it."""

    class Meta:
        index_name = "by-place"
        projection = KeysOnlyProjection()

    place = UnicodeAttribute(hash_key=True)


class ByPoints(LocalSecondaryIndex[Any]):
    """A game's scores, best last."""

    class Meta:
        index_name = "by-points"
        projection = IncludeProjection(["player"])

    game = UnicodeAttribute(hash_key=True)
    points = NumberAttribute(range_key=True)


class Score(Model):
    """What a player has won in a game."""

    game = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    player = UnicodeAttribute(null=True)
    points = NumberAttribute(null=True)
    place = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    by_player = ByPlayer()
    by_place = ByPlace()
    by_points = ByPoints()


class Session(Model):
    """What ends by itself."""

    pk = UnicodeAttribute(hash_key=True)
    ends = TTLAttribute(null=True)


@pytest.fixture
def scores(made: Callable[[type[Model]], Any]) -> Any:
    """Twelve scores of three players in two games."""
    model = made(Score)
    with model.batch_write() as batch:
        for n in range(12):
            place = "lisbon" if n == 4 else None
            batch.save(
                model(
                    "go" if n < 6 else "chess", n, player="abc"[n % 3], points=100 - n, place=place
                )
            )
    return model


def test_a_models_table_has_its_indexes(scores: Any) -> None:
    told = scores.describe_table()
    assert {each["IndexName"] for each in told["GlobalSecondaryIndexes"]} == {
        "by-player",
        "by-place",
    }
    (local,) = told["LocalSecondaryIndexes"]
    assert local["Projection"]["NonKeyAttributes"] == ["player"]


def test_a_global_index_is_queried_counted_and_paged(scores: Any) -> None:
    by_player = scores.by_player
    found = list(by_player.query("b", page_size=2))
    assert [item.points for item in found] == [90, 93, 96, 99]
    assert [item.number for item in by_player.query("b", scores.points > 93)] == [4, 1]
    assert by_player.count("b", filter_condition=scores.game == "go") == 2
    first = by_player.query("b", limit=1, page_size=1)
    assert [item.number for item in first] == [10]
    rest = by_player.query("b", last_evaluated_key=first.last_evaluated_key)
    assert [item.number for item in rest] == [7, 4, 1]


def test_a_sparse_index_is_scanned(scores: Any) -> None:
    (only,) = scores.by_place.scan()
    assert (only.game, only.number, only.place, only.player) == ("go", 4, "lisbon", None)
    only.refresh()
    only.update(actions=[scores.place.remove()])
    assert list(scores.by_place.scan()) == []


def test_a_local_index_is_queried_consistently(scores: Any) -> None:
    found = scores.by_points.query(
        "chess", scores.points.between(90, 92), consistent_read=True, scan_index_forward=False
    )
    assert [(item.points, item.player, item.note) for item in found] == [
        (92, "c", None),
        (91, "a", None),
        (90, "b", None),
    ]


def test_a_time_to_live_is_turned_on_with_the_table_and_kept_as_seconds(
    made: Callable[[type[Model]], Any], resource: Any
) -> None:
    model = made(Session)
    told = resource.meta.client.describe_time_to_live(TableName=model.Meta.table_name)
    assert told["TimeToLiveDescription"]["AttributeName"] == "ends"
    assert told["TimeToLiveDescription"]["TimeToLiveStatus"] in {"ENABLING", "ENABLED"}
    model("a", ends=dt.timedelta(hours=1)).save()
    moment = dt.datetime(2099, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    model("b", ends=moment).save()
    left = model.get("a").ends - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=55) < left <= dt.timedelta(hours=1)
    assert model.get("b").ends == moment
    stored = resource.Table(model.Meta.table_name).get_item(Key={"pk": "b"})["Item"]
    assert stored["ends"] == int(moment.timestamp())
