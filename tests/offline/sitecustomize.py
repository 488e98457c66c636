"""Blocks the network for a Python that starts with this folder on its PYTHONPATH: only this machine can be reached.

Python imports a module of this name by itself when it starts, so that programs which tests start are blocked too;
`tests/conftest.py` imports it for the tests themselves. An audit hook hears of every socket of Python, whoever opens
it. What is refused looks like a machine without a network: an OSError. Programs that are not Python's are given a proxy
that answers nobody.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

# Port 9 of this machine: nobody listens there.
_NOBODY = "http://127.0.0.1:9"
_HERE = "localhost,127.0.0.1,::1"
_FOLDER = str(Path(__file__).parent)
_SCHEMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PROXIES = (*_SCHEMES, *(name.upper() for name in _SCHEMES))
_BEFORE = "TASKEMBED_PROXIES_BEFORE"

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
    # What was there before, for the one thing that is fetched: another version of ipykernel (tests/browser/kernels.py).
    os.environ.setdefault(_BEFORE, json.dumps({name: os.environ[name] for name in _PROXIES if name in os.environ}))
    os.environ["PYTHONPATH"] = os.pathsep.join([_FOLDER, *_other_paths()])
    os.environ.update({name: _HERE if name.lower() == "no_proxy" else _NOBODY for name in _PROXIES})


def environment_with_network() -> dict[str, str]:
    """The environment of a program that a test lets reach the network."""
    before = {name: value for name, value in os.environ.items() if name not in _PROXIES}
    return {**before, **json.loads(os.environ[_BEFORE]), "PYTHONPATH": os.pathsep.join(_other_paths())}


def _other_paths() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != _FOLDER]


block()
