"""Answers that are texts of something: held against the schema of what they hold.

The document has the schema of the text there, or that of another form; Schemathesis parses the text
before it looks.
"""

import json

import jsonschema_rs
import yaml

document = {}


def fits(case, response):
    """Whether an answer is such a text, and holds what it should."""
    if response.status_code != 200:
        return False
    media_type = response.headers.get("content-type", [""])[0].split(";")[0]
    if case.operation.definition.raw.get("operationId") == "getKubeconfig":
        # YAML, and JSON is YAML.
        return are("Kubeconfig", [yaml.safe_load(response.content)])
    if media_type == "application/yaml":
        return are("FargateProfile", yaml.safe_load(response.content))
    if media_type == "text/event-stream":
        return are("JobEvent", events(response.content.decode()))
    # eksctl prints a list where the API has an object.
    as_eksctl = (case.query or {}).get("output") == "eksctl-json"
    return as_eksctl and media_type == "application/json" and are("FargateProfile", response.json())


def events(text):
    prefix = "data: "
    return [json.loads(line.removeprefix(prefix)) for line in text.splitlines() if line.startswith(prefix)]


def are(name, values):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema)
    return isinstance(values, list) and all(validator.is_valid(value) for value in values)
