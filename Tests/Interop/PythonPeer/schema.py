"""The interfaces of the interop tests, as pycapnp loads them."""

import os

import capnp

capnp.remove_import_hook()
_folder = os.path.join(os.path.dirname(__file__), "..", "SwiftPeer")
interop = capnp.load(
    os.path.join(_folder, "interop.capnp"), imports=["/usr/include"])


def address(text):
    """The path of a Unix socket, or a host and a port."""
    if text.startswith("unix:"):
        return text[5:], None
    host, _, port = text.rpartition(":")
    return host, int(port)
