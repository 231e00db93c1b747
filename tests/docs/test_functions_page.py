"""What docs/functions.md and the README say of functions is done: their commands are run."""

from pathlib import Path

import pytest

from docs.page_reader import Reader, blocks, steps
from server_process import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGE = (ROOT / "docs" / "functions.md").read_text("utf-8")

pytestmark = pytest.mark.slow


def test_a_first_function_and_its_code_in_a_directory(tmp_path: Path) -> None:
    """The commands below the first two headings, with what they print."""
    with ServerProcess.on(tmp_path / "store") as server:
        reader = Reader(tmp_path, server)
        first = steps(blocks(PAGE, "A first function")[0])
        reader.export("".join(f"$ {command}\n" for command, _ in first[:2]))
        *before, (shown, answer), (logs, _) = first[2:]
        reader.run("\n".join(command for command, _ in before))
        assert reader.run(shown) == answer.strip()
        reader.until(logs, lambda lines: "asked by Ada" in lines)
        (change,) = blocks(PAGE, "Code")
        assert '"RepositoryType": "local-directory"' in reader.run(
            f"{steps(change)[0][0]}\naws lambda get-function --function-name hello"
        )
        again = [command for command, _ in first if command.startswith("aws lambda invoke")]
        reader.run("\n".join(["rm answer.json", *again]))
        assert reader.run(shown) == answer.strip()


def test_the_readme(tmp_path: Path) -> None:
    """The table of its beginning, and the function that is told of it."""
    with ServerProcess.on(tmp_path / "store") as server:
        reader = Reader(tmp_path, server)
        credentials, *table = steps(blocks(README, "Run it")[1])
        (functions,) = blocks(README, "Run functions")
        *before, endpoint, create, stream, mapping = steps(functions)
        reader.export(f"$ {credentials[0]}\n$ {endpoint[0]}\n")
        reader.run("\n".join(command for command, _ in [*table, *before, create]))
        reader.run(f"{stream[0]}\n{mapping[0]}")
        item = '{"customer": {"S": "ada"}, "order": {"N": "17"}}'
        reader.run(f"aws dynamodb put-item --table-name Orders --item '{item}'")
        reader.until("penstock logs notice", lambda lines: "INSERT {'customer'" in lines)
