"""Starts and ends the mafalda-demo under test."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"

# How long it may take to start, and to end.
PATIENCE_S = 10.0


class Demo:
    """A running demo; its log goes to a file."""

    def __init__(self, binary: Path, log: Path, *options: str) -> None:
        self._binary = binary
        self._options = options
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.port = _free_port()

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._binary,
                "--listen",
                f"{HOST}:{self.port}",
                *self._options,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=os.environ | {"RUST_LOG": os.environ.get("RUST_LOG", "info,mafalda_gateway=debug")},
            )
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await self._answers():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self._end()
            raise AssertionError(f"mafalda-demo doesn't start:\n{self._log.read_text()}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _answers(self) -> bool:
        if not self.alive:
            raise AssertionError(f"mafalda-demo ended at once:\n{self._log.read_text()}")
        try:
            _, writer = await asyncio.open_connection(HOST, self.port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    async def _end(self) -> None:
        """Ends it as a service manager would."""
        if self._process is None or not self.alive:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError("mafalda-demo doesn't end when asked to") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
