"""What the tests share besides fixtures."""

import pytest
from botocore.exceptions import ClientError


class Refusal:
    """What a refused call was answered."""

    def __init__(self, error):
        self.answer = error.response
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]

    def __eq__(self, other):
        return (self.status, self.code, self.message) == other

    def __repr__(self):
        return repr((self.status, self.code, self.message))


def refused(call, *args, **kwargs):
    """Makes a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return Refusal(caught.value)
