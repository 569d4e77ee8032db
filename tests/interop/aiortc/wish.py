"""A client of WHIP and WHEP: aiortc and HTTP, nothing else."""

import asyncio
import http.client
from dataclasses import dataclass
from typing import Self

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

# How long the server may take to answer.
PATIENCE_S = 5.0

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


@dataclass(frozen=True)
class Answer:
    """What the server says to a request; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


async def ask(port: int, method: str, path: str, body: str = "", **headers: str) -> Answer:
    """One request; `_` in the name of a header stands for `-`."""

    def exchange() -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read().decode())
        finally:
            connection.close()

    return await asyncio.to_thread(exchange)


class Session:
    """A session at the server with its peer connection."""

    def __init__(self, port: int, connection: RTCPeerConnection) -> None:
        self._port = port
        self._connection = connection
        self.path = ""
        self.tag = ""

    @classmethod
    async def publish(cls, port: int, path: str, *tracks: MediaStreamTrack) -> Self:
        """Sends tracks by WHIP."""
        connection = RTCPeerConnection()
        for track in tracks:
            connection.addTransceiver(track, direction="sendonly")
        return await cls(port, connection)._begin(path)

    @classmethod
    async def watch(cls, port: int, path: str) -> Self:
        """Receives sound and pictures by WHEP."""
        connection = RTCPeerConnection()
        for kind in ("audio", "video"):
            connection.addTransceiver(kind, direction="recvonly")
        return await cls(port, connection)._begin(path)

    def track(self, kind: str) -> MediaStreamTrack:
        """What is received, of a kind."""
        receivers = (transceiver.receiver for transceiver in self._connection.getTransceivers())
        return next(receiver.track for receiver in receivers if receiver.track and receiver.track.kind == kind)

    @property
    def state(self) -> str:
        state: str = self._connection.connectionState
        return state

    async def patch(self, body: str, tag: str) -> Answer:
        return await ask(self._port, "PATCH", self.path, body, content_type=FRAGMENT, if_match=tag)

    async def end(self) -> Answer:
        """Ends it at the server, then here."""
        answer = await ask(self._port, "DELETE", self.path)
        await self._connection.close()
        return answer

    async def close(self) -> None:
        """Ends it here alone."""
        await self._connection.close()

    async def _begin(self, path: str) -> Self:
        await self._connection.setLocalDescription(await self._connection.createOffer())
        offer = self._connection.localDescription.sdp
        answer = await ask(self._port, "POST", path, offer, content_type=SDP)
        assert answer.status == 201, f"{path}: {answer}"
        assert answer.headers["content-type"] == SDP, answer
        self.path, self.tag = answer.headers["location"], answer.headers["etag"]
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=answer.body, type="answer"))
        return self
