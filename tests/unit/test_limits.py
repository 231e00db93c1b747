"""The limits: each is kept by somebody."""

import re
from pathlib import Path

import penstock
from penstock.base import limits


def test_every_limit_is_used() -> None:
    """A limit that no code asks for is a promise that nobody keeps."""
    package = Path(penstock.__file__).parent
    texts = [path.read_text() for path in package.rglob("*.py") if path.name != "limits.py"]
    texts.append((package / "edge" / "limits.py").read_text())
    used = set(re.findall(r"\w+", "\n".join(texts)))
    # pytest rewrites the package of a plugin, and leaves names there that no code could have.
    names = {name for name in vars(limits) if name.isidentifier() and not name.startswith("_")}
    assert names
    assert names - used == set()
