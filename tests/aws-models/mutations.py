"""Requests that break one constraint of their model each, made from one that breaks none."""

import copy
import re
from dataclasses import dataclass, replace

SAMPLES = [
    "sample",
    "123456",
    "111111111111",
    "a" * 40,
    "arn:aws:iam::111111111111:role/sample",
]
# Something that no pattern of the models takes is among these.
STRANGERS = ["!", "/", "\u65e5", "\u0001"]
FLAT = ["string", "integer", "long", "boolean"]


@dataclass
class Mutation:
    """What is broken, and the request that breaks it."""

    member: str
    constraint: str
    members: dict
    # The names by which an answer may speak of the innermost member.
    names: tuple

    def __str__(self):
        return f"{self.member}: {self.constraint}"


def mutations(model, action, example):
    operation = model["operations"][action]
    if "input" not in operation:
        return []
    maker = Maker(model)
    return list(maker.of_structure(operation["input"]["shape"], example, lambda one: one, ""))


def matches(shape, text):
    pattern = shape.get("pattern")
    if pattern is None:
        return True
    for java, here in [(r"\p{L}", "a-zA-Z"), (r"\p{Z}", " "), (r"\p{N}", "0-9")]:
        pattern = pattern.replace(java, here)
    return re.fullmatch(pattern, text, re.ASCII) is not None


class Maker:
    def __init__(self, model):
        self.model = model
        self.shapes = model["shapes"]
        self.rest = model["metadata"]["protocol"] == "rest-json"

    def of_structure(self, name, example, whole, path, seen=()):
        """Mutations of a structure; `whole` puts one into the request that it is a part of."""
        shape = self.shapes[name]
        base = {**self.sample(name), **example}

        def changed(member, value):
            one = copy.deepcopy(base)
            if value is None:
                one.pop(member, None)
            else:
                one[member] = value
            # A form has no way to write a structure without members.
            others = (other for other in shape["members"] if other != member)
            if not one and path and not self.rest:
                other = next(others)
                one[other] = self.written(shape["members"][other]["shape"])
            return whole(one)

        for member, about in shape["members"].items():
            at = f"{path}.{member}" if path else member
            place = about.get("location")
            names = (member, about.get("locationName", member))
            if member in shape.get("required", []):
                yield Mutation(at, "required", changed(member, None), names)
            put = lambda value, member=member: changed(member, value)
            given = base.get(member, self.sample(about["shape"]))
            for one in self.of_value(about["shape"], given, put, at, place, seen + (name,)):
                yield replace(one, names=one.names or names)

    def of_value(self, name, given, put, path, place=None, seen=()):
        shape = self.shapes[name]
        kind = shape["type"]
        wrong = self.of_another_type(kind)
        if place is None or kind not in ["string", "list"]:
            yield Mutation(path, f"is a {kind}", put(wrong), ())
        # A text of the path that is empty is one that is absent.
        for constraint, value in self.breaking(shape):
            if not (place == "uri" and value == ""):
                yield Mutation(path, constraint, put(value), ())
        if name in seen:
            return
        if kind == "structure":
            yield from self.of_structure(name, given, put, path, seen)
        elif kind == "list":
            entry = shape["member"]["shape"]
            one = given[0] if given else self.written(entry)
            wrap = lambda value: put([value])
            of_texts = "uri" if place and self.shapes[entry]["type"] in FLAT else None
            yield from self.of_value(entry, one, wrap, f"{path}[]", of_texts, seen + (name,))
        elif kind == "map":
            yield from self.of_map(shape, put, path, seen + (name,))

    def of_map(self, shape, put, path, seen):
        key, value = shape["key"]["shape"], shape["value"]["shape"]
        for constraint, text in self.breaking(self.shapes[key]):
            yield Mutation(f"{path} (key)", constraint, put({text: self.sample(value)}), ())
        wrap = lambda one: put({self.sample(key): one})
        yield from self.of_value(value, self.sample(value), wrap, f"{path} (value)", None, seen)

    def of_another_type(self, kind):
        if kind == "string":
            return 7 if self.rest else {"a": "b"}
        return "nonsense"

    def breaking(self, shape):
        """Values that break one constraint of a shape each, and what that is."""
        kind, least, most = shape["type"], shape.get("min"), shape.get("max")
        if kind in ["integer", "long"]:
            if least is not None:
                yield f"at least {least}", least - 1
            if most is not None:
                yield f"at most {most}", most + 1
        elif kind in ["string", "list", "map"]:
            if least:
                yield f"length at least {least}", self.of_length(shape, least - 1)
            if most is not None:
                yield f"length at most {most}", self.of_length(shape, most + 1)
        if "pattern" in shape:
            yield "pattern", self.stranger(shape)
        if "enum" in shape:
            yield "enum", "nonsense"

    def of_length(self, shape, length):
        if shape["type"] == "string":
            fitting = [letter * length for letter in "a1" if matches(shape, letter * length)]
            return (fitting or ["a" * length])[0]
        if shape["type"] == "list":
            return [copy.deepcopy(self.written(shape["member"]["shape"])) for _ in range(length)]
        value = self.sample(shape["value"]["shape"])
        return {f"key-{number}": value for number in range(length)}

    def stranger(self, shape):
        length = max(shape.get("min", 1), 1)
        for letter in STRANGERS:
            if not matches(shape, letter * length):
                return letter * length
        raise ValueError(f"every stranger matches {shape['pattern']}")

    def written(self, name):
        """A value that satisfies a shape, and has members when it is a structure."""
        sample, shape = self.sample(name), self.shapes[name]
        if sample == {} and shape["type"] == "structure":
            member, about = next(iter(shape["members"].items()))
            return {member: self.written(about["shape"])}
        if sample == [] and shape["type"] == "list":
            return [self.written(shape["member"]["shape"])]
        return sample

    def sample(self, name, seen=()):
        """The smallest value that satisfies a shape."""
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            return {
                member: self.sample(shape["members"][member]["shape"], seen + (name,))
                for member in shape.get("required", [])
            }
        if kind == "list":
            entry = shape["member"]["shape"]
            return [self.sample(entry, seen + (name,)) for _ in range(shape.get("min", 0))]
        if kind == "map":
            value = self.sample(shape["value"]["shape"], seen + (name,))
            return {f"key-{number}": value for number in range(shape.get("min", 0))}
        if kind in ["integer", "long"]:
            return shape.get("min", 1)
        if kind == "boolean":
            return True
        return self.sample_text(shape)

    @staticmethod
    def sample_text(shape):
        if "enum" in shape:
            return shape["enum"][0]
        least, most = shape.get("min", 0), shape.get("max", 2048)
        for text in SAMPLES:
            if least <= len(text) <= most and matches(shape, text):
                return text
        raise ValueError(f"no sample satisfies {shape}")
