"""Publishes a test picture and a tone with GStreamer's webrtcbin by WHIP (RFC 9725), until its standard input ends.

Usage: publish.py URL TOKEN. Needs the Python of the system, which has GStreamer's bindings. It trusts any certificate: the demo makes
its own on the spot.
"""

import ssl
import sys
import threading
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1 ! videoconvert !
    vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=250 ! rtpvp8pay pt=96 !
    application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
audiotestsrc is-live=true wave=sine freq=440 ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 !
    opusenc ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
"""

# How long the whole negotiation may take.
PATIENCE_S = 20.0


class Publisher:
    """One peer connection, and the resource at the server that stands for it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._resource = ""
        self._pipeline = Gst.parse_launch(PIPELINE)
        self._peer = self._pipeline.get_by_name("peer")
        self._offered = threading.Event()
        self._gathered = threading.Event()
        self._peer.connect("on-negotiation-needed", self._on_negotiation_needed)
        self._peer.connect("notify::ice-gathering-state", self._on_gathering)

    def begin(self) -> None:
        self._pipeline.set_state(Gst.State.PLAYING)
        for event in (self._offered, self._gathered):
            assert event.wait(PATIENCE_S), "webrtcbin makes no offer"
        offer = self._peer.get_property("local-description").sdp.as_text()
        answer = self._request("POST", self._url, offer)
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        promise = Gst.Promise.new()
        self._peer.emit("set-remote-description", description, promise)
        promise.wait()

    def end(self) -> None:
        self._request("DELETE", self._resource, None)
        self._pipeline.set_state(Gst.State.NULL)

    def _on_negotiation_needed(self, peer: Gst.Element) -> None:
        # Kept until it is answered: it would be collected, and its answer with it.
        self._promise = Gst.Promise.new_with_change_func(self._on_offer, None)
        peer.emit("create-offer", None, self._promise)

    def _on_offer(self, promise: Gst.Promise, _: object) -> None:
        # The offer lies in the reply, which has to outlive its use.
        self._reply = promise.get_reply()
        self._peer.emit("set-local-description", self._reply.get_value("offer"), Gst.Promise.new())
        self._offered.set()

    def _on_gathering(self, peer: Gst.Element, _: object) -> None:
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self._gathered.set()

    def _request(self, method: str, url: str, offer: str | None) -> str:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/sdp"}
        body = offer.encode() if offer is not None else None
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=context) as answer:
            if location := answer.headers["Location"]:
                self._resource = urllib.parse.urljoin(url, location)
            text: str = answer.read().decode()
            return text


def main() -> None:
    Gst.init(None)
    url, token = sys.argv[1:]
    publisher = Publisher(url, token)
    publisher.begin()
    print("publishing", flush=True)
    sys.stdin.read()
    publisher.end()
    print("ended", flush=True)


if __name__ == "__main__":
    main()
