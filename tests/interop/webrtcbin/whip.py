"""GStreamer's webrtcbin publishes a room by WHIP, and another one watches it by WHEP: nothing of ours but the server.

Run with the Python that has GStreamer's bindings (Debian: python3-gst-1.0, gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice, and the
plugins base, good and bad): `whip.py http://HOST:PORT`. webrtcbin leaves loopback out, so the server has to offer
another address for media. Exit status 0 says that for each codec pictures and sound came through.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

# How long one step may take.
PATIENCE_S = 20

# So much has to come of each kind: two seconds of pictures, and of sound in frames of 20 ms.
PICTURES, SOUNDS = 60, 100

SOUND = "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97"
PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=30/1"
CODECS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 picture-id-mode=15-bit",
    "VP9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=30 ! rtpvp9pay pt=96 picture-id-mode=15-bit",
}


class Peer:
    """A pipeline with one webrtcbin, and its session at the server."""

    def __init__(self, pipeline: Gst.Pipeline) -> None:
        self.pipeline = pipeline
        self.bin = self.pipeline.get_by_name("peer")
        self.location = ""
        # The bindings free what nobody holds, also while it is in use.
        self._held: list[object] = []
        self._is_needed = False
        self.bin.connect("on-negotiation-needed", self._on_negotiation_needed)

    def start(self, url: str) -> None:
        """Offers, asks the server, and takes its answer."""
        self.pipeline.set_state(Gst.State.PLAYING)
        # Before that it doesn't know all of its codecs.
        wait("there is something to offer", lambda: self._is_needed)
        promise = self._promise()
        self.bin.emit("create-offer", None, promise)
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self._held += [reply, offer]
        self.bin.emit("set-local-description", offer, self._promise())
        gathered = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        wait("candidates are gathered", lambda: self.bin.get_property("ice-gathering-state") == gathered)
        text = self._ask(url, self.bin.get_property("local-description").sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self._held += [message, answer]
        self.bin.emit("set-remote-description", answer, self._promise())
        connected = GstWebRTC.WebRTCPeerConnectionState.CONNECTED
        wait("it is connected", lambda: self.bin.get_property("connection-state") == connected)

    def end(self) -> None:
        """Ends the session at the server, then the pipeline."""
        urllib.request.urlopen(urllib.request.Request(self.location, method="DELETE"), timeout=PATIENCE_S).close()
        self.pipeline.set_state(Gst.State.NULL)

    def _on_negotiation_needed(self, _bin: Gst.Element) -> None:
        self._is_needed = True

    def _promise(self) -> Gst.Promise:
        promise = Gst.Promise.new()
        self._held.append(promise)
        return promise

    def _ask(self, url: str, offer: str) -> str:
        request = urllib.request.Request(url, offer.encode(), {"Content-Type": "application/sdp"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                self.location = urllib.parse.urljoin(url, response.headers["Location"])
                return response.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{url}: {error.code} {error.read().decode()}\n{offer}") from None


def publisher(codec: str) -> Peer:
    picture = f"{PICTURE} ! {CODECS[codec]} ! application/x-rtp,media=video,encoding-name={codec},payload=96"
    peer = Peer(Gst.parse_launch(f"webrtcbin name=peer bundle-policy=max-bundle {SOUND} ! peer. {picture} ! peer."))
    for index in range(2):
        transceiver = peer.bin.emit("get-transceiver", index)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
    return peer


class Viewer(Peer):
    """Counts what it decodes."""

    def __init__(self, codec: str) -> None:
        pipeline = Gst.Pipeline.new()
        alone = Gst.ElementFactory.make("webrtcbin", "peer")
        alone.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(alone)
        super().__init__(pipeline)
        self.counts = {"audio": 0, "video": 0}
        caps = {
            "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
            "video": f"application/x-rtp,media=video,encoding-name={codec},payload=102,clock-rate=90000",
        }
        for text in caps.values():
            self.bin.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(text))
        self.bin.connect("pad-added", self._on_pad)

    def _on_pad(self, _bin: Gst.Element, pad: Gst.Pad) -> None:
        if pad.direction != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        sink = Gst.parse_bin_from_description("decodebin name=decode", False)
        decode = sink.get_by_name("decode")
        sink.add_pad(Gst.GhostPad.new("sink", decode.get_static_pad("sink")))
        decode.connect("pad-added", lambda _, decoded: self._count(sink, decoded, kind))
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _count(self, parent: Gst.Bin, decoded: Gst.Pad, kind: str) -> None:
        fake = Gst.ElementFactory.make("fakesink")
        fake.set_property("sync", False)
        parent.add(fake)
        fake.sync_state_with_parent()
        target = fake.get_static_pad("sink")

        def on_buffer(_pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
            self.counts[kind] += 1
            return Gst.PadProbeReturn.OK

        target.add_probe(Gst.PadProbeType.BUFFER, on_buffer)
        decoded.link(target)


def wait(what: str, is_so) -> None:
    """Lets GLib work until something is so."""
    context = GLib.MainContext.default()
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        if not context.iteration(False):
            time.sleep(0.01)


def broadcast(server: str, codec: str) -> None:
    source = publisher(codec)
    source.start(f"{server}/whip/webrtcbin-{codec}?name=GStreamer")
    viewer = Viewer(codec)
    viewer.start(f"{server}/whep/webrtcbin-{codec}")
    wait(f"{PICTURES} pictures in {codec}", lambda: viewer.counts["video"] >= PICTURES)
    wait(f"{SOUNDS} frames of sound", lambda: viewer.counts["audio"] >= SOUNDS)
    print(f"{codec}: {viewer.counts}", flush=True)
    viewer.end()
    source.end()


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: whip.py http://HOST:PORT", file=sys.stderr)
        return 2
    Gst.init(None)
    for codec in CODECS:
        broadcast(sys.argv[1], codec)
    return 0


if __name__ == "__main__":
    sys.exit(main())
