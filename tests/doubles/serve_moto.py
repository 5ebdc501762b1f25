"""Serves moto, a double of AWS that was not written here. Prints its port when it is up."""

import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
# Whoever started it keeps its input open for as long as it is needed.
sys.stdin.read()
server.stop()
