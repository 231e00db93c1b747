"""What the settings of a server say of its functions' workers holds for them."""

import json
import stat
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from penstock.testing.local_server import LocalServer


def test_a_client_for_node_that_the_setting_names_and_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v20.1.0\n")
    node.chmod(node.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    with LocalServer(node_ric=tmp_path / "nowhere") as server:
        client = server.client("lambda")
        client.create_function(
            FunctionName="f",
            Role="arn:aws:iam::000000000000:role/r",
            Runtime="nodejs20.x",
            Handler="app.handler",
            Code={"S3Bucket": "local-directory", "S3Key": str(tmp_path)},
        )
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName="f", Payload=json.dumps({}))
    text = f"--node-ric: there is no aws-lambda-ric at {tmp_path}/nowhere"
    assert text in refused.value.response["Error"]["Message"]
