"""Exported networks in PyTorch: runs the `check.py` of each.

    python tests/pytorch/check_exports.py FOLDER

Each folder in FOLDER has a folder `pytorch` that `export --pytorch` made. Exits with 1 where a check fails.
"""

import runpy
import sys
from pathlib import Path


def check(folder):
    """Whether the script in a folder is content. Its modules are its own."""
    sys.path.insert(0, str(folder))
    sys.modules.pop("model", None)
    try:
        runpy.run_path(str(folder / "check.py"), run_name="__main__")
    except SystemExit as end:
        return end.code == 0
    finally:
        sys.path.pop(0)
    raise AssertionError("it says nothing")


def main():
    different, folders = [], sorted(Path(sys.argv[1]).iterdir())
    for folder in folders:
        print(f"{folder.name}:")
        if not check(folder / "pytorch"):
            different.append(folder.name)
    print(f"{len(folders)} exports, {', '.join(different) + ' DIFFERENT' if different else 'all equal'}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
