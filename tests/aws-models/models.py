"""AWS's service models, as botocore carries them, and what of them the simulator keeps."""

import gzip
import json
from pathlib import Path

import botocore

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "src" / "sim" / "model"
DATA = Path(botocore.__file__).parent / "data"

# What is kept of a shape and of a member: how a request is written, and what it must satisfy.
OF_SHAPES = ["type", "required", "min", "max", "pattern", "enum", "flattened"]
OF_MEMBERS = ["shape", "location", "locationName", "queryName", "flattened"]


def newest(service):
    """The newest model of a service."""
    path = sorted((DATA / service).iterdir())[-1] / "service-2.json"
    if path.exists():
        return json.loads(path.read_text())
    return json.loads(gzip.decompress(path.with_name(path.name + ".gz").read_bytes()))


def simulated():
    """The services that the simulator speaks, and the actions of each."""
    services, names = {}, []
    for line in (KEPT / "actions.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            names = services.setdefault(line.strip(), [])
        else:
            names.append(line.strip())
    return services


def picked(source, keys):
    return {key: source[key] for key in keys if key in source}


def kept_shape(shape):
    kept = picked(shape, OF_SHAPES)
    for part in ["member", "key", "value"]:
        if part in shape:
            kept[part] = picked(shape[part], OF_MEMBERS)
    if "members" in shape:
        kept["members"] = {
            name: picked(member, OF_MEMBERS) for name, member in shape["members"].items()
        }
    return kept


def references(shape):
    """The names of the shapes that a shape is made of."""
    parts = [shape[part] for part in ["member", "key", "value"] if part in shape]
    return [part["shape"] for part in parts + list(shape.get("members", {}).values())]


def kept(service, actions):
    """The requests of a service's actions, one line an action and a shape."""
    model = newest(service)
    operations, shapes = {}, {}
    for action in sorted(actions):
        operation = model["operations"][action]
        http = operation["http"]
        operations[action] = {"method": http["method"], "uri": http["requestUri"]}
        if "input" not in operation:
            continue
        operations[action]["input"] = operation["input"]["shape"]
        wanted = [operation["input"]["shape"]]
        while wanted:
            name = wanted.pop()
            if name not in shapes:
                shapes[name] = kept_shape(model["shapes"][name])
                wanted += references(shapes[name])
    parts = {
        "operations": lines(operations),
        "shapes": lines(shapes),
    }
    return "{\n" + ",\n".join(f'"{name}": {text}' for name, text in parts.items()) + "\n}\n"


def lines(entries):
    written = [
        f"  {json.dumps(name)}: {json.dumps(entry, ensure_ascii=True)}"
        for name, entry in sorted(entries.items())
    ]
    return "{\n" + ",\n".join(written) + "\n}"
