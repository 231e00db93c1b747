"""UpdateFunctionCode: other code, told by its digest; DryRun, Publish and RevisionId."""

from pathlib import Path
from typing import Any

from wire.aws_lambda.code import zip_of

OTHER = zip_of({"app.py": "other = True"})


def test_the_code_is_another_one(functions: Any, new_function: Any) -> None:
    name = new_function()
    before = functions.get_function_configuration(FunctionName=name)
    answer = functions.update_function_code(FunctionName=name, ZipFile=OTHER)
    assert answer["CodeSha256"] != before["CodeSha256"]
    assert answer["CodeSize"] == len(OTHER)
    assert answer["RevisionId"] != before["RevisionId"]
    assert answer["LastUpdateStatus"] == "Successful"
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def test_a_dry_run_changes_nothing(functions: Any, new_function: Any) -> None:
    name = new_function()
    before = functions.get_function_configuration(FunctionName=name)
    answer = functions.update_function_code(FunctionName=name, ZipFile=OTHER, DryRun=True)
    assert answer["CodeSize"] == len(OTHER)
    after = functions.get_function_configuration(FunctionName=name)
    assert after["CodeSha256"] == before["CodeSha256"]
    assert after["RevisionId"] == before["RevisionId"]


def test_publish_makes_a_version_of_it(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    answer = functions.update_function_code(FunctionName=name, ZipFile=OTHER, Publish=True)
    assert answer["Version"] == "2"
    old = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    assert old["CodeSha256"] != answer["CodeSha256"]


def test_an_older_revision_is_refused(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    old = functions.get_function_configuration(FunctionName=name)["RevisionId"]
    functions.update_function_code(FunctionName=name, ZipFile=OTHER, RevisionId=old)
    text = refused(
        "PreconditionFailedException",
        functions.update_function_code,
        FunctionName=name,
        ZipFile=zip_of(),
        RevisionId=old,
    )
    assert text.startswith("The Revision Id provided does not match the latest Revision Id.")


def test_a_zip_file_may_become_a_directory(
    functions: Any, new_function: Any, tmp_path: Path
) -> None:
    name = new_function()
    functions.update_function_code(
        FunctionName=name, S3Bucket="local-directory", S3Key=str(tmp_path)
    )
    code = functions.get_function(FunctionName=name)["Code"]
    assert code["Location"] == tmp_path.as_uri()
    functions.update_function_code(FunctionName=name, ZipFile=OTHER)
    assert functions.get_function(FunctionName=name)["Code"]["RepositoryType"] == "S3"


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.update_function_code,
        FunctionName=function_name,
        ZipFile=OTHER,
    )


def test_bad_code_leaves_the_old(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    before = functions.get_function_configuration(FunctionName=name)["CodeSha256"]
    refused(
        "InvalidParameterValueException",
        functions.update_function_code,
        FunctionName=name,
        ZipFile=b"no zip file",
    )
    assert functions.get_function_configuration(FunctionName=name)["CodeSha256"] == before


def test_a_version_has_its_code_for_ever(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    text = refused(
        "InvalidParameterValueException",
        functions.update_function_code,
        FunctionName=f"{name}:1",
        ZipFile=OTHER,
    )
    assert text.startswith("This operation is permitted on Lambda functions only.")
