//! The peer that receives: whatever the others in the room produce, over one connection in which the gateway is the DTLS
//! server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::RTCSessionDescription;

use crate::link::Link;
use crate::parameters::{Capabilities, RtpParameters, Transport};
use crate::received::Received;
use crate::sdp::{Direction, Local, Section, Setup, describe};
use crate::signaling::Signaling;
use crate::{audio, video};

/// One VP8 packet in this many is lost on its way from the gateway.
const LOST_EVERY: u16 = 41;

/// A peer that receives until it leaves.
pub(crate) struct Receiver {
    pub(crate) link: Link,
    pub(crate) streams: Arc<Streams>,
    pub(crate) signaling: Signaling,
    /// What the gateway sends.
    pub(crate) ssrcs: Vec<u32>,
}

/// What it has received.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    audio: Mutex<Received>,
    video: Mutex<Received>,
}

impl Streams {
    pub(crate) fn audio(&self) -> MutexGuard<'_, Received> {
        self.audio.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn video(&self) -> MutexGuard<'_, Received> {
        self.video.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Consumer as the gateway tells of it.
struct Consumer {
    id: String,
    kind: String,
    parameters: RtpParameters,
}

impl Consumer {
    fn section(&self) -> Section<'_> {
        Section { kind: &self.kind, direction: Direction::Sends, parameters: &self.parameters }
    }
}

impl Receiver {
    /// Joins, connects, and lets all media come.
    pub(crate) async fn join(url: &str, room: &str) -> Result<Self> {
        let mut signaling = Signaling::connect(url).await?;
        let joined = signaling.request("join", json!({"room": room, "name": "Receiver"})).await?;
        let capabilities = Capabilities::of_router(joined["rtpCapabilities"].clone())?;
        let transport = signaling.request("createTransport", json!({"direction": "recv"})).await?;
        let transport: Transport = serde_json::from_value(transport)?;
        let consumers = consume(&mut signaling, &transport, &capabilities, &joined["peers"]).await?;
        let (link, tracks) = Link::new(&transport, &capabilities, LOST_EVERY).await?;
        let streams = Arc::<Streams>::default();
        tokio::spawn(take_tracks(tracks, Arc::clone(&streams)));

        negotiate(&link, &mut signaling, &transport, &consumers).await?;
        link.connected().await?;
        for consumer in &consumers {
            signaling.request("resumeConsumer", json!({"consumerId": consumer.id})).await?;
        }
        let encodings = consumers.iter().flat_map(|consumer| &consumer.parameters.encodings);
        let ssrcs = encodings.map(|encoding| encoding.ssrc).collect();
        Ok(Self { link, streams, signaling, ssrcs })
    }

    /// Leaves the room. The connection stays, so that one sees what becomes of it.
    pub(crate) async fn leave(&mut self) -> Result<()> {
        self.signaling.request("leave", json!({})).await.map(|_| ())
    }
}

/// Makes a Consumer of each Producer of the others.
async fn consume(
    signaling: &mut Signaling,
    transport: &Transport,
    capabilities: &Capabilities,
    peers: &Value,
) -> Result<Vec<Consumer>> {
    let peers = peers.as_array().context("peers are a list")?;
    let producers = peers.iter().filter_map(|peer| peer["producers"].as_array()).flatten();
    let mut consumers = Vec::new();
    for producer in producers {
        let consume = json!({
            "transportId": transport.id,
            "producerId": producer["id"],
            "rtpCapabilities": capabilities.to_json(),
        });
        let consumed = signaling.request("consume", consume).await?;
        consumers.push(Consumer {
            id: serde_json::from_value(consumed["id"].clone())?,
            kind: serde_json::from_value(consumed["kind"].clone())?,
            parameters: serde_json::from_value(consumed["rtpParameters"].clone())?,
        });
    }
    match consumers.len() {
        2 => Ok(consumers),
        other => bail!("{other} Consumers instead of two"),
    }
}

/// Offers the Consumers to webrtc-rs and tells the gateway of its answer.
async fn negotiate(
    link: &Link,
    signaling: &mut Signaling,
    transport: &Transport,
    consumers: &[Consumer],
) -> Result<()> {
    let sections: Vec<_> = consumers.iter().map(Consumer::section).collect();
    let offer = describe(transport, Setup::ActiveOrPassive, &sections)?;
    link.connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    let answer = link.connection.create_answer(None).await?;
    let dtls = Local::read(&answer.sdp)?.dtls_parameters(Setup::ActiveOrPassive)?;
    link.connection.set_local_description(answer).await?;
    let connect = json!({"transportId": transport.id, "dtlsParameters": dtls});
    signaling.request("connectTransport", connect).await?;
    Ok(())
}

/// Follows each track that opens.
async fn take_tracks(mut tracks: mpsc::Receiver<Arc<dyn TrackRemote>>, streams: Arc<Streams>) {
    while let Some(track) = tracks.recv().await {
        tokio::spawn(take_packets(track, Arc::clone(&streams)));
    }
}

async fn take_packets(track: Arc<dyn TrackRemote>, streams: Arc<Streams>) {
    let kind = track.kind().await;
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        let number = packet.header.sequence_number;
        match kind {
            RtpCodecKind::Audio => {
                let content = audio::read(&packet.payload).map(|number| (number, false));
                streams.audio().push(number, content);
            }
            _ => streams.video().push(number, video::read(&packet.payload)),
        }
    }
}
