"""A peer of the conference: pymediasoup for the negotiation, aiortc for the media, neither of them ours."""

import asyncio
from typing import Any, Literal

from aiortc import MediaStreamTrack
from aiortc.stats import RTCTransportStats
from pydantic import BaseModel
from pymediasoup import AiortcHandler, Device
from pymediasoup.consumer import Consumer
from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters
from pymediasoup.transport import Transport

from signaling import Message, Signaling

Direction = Literal["send", "recv"]


class Client:
    """Somebody in a room, with a transport for each direction."""

    def __init__(self, name: str, signaling: Signaling, joined: Message, forges: bool) -> None:
        self.name = name
        self.signaling = signaling
        self.id: str = joined["peerId"]
        # Who was there before.
        self.peers: list[Message] = joined["peers"]
        self._device = Device(AiortcHandler.createFactory())
        self._forges = forges
        self._transports: dict[Direction, Transport] = {}
        # Offer and answer of one transport must not overlap.
        self._negotiating = asyncio.Lock()

    @classmethod
    async def join(cls, port: int, room: str, name: str, *, forges_fingerprint: bool = False) -> "Client":
        """Enters a room. Who forges signals fingerprints of a certificate that isn't its own."""
        signaling = await Signaling.connect("127.0.0.1", port)
        joined = await signaling.request("join", room=room, name=name)
        client = cls(name, signaling, joined, forges_fingerprint)
        await client._device.load(RtpCapabilities(**joined["rtpCapabilities"]))
        client._transports["send"] = await client._create_transport("send")
        client._transports["recv"] = await client._create_transport("recv")
        return client

    async def produce(self, track: MediaStreamTrack, mime_type: str) -> str:
        """Sends a track and gives the producer's id."""
        codecs = self._device.sendRtpCapabilities.codecs
        codec = next(codec for codec in codecs if codec.mimeType.lower() == mime_type.lower())
        async with self._negotiating:
            producer = await self._transports["send"].produce(track=track, codec=codec, stopTracks=False)
        producer_id: str = producer.id
        return producer_id

    async def consume(self, producer_id: str) -> Consumer:
        """Receives from a producer. The server starts it paused; resume it when ready."""
        consumed = await self.signaling.request(
            "consume",
            transportId=self._transports["recv"].id,
            producerId=producer_id,
            rtpCapabilities=_to_json(self._device.rtpCapabilities),
        )
        async with self._negotiating:
            return await self._transports["recv"].consume(
                id=consumed["id"],
                producerId=producer_id,
                kind=consumed["kind"],
                rtpParameters=RtpParameters(**consumed["rtpParameters"]),
            )

    async def resume(self, consumer: Consumer) -> None:
        await self.signaling.request("resumeConsumer", consumerId=consumer.id)

    def signaled_dtls(self, direction: Direction) -> Message:
        """The DTLS parameters that were signaled for a transport."""
        wanted = self._transports[direction].id
        sent = (data for method, data in self.signaling.requests if method == "connectTransport")
        return next(data["dtlsParameters"] for data in sent if data["transportId"] == wanted)

    async def transport_stats(self, direction: Direction) -> RTCTransportStats:
        """aiortc's view of a transport: the DTLS state, and how many packets came, those of ICE not counted."""
        bundle = self._transports[direction].handler.pc.getTransceivers()[0].sender
        stats = (await bundle.getStats()).values()
        return next(each for each in stats if isinstance(each, RTCTransportStats))

    async def leave(self) -> None:
        """Leaves the room and ends the connection."""
        await self.signaling.request("leave")
        await self.close()

    async def close(self) -> None:
        await self.signaling.close()
        for transport in self._transports.values():
            await transport.close()

    async def _create_transport(self, direction: Direction) -> Transport:
        answer = await self.signaling.request("createTransport", direction=direction)
        create = self._device.createSendTransport if direction == "send" else self._device.createRecvTransport
        transport = create(
            id=answer["id"],
            iceParameters=IceParameters(**answer["iceParameters"]),
            iceCandidates=[IceCandidate(ip=each["address"], **each) for each in answer["iceCandidates"]],
            dtlsParameters=DtlsParameters(**answer["dtlsParameters"]),
            sctpParameters=None,
            iceServers=[],
        )

        @transport.on("connect")
        async def on_connect(parameters: DtlsParameters) -> None:
            signaled = _forge(parameters) if self._forges else parameters
            await self.signaling.request("connectTransport", transportId=transport.id, dtlsParameters=_to_json(signaled))

        @transport.on("produce")
        async def on_produce(kind: str, rtp_parameters: RtpParameters, _app_data: Any) -> str:
            produced = await self.signaling.request(
                "produce", transportId=transport.id, kind=kind, rtpParameters=_to_json(rtp_parameters)
            )
            producer_id: str = produced["id"]
            return producer_id

        return transport


def _to_json(model: BaseModel) -> Message:
    return model.model_dump(mode="json", exclude_none=True)


def _forge(parameters: DtlsParameters) -> DtlsParameters:
    """Fingerprints that differ from the true ones in one bit."""
    forged = parameters.model_copy(deep=True)
    for fingerprint in forged.fingerprints:
        flipped = int(fingerprint.value[:2], 16) ^ 1
        fingerprint.value = f"{flipped:02X}{fingerprint.value[2:]}"
    return forged
