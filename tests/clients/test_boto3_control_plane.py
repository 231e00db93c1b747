"""What else an application asks of a table through boto3: time to live, tags, protection."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from wire.clients import all_records, connect


def test_a_time_to_live_is_turned_on_and_told(client: Any, table: Any) -> None:
    told = client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert told == {"TimeToLiveStatus": "DISABLED"}
    wanted = {"Enabled": True, "AttributeName": "ends"}
    answer = client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=wanted)
    assert answer["TimeToLiveSpecification"] == wanted
    told = client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert told["AttributeName"] == "ends"
    assert told["TimeToLiveStatus"] in {"ENABLING", "ENABLED"}
    with pytest.raises(ClientError, match=r"is already enabled|modified multiple times"):
        client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=wanted)


def test_what_has_expired_is_deleted_by_the_service_and_seen_in_the_stream(
    pytestconfig: pytest.Config,
    endpoint: str,
    make_table: Callable[..., Any],
    wait_for: Callable[..., None],
) -> None:
    if pytestconfig.getoption("--url"):
        pytest.skip("another server takes its own time to delete what has expired")
    table = make_table(
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    table.meta.client.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"}
    )
    now_s = int(time.time())
    table.put_item(Item={"pk": "expired", "sk": 1, "ends": now_s - 60})
    table.put_item(Item={"pk": "lives", "sk": 1, "ends": now_s + 3600})
    table.put_item(Item={"pk": "no number", "sk": 1, "ends": str(now_s - 60)})
    wait_for(lambda: table.scan()["Count"] == 2, "one of the three is deleted")
    assert {item["pk"] for item in table.scan()["Items"]} == {"lives", "no number"}
    records = all_records(connect(endpoint, "dynamodbstreams"), table.latest_stream_arn)
    (removed,) = [record for record in records if record["eventName"] == "REMOVE"]
    assert removed["userIdentity"] == {
        "PrincipalId": "dynamodb.amazonaws.com",
        "Type": "Service",
    }
    assert removed["dynamodb"]["OldImage"]["pk"] == {"S": "expired"}


def test_tags_are_given_listed_and_taken(client: Any, make_table: Callable[..., Any]) -> None:
    table = make_table(Tags=[{"Key": "team", "Value": "orders"}])
    client.tag_resource(ResourceArn=table.table_arn, Tags=[{"Key": "stage", "Value": "test"}])
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=table.table_arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    assert tags == {"team": "orders", "stage": "test"}
    client.untag_resource(ResourceArn=table.table_arn, TagKeys=["team"])
    answer = client.list_tags_of_resource(ResourceArn=table.table_arn)
    assert answer["Tags"] == [{"Key": "stage", "Value": "test"}]


def test_a_protected_table_is_deleted_only_after_its_protection(
    make_table: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    table = make_table(DeletionProtectionEnabled=True)
    with pytest.raises(ClientError, match="protected against deletion"):
        table.delete()
    table.update(DeletionProtectionEnabled=False)
    wait_for(table_is_active(table), "the table is active")
    assert table.deletion_protection_enabled is False


def table_is_active(table: Any) -> Callable[[], bool]:
    def check() -> bool:
        table.reload()
        return bool(table.table_status == "ACTIVE")

    return check


def test_throughput_and_billing_are_changed_through_the_table_object(
    make_table: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    table = make_table(
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    table.update(ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 5})
    wait_for(table_is_active(table), "the table is active")
    assert table.provisioned_throughput["ReadCapacityUnits"] == 7
    table.update(BillingMode="PAY_PER_REQUEST")
    wait_for(table_is_active(table), "the table is active")
    assert table.billing_mode_summary["BillingMode"] == "PAY_PER_REQUEST"


def test_a_table_is_asked_for_by_its_arn(client: Any, resource: Any, table: Any) -> None:
    by_arn = resource.Table(table.table_arn)
    by_arn.put_item(Item={"pk": "a", "sk": 1})
    assert table.get_item(Key={"pk": "a", "sk": 1})["Item"] == {"pk": "a", "sk": 1}
    assert client.describe_table(TableName=table.table_arn)["Table"]["TableName"] == table.name


def test_limits_and_endpoints_are_told(client: Any) -> None:
    limits = client.describe_limits()
    assert limits["TableMaxReadCapacityUnits"] > 0
    (endpoint,) = client.describe_endpoints()["Endpoints"]
    assert endpoint["CachePeriodInMinutes"] > 0
