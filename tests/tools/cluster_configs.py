"""Plans the ClusterConfigs of a folder at a demo; prints a table in Markdown and the counts."""

import json
import os
import pathlib
import re
import sys
import urllib.error
import urllib.request

# The account of AWS's documentation, whose roles the examples of eksctl name.
ACCOUNT = "111122223333"
REASON = 110


def call(method, path, body, kind="application/json"):
    """Status and JSON of an answer."""
    request = urllib.request.Request(os.environ["DEMO_URL"] + path, body, method=method)
    request.add_header("Authorization", "Bearer " + os.environ["DEMO_TOKEN"])
    request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def register_account(files):
    """An account that may have clusters in the regions of the files."""
    regions = set(re.findall(r"\bregion:\s*[\"']?([a-z]{2}(?:-[a-z]+)+-\d)", "\n".join(files.values())))
    account = {"accountId": ACCOUNT, "name": "examples", "regions": sorted(regions)}
    status, answer = call("POST", "/v1/accounts", json.dumps(account).encode())
    if status != 201:
        sys.exit(f"the account could not be registered: {status} {answer}")


def planned(text):
    """Whether a file is planned, and what there is to say of it."""
    path = f"/v1/accounts/{ACCOUNT}/clusters?validateOnly=true"
    status, answer = call("POST", path, text.encode(), "application/yaml")
    if status == 200:
        codes = sorted({warning["code"] for warning in answer.get("warnings", [])})
        return True, ", ".join(f"`{code}`" for code in codes)
    errors = answer.get("errors") or [{"pointer": "", "message": answer.get("detail", str(status))}]
    told = [f"`{error['pointer']}` {error.get('message') or error.get('detail')}" for error in errors]
    shown = [line if len(line) <= REASON else line[: REASON - 1] + "…" for line in told]
    return False, "; ".join(shown).replace("|", "\\|").replace("\n", " ")


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json"))
    files = {path.name: path.read_text() for path in paths}
    files = {name: text for name, text in files.items() if "ClusterConfig" in text}
    if not files:
        sys.exit(f"no ClusterConfig in {folder}")
    register_account(files)
    print("| file | | warnings, or what is refused |\n|---|---|---|")
    count = 0
    for name, text in files.items():
        taken, said = planned(text)
        count += taken
        print(f"| {name} | {'planned' if taken else 'refused'} | {said} |", flush=True)
    print(f"\n{count} of {len(files)} are planned ({100 * count / len(files):.0f} %)")


main()
