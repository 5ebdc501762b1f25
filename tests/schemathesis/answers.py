"""Counts what was answered, and says whether every operation was reached.

As a module, the hooks' tally; as a program, what the tally means:  answers.py FILE [--partial]
"""

import atexit
import collections
import json
import sys

FILE = "answers.json"
counts = collections.defaultdict(collections.Counter)


def count(operation, method, response):
    """Other methods than the operation's are tried too: they are no success of it."""
    status = str(response.status_code)
    counts[operation][status if response.request.method == method else f"other {status}"] += 1


def keep_at_exit(operations):
    """Every operation is in the tally, so that one that was never called is missed."""
    for operation in operations:
        counts[operation]
    atexit.register(write)


def write():
    with open(FILE, "w", encoding="utf-8") as file:
        json.dump(counts, file, indent=1, sort_keys=True)


def main(path, *options):
    with open(path, encoding="utf-8") as file:
        tally = json.load(file)
    of_class = collections.Counter()
    for answers in tally.values():
        for status, count in answers.items():
            of_class[status.split()[-1][0]] += count
    good = [name for name, answers in tally.items() if any(s[0] in "23" for s in answers)]
    never = sorted(set(tally) - set(good))
    print(f"answers: {sum(of_class.values())},", ", ".join(f"{n} {c}xx" for c, n in sorted(of_class.items())))
    print(f"operations with a success: {len(good)} of {len(tally)}", *never and ["; none of", *never])
    if of_class["5"] or not tally:
        return 1
    return 1 if never and "--partial" not in options else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
