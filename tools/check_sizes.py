"""Finds functions and files that have grown too long. (Lines are ruff's, E501.)

A function's length is the lines from its `def` to its end, without its docstring.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FUNCTION_LINES_MAX = 60
SOURCE_LINES_MAX = 500
TEST_LINES_MAX = 800

Function = ast.FunctionDef | ast.AsyncFunctionDef


def oversized(name: str, text: str) -> Iterator[str]:
    """Yield what is too long in the Python file `name` with content `text`, one line each."""
    lines = len(text.splitlines())
    lines_max = TEST_LINES_MAX if name.startswith("tests/") else SOURCE_LINES_MAX
    if lines > lines_max:
        yield f"{name}: {lines} lines, at most {lines_max}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and function_lines(node) > FUNCTION_LINES_MAX:
            length = f"{function_lines(node)} lines, at most {FUNCTION_LINES_MAX}"
            yield f"{name}:{node.lineno}: function {node.name} has {length}"


def function_lines(node: Function) -> int:
    """Return the number of lines of a function, decorators and docstring left out."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


def main() -> int:
    """Check every Python file of the repository; return the exit status."""
    problems = [
        problem
        for room in ("bench", "src", "tests", "tools")
        for path in sorted((ROOT / room).rglob("*.py"))
        for problem in oversized(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
