"""Every kind of breaking change is found, and what breaks nothing is let through.

    python3 -m unittest discover -s tests/openapi
"""

import contextlib
import copy
import io
import json
import pathlib
import tempfile
import unittest

import compat

PROBLEM = {"description": "No.", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "0.3.1"},
    "security": [{"bearer": []}],
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "tags": ["things"],
                "x-required-role": "operator",
                "parameters": [
                    {"$ref": "#/components/parameters/Key"},
                    {"name": "size", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/ThingInput"}},
                        "application/yaml": {"schema": {"type": "string"}},
                    }
                },
                "responses": {
                    "200": {
                        "description": "Made.",
                        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                            "text/plain": {"schema": {"type": "string"}},
                        },
                    },
                    "409": PROBLEM,
                },
            },
        },
        "/health": {"get": {"operationId": "getHealth", "security": [], "responses": {"204": {"description": "Fine."}}}},
    },
    "webhooks": {
        "thing.made": {
            "post": {
                "operationId": "tellThingMade",
                "parameters": [{"name": "told-at", "in": "header", "schema": {"type": "string", "maxLength": 9}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}},
            },
        },
    },
    "components": {
        "parameters": {"Key": {"name": "Key", "in": "header", "schema": {"type": "string", "maxLength": 9}}},
        "headers": {"ETag": {"schema": {"type": "string", "maxLength": 9}}},
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "ThingInput": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a"},
                    "count": {"type": "integer", "format": "int32"},
                    "colour": {"type": "string", "enum": ["red", "blue"]},
                    "parts": {"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/Part"}},
                    "labels": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", "maxLength": 9}},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "name": {"type": "string", "maxLength": 9, "pattern": "^a"},
                    "state": {"type": "string", "x-extensible-enum": ["new", "old"]},
                    "shape": {"type": "string", "enum": ["round", "flat"]},
                    "next": {"$ref": "#/components/schemas/Thing"},
                },
            },
            "Event": {"type": "object"},
            "Told": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
            "Part": {"type": "object", "properties": {"weight": {"type": "number", "maximum": 5}}},
        },
    },
}


def remove(document, path):
    *way, last = path
    target = at(document, way)
    del target[last]


def at(document, path):
    for part in path:
        document = document[part]
    return document


POST = ["paths", "/things", "post"]
TELL = ["webhooks", "thing.made", "post"]
INPUT = ["components", "schemas", "ThingInput", "properties"]
THING = ["components", "schemas", "Thing", "properties"]


def put(path, value):
    def change(document):
        *way, last = path
        at(document, way)[last] = value

    return change


def drop(path):
    return lambda document: remove(document, path)


def rename_body(document):
    document["components"]["schemas"]["Other"] = document["components"]["schemas"]["Thing"]
    content = at(document, POST + ["responses", "200", "content", "application/json"])
    content["schema"] = {"$ref": "#/components/schemas/Other"}


# What is changed, and a part of what has to be told of it.
BREAKING = {
    "path removed": (drop(["paths", "/things"]), "POST /things: operation removed"),
    "operation removed": (drop(POST), "POST /things: operation removed"),
    "operation id": (put(POST + ["operationId"], "makeThing"), "operationId changed"),
    "tag": (put(POST + ["tags"], ["other"]), "tags changed"),
    "security added": (put(["paths", "/health", "get", "security"], [{"bearer": []}]), "security changed"),
    "security scope": (put(POST + ["security"], [{"bearer": ["write"]}]), "security changed"),
    "security for all": (put(["security"], [{"other": []}]), "security changed"),
    "security scheme": (put(["components", "securitySchemes", "bearer", "scheme"], "basic"), "security scheme bearer"),
    "higher role": (put(POST + ["x-required-role"], "admin"), "needs a higher role"),
    "parameter removed": (drop(POST + ["parameters", 1]), "query parameter size: removed"),
    "parameter required": (put(POST + ["parameters", 1, "required"], True), "size: became required"),
    "parameter narrowed": (put(POST + ["parameters", 1, "schema", "maximum"], 8), "request maximum changed from 9 to 8"),
    "parameter raised": (put(POST + ["parameters", 1, "schema", "minimum"], 2), "request minimum changed from 1 to 2"),
    "shared parameter": (put(["components", "parameters", "Key", "schema", "maxLength"], 8), "header parameter Key"),
    "new required parameter": (
        lambda d: at(d, POST)["parameters"].append({"name": "new", "in": "query", "required": True, "schema": {}}),
        "query parameter new: new and required",
    ),
    "body removed": (drop(POST + ["requestBody"]), "request body: removed"),
    "body required": (put(POST + ["requestBody", "required"], True), "request body: became required"),
    "body added": (
        put(["paths", "/health", "get", "requestBody"], {"required": True, "content": {}}),
        "request body: new and required",
    ),
    "media type not read": (drop(POST + ["requestBody", "content", "application/yaml"]), "application/yaml: removed"),
    "media type not sent": (drop(POST + ["responses", "200", "content", "text/plain"]), "text/plain: removed"),
    "status removed": (drop(POST + ["responses", "200"]), "response 200: removed"),
    "status added": (put(POST + ["responses", "202"], {"description": "Later."}), "response 202: new"),
    "header removed": (drop(POST + ["responses", "200", "headers", "ETag"]), "header ETag: removed"),
    "header widened": (put(["components", "headers", "ETag", "schema", "maxLength"], 10), "header ETag: response maxLength"),
    "schema removed": (drop(["components", "schemas", "Event"]), "schema Event: removed"),
    "schema of the body renamed": (rename_body, "is now Other, not Thing"),
    "field not read": (drop(INPUT + ["count"]), "ThingInput.count: request field removed"),
    "field required": (put(["components", "schemas", "ThingInput", "required"], ["name", "count"]), "ThingInput.count: request field became required"),
    "field not sent": (drop(THING + ["state"]), "Thing.state: response field removed"),
    "field optional": (put(["components", "schemas", "Thing", "required"], ["id"]), "Thing.name: response field became optional"),
    "type read": (put(INPUT + ["count", "type"], "string"), "request type changed from integer to string"),
    "type sent": (put(THING + ["name", "type"], "integer"), "response type changed from string to integer"),
    "null sent": (put(THING + ["name", "type"], ["string", "null"]), "response type changed"),
    "format read": (put(INPUT + ["name", "format"], "uuid"), "request format changed from None to uuid"),
    "format sent": (drop(THING + ["id", "format"]), "response format changed from uuid to None"),
    "pattern read": (put(INPUT + ["name", "pattern"], "^b"), "request pattern changed from ^a to ^b"),
    "pattern sent": (drop(THING + ["name", "pattern"]), "response pattern changed from ^a to None"),
    "longer answer": (put(THING + ["name", "maxLength"], 10), "response maxLength changed from 9 to 10"),
    "boundless answer": (drop(THING + ["name", "maxLength"]), "response maxLength changed from 9 to None"),
    "longer at least": (put(INPUT + ["name", "minLength"], 2), "request minLength changed from 1 to 2"),
    "bound added": (put(INPUT + ["count", "maximum"], 5), "request maximum changed from None to 5"),
    "fewer items": (put(INPUT + ["parts", "maxItems"], 2), "request maxItems changed from 3 to 2"),
    "narrower items": (put(["components", "schemas", "Part", "properties", "weight", "maximum"], 4), "Part.weight: request maximum"),
    "fewer entries": (put(INPUT + ["labels", "maxProperties"], 4), "request maxProperties"),
    "shorter entries": (put(INPUT + ["labels", "additionalProperties", "maxLength"], 8), "labels values: request maxLength"),
    "no more entries": (put(INPUT + ["labels", "additionalProperties"], False), "takes no additional properties"),
    "value not read": (put(INPUT + ["colour", "enum"], ["red"]), "request enum value blue removed"),
    "values read": (put(INPUT + ["name", "enum"], ["ab"]), "request enum added"),
    "value sent": (put(THING + ["shape", "enum"], ["round", "flat", "odd"]), "response enum value odd added"),
    "values sent": (drop(THING + ["shape", "enum"]), "response enum removed"),
    "webhook removed": (drop(["webhooks", "thing.made"]), "webhook thing.made: removed"),
    "webhook header removed": (drop(TELL + ["parameters"]), "webhook thing.made header parameter told-at: removed"),
    "webhook header longer": (put(TELL + ["parameters", 0, "schema", "maxLength"], 10), "told-at: response maxLength"),
    "webhook body removed": (drop(TELL + ["requestBody"]), "webhook thing.made body application/json: removed"),
    "webhook field not sent": (drop(["components", "schemas", "Told", "properties", "id"]), "Told.id: response field removed"),
    "open value removed": (put(THING + ["state", "x-extensible-enum"], ["new"]), "value old removed"),
}

HARMLESS = {
    "nothing": lambda d: None,
    "another webhook": put(["webhooks", "thing.lost"], {"post": {"operationId": "tellThingLost"}}),
    "another webhook header": lambda d: at(d, TELL)["parameters"].append({"name": "x", "in": "header", "schema": {}}),
    "words": put(POST + ["responses", "200", "description"], "Done."),
    "another path": put(["paths", "/more"], {"get": {"operationId": "getMore", "responses": {}}}),
    "another method": put(["paths", "/things", "get"], {"operationId": "listThings", "responses": {}}),
    "another schema": put(["components", "schemas", "More"], {"type": "object"}),
    "optional parameter": lambda d: at(d, POST)["parameters"].append({"name": "new", "in": "query", "schema": {}}),
    "optional field read": put(INPUT + ["more"], {"type": "string"}),
    "field sent": put(THING + ["more"], {"type": "string"}),
    "field always sent": put(["components", "schemas", "Thing", "required"], ["id", "name", "state"]),
    "field not demanded": drop(["components", "schemas", "ThingInput", "required"]),
    "wider read": put(INPUT + ["name", "maxLength"], 20),
    "boundless read": drop(INPUT + ["name", "pattern"]),
    "number read": put(INPUT + ["count"], {"type": "number"}),
    "narrower sent": put(THING + ["name", "maxLength"], 5),
    "least of nothing": put(INPUT + ["labels", "minProperties"], 0),
    "open value": put(THING + ["state", "x-extensible-enum"], ["new", "old", "odd"]),
    "value read": put(INPUT + ["colour", "enum"], ["red", "blue", "green"]),
    "value not sent": put(THING + ["shape", "enum"], ["round"]),
    "another error": put(POST + ["responses", "429"], PROBLEM),
    "an error less": drop(POST + ["responses", "409"]),
    "another header": put(POST + ["responses", "200", "headers", "X"], {"schema": {"type": "string"}}),
    "another way in": put(POST + ["security"], [{"bearer": []}, {"other": []}]),
    "no token needed": put(POST + ["security"], []),
    "lower role": put(POST + ["x-required-role"], "viewer"),
    "another media type": put(POST + ["requestBody", "content", "text/yaml"], {"schema": {"type": "string"}}),
}


class Compat(unittest.TestCase):
    def changed(self, change):
        document = copy.deepcopy(DOCUMENT)
        change(document)
        return document

    def test_every_breaking_change_is_told(self):
        for name, (change, expected) in BREAKING.items():
            with self.subTest(name):
                found = compat.breaking_changes(DOCUMENT, self.changed(change))
                self.assertTrue(any(expected in line for line in found), found)

    def test_what_breaks_nothing_is_let_through(self):
        for name, change in HARMLESS.items():
            with self.subTest(name):
                self.assertEqual(compat.breaking_changes(DOCUMENT, self.changed(change)), [])

    def test_the_version_says_whether_something_may_break(self):
        for old, new, raised in [
            ("0.3.1", "0.3.2", False),
            ("0.3.1", "0.4.0", True),
            ("0.3.1", "1.0.0", True),
            ("1.3.1", "1.4.0", False),
            ("1.3.1", "2.0.0", True),
            ("2.0.0", "1.0.0", False),
            ("0.9.0", "0.10.0", True),
        ]:
            with self.subTest(f"{old} to {new}"):
                self.assertEqual(compat.is_raised(old, new), raised)

    def test_the_command_fails_unless_the_version_was_raised(self):
        broken = self.changed(BREAKING["operation removed"][0])
        raised = copy.deepcopy(broken)
        raised["info"]["version"] = "0.4.0"
        for document, status in [(DOCUMENT, 0), (broken, 1), (raised, 0)]:
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                paths = [pathlib.Path(folder, name) for name in ("old.json", "new.json")]
                for path, content in zip(paths, [DOCUMENT, document]):
                    path.write_text(json.dumps(content), encoding="utf-8")
                self.assertEqual(compat.main(*paths), status)


if __name__ == "__main__":
    unittest.main()
