"""Code that lies in S3: fetched from the endpoint of the settings, and refused without any."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from penstock.testing.server import RunningServer
from wire.aws_lambda.code import parameters, zip_of
from wire.clients import connect

ZIP = zip_of({"app.py": "def handler(event, context): return 'out of a bucket'"})
MISSING = (
    b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
)


OBJECTS = {"/bucket/code.zip": ZIP, "/bucket/text": b"no zip file"}


class _Bucket(BaseHTTPRequestHandler):
    """Objects by path and query, as S3 gives them."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        found = OBJECTS.get(url.path)
        if "versionId=old" in url.query:
            found = zip_of({"app.py": "def handler(event, context): return 'an old one'"})
        self.send_response(404 if found is None else 200)
        body = MISSING if found is None else found
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def with_s3() -> Iterator[Any]:
    """A client of a server that has an endpoint of S3."""
    bucket = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    thread = threading.Thread(target=bucket.serve_forever)
    thread.start()
    with RunningServer(s3_endpoint=f"http://127.0.0.1:{bucket.server_port}") as server:
        yield connect(server.url, "lambda")
    bucket.shutdown()
    thread.join()
    bucket.server_close()


def test_an_object_is_code(with_s3: Any) -> None:
    with_s3.create_function(
        **parameters("fetched", Code={"S3Bucket": "bucket", "S3Key": "code.zip"})
    )
    assert with_s3.invoke(FunctionName="fetched")["Payload"].read() == b'"out of a bucket"'
    with_s3.update_function_code(
        FunctionName="fetched", S3Bucket="bucket", S3Key="code.zip", S3ObjectVersion="old"
    )
    assert with_s3.invoke(FunctionName="fetched")["Payload"].read() == b'"an old one"'


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "none",
            (
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The"
                " specified key does not exist."
            ),
        ),
        (
            "text",
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
    ],
    ids=["missing", "no zip file"],
)
def test_an_object_that_is_no_code_is_refused(
    with_s3: Any, refused: Any, key: str, text: str
) -> None:
    given = parameters("refused", Code={"S3Bucket": "bucket", "S3Key": key})
    assert refused("InvalidParameterValueException", with_s3.create_function, **given) == text


def test_an_endpoint_that_is_not_there_is_told(refused: Any) -> None:
    with RunningServer(s3_endpoint="http://127.0.0.1:9") as server:
        given = parameters("refused", Code={"S3Bucket": "bucket", "S3Key": "code.zip"})
        client = connect(server.url, "lambda")
        text = refused("InvalidParameterValueException", client.create_function, **given)
    assert text.startswith("Error occurred while GetObject. Could not connect")
