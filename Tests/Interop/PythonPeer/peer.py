"""The interop peer in Python, over pycapnp: the command line of the C++ and the Swift peer."""

import asyncio
import sys

import capnp

from scenarios import SCENARIOS, drive
from server import serve

# What a server in pycapnp cannot do: it raises exceptions of one kind only, and has no promise that
# it could settle later. Streams it leaves to the other peers, and it passes no descriptors.
UNSUPPORTED = [
    "stream",
    "stream-ends-with-a-failure",
    "descriptor-of-a-result",
    "descriptor-of-a-parameter",
    "descriptor-of-a-promise",
    "descriptors-of-many",
    "call-back-fails",
    "tail-call",
    "exceptions-of-each-kind",
    "promise-becomes-servers-object",
    "promise-becomes-clients-object",
    "promise-becomes-promise",
    "promise-becomes-null",
    "promise-fails",
    "promise-is-abandoned",
    "server-disconnects",
    "client-disconnects",
]


def main():
    mode, arguments = (sys.argv + [""])[1], sys.argv[2:]
    if mode == "server" and arguments:
        seconds = int(arguments[1]) if len(arguments) > 1 else 600
        return asyncio.run(capnp.run(serve(arguments[0], seconds)))
    if mode == "client" and arguments:
        return asyncio.run(capnp.run(drive(arguments[0], set(arguments[1:]))))
    if mode == "list":
        print("\n".join(SCENARIOS))
        return 0
    if mode == "unsupported":
        print("\n".join(UNSUPPORTED))
        return 0
    if mode == "version":
        print(capnp.__version__)
        return 0
    print("usage: peer.py server|client ADDRESS, list, unsupported or version", file=sys.stderr)
    return 64


sys.exit(main())
