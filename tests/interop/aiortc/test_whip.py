"""Python clients publish by WHIP and watch by WHEP, with nothing but aiortc and HTTP.

Environment: MAFALDA_DEMO is the binary to test, MAFALDA_ARTIFACTS an existing folder for logs. Exit status 0 says passed.
"""

import asyncio
import logging
import os
import sys
import time
import traceback
from pathlib import Path

from client import Client
from demo import Demo
from media import PictureMeter, Pictures, Tone, ToneMeter
from wish import Session, ask

WHOLE_RUN_S = 40.0

# How long the first picture may take, from the moment that somebody asked for it.
FIRST_PICTURE_S = 3.0

# How long the end of a session may take to be noticed.
END_S = 3.0

# Pictures a second, of the 30 that are sent: a busy machine draws fewer.
PICTURES_PER_S_MIN = 10

# The publisher sends about 4,000; silence has 0, comfort noise a few dozen.
LOUDNESS_MIN = 2_000

MARK, PITCH = 6, 600


async def check(who: str, tone: ToneMeter, pictures: PictureMeter) -> None:
    """Pictures that are whole and move, and the publisher's tone."""
    ready = time.monotonic()
    assert await pictures.more(1, FIRST_PICTURE_S), f"{who} has no picture: {pictures}"
    say(f"{who} sees the publisher after {time.monotonic() - ready:.2f} s")
    frames, counter = pictures.frames, pictures.counter
    tone.reset()
    await asyncio.sleep(1)
    assert pictures.frames >= frames + PICTURES_PER_S_MIN, f"{who} has too few pictures: {pictures}"
    assert pictures.counter >= counter + PICTURES_PER_S_MIN, f"pictures stand still for {who}: {pictures}"
    assert pictures.damaged == pictures.backward == 0, f"{who} has bad pictures: {pictures}"
    assert tone.loudness > LOUDNESS_MIN, f"too quiet for {who}: {tone}"
    assert abs(tone.frequency / PITCH - 1) < 0.05, f"{who} hears another tone: {tone}"
    say(f"{who}: {pictures}; sound: {tone}")


def meters(session: Session) -> tuple[ToneMeter, PictureMeter]:
    return ToneMeter(session.track("audio")), PictureMeter(session.track("video"), MARK)


async def broadcast(port: int) -> None:
    """A publisher by WHIP is seen by a member of the room, and by who watches by WHEP."""
    bob = await Client.join(port, "stage", "Bob")
    publisher = await Session.publish(port, "/whip/stage?name=Mafalda", Tone(PITCH), Pictures(MARK))
    joined = await bob.signaling.event("peerJoined", name="Mafalda", via="whip")
    by_kind = {}
    for kind in ("audio", "video"):
        producer = await bob.signaling.event("newProducer", peerId=joined["id"], kind=kind)
        by_kind[kind] = await bob.consume(producer["id"])
    tone, pictures = ToneMeter(by_kind["audio"].track), PictureMeter(by_kind["video"].track, MARK)
    for consumer in by_kind.values():
        await bob.resume(consumer)
    await check("Bob, in the room,", tone, pictures)

    viewers = {path: await Session.watch(port, path) for path in ("/whep/stage", f"/whep/stage/{joined['id']}")}
    await asyncio.gather(*(check(f"a viewer at {path}", *meters(viewer)) for path, viewer in viewers.items()))
    late = await Session.watch(port, "/whep/stage/Mafalda")
    await check("a late viewer by name", *meters(late))
    assert (await late.end()).status == 200
    assert (await late.end()).status == 404, "it has ended already"

    assert (await publisher.end()).status == 200
    await bob.signaling.event("peerLeft", id=joined["id"])
    for path, viewer in viewers.items():
        await check_ends(port, viewer)
        say(f"the viewer at {path} is told of the end")
    await bob.leave()


async def check_ends(port: int, viewer: Session) -> None:
    """What it watched is gone, so its session is, too, and it hears of it."""
    async with asyncio.timeout(END_S):
        while (await ask(port, "DELETE", viewer.path)).status != 404 or viewer.state != "closed":
            await asyncio.sleep(0.05)
    await viewer.close()


async def vanish(port: int) -> None:
    """A publisher that closes its connection without DELETE leaves the room at once."""
    bob = await Client.join(port, "vanish", "Bob")
    publisher = await Session.publish(port, "/whip/vanish", Tone(PITCH))
    joined = await bob.signaling.event("peerJoined", name="Broadcast", via="whip")
    async with asyncio.timeout(END_S):
        while publisher.state != "connected":
            await asyncio.sleep(0.05)
    await publisher.close()
    await bob.signaling.event("peerLeft", id=joined["id"])
    await bob.leave()


def say(what: object) -> None:
    print(f"  {what}", flush=True)


async def run(binary: Path, artifacts: Path) -> None:
    async with asyncio.timeout(WHOLE_RUN_S), Demo(binary, artifacts / "whip-demo.log") as demo:
        for scene in (broadcast, vanish):
            start = time.monotonic()
            print(scene.__name__, flush=True)
            await scene(demo.port)
            assert demo.alive, "mafalda-demo ended by itself"
            print(f"{scene.__name__} passed in {time.monotonic() - start:.1f} s", flush=True)


def main() -> int:
    binary, artifacts = os.environ.get("MAFALDA_DEMO"), os.environ.get("MAFALDA_ARTIFACTS")
    if not binary or not artifacts:
        print("set MAFALDA_DEMO to the binary to test and MAFALDA_ARTIFACTS to a folder for logs", file=sys.stderr)
        return 2
    logging.basicConfig(filename=Path(artifacts) / "whip-clients.log", filemode="w", level=logging.INFO)
    try:
        asyncio.run(run(Path(binary), Path(artifacts)))
    except Exception:
        traceback.print_exc()
        print(f"failed; logs: {artifacts}/whip-*.log", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
