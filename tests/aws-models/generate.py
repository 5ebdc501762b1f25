"""Writes what the simulator keeps of AWS's models: src/sim/model/*.json.

With --check it writes nothing, and says which files are not what botocore's models give.
"""

import sys

import models


def main():
    files = {
        models.KEPT / f"{service}.json": models.kept(service, actions)
        for service, actions in models.simulated().items()
    }
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        surplus = [path for path in models.KEPT.glob("*.json") if path not in files]
        for path in stale + surplus:
            print(f"{path.relative_to(models.ROOT)} is not what tests/aws-models/generate writes")
        return 1 if stale or surplus else 0
    for path in stale:
        path.write_text(files[path])
        print(f"wrote {path.relative_to(models.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
