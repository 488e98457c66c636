"""The network is blocked: in a test, in a library that it calls, and in programs that it starts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from tests.offline.sitecustomize import is_here

# An address that is given to nobody (RFC 5737), and a name that is (RFC 2606).
NOBODY, NAME = "192.0.2.1", "example.org"


def test_no_address_beyond_this_machine_can_be_reached() -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as out, pytest.raises(OSError, match="asks for the network"):
            out.connect((NOBODY, 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(OSError, match="asks for the network"):
        out.sendto(b"", (NOBODY, 9))
    with socket.socket() as out, pytest.raises(OSError, match="asks for the network"):
        out.connect_ex((NOBODY, 80))


def test_no_name_is_asked_for() -> None:
    for ask in (socket.gethostbyname, lambda name: socket.getaddrinfo(name, 80)):
        with pytest.raises(socket.gaierror, match="asks for the network"):
            ask(NAME)


def test_libraries_are_blocked_too(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"(?i)proxy|network"):
        pooch.HTTPDownloader(timeout=5)(f"http://{NAME}/", str(tmp_path / "file"), None)
    with pytest.raises(OSError):  # noqa: PT011  # a proxy that nobody serves, whatever the words of the system
        urllib.request.urlopen(f"http://{NAME}/", timeout=5)


def test_programs_that_tests_start_are_blocked() -> None:
    ask = f"import socket; socket.create_connection(({NOBODY!r}, 80), timeout=5)"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert "asks for the network" in found.stderr
    assert found.returncode == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_other_programs_are_given_a_proxy_that_answers_nobody() -> None:
    assert subprocess.run(["curl", "-s", "-m", "5", f"http://{NAME}/"], check=False).returncode in {5, 7}


def test_this_machine_can_be_reached() -> None:
    assert all(is_here(host) for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost", b"localhost", "", None))
    assert not any(is_here(host) for host in (NOBODY, NAME, "8.8.8.8", "2001:db8::1", "localhost.example.org"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/", timeout=5) as answer:
            assert answer.read() == b"here"
    finally:
        server.shutdown()
        server.server_close()


def test_what_tests_start_inherits_it() -> None:
    assert "offline" in os.environ["PYTHONPATH"]
    assert os.environ["https_proxy"].startswith("http://127.0.0.1")


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *_: object) -> None:
        pass
