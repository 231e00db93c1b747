"""CreateFunction: what is stored and shown, what is refused, by which error."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wire.aws_lambda.code import ROLE, parameters, zip_of

# --- what is taken


def test_the_answer_shows_all_settings(functions: Any, function_name: str) -> None:
    data = zip_of()
    answer = functions.create_function(
        FunctionName=function_name,
        Role=ROLE,
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": data},
        Description="what it does",
        Timeout=7,
        MemorySize=256,
        Environment={"Variables": {"NAME": "value"}},
        EphemeralStorage={"Size": 600},
        Architectures=["arm64"],
        LoggingConfig={"LogFormat": "Text", "LogGroup": "/own/group"},
        TracingConfig={"Mode": "PassThrough"},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        PackageType="Zip",
        Layers=[],
    )
    try:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert answer["FunctionName"] == function_name
        assert answer["FunctionArn"].endswith(f":function:{function_name}")
        assert answer["Runtime"] == "python3.12"
        assert answer["CodeSize"] == len(data)
        digest = hashlib.sha256(data).digest()
        assert answer["CodeSha256"] == base64.b64encode(digest).decode()
        assert answer["Version"] == "$LATEST"
        assert answer["Description"] == "what it does"
        assert (answer["Timeout"], answer["MemorySize"]) == (7, 256)
        assert answer["Environment"] == {"Variables": {"NAME": "value"}}
        assert answer["EphemeralStorage"] == {"Size": 600}
        assert answer["Architectures"] == ["arm64"]
        assert answer["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/own/group"}
        assert answer["TracingConfig"] == {"Mode": "PassThrough"}
        assert answer["State"] == "Active"
        assert answer["LastModified"].endswith("+0000")
        assert len(answer["RevisionId"]) == 36
        shown = functions.get_function_configuration(FunctionName=function_name)
        assert _without_metadata(shown) == _without_metadata(answer)
    finally:
        functions.delete_function(FunctionName=function_name)


def test_defaults_are_those_of_aws(functions: Any, new_function: Any) -> None:
    shown = functions.get_function_configuration(FunctionName=new_function())
    assert (shown["Timeout"], shown["MemorySize"], shown["Description"]) == (3, 128, "")
    assert shown["EphemeralStorage"] == {"Size": 512}
    assert shown["Architectures"] == ["x86_64"]
    assert shown["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{shown['FunctionName']}"
    assert "Environment" not in shown


def test_waiters_find_it_active(functions: Any, new_function: Any) -> None:
    name = new_function()
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.get_waiter("function_exists").wait(FunctionName=name)


def test_publish_makes_version_1(functions: Any, function_name: str) -> None:
    answer = functions.create_function(**parameters(function_name, Publish=True))
    try:
        assert answer["Version"] == "1"
        assert answer["FunctionArn"].endswith(f":{function_name}:1")
        listed = functions.list_versions_by_function(FunctionName=function_name)["Versions"]
        assert [each["Version"] for each in listed] == ["$LATEST", "1"]
    finally:
        functions.delete_function(FunctionName=function_name)


def test_a_local_directory_is_code(functions: Any, new_function: Any, tmp_path: Path) -> None:
    name = new_function(Code={"S3Bucket": "local-directory", "S3Key": str(tmp_path)})
    code = functions.get_function(FunctionName=name)["Code"]
    assert code == {"RepositoryType": "local-directory", "Location": tmp_path.as_uri()}


def test_large_code_is_kept_in_pieces(functions: Any, new_function: Any) -> None:
    name = new_function(Code={"ZipFile": incompressible(9 * 1024 * 1024)})
    assert functions.get_function(FunctionName=name)["Configuration"]["CodeSize"] > 9_000_000


def test_code_above_the_limit_of_other_requests_is_taken(functions: Any, new_function: Any) -> None:
    name = new_function(Code={"ZipFile": incompressible(40 * 1024 * 1024)})
    assert functions.get_function(FunctionName=name)["Configuration"]["CodeSize"] > 40_000_000


# --- what is refused


def test_a_request_above_the_limit_of_lambda_is_refused(
    functions: Any, function_name: str, refused: Any
) -> None:
    given = parameters(function_name, Code={"ZipFile": bytes(53 * 1024 * 1024)})
    text = refused("RequestEntityTooLargeException", functions.create_function, **given)
    assert text == "Request must be smaller than 70167211 bytes for the CreateFunction operation"


def test_a_name_is_taken_once(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    text = refused("ResourceConflictException", functions.create_function, **parameters(name))
    assert text == f"Function already exist: {name}"


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_runtime_and_handler_are_mandatory(
    functions: Any, function_name: str, refused: Any, missing: str
) -> None:
    given = parameters(function_name)
    del given[missing]
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text == (
        "Runtime and Handler are mandatory parameters for functions created with deployment"
        " packages."
    )


@pytest.mark.parametrize("missing", ["Role", "Code"])
def test_role_and_code_are_required(
    functions: Any, function_name: str, refused: Any, missing: str
) -> None:
    given = parameters(function_name)
    del given[missing]
    text = refused("ValidationException", functions.create_function, **given)
    assert "Member must not be null" in text


@pytest.mark.parametrize("runtime", ["python2.7", "java21", "dotnet8", "ruby3.3", "go1.x", "x"])
def test_other_runtimes_are_refused(
    functions: Any, function_name: str, refused: Any, runtime: str
) -> None:
    given = parameters(function_name, Runtime=runtime)
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text.startswith(f"Value {runtime} at 'runtime' failed to satisfy constraint")


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"Timeout": 0}, "'timeout' failed to satisfy constraint"),
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"MemorySize": 127}, "greater than or equal to 128"),
        ({"MemorySize": 10_241}, "less than or equal to 10240"),
        ({"EphemeralStorage": {"Size": 511}}, "'ephemeralStorage.size'"),
        ({"Description": "x" * 257}, "'description'"),
        ({"Architectures": ["mips"]}, "enum value set: [x86_64, arm64]"),
        ({"Role": "nobody"}, "'role' failed to satisfy constraint"),
        ({"Handler": "with blank"}, "'handler' failed to satisfy constraint"),
        ({"FunctionName": "no/name"}, "'functionName' failed to satisfy constraint"),
        ({"FunctionName": "x" * 65}, "length less than or equal to 64"),
        ({"FunctionName": "x" * 141}, "length less than or equal to 140"),
    ],
)
def test_constraints(
    functions: Any, function_name: str, refused: Any, changed: dict[str, Any], part: str
) -> None:
    given = parameters(function_name) | changed
    assert part in refused("ValidationException", functions.create_function, **given)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("PackageType", "Image"),
        ("VpcConfig", {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
        ("DeadLetterConfig", {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}),
        ("KMSKeyArn", "arn:aws:kms:us-east-1:000000000000:key/k"),
        ("TracingConfig", {"Mode": "Active"}),
        ("Layers", ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]),
        ("FileSystemConfigs", [{"Arn": "a", "LocalMountPath": "mount"}]),
        ("ImageConfig", {"Command": ["x"]}),
        ("CodeSigningConfigArn", "arn"),
        ("SnapStart", {"ApplyOn": "PublishedVersions"}),
        ("TenancyConfig", {"TenantIsolationMode": "PER_TENANT"}),
        ("CapacityProviderConfig", {}),
        ("DurableConfig", {"ExecutionTimeout": 5}),
        ("PublishTo", "LATEST_PUBLISHED"),
        ("LoggingConfig", {"LogFormat": "JSON"}),
        ("LoggingConfig", {"SystemLogLevel": "INFO"}),
    ],
)
def test_what_this_release_lacks_is_refused_by_name(
    functions: Any, function_name: str, refused: Any, member: str, value: Any
) -> None:
    given = parameters(function_name, **{member: value})
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text.startswith(member)
    assert "is not supported by this release of Penstock" in text


@pytest.mark.parametrize(
    ("variables", "code", "part"),
    [
        ({"AWS_REGION": "x"}, "InvalidParameterValueException", "request: AWS_REGION"),
        ({"1X": "x"}, "ValidationException", "[a-zA-Z]([a-zA-Z0-9_])+"),
        ({"NAME": "a\0b"}, "InvalidParameterValueException", "NAME holds U+0000"),
        ({"LONG": "x" * 4096}, "InvalidParameterValueException", "exceeded the 4KB limit"),
    ],
)
def test_environments_are_judged(
    functions: Any, function_name: str, refused: Any, variables: Any, code: str, part: str
) -> None:
    given = parameters(function_name, Environment={"Variables": variables})
    assert part in refused(code, functions.create_function, **given)


def test_a_zip_file_without_entries_is_refused(
    functions: Any, function_name: str, refused: Any
) -> None:
    given = parameters(function_name, Code={"ZipFile": zip_of({})})
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text == "Uploaded file must be a non-empty zip"


@pytest.mark.parametrize(
    "data",
    [
        b"no zip file",
        b"",
        zip_of({"../outside": "x"}),
        zip_of({"/absolute": "x"}),
        zip_of({"C:/drive": "x"}),
        zip_of({"a\\b": "x"}),
        zip_of({"a": "x", "a/b": "x"}),
        zip_of({}, {"link": "/etc/passwd"}),
        zip_of({}, {"link": "../outside"}),
        zip_of({}, {"link": "a/../../outside"}),
        zip_of({"link/behind": "x"}, {"link": "elsewhere"}),
        zip_of()[:-30],
        zip_of({"x" * 300: "x"}),
    ],
    ids=str,
)
def test_a_zip_file_that_cannot_be_unpacked_safely_is_refused(
    functions: Any, function_name: str, refused: Any, data: bytes
) -> None:
    given = parameters(function_name, Code={"ZipFile": data})
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text == (
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def test_a_zip_bomb_is_refused(functions: Any, function_name: str, refused: Any) -> None:
    packed = io.BytesIO()
    archive = zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("zeroes", "w") as file:
        for _ in range(251):
            file.write(bytes(1024 * 1024))
    given = parameters(function_name, Code={"ZipFile": packed.getvalue()})
    text = refused("InvalidParameterValueException", functions.create_function, **given)
    assert text == "Unzipped size must be smaller than 262144000 bytes"


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ({}, "Please provide a source for function code."),
        ({"S3Bucket": "local-directory"}, "Please provide a source for function code."),
        ({"S3Bucket": "bucket", "S3Key": "key"}, "this server runs without --s3-endpoint"),
        ({"S3Bucket": "local-directory", "S3Key": "relative"}, "not the absolute path"),
        ({"S3Bucket": "local-directory", "S3Key": "/no/such/place"}, "not a directory"),
        (
            {"S3Bucket": "local-directory", "S3Key": "/", "S3ObjectVersion": "1"},
            "A local directory has no S3ObjectVersion",
        ),
        ({"ImageUri": "image"}, "ImageUri is not supported"),
        ({"ZipFile": b"x", "S3Bucket": "bucket"}, "when providing a ZipFile"),
    ],
)
def test_code_that_is_nowhere_is_refused(
    functions: Any, function_name: str, refused: Any, code: dict[str, Any], part: str
) -> None:
    given = parameters(function_name, Code=code)
    assert part in refused("InvalidParameterValueException", functions.create_function, **given)


def test_what_was_refused_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    given = parameters(function_name, Code={"ZipFile": b"no zip file"})
    refused("InvalidParameterValueException", functions.create_function, **given)
    refused("ResourceNotFoundException", functions.get_function, FunctionName=function_name)


def incompressible(size: int) -> bytes:
    """Return a zip file of so many bytes, which are of no use."""
    packed = io.BytesIO()
    block = hashlib.sha512(b"seed").digest() * 16
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("app.py", "def handler(event, context): return 1")
        archive.writestr("data", block * (size // len(block)))
    return packed.getvalue()


def _without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
