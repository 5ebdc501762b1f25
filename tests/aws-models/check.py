"""Holds every action that the simulator at SIM_ENDPOINT serves to AWS's own models.

Of each action: the worked examples succeed, and their answers are as the model has them; a request that
breaks one constraint of the model is refused, for each constraint; refusals are of AWS's shape and codes.
Prints what is wrong, and counts. Arguments are names of actions, and limit it to these.
"""

import os
import sys
from collections import Counter

from botocore.parsers import create_parser
from botocore.model import ServiceModel

import models
from answers import Checker
from errors import Refused
from examples import CLUSTER, EXAMPLES
from mutations import mutations
from wire import Wire

# Codes for a request that breaks its model. Members are named in their messages, save in what is said of
# a value of another type.
BROKEN = {
    "rest-json": ["InvalidParameterException", "BadRequestException", "SerializationException"],
    "json": ["InvalidParameterException", "SerializationException"],
    "query": ["ValidationError", "MalformedInput"],
    "ec2": ["MissingParameter", "InvalidParameterValue", "InvalidParameterCombination"],
}
NAMELESS = ["SerializationException", "MalformedInput", "InvalidParameterCombination"]


class Sim:
    """What the examples make the world ready with."""

    def __init__(self, run):
        self.run = run
        self.control = run.wire.control

    def advance(self, seconds):
        self.control("POST", "/clock", {"advanceSeconds": seconds})

    def call(self, service, action, members):
        """Calls an action, which must succeed, and answers its members."""
        answer = self.run.succeed(service, action, members)
        model = self.run.botocore[service]
        shape = model.operation_model(action).output_shape
        raw = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        return create_parser(model.metadata["protocol"]).parse(raw, shape)


class Run:
    def __init__(self, endpoint):
        self.wire = Wire(endpoint)
        self.counts, self.wrong = Counter(), []
        self.models = {service: models.newest(service) for service in models.simulated()}
        self.botocore = {name: ServiceModel(model) for name, model in self.models.items()}
        self.checkers = {name: Checker(name, model) for name, model in self.models.items()}
        self.codes = set()

    def say(self, service, action, what, why):
        self.wrong.append(f"{service} {action}, {what}: {why}")

    def send(self, service, action, members, **more):
        return self.wire.send(service, self.models[service], action, members, **more)

    def succeed(self, service, action, members, what="an example"):
        answer = self.send(service, action, members)
        if answer.status >= 300:
            refused = self.refused(service, action, answer, what)
            self.say(service, action, what, f"refused: {refused.code}: {refused.message}")
            return answer
        wrong = self.checkers[service].succeeded(
            action, answer.status, answer.headers, answer.body
        )
        for why in wrong:
            self.say(service, action, what, why)
        self.counts["answers"] += 1
        return answer

    def refused(self, service, action, answer, what):
        refused = Refused(service, self.models[service], action, answer)
        for why in refused.wrong:
            self.say(service, action, what, why)
        self.counts["refusals"] += 1
        self.codes.add((service, refused.code))
        return refused

    def start(self):
        self.wire.control("POST", "/reset")
        self.wire.control("POST", "/clock", {"frozen": True})
        fast = {"readsPerSecond": 100_000, "mutationsPerSecond": 100_000}
        self.wire.control("PUT", "/limits", fast)

    def example(self, service, action, make, first):
        self.start()
        try:
            members = make(Sim(self))
        except Exception as error:  # Whatever it is: the other examples go on.
            self.say(service, action, "an example", f"could not be made ready: {error!r}")
            return
        if first:
            for mutation in mutations(self.models[service], action, members):
                self.mutation(service, action, mutation)
            self.faults(service, action, members)
        self.succeed(service, action, members)

    def mutation(self, service, action, mutation):
        self.counts["constraints"] += 1
        answer = self.send(service, action, mutation.members)
        what = f"with {mutation} broken"
        if answer.status < 300:
            self.say(service, action, what, "is taken")
            return
        refused = self.refused(service, action, answer, what)
        protocol = self.models[service]["metadata"]["protocol"]
        if answer.status != 400 or refused.code not in BROKEN[protocol]:
            self.say(service, action, what, f"{answer.status} {refused.code}: {refused.message}")
        elif refused.code not in NAMELESS and not any(
            name.lower() in refused.message.lower() for name in mutation.names
        ):
            self.say(service, action, what, f"the message names it not: {refused.message}")

    def faults(self, service, action, members):
        """Refusals that every action knows."""
        refused = self.refused(
            service, action, self.send(service, action, members, signed=False), "unsigned"
        )
        codes = ["AuthFailure", "MissingAuthenticationTokenException"]
        if refused.status != 403 and refused.code not in codes:
            if action != "GetCallerIdentity":
                self.say(service, action, "unsigned", f"{refused.status} {refused.code}")
        for status in [403, 429, 500, 503]:
            self.wire.control("POST", "/faults", [{"action": action, "status": status}])
            what = f"with a fault {status}"
            self.refused(service, action, self.send(service, action, members), what)
        if service == "ec2":
            answer = self.send(service, action, {**members, "Nonsense": "1"})
            refused = self.refused(service, action, answer, "with an unknown parameter")
            if refused.code != "UnknownParameter":
                self.say(service, action, "with an unknown parameter", f"{refused.code}")
        if service == "eks" and CLUSTER in members.values():
            missing = {k: "missing" if v == CLUSTER else v for k, v in members.items()}
            answer = self.send(service, action, missing)
            refused = self.refused(service, action, answer, "of no cluster")
            if (refused.status, refused.code) != (404, "ResourceNotFoundException"):
                self.say(service, action, "of no cluster", f"{refused.code}: {refused.message}")

    def complete(self, wanted):
        """Every action that is served has an example, and nothing else has one."""
        served = self.wire.control("GET", "/actions")["actions"]
        served = {(one["service"], one["action"]) for one in served}
        shown = {(service, action) for service, action, _ in EXAMPLES}
        for service, action in sorted(served - shown):
            self.say(service, action, "examples.py", "has no example of it")
        for service, action in sorted(shown - served):
            self.say(service, action, "examples.py", "it is not served")
        return [
            one
            for one in EXAMPLES
            if (one[0], one[1]) in served and (not wanted or one[1] in wanted)
        ]


def main():
    run = Run(os.environ["SIM_ENDPOINT"])
    examples = run.complete(sys.argv[1:])
    seen = set()
    for service, action, make in examples:
        run.example(service, action, make, (service, action) not in seen)
        seen.add((service, action))
    for line in run.wrong:
        print(line)
    members = sum(len(checker.members) for checker in run.checkers.values())
    print(
        f"actions: {len(seen)}, examples: {len(examples)}, constraints: {run.counts['constraints']}, "
        f"answers: {run.counts['answers']} with {members} different members, "
        f"refusals: {run.counts['refusals']} with {len(run.codes)} different codes, "
        f"requests: {run.wire.sent}; wrong: {len(run.wrong)}"
    )
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
