"""Starts the set-up of `.venv` on any Python that make found: `python3 tools/bootstrap.py run|dev`.

Kept in words that every Python 3 can read, so that an old one is answered with a sentence and not
with a syntax error: a fitting Python goes on, any other looks for a fitting one by name.
"""

import os
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 14)  # the newest that every locked package has wheels for
GOOD_NAMES = ("python3.13", "python3.12", "python3.11", "python3.14")


def fitting_python():
    # type: () -> str | None
    """Return the path of a Python that fits, looked up by name, or None."""
    for name in GOOD_NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    return None


def main():
    # type: () -> int
    """Run the set-up, in this Python or in one that fits."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        other = fitting_python()
        if other is None:
            sys.stderr.write(
                "Penstock needs Python 3.11 to 3.14; this is %d.%d. Install one, or name it: "  # noqa: UP031 - must run on old Pythons
                "make PYTHON=/path/to/python3.12 ...\n" % sys.version_info[:2]
            )
            return 1
        os.execv(other, [other, *sys.argv])
    import setup_venv  # noqa: PLC0415 - an old Python cannot read that file

    return setup_venv.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
