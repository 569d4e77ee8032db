"""A WebSocket client for text (RFC 6455), as small as a test can do with: no extensions, no fragments."""

import asyncio
import base64
import hashlib
import os
import struct
from enum import IntEnum

# What a server appends to the client's key to prove that it speaks WebSocket (RFC 6455 §1.3).
KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

FIN, MASKED = 0x80, 0x80


class Opcode(IntEnum):
    """What a frame is (RFC 6455 §11.8)."""

    TEXT = 0x1
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class WebSocket:
    """One connection. Reading ends with ConnectionError when the server closes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, host: str, port: int, path: str) -> "WebSocket":
        reader, writer = await asyncio.open_connection(host, port)
        key = base64.b64encode(os.urandom(16))
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        accept = base64.b64encode(hashlib.sha1(key + KEY_SUFFIX).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            raise ConnectionError(f"no WebSocket at {path}: {head.splitlines()[0].decode()}")
        return cls(reader, writer)

    async def send(self, text: str) -> None:
        await self._write(Opcode.TEXT, text.encode())

    async def receive(self) -> str:
        """The next text. Pings are answered on the way."""
        while True:
            try:
                opcode, payload = await self._read()
            except asyncio.IncompleteReadError as end:
                raise ConnectionError("the server hung up") from end
            match opcode:
                case Opcode.TEXT:
                    return payload.decode()
                case Opcode.CLOSE:
                    raise ConnectionError(f"the server closed: {payload[2:].decode() or 'no reason given'}")
                case Opcode.PING:
                    await self._write(Opcode.PONG, payload)
                case Opcode.PONG:
                    pass
                case _:
                    raise ConnectionError(f"the server sent an unexpected frame, opcode {opcode}")

    async def close(self) -> None:
        if not self._writer.is_closing():
            await self._write(Opcode.CLOSE, struct.pack("!H", 1000))
            self._writer.close()

    async def _read(self) -> tuple[int, bytes]:
        first, length = await self._reader.readexactly(2)
        if not first & FIN:
            raise ConnectionError("the server sent a fragment")
        if length == 126:
            (length,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(length)

    async def _write(self, opcode: Opcode, payload: bytes) -> None:
        if len(payload) < 126:
            head = struct.pack("!BB", FIN | opcode, MASKED | len(payload))
        else:
            head = struct.pack("!BBH", FIN | opcode, MASKED | 126, len(payload))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._writer.write(head + mask + masked)
        await self._writer.drain()
