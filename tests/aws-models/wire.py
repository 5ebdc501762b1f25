"""Requests as AWS's protocols have them, signed, whatever is wrong with their members.

botocore's own serialisers refuse what is to be sent here, so the four protocols are written anew.
"""

import json
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "eu-central-1"
# IAM signs for its home region.
HOME = {"iam": "us-east-1"}
SIGNING_NAMES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes


class Wire:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.pool = urllib3.PoolManager(retries=False)
        self.sent = 0

    def send(self, service, model, action, members, signed=True):
        operation = model["operations"][action]
        shapes = model["shapes"]
        shape = shapes[operation["input"]["shape"]] if "input" in operation else {"members": {}}
        protocol = model["metadata"]["protocol"]
        if protocol == "rest-json":
            method, path, body = rest(operation["http"], shape, members)
            headers = {"Content-Type": "application/json"}
        elif protocol == "json":
            method, path, body = "POST", "/", json.dumps(members).encode()
            target = f"{model['metadata']['targetPrefix']}.{action}"
            version = model["metadata"]["jsonVersion"]
            headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
        else:
            fields = [("Action", action), ("Version", model["metadata"]["apiVersion"])]
            writer = Fields(shapes, protocol == "ec2")
            writer.structure("", shape, members)
            method, path, body = "POST", "/", urlencode(fields + writer.fields).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest(method=method, url=self.endpoint + path, data=body, headers=headers)
        if signed:
            name = SIGNING_NAMES.get(service, service)
            credentials = Credentials("test", "test")
            SigV4Auth(credentials, name, HOME.get(service, REGION)).add_auth(request)
        return self.exchange(method, path, body, dict(request.headers.items()))

    def exchange(self, method, path, body, headers):
        self.sent += 1
        answer = self.pool.request(
            method, self.endpoint + path, body=body, headers=headers, timeout=20
        )
        return Answer(answer.status, dict(answer.headers), answer.data)

    def control(self, method, path, body=None):
        """A control of the simulator's; it must succeed."""
        data = None if body is None else json.dumps(body).encode()
        answer = self.exchange(method, f"/_sim{path}", data, {"Content-Type": "application/json"})
        assert answer.status == 200, (method, path, answer)
        return json.loads(answer.body)


def rest(http, shape, members):
    """Method, path and body of a request in REST and JSON."""
    path, query, body = http["requestUri"], [], {}
    for name, value in members.items():
        member = shape["members"][name]
        wire = member.get("locationName", name)
        place = member.get("location")
        if place == "uri":
            path = path.replace("{" + wire + "}", quote(str(value), safe=""))
        elif place == "querystring":
            values = value if isinstance(value, list) else [value]
            query += [(wire, text(one)) for one in values]
        else:
            body[wire] = value
    # A member that is absent leaves its place in the path empty.
    path = re.sub(r"\{\w+\}", "", path)
    if query:
        path += "?" + urlencode(query, quote_via=quote)
    in_body = any("location" not in member for member in shape["members"].values())
    return http["method"], path, json.dumps(body).encode() if in_body else b""


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Fields:
    """The fields of a form. What a value is decides how it is written, not what it should be."""

    def __init__(self, shapes, ec2):
        self.shapes = shapes
        self.ec2 = ec2
        self.fields = []

    def name_of(self, name, member):
        wire = member.get("locationName", name)
        if not self.ec2:
            return wire
        return member.get("queryName") or wire[0].upper() + wire[1:]

    def structure(self, at, shape, members):
        for name, value in members.items():
            member = shape.get("members", {}).get(name, {})
            wire = self.name_of(name, member)
            inner = self.shapes.get(member.get("shape"), {})
            flat = self.ec2 or inner.get("flattened") or member.get("flattened")
            self.value(f"{at}.{wire}" if at else wire, inner, value, flat)

    def value(self, at, shape, value, flat=False):
        if isinstance(value, dict):
            self.structure(at, shape, value)
        elif isinstance(value, list):
            entry = shape.get("member", {})
            base = at if flat else f"{at}.{entry.get('locationName', 'member')}"
            for number, one in enumerate(value, 1):
                self.value(f"{base}.{number}", self.shapes.get(entry.get("shape"), {}), one)
            if not value:
                self.fields.append((at, ""))
        else:
            self.fields.append((at, text(value)))
