"""AWS's schemas of resource types, out of cfn-lint's data: one line a type, sorted by name."""

import json
import pathlib
import re
import sys

import cfnlint

ROOT = pathlib.Path(__file__).parents[2] / "src/sim/cloudformation"
SCHEMAS = ROOT / "schemas.jsonl"
DATA = pathlib.Path(cfnlint.__file__).parent / "data/schemas"

# What the simulator reads. The rest is prose, or about changes and lists.
OF_A_SCHEMA = {
    "$ref", "additionalProperties", "anyOf", "definitions", "dependentRequired", "enum", "enumCaseInsensitive",
    "format", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern",
    "patternProperties", "properties", "required", "requiredOr", "requiredXor", "type", "uniqueItems",
}  # fmt: skip
OF_A_TYPE = {"typeName", "readOnlyProperties"}
FORMATS = {"ipv4-network", "ipv6-network"}


def reduced(schema, more=frozenset()):
    kept = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties", "definitions"):
            kept[key] = {name: reduced(one) for name, one in value.items()}
        elif key == "format" and value not in FORMATS:
            continue
        elif key in OF_A_SCHEMA and isinstance(value, dict) and key != "dependentRequired":
            kept[key] = reduced(value)
        elif key in ("anyOf", "oneOf"):
            kept[key] = [reduced(one) for one in value]
        elif key in OF_A_SCHEMA or key in more:
            kept[key] = value
    # What is left of "one of these formats" says nothing.
    if any(one == {} for one in kept.get("anyOf", [])):
        del kept["anyOf"]
    return {key: value for key, value in kept.items() if value not in ({}, [])}


def main(arguments):
    check = "--check" in arguments
    now = SCHEMAS.read_text() if SCHEMAS.exists() else ""
    types = {one for one in arguments if one.startswith("AWS::")}
    types |= {json.loads(line)["typeName"] for line in now.splitlines()}
    types |= set(re.findall(r'"(AWS::\w+::\w+)",', (ROOT / "kind.rs").read_text()))
    index = json.loads((DATA / "providers/us-east-1.json").read_text())
    lines = []
    for name in sorted(types):
        schema = json.loads((DATA / f"resources/{index[name]}.json").read_text())
        lines.append(json.dumps(reduced(schema, OF_A_TYPE), sort_keys=True, separators=(",", ":")) + "\n")
    new = "".join(lines)
    if not check:
        SCHEMAS.write_text(new)
    elif new != now:
        sys.exit("src/sim/cloudformation/schemas.jsonl is not what cfn-lint has: run tests/cfn/schemas")
    print(f"{len(lines)} types, {len(new)} bytes")


main(sys.argv[1:])
