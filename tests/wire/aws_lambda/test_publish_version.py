"""PublishVersion: a function as it is now, under the next number."""

from pathlib import Path
from typing import Any

from wire.aws_lambda.code import zip_of


def test_versions_count_up_and_keep_what_was(functions: Any, new_function: Any) -> None:
    name = new_function(Description="one")
    first = functions.publish_version(FunctionName=name)
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (first["Version"], first["Description"]) == ("1", "one")
    functions.update_function_configuration(FunctionName=name, MemorySize=512)
    second = functions.publish_version(FunctionName=name, Description="two")
    assert (second["Version"], second["Description"], second["MemorySize"]) == ("2", "two", 512)
    kept = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (kept["MemorySize"], kept["Description"]) == (128, "one")


def test_nothing_is_published_where_nothing_changed(functions: Any, new_function: Any) -> None:
    name = new_function()
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": "x"}))
    assert functions.publish_version(FunctionName=name)["Version"] == "2"


def test_of_a_local_directory_a_zip_file_is_kept(
    functions: Any, new_function: Any, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text("x = 1")
    name = new_function(Code={"S3Bucket": "local-directory", "S3Key": str(tmp_path)})
    first = functions.publish_version(FunctionName=name)
    assert first["CodeSize"] > 0
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
    (tmp_path / "app.py").write_text("x = 2")
    second = functions.publish_version(FunctionName=name)
    assert second["Version"] == "2"
    assert second["CodeSha256"] != first["CodeSha256"]
    code = functions.get_function(FunctionName=name, Qualifier="1")["Code"]
    assert code["RepositoryType"] == "S3"


def test_the_code_has_to_be_what_is_expected(
    functions: Any, new_function: Any, refused: Any
) -> None:
    name = new_function()
    digest = functions.get_function_configuration(FunctionName=name)["CodeSha256"]
    text = refused(
        "InvalidParameterValueException",
        functions.publish_version,
        FunctionName=name,
        CodeSha256="other",
    )
    assert digest in text
    assert functions.publish_version(FunctionName=name, CodeSha256=digest)["Version"] == "1"


def test_an_older_revision_is_refused(functions: Any, new_function: Any, refused: Any) -> None:
    refused(
        "PreconditionFailedException",
        functions.publish_version,
        FunctionName=new_function(),
        RevisionId="other",
    )


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused("ResourceNotFoundException", functions.publish_version, FunctionName=function_name)
