"""Synthetic sound and pictures, and meters that tell whether they arrived as they were sent.

A picture is a grid of black and white blocks. Every row of it carries the same bits, the sender's mark and a counter, in
another permutation: a receiver that reads the same number in each row has a whole picture of that sender, and a higher
number than before has a picture that moved.
"""

import array
import asyncio
import fractions
import math
import random
import time
from typing import Generic, TypeVar, cast

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame
from av.video.plane import VideoPlane

# A block is a macroblock of the codecs: across their borders, VP8's encoder smooths away a change now and then.
BLOCK, COLUMNS, ROWS = 16, 16, 12
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
COUNTER_BITS = 12  # Two minutes of pictures.
BLACK, WHITE, GRAY = 40, 215, 128

SAMPLE_RATE = 48_000
FRAME_SAMPLES = SAMPLE_RATE // 50
AMPLITUDE = 8_000

Frame = TypeVar("Frame", VideoFrame, AudioFrame)


def _row_key(row: int) -> int:
    """What the bits of a row are mixed with. An odd multiplier gives each row a key of its own."""
    return (row * 0x9E37 + 0x5A5A) & 0xFFFF


def draw(mark: int, counter: int) -> VideoFrame:
    """A picture of a sender with this mark (4 bits)."""
    number = mark << COUNTER_BITS | counter % (1 << COUNTER_BITS)
    luma = bytearray()
    for row in range(ROWS):
        bits = number ^ _row_key(row)
        line = b"".join(bytes([WHITE if bits >> column & 1 else BLACK]) * BLOCK for column in range(COLUMNS))
        luma += line * BLOCK
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    brightness, *colors = frame.planes
    _fill(brightness, luma)
    for plane in colors:
        plane.update(bytes([GRAY]) * plane.buffer_size)
    return frame


def _fill(plane: VideoPlane, content: bytearray) -> None:
    """Lines of a plane may be longer than the picture is wide."""
    gap = bytes(plane.line_size - plane.width)
    lines = (content[start : start + plane.width] + gap for start in range(0, len(content), plane.width))
    plane.update(b"".join(lines))


def read(frame: VideoFrame) -> tuple[int, int] | None:
    """The mark and the counter of a picture; None when it isn't whole."""
    if (frame.width, frame.height) != (WIDTH, HEIGHT):
        return None
    plane = frame.planes[0]
    luma, numbers = bytes(plane), set[int]()
    for row in range(ROWS):
        start = (row * BLOCK + BLOCK // 2) * plane.line_size + BLOCK // 2
        blocks = luma[start : start + WIDTH : BLOCK]
        numbers.add(sum(1 << column for column, level in enumerate(blocks) if level >= GRAY) ^ _row_key(row))
    if len(numbers) != 1:
        return None
    mark, counter = divmod(numbers.pop(), 1 << COUNTER_BITS)
    return mark, counter


class Pictures(VideoStreamTrack):
    """Thirty pictures a second."""

    def __init__(self, mark: int) -> None:
        super().__init__()
        self._mark = mark
        self.drawn = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = draw(self._mark, self.drawn)
        frame.pts, frame.time_base = pts, time_base
        self.drawn += 1
        return frame


class Mosaic(VideoStreamTrack):
    """Thirty pictures a second of tiles at random: as much to encode as the encoder may spend."""

    TILE = 8

    def __init__(self) -> None:
        super().__init__()
        self._random = random.Random(1)

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        brightness, *colors = frame.planes
        luma = bytearray()
        for _ in range(HEIGHT // self.TILE):
            tiles = (self._random.randint(GRAY - 30, GRAY + 30) for _ in range(WIDTH // self.TILE))
            luma += b"".join(bytes([tile]) * self.TILE for tile in tiles) * self.TILE
        _fill(brightness, luma)
        for plane in colors:
            plane.update(bytes([GRAY]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(MediaStreamTrack):
    """A sine, mono, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, frequency: int) -> None:
        super().__init__()
        self._step = 2 * math.pi * frequency / SAMPLE_RATE
        self._sent = 0
        self._start = 0.0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        self._start = self._start or now
        await asyncio.sleep(self._start + self._sent / SAMPLE_RATE - now)
        samples = range(self._sent, self._sent + FRAME_SAMPLES)
        wave = array.array("h", (int(AMPLITUDE * math.sin(self._step * sample)) for sample in samples))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(wave.tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self._sent, SAMPLE_RATE, fractions.Fraction(1, SAMPLE_RATE)
        self._sent += FRAME_SAMPLES
        return frame


class Meter(Generic[Frame]):
    """Reads a received track for as long as it lives."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.frames = 0
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self._run(track))

    async def more(self, count: int, within_s: float) -> bool:
        """Whether this many more frames come in time."""
        goal = self.frames + count
        try:
            async with asyncio.timeout(within_s):
                while self.frames < goal:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return True

    async def _run(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                # A track gives frames of its own kind.
                self._measure(cast(Frame, await track.recv()))
                self.frames += 1
                self._came.set()
        except MediaStreamError:
            pass

    def _measure(self, frame: Frame) -> None:
        raise NotImplementedError


class PictureMeter(Meter[VideoFrame]):
    """Counts pictures, those that are damaged or somebody else's, and those that didn't come after the one before."""

    def __init__(self, track: MediaStreamTrack, mark: int) -> None:
        self._mark = mark
        self.damaged = 0
        self.backward = 0
        self.counter = -1
        super().__init__(track)

    def _measure(self, frame: VideoFrame) -> None:
        match read(frame):
            case (mark, counter) if mark == self._mark:
                self.backward += counter <= self.counter
                self.counter = counter
            case _:
                self.damaged += 1

    def __str__(self) -> str:
        return f"{self.frames} pictures, {self.damaged} damaged, {self.backward} out of order, counter at {self.counter}"


class ToneMeter(Meter[AudioFrame]):
    """Measures loudness and pitch since the last reset."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.reset()
        super().__init__(track)

    def reset(self) -> None:
        self._samples = 0
        self._energy = 0
        self._crossings = 0
        self._last = 0

    @property
    def loudness(self) -> float:
        """The effective amplitude; a sine of full scale has 23,170."""
        return math.sqrt(self._energy / max(self._samples, 1))

    @property
    def frequency(self) -> float:
        """In hertz, from the number of times that the wave crosses zero."""
        return self._crossings / 2 * SAMPLE_RATE / max(self._samples, 1)

    def _measure(self, frame: AudioFrame) -> None:
        wave = array.array("h", bytes(frame.planes[0]))[:: len(frame.layout.channels)][: frame.samples]
        for sample in wave:
            self._crossings += (sample < 0) != (self._last < 0)
            self._last = sample
        self._energy += sum(sample * sample for sample in wave)
        self._samples += len(wave)

    def __str__(self) -> str:
        return f"{self.frames} frames, loudness {self.loudness:.0f}, {self.frequency:.0f} Hz"
