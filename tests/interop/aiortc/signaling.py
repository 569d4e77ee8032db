"""Mafalda's conference protocol over a WebSocket: requests, their answers, and what happens in the room."""

import asyncio
import json
from typing import Any

from websocket import WebSocket

# How long the server may take to answer, and an event to come.
PATIENCE_S = 5.0

Message = dict[str, Any]


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, method: str, error: Message) -> None:
        super().__init__(f"{method} was refused: {error['message']} ({error['code']})")
        self.code: str = error["code"]


class Signaling:
    """A connection to the server."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._events: list[tuple[str, Message]] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self.requests: list[tuple[str, Message]] = []

    @classmethod
    async def connect(cls, host: str, port: int) -> "Signaling":
        return cls(await WebSocket.connect(host, port, "/ws"))

    async def request(self, method: str, /, **data: Any) -> Message:
        """Asks for something and gives the answer's data."""
        self.requests.append((method, data))
        number = len(self.requests)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "data": data}))
        async with asyncio.timeout(PATIENCE_S):
            message = await answer
        if "error" in message:
            raise Refused(method, message["error"])
        answered: Message = message["data"]
        return answered

    async def event(self, name: str, /, **fields: Any) -> Message:
        """Waits for an event with these fields, and takes it. What came earlier counts too."""

        def fitting() -> list[int]:
            events = enumerate(self._events)
            return [index for index, (event, data) in events if event == name and fields.items() <= data.items()]

        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                first, *_ = await self._news.wait_for(fitting)
                return self._events.pop(first)[1]
        except TimeoutError:
            raise AssertionError(f"no event {name} {fields} in {PATIENCE_S} s; there are {self._events}") from None

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        try:
            while True:
                await self._on_message(json.loads(await self._socket.receive()))
        except ConnectionError as end:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(end)

    async def _on_message(self, message: Message) -> None:
        if "event" in message:
            async with self._news:
                self._events.append((message["event"], message["data"]))
                self._news.notify_all()
        else:
            self._answers.pop(message["id"]).set_result(message)
