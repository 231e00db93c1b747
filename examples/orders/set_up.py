"""Makes the table, both functions, and a mapping of the table's stream to each of them.

Where the server is, and the region, boto3 takes from the environment: see README.md beside this.
"""

import json
from pathlib import Path

import boto3

HERE = Path(__file__).resolve().parent
NEW_ORDERS = {"eventName": ["INSERT"]}
NOT_FREE = {**NEW_ORDERS, "dynamodb": {"NewImage": {"total": {"N": [{"anything-but": ["0"]}]}}}}


def main() -> None:
    """Make it all, and wait until orders flow."""
    tables, functions = boto3.client("dynamodb"), boto3.client("lambda")
    table = tables.create_table(
        TableName="orders",
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "number", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    stream = table["TableDescription"]["LatestStreamArn"]
    for name, runtime, handler, pattern in (
        ("pack", "python3.12", "app.handle", NEW_ORDERS),
        ("bill", "nodejs20.x", "index.handler", NOT_FREE),
    ):
        functions.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler=handler,
            Role="arn:aws:iam::000000000000:role/none",
            Code={"S3Bucket": "local-directory", "S3Key": str(HERE / name)},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=stream,
            StartingPosition="TRIM_HORIZON",
            BatchSize=10,
            FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
            FunctionResponseTypes=["ReportBatchItemFailures"],
            BisectBatchOnFunctionError=True,
            MaximumRetryAttempts=2,
            DestinationConfig={"OnFailure": {"Destination": f"file://not-{name}ed.jsonl"}},
        )
        print(f"{name}: {runtime} from {HERE / name}")


if __name__ == "__main__":
    main()
