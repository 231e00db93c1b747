"""The command line picks a command, explains itself, and complains in one line."""

import subprocess
import sys

import pytest

from penstock import __version__
from penstock.app import cli

URL = "a database's URL"
THERE_ARE = f"there are {', '.join(cli.COMMANDS)}"


def _ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of a command line that ends at once."""
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        assert isinstance(end.code, int)
        status = end.code
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert _ended(["--version"], capsys) == (0, f"penstock {__version__}\n", "")


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = _ended(["--help"], capsys)
    assert (status, err) == (0, "")
    assert out.startswith("usage: penstock [-h] [--version] COMMAND ...\n")
    for name, (_, summary) in cli.COMMANDS.items():
        assert f"  {name:<8}{summary}\n" in out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_a_help_of_its_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _ended([command, "--help"], capsys)
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: penstock {command} ")
    assert cli.COMMANDS[command][1] in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            [],
            f"penstock: no command is given; {THERE_ARE}; see penstock --help",
        ),
        (
            ["bogus", "--x"],
            f"penstock: no command 'bogus'; {THERE_ARE}; see penstock --help",
        ),
        (["--bogus"], "penstock: unrecognized arguments: --bogus; see penstock --help"),
        (["--vers"], "penstock: unrecognized arguments: --vers; see penstock --help"),
        (
            ["serve", "--bogus"],
            "penstock serve: unrecognized arguments: --bogus; see penstock serve --help",
        ),
        (
            ["serve", "--por", "1"],
            "penstock serve: unrecognized arguments: --por 1; see penstock serve --help",
        ),
        (
            ["serve", "--bogus", "postgres://me:secret@h/db"],
            f"penstock serve: unrecognized arguments: --bogus {URL}; see penstock serve --help",
        ),
        (
            ["serve", "now"],
            "penstock serve: unrecognized arguments: now; see penstock serve --help",
        ),
        (
            ["serve", "--port"],
            "penstock serve: argument --port: expected one argument; see penstock serve --help",
        ),
    ],
)
def test_what_is_not_understood_is_told_in_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ended(arguments, capsys) == (2, "", complaint + "\n")


def test_an_interruption_from_the_keyboard_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupted)
    assert _ended(["serve"], capsys) == (130, "", "")


def test_the_server_starts_without_what_only_other_commands_need() -> None:
    """Start time is spent on imports: clients, colours and the grammar wait for their first use."""
    code = "import sys, penstock.app.serve; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"boto3", "botocore", "psycopg", "rich", "sortedcontainers"} & set(
        done.stdout.split()
    )
