"""Blocks the network for a Python that starts with this folder on its PYTHONPATH: only this machine can be reached.

Python imports a module of this name by itself when it starts, so that programs which tests start are blocked too;
`tests/conftest.py` imports it for the tests themselves. An audit hook hears of every socket of Python, whoever opens
it. What is refused looks like a machine without a network: an OSError. Programs that are not Python's are given a proxy
that answers nobody.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

# Port 9 of this machine: nobody listens there.
_NOBODY = "http://127.0.0.1:9"
_HERE = "localhost,127.0.0.1,::1"

_WITH_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_WITH_NAME = {"socket.getaddrinfo", "socket.gethostbyname"}


def _refuse_what_is_not_here(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _WITH_ADDRESS:
        address = arguments[1]
        # A path of a Unix socket, or a socket that was connected before, stays on this machine.
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(errno.ENETUNREACH, f"a test asks for the network: {address[0]!r}")
    elif event in _WITH_NAME and not is_here(arguments[0]):
        raise socket.gaierror(socket.EAI_AGAIN, f"a test asks for the network: {arguments[0]!r}")


def is_here(host: object) -> bool:
    """Whether this is an address or a name of this machine."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def block() -> None:
    """From here on, in this process and in what it starts. Once is enough: a hook cannot be taken back."""
    if not getattr(sys, "taskembed_is_offline", False):
        sys.taskembed_is_offline = True  # type: ignore[attr-defined]
        sys.addaudithook(_refuse_what_is_not_here)
    folder = str(Path(__file__).parent)
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *paths])
    for scheme in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[scheme] = os.environ[scheme.upper()] = _NOBODY
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = _HERE


block()
