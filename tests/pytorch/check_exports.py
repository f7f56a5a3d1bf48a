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
    results = {}
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        print(f"{folder.name}:")
        results[folder.name] = check(folder / "pytorch")
    for name, equal in results.items():
        print(f"{name}: {'equal' if equal else 'DIFFERENT'}")
    sys.exit(0 if all(results.values()) else 1)


if __name__ == "__main__":
    main()
