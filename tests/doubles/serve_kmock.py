"""Serves kmock, a Kubernetes API that was not written here, over TLS.

What kmock lets pass and a real API server does not is refused in front of it: a caller whose
token does not begin as it should, and a patch that does not say what kind of patch it is. Prints its port when it is up.
"""

import asyncio
import json
import ssl
import sys

import kmock
from aiohttp import web

PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")


def status(code, message):
    """A refusal as the API words it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    text = json.dumps(body | {"message": message})
    return web.Response(status=code, text=text, content_type="application/json")


async def main(certificate, key, token):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    async with kmock.KubernetesEmulator() as api:

        async def guarded(request):
            if not request.headers.get("Authorization", "").startswith(f"Bearer {token}"):
                return status(401, "Unauthorized")
            if request.method == "PATCH" and request.content_type not in PATCHES:
                return status(415, f"the patch type {request.content_type} is not known")
            return await api(request)

        runner = web.ServerRunner(web.Server(guarded))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        print(runner.addresses[0][1], flush=True)
        # Whoever started it keeps its input open for as long as it is needed.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()


asyncio.run(main(*sys.argv[1:]))
