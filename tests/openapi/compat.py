"""What a change of an OpenAPI document breaks for clients that were made from the old one.

Clients here include generated ones, which check bounds and patterns of answers too, name their
types after the schemas and their functions after the operation ids. So an answer may say no more
than it used to, and a request must still be taken.
"""

import json
import re
import sys

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
ROLES = ["none", "viewer", "operator", "admin"]
# Name, and whether a larger value lets more through.
BOUNDS = {
    "minimum": False,
    "exclusiveMinimum": False,
    "minLength": False,
    "minItems": False,
    "minProperties": False,
    "maximum": True,
    "exclusiveMaximum": True,
    "maxLength": True,
    "maxItems": True,
    "maxProperties": True,
}


def breaking_changes(old, new):
    """Every breaking change from one document to the other, as lines of text."""
    comparison = Comparison(old, new)
    comparison.documents()
    return comparison.found


def is_raised(old_version, new_version):
    """Whether the version says that something may break: the major, below 1.0 the minor."""
    old, new = semver(old_version), semver(new_version)
    if old[0] == 0 and new[0] == 0:
        return new[1] > old[1]
    return new[0] > old[0]


def semver(text):
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if not match:
        raise ValueError(f"not a version: {text!r}")
    return tuple(int(part) for part in match.groups())


class Comparison:
    def __init__(self, old, new):
        self.old, self.new = old, new
        self.found = []
        self.seen = set()

    def tell(self, at, what):
        line = f"{at}: {what}"
        if line not in self.found:
            self.found.append(line)

    def documents(self):
        for path, old_item in self.old.get("paths", {}).items():
            new_item = self.new.get("paths", {}).get(path, {})
            for method in METHODS:
                if method in old_item:
                    self.operation(path, method, old_item, new_item)
        for name, old_item in self.old.get("webhooks", {}).items():
            self.webhook(f"webhook {name}", old_item, self.new.get("webhooks", {}).get(name))
        for name in components(self.old, "schemas"):
            if name not in components(self.new, "schemas"):
                self.tell(f"schema {name}", "removed")
        for name, old in components(self.old, "securitySchemes").items():
            new = components(self.new, "securitySchemes").get(name, {})
            if kind_of_scheme(old) != kind_of_scheme(new):
                self.tell(f"security scheme {name}", "removed or changed")

    def operation(self, path, method, old_item, new_item):
        at = f"{method.upper()} {path}"
        old, new = old_item[method], new_item.get(method)
        if new is None:
            self.tell(at, "operation removed")
            return
        for key in ("operationId", "tags"):
            if old.get(key) != new.get(key):
                self.tell(at, f"{key} changed from {old.get(key)} to {new.get(key)}")
        self.security(at, old, new)
        self.parameters(at, (old_item, old), (new_item, new))
        self.request_body(at, old.get("requestBody"), new.get("requestBody"))
        self.responses(at, old.get("responses", {}), new.get("responses", {}))

    def webhook(self, at, old_item, new_item):
        """What receivers are sent is bound as an answer is."""
        if new_item is None:
            self.tell(at, "removed")
            return
        old, new = old_item["post"], new_item["post"]
        theirs, ours = parameters_of(self.old, old_item, old), parameters_of(self.new, new_item, new)
        for key, parameter in theirs.items():
            here = f"{at} {key[0]} parameter {key[1]}"
            if key not in ours:
                self.tell(here, "removed")
                continue
            self.schema(here, parameter.get("schema", {}), ours[key].get("schema", {}), "response")
        bodies = [item.get("requestBody") or {} for item in (old, new)]
        self.content(f"{at} body", resolved(self.old, bodies[0]), resolved(self.new, bodies[1]), "response")

    def security(self, at, old, new):
        theirs = alternatives(self.old, old)
        ours = alternatives(self.new, new)
        for way in theirs:
            if way not in ours and [] not in ours:
                self.tell(at, "security changed: a way in that was enough is not any more")
        roles = [role_rank(operation) for operation in (old, new)]
        if roles[1] > roles[0]:
            self.tell(at, "needs a higher role")

    def parameters(self, at, old_pair, new_pair):
        old, new = parameters_of(self.old, *old_pair), parameters_of(self.new, *new_pair)
        for key, parameter in old.items():
            here = f"{at} {key[0]} parameter {key[1]}"
            if key not in new:
                self.tell(here, "removed")
                continue
            if new[key].get("required") and not parameter.get("required"):
                self.tell(here, "became required")
            self.schema(here, parameter.get("schema", {}), new[key].get("schema", {}), "request")
        for key, parameter in new.items():
            if key not in old and parameter.get("required"):
                self.tell(f"{at} {key[0]} parameter {key[1]}", "new and required")

    def request_body(self, at, old, new):
        old, new = resolved(self.old, old), resolved(self.new, new)
        here = f"{at} request body"
        if old is None:
            if new is not None and new.get("required"):
                self.tell(here, "new and required")
            return
        if new is None:
            self.tell(here, "removed")
            return
        if new.get("required") and not old.get("required"):
            self.tell(here, "became required")
        self.content(here, old, new, "request")

    def responses(self, at, old, new):
        for status, response in old.items():
            here = f"{at} response {status}"
            if status not in new:
                if is_good(status):
                    self.tell(here, "removed")
                continue
            theirs, ours = resolved(self.old, response), resolved(self.new, new[status])
            self.content(here, theirs, ours, "response")
            for name, header in (theirs.get("headers") or {}).items():
                if name not in (ours.get("headers") or {}):
                    self.tell(f"{here} header {name}", "removed")
                    continue
                header = resolved(self.old, header)
                now = resolved(self.new, ours["headers"][name])
                self.schema(f"{here} header {name}", header["schema"], now["schema"], "response")
        for status in new:
            if status not in old and is_good(status):
                self.tell(f"{at} response {status}", "new: clients take only those they know")

    def content(self, at, old, new, way):
        for media_type, old_media in (old.get("content") or {}).items():
            new_media = (new.get("content") or {}).get(media_type)
            if new_media is None:
                self.tell(f"{at} {media_type}", "removed")
                continue
            self.schema(at, old_media.get("schema", {}), new_media.get("schema", {}), way)

    def schema(self, at, old, new, way):
        names = (old.get("$ref"), new.get("$ref"))
        if any(names):
            if names[0] and names[1] and names[0] != names[1]:
                self.tell(at, f"is now {short(names[1])}, not {short(names[0])}")
            if (names, way) in self.seen:
                return
            self.seen.add((names, way))
            at = short(names[0] or names[1])
            old, new = resolved(self.old, old), resolved(self.new, new)
        self.types(at, old, new, way)
        self.bounds(at, old, new, way)
        self.values(at, old, new, way)
        self.properties(at, old, new, way)
        if isinstance(old.get("items"), dict):
            self.schema(f"{at} items", old["items"], new.get("items") or {}, way)
        inner = [schema.get("additionalProperties") for schema in (old, new)]
        if way == "request" and inner[1] is False and inner[0] is not False:
            self.tell(at, "takes no additional properties any more")
        if isinstance(inner[0], dict) and isinstance(inner[1], dict):
            self.schema(f"{at} values", inner[0], inner[1], way)

    def types(self, at, old, new, way):
        theirs, ours = types_of(old), types_of(new)
        narrow, wide = (theirs, ours) if way == "request" else (ours, theirs)
        if wide and not (narrow and all(fits(one, wide) for one in narrow)):
            self.tell(at, f"{way} type changed from {text(theirs)} to {text(ours)}")
        formats = old.get("format"), new.get("format")
        gone = formats[1] if way == "request" else formats[0]
        if formats[0] != formats[1] and gone:
            self.tell(at, f"{way} format changed from {formats[0]} to {formats[1]}")

    def bounds(self, at, old, new, way):
        for key, larger_is_wider in BOUNDS.items():
            theirs, ours = old.get(key), new.get(key)
            # The bound that has to hold, and the one that must not let more through.
            outer, inner = (ours, theirs) if way == "request" else (theirs, ours)
            if outer is None:
                continue
            inside = inner is not None and (inner <= outer if larger_is_wider else inner >= outer)
            if not inside and not is_no_bound(key, outer):
                self.tell(at, f"{way} {key} changed from {theirs} to {ours}")
        patterns = old.get("pattern"), new.get("pattern")
        outer = patterns[1] if way == "request" else patterns[0]
        if patterns[0] != patterns[1] and outer:
            self.tell(at, f"{way} pattern changed from {patterns[0]} to {patterns[1]}")

    def values(self, at, old, new, way):
        for value in gone(old.get("x-extensible-enum"), new.get("x-extensible-enum")):
            self.tell(at, f"value {value} removed")
        theirs, ours = old.get("enum"), new.get("enum")
        outer, inner = (ours, theirs) if way == "request" else (theirs, ours)
        if outer is None:
            return
        if inner is None:
            self.tell(at, f"{way} enum added" if way == "request" else f"{way} enum removed")
            return
        for value in gone(inner, outer):
            change = "removed" if way == "request" else "added"
            self.tell(at, f"{way} enum value {value} {change}")

    def properties(self, at, old, new, way):
        theirs, ours = old.get("properties") or {}, new.get("properties") or {}
        required = [set(schema.get("required") or []) for schema in (old, new)]
        for name, schema in theirs.items():
            if name not in ours:
                self.tell(f"{at}.{name}", f"{way} field removed")
                continue
            self.schema(f"{at}.{name}", schema, ours[name], way)
        if way == "request":
            for name in sorted(required[1] - required[0]):
                self.tell(f"{at}.{name}", "request field became required")
        else:
            for name in sorted(required[0] - required[1]):
                if name in ours:
                    self.tell(f"{at}.{name}", "response field became optional")


def components(document, kind):
    return document.get("components", {}).get(kind, {})


def kind_of_scheme(scheme):
    return tuple(scheme.get(key) for key in ("type", "scheme", "in", "name", "openIdConnectUrl"))


def resolved(document, value):
    while isinstance(value, dict) and "$ref" in value:
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def alternatives(document, operation):
    """The ways in, each as its schemes with their scopes; an empty one needs nothing."""
    security = operation.get("security", document.get("security", []))
    ways = [sorted((name, tuple(sorted(scopes))) for name, scopes in way.items()) for way in security]
    return ways or [[]]


def role_rank(operation):
    role = operation.get("x-required-role", "none")
    return ROLES.index(role) if role in ROLES else len(ROLES)


def parameters_of(document, item, operation):
    found = {}
    for parameter in item.get("parameters", []) + operation.get("parameters", []):
        parameter = resolved(document, parameter)
        found[(parameter["in"], parameter["name"])] = parameter
    return found


def is_good(status):
    return status[:1] in ("2", "3")


def short(reference):
    return reference.rsplit("/", 1)[-1] if reference else "a schema of its own"


def types_of(schema):
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind] if kind else []


def fits(kind, wide):
    return kind in wide or (kind == "integer" and "number" in wide)


def text(kinds):
    return " or ".join(kinds) or "anything"


def is_no_bound(key, value):
    return key.startswith("min") and key != "minimum" and value == 0


def gone(old, new):
    return [value for value in old or [] if new is not None and value not in new]


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(old_path, new_path):
    old, new = read(old_path), read(new_path)
    versions = old["info"]["version"], new["info"]["version"]
    found = breaking_changes(old, new)
    for line in found:
        print(f"  {line}")
    if not found:
        print(f"nothing breaks ({versions[0]} to {versions[1]})")
        return 0
    if is_raised(*versions):
        print(f"{len(found)} breaking changes, and the version says so: {versions[0]} to {versions[1]}")
        return 0
    print(
        f"{len(found)} breaking changes from {versions[0]} to {versions[1]}: take them back, or raise"
        " the version in Cargo.toml (the major; below 1.0 the minor)"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
