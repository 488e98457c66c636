"""The line between the browser and the server: a door of our own that can be shut, and opened again.

    with line_to(server) as line:
        page = open_notebook(cells, server=line.server)
        line.shut()   # every connection is broken, every new one refused
        line.open()

What the page meets is what it meets when a network goes away: its WebSockets break without a farewell and every request
fails. The server and its kernels notice nothing but that nobody listens.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.browser.server import JupyterServer

_BLOCK = 65_536


@dataclass
class Line:
    """A door to a server: `server` is that server as seen through the door."""

    server: JupyterServer
    _loop: asyncio.AbstractEventLoop
    _target: int
    _is_open: bool = True
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def shut(self) -> None:
        """Break every connection and refuse new ones, until `open`; returns when it is done."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(timeout=10)

    def open(self) -> None:
        """Let connections pass again."""
        self._is_open = True

    async def _shut(self) -> None:
        self._is_open = False
        for writer in list(self._writers):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from the browser: bytes in both directions until one side ends."""
        if not self._is_open:
            writer.transport.abort()
            return
        behind, onwards = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, onwards}
        try:
            await asyncio.gather(_pump(reader, onwards), _pump(behind, writer))
        finally:
            self._writers -= {writer, onwards}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(_BLOCK):
            writer.write(block)
            await writer.drain()
    except OSError:
        pass  # broken on purpose, or the browser has gone
    finally:
        writer.close()


@contextmanager
def line_to(server: JupyterServer) -> Iterator[Line]:
    """A door to this server, open at first, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="line")
    thread.start()
    line = Line(server, loop, server.port)

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(line._pass, "127.0.0.1", 0)

    listening = asyncio.run_coroutine_threadsafe(listen(), loop).result(timeout=10)
    line.server = replace(server, door=listening.sockets[0].getsockname()[1])
    try:
        yield line
    finally:
        listening.close()
        asyncio.run_coroutine_threadsafe(_end(line), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _end(line: Line) -> None:
    """Break what is left and wait until every connection's task has ended: none may be destroyed while pending."""
    await line._shut()
    own = asyncio.current_task()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not own), return_exceptions=True)
