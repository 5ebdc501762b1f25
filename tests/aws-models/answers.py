"""Raw answers held to the models, strictly: botocore itself passes over what its models have not.

A `Checker` collects what is wrong. An answer may have no member that its model has not, every value must
be of its type, enums must hold it, and the members in `always.py` must be there.
"""

import json
import re
import xml.etree.ElementTree as ET

from always import ALWAYS

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


class Checker:
    def __init__(self, service, model):
        self.service = service
        self.model = model
        self.shapes = model["shapes"]
        self.protocol = model["metadata"]["protocol"]
        self.wrong = []
        self.members = set()

    def say(self, path, why):
        self.wrong.append(f"{path or 'the answer'}: {why}")

    def succeeded(self, action, status, headers, body):
        """Holds the answer to a call that succeeded to its model; what is wrong with it."""
        self.wrong = []
        operation = self.model["operations"][action]
        expected = operation["http"].get("responseCode", 200)
        if status != expected:
            self.say("", f"status {status} instead of {expected}")
        output = operation.get("output", {})
        shape = output.get("shape")
        if self.protocol == "rest-json":
            self.kind_of(headers, "application/json")
            self.json("", shape, self.parsed(body))
        elif self.protocol == "json":
            self.kind_of(headers, "application/x-amz-json-1.1")
            self.json("", shape, self.parsed(body))
        else:
            self.kind_of(headers, "text/xml")
            self.document(action, output, body)
        return self.wrong

    def kind_of(self, headers, kind):
        lower = {name.lower(): value for name, value in headers.items()}
        if not lower.get("content-type", "").startswith(kind):
            self.say("", f"Content-Type {lower.get('content-type')} instead of {kind}")
        if not any(name in lower for name in ["x-amzn-requestid", "x-amz-request-id"]):
            self.say("", "has no request id")

    def parsed(self, body):
        try:
            return json.loads(body) if body else {}
        except ValueError:
            self.say("", f"is not JSON: {body[:80]!r}")
            return {}

    # JSON

    def json(self, path, name, value):
        if name is None:
            if value:
                self.say(path, f"has members, and its model has none: {value}")
            return
        shape = self.shapes[name]
        check = getattr(self, f"json_{shape['type']}", None)
        if check:
            check(path, name, shape, value)
        elif not of_type(shape["type"], value):
            self.say(path, f"{value!r} is no {shape['type']}")
        elif "enum" in shape and value not in shape["enum"]:
            self.say(path, f"{value!r} is none of {shape['enum']}")

    def json_structure(self, path, name, shape, value):
        if not isinstance(value, dict):
            return self.say(path, f"{value!r} is no structure")
        known = {
            member.get("locationName", key): (key, member)
            for key, member in shape["members"].items()
            if "location" not in member
        }
        for key, inner in value.items():
            at = f"{path}.{key}" if path else key
            if key not in known:
                self.say(at, f"{name} has no such member")
            elif inner is not None:
                self.members.add((name, known[key][0]))
                self.json(at, known[key][1]["shape"], inner)
        there = {known[key][0] for key, inner in value.items() if key in known and inner is not None}
        self.always(path, name, there)

    def json_list(self, path, name, shape, value):
        if not isinstance(value, list):
            return self.say(path, f"{value!r} is no list")
        for number, one in enumerate(value):
            self.json(f"{path}[{number}]", shape["member"]["shape"], one)

    def json_map(self, path, name, shape, value):
        if not isinstance(value, dict):
            return self.say(path, f"{value!r} is no map")
        for key, one in value.items():
            self.json(f"{path}.{key}", shape["value"]["shape"], one)

    # XML

    def document(self, action, output, body):
        try:
            root = ET.fromstring(body)
        except ET.ParseError as error:
            return self.say("", f"is not XML: {error}")
        namespace = self.model["metadata"].get("xmlNamespace")
        # The model of EC2 lacks the last slash that its answers have.
        if root.tag.replace("/}", "}") != f"{{{namespace.rstrip('/')}}}{action}Response":
            self.say("", f"begins with {root.tag} instead of {action}Response of {namespace}")
        parts = {local(part): part for part in root}
        shape = output.get("shape")
        if self.protocol == "ec2":
            if parts.get("requestId") is None:
                self.say("", "has no requestId")
            inside = [part for part in root if local(part) != "requestId"]
            if shape is None and [(local(one), one.text) for one in inside] == [("return", "true")]:
                # The API reference has it of every action without an answer of its own.
                return None
            return self.elements("", shape, inside)
        metadata = parts.get("ResponseMetadata")
        if metadata is None or [local(one) for one in metadata] != ["RequestId"]:
            self.say("", "has no ResponseMetadata with a RequestId")
        wrapper = output.get("resultWrapper")
        for name in parts:
            if name not in ["ResponseMetadata", wrapper]:
                self.say(name, "is no part of the answer")
        if wrapper is None:
            return None
        if parts.get(wrapper) is None:
            return self.say("", f"has no {wrapper}")
        return self.elements("", shape, list(parts[wrapper]))

    def elements(self, path, name, elements):
        """The members of a structure."""
        if name is None:
            for one in elements:
                self.say(local(one), "the model has no answer")
            return
        shape, there = self.shapes[name], set()
        known = {
            self.wire_name(key, member): (key, member) for key, member in shape["members"].items()
        }
        for one in elements:
            at = f"{path}.{local(one)}" if path else local(one)
            if local(one) not in known:
                self.say(at, f"{name} has no such member")
                continue
            key, member = known[local(one)]
            flat = self.shapes[member["shape"]].get("flattened")
            if key in there and not flat:
                self.say(at, "stands twice")
            there.add(key)
            self.members.add((name, key))
            if flat:
                self.element(at, self.shapes[member["shape"]]["member"]["shape"], one)
            else:
                self.element(at, member["shape"], one)
        self.always(path, name, there)

    def wire_name(self, key, member):
        inner = self.shapes[member["shape"]]
        if inner.get("flattened") and "locationName" in inner.get("member", {}):
            return inner["member"]["locationName"]
        return member.get("locationName", key)

    def element(self, path, name, element):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            self.elements(path, name, list(element))
        elif kind == "list":
            entry = shape["member"]
            for number, one in enumerate(element):
                if local(one) != entry.get("locationName", "member"):
                    self.say(f"{path}.{local(one)}", "is no entry of the list")
                self.element(f"{path}[{number}]", entry["shape"], one)
        elif len(element):
            self.say(path, f"has elements, and is a {kind}")
        else:
            self.leaf(path, shape, element.text or "")

    def leaf(self, path, shape, text):
        kind = shape["type"]
        if kind in ["integer", "long"] and not re.fullmatch(r"-?\d+", text):
            self.say(path, f"{text!r} is no {kind}")
        elif kind == "boolean" and text not in ["true", "false"]:
            self.say(path, f"{text!r} is no boolean")
        elif kind == "timestamp" and not ISO.fullmatch(text):
            self.say(path, f"{text!r} is no timestamp")
        elif "enum" in shape and text not in shape["enum"]:
            self.say(path, f"{text!r} is none of {shape['enum']}")

    def always(self, path, name, there):
        full = f"{self.service}.{name}"
        if full not in ALWAYS:
            return self.say(path, f"always.py says nothing of {full}")
        for member in ALWAYS[full]:
            if member not in there:
                self.say(path, f"{name} lacks {member}, which AWS always gives")
        return None


def of_type(kind, value):
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ["integer", "long"]:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in ["timestamp", "double", "float"]:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return False


def local(element):
    return element.tag.rsplit("}", 1)[-1]
