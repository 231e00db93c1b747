"""Code for the functions of the tests: zip files made in memory."""

import io
import stat
import zipfile
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/test"
HANDLER = "def handler(event, context):\n    return event\n"


def zip_of(
    files: dict[str, str | bytes] | None = None, links: dict[str, str] | None = None
) -> bytes:
    """Return a zip file of files and symbolic links by their names; without any, of a handler."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ({"app.py": HANDLER} if files is None else files).items():
            archive.writestr(zipfile.ZipInfo(name), content)
        for name, target in (links or {}).items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
    return packed.getvalue()


def parameters(name: str, **changed: Any) -> dict[str, Any]:
    """Return the parameters of a CreateFunction that succeeds, with some changed."""
    return {
        "FunctionName": name,
        "Role": ROLE,
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Code": {"ZipFile": zip_of()},
        **changed,
    }
