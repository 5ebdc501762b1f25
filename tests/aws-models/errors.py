"""Errors held to the models: shape, members, and whether AWS has such a code there.

A code is one that the model lists for the action, or one of those below.
"""

import json
import xml.etree.ElementTree as ET

from answers import local

# The common errors of the API references: of EKS, of the services of the Query protocol, and of EC2.
COMMON = {
    "rest-json": """AccessDeniedException ExpiredTokenException IncompleteSignature InternalFailure
        MalformedHttpRequestException MissingAuthenticationTokenException NotAuthorized
        OptInRequired RequestEntityTooLargeException SerializationException ServiceUnavailable
        SignatureDoesNotMatch ThrottlingException UnknownOperationException
        UnrecognizedClientException ValidationException""",
    "json": """AccessDeniedException ExpiredTokenException IncompleteSignatureException InternalFailure
        InvalidSignatureException MissingAuthenticationTokenException NotAuthorized OptInRequired
        SerializationException ServiceUnavailable ServiceUnavailableException ThrottlingException
        UnknownOperationException UnrecognizedClientException ValidationException""",
    "query": """AccessDenied ExpiredToken IncompleteSignature InternalFailure InvalidAction
        InvalidClientTokenId MalformedInput MissingAction MissingAuthenticationToken NotAuthorized
        OptInRequired RequestExpired ServiceUnavailable SignatureDoesNotMatch Throttling
        ValidationError""",
    "ec2": """AuthFailure DependencyViolation InternalError InvalidAction InvalidNextToken
        InvalidParameterCombination InvalidParameterValue MissingAction MissingParameter RequestExpired RequestLimitExceeded
        SignatureDoesNotMatch Unavailable UnauthorizedOperation UnknownParameter""",
}

# What EKS answers and its model lists for some of the actions only: seen in public logs of eksctl,
# Terraform, kubectl-eks and ACK (InvalidParameterException of DescribeCluster, ResourceInUseException of
# CreateFargateProfile, TooManyRequestsException of anything).
SEEN = {
    "eks": """ClientException InvalidParameterException InvalidRequestException ResourceInUseException
        ResourceNotFoundException ServerException ServiceUnavailableException
        TooManyRequestsException""",
}


class Refused:
    """What a refused call was answered, held to the model while it is read."""

    def __init__(self, service, model, action, answer):
        self.status, self.wrong = answer.status, []
        self.code = self.message = None
        protocol = model["metadata"]["protocol"]
        if protocol in ["rest-json", "json"]:
            self.read_json(protocol, model, answer)
        else:
            self.read_xml(protocol, answer)
        known = listed(model, action)
        free = COMMON[protocol].split() + SEEN.get(service, "").split()
        of_ec2 = protocol == "ec2" and "." in str(self.code)
        if self.code not in known and self.code not in free and not of_ec2:
            self.wrong.append(f"AWS has no error {self.code} of {action}")
        expected = known.get(self.code)
        if expected and expected != self.status:
            self.wrong.append(f"status {self.status} of {self.code} instead of {expected}")
        if not self.message:
            self.wrong.append("has no message")

    def read_json(self, protocol, model, answer):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if protocol == "rest-json":
            self.code = headers.get("x-amzn-errortype")
            if not self.code:
                self.wrong.append("has no X-Amzn-ErrorType")
        try:
            body = json.loads(answer.body)
        except ValueError:
            self.wrong.append(f"is not JSON: {answer.body[:80]!r}")
            return
        if protocol == "json":
            self.code = body.pop("__type", None)
        self.message = body.get("message")
        shape = model["shapes"].get(self.code, {"members": {"message": {}}})
        # The models of the JSON protocol leave the message out, which every error of it has.
        members = {**shape["members"], "message": {}} if protocol == "json" else shape["members"]
        for name, value in body.items():
            if name not in members:
                self.wrong.append(f"{self.code} has no member {name}")
            elif not isinstance(value, (str, list)):
                self.wrong.append(f"{name} of {self.code} is {value!r}")

    def read_xml(self, protocol, answer):
        try:
            root = ET.fromstring(answer.body)
        except ET.ParseError:
            self.wrong.append(f"is not XML: {answer.body[:80]!r}")
            return
        if protocol == "ec2":
            path, parts, request = ["Response", "Errors", "Error"], ["Code", "Message"], "RequestID"
        else:
            path, parts = ["ErrorResponse", "Error"], ["Type", "Code", "Message"]
            request = "RequestId"
        here = root
        if local(root) != path[0]:
            self.wrong.append(f"begins with {local(root)}")
        if request not in [local(one) for one in root]:
            self.wrong.append(f"has no {request}")
        for step in path[1:]:
            inside = [one for one in here if local(one) == step]
            if len(inside) != 1:
                self.wrong.append(f"has {len(inside)} {step}")
                return
            here = inside[0]
        if [local(one) for one in here] != parts:
            self.wrong.append(f"Error holds {[local(one) for one in here]} instead of {parts}")
        texts = {local(one): one.text for one in here}
        self.code, self.message = texts.get("Code"), texts.get("Message")


def listed(model, action):
    """The codes that the model lists for an action, with the status of each."""
    codes = {}
    for error in model["operations"][action].get("errors", []):
        shape = model["shapes"][error["shape"]]
        about = shape.get("error", {})
        codes[about.get("code", error["shape"])] = about.get("httpStatusCode")
    return codes
