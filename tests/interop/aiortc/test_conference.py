"""Python clients hold a conference through mafalda-demo: an implementation of WebRTC that shares nothing with ours or with
browsers sends and receives through it.

Environment: MAFALDA_DEMO is the binary to test, MAFALDA_ARTIFACTS an existing folder for logs. Exit status 0 says passed.
"""

import asyncio
import logging
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pymediasoup.consumer import Consumer

from client import Client, Direction
from demo import Demo
from media import Mosaic, PictureMeter, Pictures, Tone, ToneMeter
from signaling import Message, Refused

WHOLE_RUN_S = 55.0

# How long the first picture may take, counted from the moment that somebody is ready for it.
FIRST_PICTURE_S = 2.0

# What has left the sender when a pause begins may still arrive for so long.
IN_FLIGHT_S = 0.5

# RTCP reports come more often than this.
RTCP_S = 2.5

# What aiortc can be told: it never encodes at less than 250 kbit/s, and begins with 500.
LIMIT = 270_000
UNLIMITED_MIN = 400_000
SETTLE_S, MEASURE_S = 2.0, 3.0

# Pictures a second, of the 30 that are sent: a busy machine draws fewer.
PICTURES_PER_S_MIN = 10

# The clients send about 4,000; silence has 0, comfort noise a few dozen.
LOUDNESS_MIN = 2_000

AUDIO, VP8, H264 = "audio/opus", "video/VP8", "video/H264"


@dataclass(frozen=True)
class Person:
    """What tells somebody's sound and pictures from everybody else's."""

    name: str
    mark: int
    pitch: int


ALICE, BOB, CAROL = Person("Alice", 1, 440), Person("Bob", 2, 700), Person("Carol", 3, 1_000)


@dataclass
class View:
    """How one client sees and hears a person."""

    viewer: str
    person: Person
    consumers: list[Consumer]
    tone: ToneMeter
    pictures: PictureMeter

    def __str__(self) -> str:
        return f"{self.viewer} of {self.person.name}: {self.pictures}; sound: {self.tone}"

    async def check_begins(self, pictures: int = 1) -> None:
        assert await self.pictures.more(pictures, FIRST_PICTURE_S), f"no picture in {FIRST_PICTURE_S} s, {self}"

    async def check_second(self) -> None:
        """One second of what is wanted: pictures that are whole and move, and the person's tone."""
        frames, counter = self.pictures.frames, self.pictures.counter
        self.tone.reset()
        await asyncio.sleep(1)
        assert self.pictures.frames >= frames + PICTURES_PER_S_MIN, f"too few pictures, {self}"
        assert self.pictures.counter >= counter + PICTURES_PER_S_MIN, f"pictures stand still, {self}"
        self.check_whole()
        assert self.tone.loudness > LOUDNESS_MIN, f"too quiet, {self}"
        assert abs(self.tone.frequency / self.person.pitch - 1) < 0.05, f"not the tone of {self.person.pitch} Hz, {self}"

    def check_whole(self) -> None:
        assert self.pictures.damaged == self.pictures.backward == 0, f"bad pictures, {self}"


async def produce(client: Client, person: Person, video: str = VP8) -> dict[str, str]:
    """Sends a person's sound and pictures; gives the producers by kind."""
    return {
        "audio": await client.produce(Tone(person.pitch), AUDIO),
        "video": await client.produce(Pictures(person.mark), video),
    }


async def announced(client: Client, producers: dict[str, str]) -> list[Message]:
    """The producers as the room announces them to a client."""
    return [await client.signaling.event("newProducer", id=id, kind=kind) for kind, id in producers.items()]


async def watch(client: Client, person: Person, producers: Iterable[Message]) -> View:
    """Receives what a person sends."""
    by_kind = {producer["kind"]: await client.consume(producer["id"]) for producer in producers}
    tone = ToneMeter(by_kind["audio"].track)
    pictures = PictureMeter(by_kind["video"].track, person.mark)
    for consumer in by_kind.values():
        await client.resume(consumer)
    return View(client.name, person, list(by_kind.values()), tone, pictures)


async def conference(port: int) -> None:
    """A room's life: two talk, a third comes, one pauses, one leaves."""
    alice = await Client.join(port, "plaza", ALICE.name)
    bob = await Client.join(port, "plaza", BOB.name)
    await alice.signaling.event("peerJoined", id=bob.id, name=BOB.name)
    of_alice, of_bob = await produce(alice, ALICE), await produce(bob, BOB)
    bob_sees = await watch(bob, ALICE, await announced(bob, of_alice))
    alice_sees = await watch(alice, BOB, await announced(alice, of_bob))
    for view in (bob_sees, alice_sees):
        await view.check_begins()
    await check_roles(alice)
    for _ in range(5):
        await asyncio.gather(bob_sees.check_second(), alice_sees.check_second())
    say(bob_sees)
    say(alice_sees)

    carol, carol_sees = await come_late(port, (ALICE, BOB))
    await pause(alice, of_alice["video"], bob, bob_sees)
    await leave(alice, of_alice, ((bob, bob_sees), (carol, carol_sees[ALICE])))
    await carol_sees[BOB].check_second()
    await carol.leave()
    await bob.leave()


async def check_roles(client: Client) -> None:
    """The server is the DTLS client towards who sends, and the other way round, and knows SHA-512."""
    roles: dict[Direction, str] = {"send": "server", "recv": "client"}
    for direction, role in roles.items():
        signaled = client.signaled_dtls(direction)
        assert signaled["role"] == role, f"{direction}: {signaled}"
        assert signaled["fingerprints"][0]["algorithm"] == "sha-512", f"{direction}: {signaled}"
        stats = await client.transport_stats(direction)
        assert stats.dtlsState == "connected", f"{direction}: DTLS is {stats.dtlsState}"


async def come_late(port: int, people: tuple[Person, ...]) -> tuple[Client, dict[Person, View]]:
    """Who comes late finds what is produced and gets key frames of it."""
    carol = await Client.join(port, "plaza", CAROL.name)
    found = {peer["name"]: peer["producers"] for peer in carol.peers}
    assert found.keys() == {person.name for person in people}, f"{carol.name} finds {found}"
    views = {}
    for person in people:
        ready = time.monotonic()
        views[person] = await watch(carol, person, found[person.name])
        await views[person].check_begins()
        say(f"{carol.name}, late, sees {person.name} after {time.monotonic() - ready:.2f} s")
    await asyncio.gather(*(view.check_second() for view in views.values()))
    return carol, views


async def pause(sender: Client, producer_id: str, viewer: Client, view: View) -> None:
    """A paused producer's pictures stop, its sound goes on, and the pictures come back."""
    await sender.signaling.request("pauseProducer", producerId=producer_id)
    await viewer.signaling.event("producerPaused", peerId=sender.id, id=producer_id)
    await asyncio.sleep(IN_FLIGHT_S)
    pictures, counter, sound = view.pictures.frames, view.pictures.counter, view.tone.frames
    await asyncio.sleep(1)
    assert view.pictures.frames == pictures, f"pictures in a pause, {view}"
    assert view.tone.frames > sound, f"the pause of the pictures stopped the sound, {view}"

    await sender.signaling.request("resumeProducer", producerId=producer_id)
    await viewer.signaling.event("producerResumed", peerId=sender.id, id=producer_id)
    # aiortc gives a picture when the next one begins, so the last one from before the pause comes first.
    await view.check_begins(pictures=2)
    skipped = view.pictures.counter - counter
    assert skipped > PICTURES_PER_S_MIN, f"an old picture after the pause, {view}"
    await view.check_second()
    say(f"after a pause {view.viewer} sees {view.person.name} go on, {skipped} pictures later")


async def leave(leaver: Client, producers: dict[str, str], others: Iterable[tuple[Client, View]]) -> None:
    """Who leaves takes the consumers of others along."""
    await leaver.leave()
    for client, view in others:
        for producer_id in producers.values():
            await client.signaling.event("producerClosed", peerId=leaver.id, id=producer_id)
        await client.signaling.event("peerLeft", id=leaver.id)
        for consumer in view.consumers:
            try:
                await client.resume(consumer)
            except Refused as refused:
                assert refused.code == "notFound", refused
            else:
                raise AssertionError(f"{client.name} still has a consumer of {leaver.name}")


async def h264(port: int) -> None:
    """The same pictures in H264."""
    alice = await Client.join(port, "h264", ALICE.name)
    bob = await Client.join(port, "h264", BOB.name)
    view = await watch(bob, ALICE, await announced(bob, await produce(alice, ALICE, H264)))
    await view.check_begins()
    for _ in range(2):
        await view.check_second()
    codec = view.consumers[1].rtpParameters.codecs[0].mimeType
    assert codec == H264, f"asked for H264, got {codec}"
    say(view)
    await alice.leave()
    await bob.leave()


async def forged_sender(port: int) -> None:
    """Nothing that comes over DTLS with another certificate than the signaled one is forwarded."""
    mallory = await Client.join(port, "forged", "Mallory", forges_fingerprint=True)
    bob = await Client.join(port, "forged", BOB.name)
    await check_silence(mallory, bob, forger=mallory, direction="send")
    assert (await bob.transport_stats("recv")).dtlsState == "connected", "Bob pays for Mallory"
    await mallory.leave()
    await bob.leave()


async def forged_receiver(port: int) -> None:
    """Nothing is sent to who has another certificate than the signaled one."""
    alice = await Client.join(port, "forged", ALICE.name)
    mallory = await Client.join(port, "forged", "Mallory", forges_fingerprint=True)
    await check_silence(alice, mallory, forger=mallory, direction="recv")
    assert (await alice.transport_stats("send")).dtlsState == "connected", "Alice pays for Mallory"
    await alice.leave()
    await mallory.leave()


async def check_silence(sender: Client, receiver: Client, *, forger: Client, direction: Direction) -> None:
    """No sound gets through, and once the handshake is over the server says nothing to the forger, not even RTCP."""
    producer_id = await sender.produce(Tone(ALICE.pitch), AUDIO)
    await receiver.signaling.event("newProducer", id=producer_id)
    consumer = await receiver.consume(producer_id)
    tone = ToneMeter(consumer.track)
    await receiver.resume(consumer)
    while (await forger.transport_stats(direction)).dtlsState in ("new", "connecting"):
        await asyncio.sleep(0.05)
    await asyncio.sleep(IN_FLIGHT_S)
    before = await forger.transport_stats(direction)
    assert not await tone.more(1, RTCP_S), f"sound past a forged fingerprint: {tone}"
    after = await forger.transport_stats(direction)
    spoken = after.packetsReceived - before.packetsReceived
    assert spoken == 0, f"the server sent {spoken} packets to {forger.name}, whose fingerprint is forged"
    assert after.dtlsState in ("closed", "failed"), f"{forger.name} isn't told: DTLS is {after.dtlsState}"
    say(f"from {sender.name} to {receiver.name}: {tone.frames} frames; {forger.name}'s DTLS is {after.dtlsState}")


async def limited(port: int, limit: int | None) -> None:
    """Who is told a limit by REMB keeps to it; who isn't sends what aiortc begins with."""
    alice = await Client.join(port, "limited", ALICE.name)
    await alice.produce(Mosaic(), VP8)
    # The limit has to arrive first, and what was encoded before it has to leave.
    await asyncio.sleep(SETTLE_S)
    sent, start = (await alice.transport_stats("send")).bytesSent, time.monotonic()
    await asyncio.sleep(MEASURE_S)
    sent = (await alice.transport_stats("send")).bytesSent - sent
    bitrate = 8 * sent / (time.monotonic() - start)
    say(f"with a limit of {limit}: {bitrate:.0f} bit/s")
    if limit is None:
        assert bitrate > UNLIMITED_MIN, f"{bitrate:.0f} bit/s without a limit, which proves nothing"
    else:
        assert limit / 2 < bitrate < limit * 1.15, f"{bitrate:.0f} bit/s with a limit of {limit}"
    await alice.leave()


def say(what: object) -> None:
    print(f"  {what}", flush=True)


SCENES: tuple[Callable[[int], Awaitable[None]], ...] = (conference, h264, forged_sender, forged_receiver)


async def run(binary: Path, artifacts: Path) -> None:
    async with asyncio.timeout(WHOLE_RUN_S), Demo(binary, artifacts / "aiortc-demo.log") as demo:
        for scene in SCENES:
            start = time.monotonic()
            print(scene.__name__, flush=True)
            await scene(demo.port)
            assert demo.alive, "mafalda-demo ended by itself"
            print(f"{scene.__name__} passed in {time.monotonic() - start:.1f} s", flush=True)
        print(limited.__name__, flush=True)
        await limited(demo.port, None)
    options = ("--max-incoming-bitrate", str(LIMIT))
    async with asyncio.timeout(WHOLE_RUN_S), Demo(binary, artifacts / "aiortc-limited.log", *options) as demo:
        await limited(demo.port, LIMIT)
        print("limited passed", flush=True)


def main() -> int:
    binary, artifacts = os.environ.get("MAFALDA_DEMO"), os.environ.get("MAFALDA_ARTIFACTS")
    if not binary or not artifacts:
        print("set MAFALDA_DEMO to the binary to test and MAFALDA_ARTIFACTS to a folder for logs", file=sys.stderr)
        return 2
    logging.basicConfig(filename=Path(artifacts) / "aiortc-clients.log", filemode="w", level=logging.INFO)
    try:
        asyncio.run(run(Path(binary), Path(artifacts)))
    except Exception:
        traceback.print_exc()
        print(f"failed; logs: {artifacts}/aiortc-*.log", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
