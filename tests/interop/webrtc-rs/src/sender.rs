//! The peer that sends: Opus and VP8 over one connection, in which the gateway is the DTLS client.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters, RtpCodecKind,
};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::RTCSessionDescription;

use crate::link::Link;
use crate::parameters::{Capabilities, Codec, Encoding, Rtcp, RtpParameters, Rtx, Transport};
use crate::sdp::{Direction, Local, LocalSection, Section, Setup, describe};
use crate::signaling::Signaling;
use crate::tap::Seen;
use crate::{audio, video};

/// One VP8 packet in this many is lost on its way to the gateway.
const LOST_EVERY: u16 = 53;

/// Time between video frames, and between Opus frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(20);

const CNAME: &str = "interop";

const AUDIO: Encoding = Encoding { ssrc: 0x1000_0001, rtx: None };
const VIDEO: Encoding = Encoding { ssrc: 0x2000_0001, rtx: Some(Rtx { ssrc: 0x2000_0002 }) };

/// The streams that it sends.
pub(crate) const SSRCS: [u32; 2] = [AUDIO.ssrc, VIDEO.ssrc];

/// A peer that sends until it leaves.
pub(crate) struct Sender {
    pub(crate) link: Link,
    /// When media began to flow.
    pub(crate) since: Instant,
    signaling: Signaling,
    pump: JoinHandle<Result<()>>,
}

impl Sender {
    /// Joins and connects; media flow from here on.
    pub(crate) async fn join(url: &str, room: &str) -> Result<Self> {
        let mut signaling = Signaling::connect(url).await?;
        let joined = signaling.request("join", json!({"room": room, "name": "Sender"})).await?;
        let capabilities = Capabilities::of_router(joined["rtpCapabilities"].clone())?;
        let transport = signaling.request("createTransport", json!({"direction": "send"})).await?;
        let transport: Transport = serde_json::from_value(transport)?;
        let (link, _) = Link::new(&transport, &capabilities, LOST_EVERY).await?;

        let audio = Stream::add(&link, "audio", &capabilities, AUDIO).await?;
        let video = Stream::add(&link, "video", &capabilities, VIDEO).await?;
        let offer = link.connection.create_offer(None).await?;
        let local = Local::read(&offer.sdp)?;
        link.connection.set_local_description(offer).await?;
        let sections = local.sections();
        let audio_parameters = audio.parameters(sections.first().context("no section for audio")?);
        let video_parameters = video.parameters(sections.get(1).context("no section for video")?);

        let answer = describe(
            &transport,
            Setup::Active,
            &[
                Section { kind: "audio", direction: Direction::Receives, parameters: &audio_parameters },
                Section { kind: "video", direction: Direction::Receives, parameters: &video_parameters },
            ],
        )?;
        link.connection.set_remote_description(RTCSessionDescription::answer(answer)?).await?;
        let dtls = local.dtls_parameters(Setup::Active)?;
        let connect = json!({"transportId": transport.id, "dtlsParameters": dtls});
        signaling.request("connectTransport", connect).await?;
        for (kind, parameters) in [("audio", audio_parameters), ("video", video_parameters)] {
            let produce = json!({"transportId": transport.id, "kind": kind, "rtpParameters": parameters});
            signaling.request("produce", produce).await?;
        }
        link.connected().await?;
        let pump = tokio::spawn(pump(audio, video, Arc::clone(&link.seen)));
        Ok(Self { link, since: Instant::now(), signaling, pump })
    }

    /// Fails if sending has failed.
    pub(crate) async fn check(&mut self) -> Result<()> {
        match self.pump.is_finished() {
            true => (&mut self.pump).await?.context("sending failed"),
            false => Ok(()),
        }
    }

    /// Leaves the room. The connection stays, so that one sees what becomes of it.
    pub(crate) async fn leave(&mut self) -> Result<()> {
        self.pump.abort();
        self.signaling.request("leave", json!({})).await.map(|_| ())
    }
}

/// One stream that is sent.
struct Stream {
    track: Arc<TrackLocalStaticRTP>,
    codecs: Vec<Codec>,
    encoding: Encoding,
    next_sequence_number: u16,
}

impl Stream {
    /// Adds a track to the connection.
    async fn add(link: &Link, kind: &str, capabilities: &Capabilities, encoding: Encoding) -> Result<Self> {
        let codecs = capabilities.codecs(kind);
        let codec = codecs.first().context("the room has no codec for it")?.to_rtc();
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(encoding.ssrc),
                rtx: encoding.rtx.map(|rtx| RTCRtpRtxParameters { ssrc: rtx.ssrc }),
                ..Default::default()
            },
            active: true,
            codec: codec.rtp_codec,
            ..Default::default()
        };
        let track = MediaStreamTrack::new(
            CNAME.to_owned(),
            kind.to_owned(),
            kind.to_owned(),
            RtpCodecKind::from(kind),
            vec![coding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        link.connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await?;
        // So that the sequence numbers wrap while the test runs.
        Ok(Self { track, codecs, encoding, next_sequence_number: 65_500 })
    }

    /// What the gateway is told of it.
    fn parameters(&self, section: &LocalSection) -> RtpParameters {
        RtpParameters {
            mid: section.mid.clone(),
            codecs: self.codecs.clone(),
            header_extensions: section.header_extensions.clone(),
            encodings: vec![self.encoding.clone()],
            rtcp: Rtcp { cname: CNAME.to_owned() },
        }
    }

    async fn send(&mut self, timestamp: u32, marker: bool, payload: Bytes) -> Result<()> {
        let header = rtp::Header {
            version: 2,
            marker,
            payload_type: self.codecs.first().context("checked when it was added")?.payload_type,
            sequence_number: self.next_sequence_number,
            timestamp,
            ssrc: self.encoding.ssrc,
            ..Default::default()
        };
        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        Ok(self.track.write_rtp(rtp::Packet { header, payload }).await?)
    }
}

/// Sends an Opus frame and a video frame in turn: a key frame at the start and whenever one was asked for.
async fn pump(mut audio: Stream, mut video: Stream, seen: Arc<Seen>) -> Result<()> {
    let mut ticks = interval(FRAME_INTERVAL);
    let mut requests_met = 0;
    for frame in 0_u32.. {
        ticks.tick().await;
        audio.send(frame * 960, frame == 0, audio::payload(frame)).await?;
        let requests = seen.key_frame_requests.load(Ordering::Relaxed);
        let is_key = frame == 0 || requests > requests_met;
        requests_met = requests;
        for index in 0..video::PACKETS_PER_FRAME {
            let payload = video::payload(frame * video::PACKETS_PER_FRAME + index, is_key);
            video.send(frame * 1800, index + 1 == video::PACKETS_PER_FRAME, payload).await?;
        }
    }
    Ok(())
}
