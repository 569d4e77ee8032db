//! A publisher: bursts of equal packets at a steady rate, each burst one message with segmentation offload.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mafalda_media::rtp::FIXED_HEADER_LEN;
use mafalda_net::{Message, Outbox, Refusal};
use serde::Serialize;
use socket2::SockRef;

use crate::clock;
use crate::dialogue::{self, Commands};
use crate::packet::{self, Outgoing};
use crate::schedule::Schedule;

/// Asked for as the socket's buffer: a turn of the machine in which the source doesn't run must not become a loss here.
const BUFFER_BYTES: usize = 8 << 20;

/// Publish to a subject. Each line `run RATE SECONDS` is a piece of one stream, answered when it is over
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The subject's address
    #[arg(long, value_name = "IP:PORT")]
    to: SocketAddrV4,
    /// Packets that leave together: a frame
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=50))]
    burst: u16,
    /// Payload of a packet, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1200, value_parser = clap::value_parser!(u16).range(packet::PAYLOAD_MIN as i64..=1200))]
    payload: u16,
}

/// What went out in one run.
#[derive(Debug, Default, Serialize)]
struct Published {
    /// Packets that the kernel took.
    packets: u64,
    /// Packets that it didn't.
    refused: u64,
    /// How long the run took.
    seconds: f64,
    /// The most that a burst was late, in microseconds: how much the source itself was held up.
    late_max_us: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut publisher = Publisher::new(options)?;
    let mut commands = Commands::default();
    dialogue::say(&serde_json::json!({ "ready": true }))?;
    while let Some(lines) = commands.read()? {
        for line in lines {
            let schedule = line.strip_prefix("run ").and_then(|text| Schedule::parse(text, options.burst));
            let Some(schedule) = schedule else { bail!("no command: {line}") };
            dialogue::say(&publisher.publish(schedule)?)?;
        }
    }
    Ok(())
}

/// One stream, from its first packet to its last.
#[derive(Debug)]
struct Publisher {
    socket: UdpSocket,
    to: SocketAddrV4,
    outbox: Outbox,
    /// A burst.
    bytes: Vec<u8>,
    packet_len: usize,
    number: u64,
    frame: u64,
}

impl Publisher {
    fn new(options: &Options) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("no port to send from")?;
        SockRef::from(&socket).set_send_buffer_size(BUFFER_BYTES)?;
        let packet_len = FIXED_HEADER_LEN + usize::from(options.payload);
        let bytes = (0..packet_len * usize::from(options.burst)).map(|at| (at * 31) as u8).collect();
        // The first packet's number is 1: a stream that is protected starts under 2^15 (RFC 3711 §3.3.1).
        Ok(Self { socket, to: options.to, outbox: Outbox::new(), bytes, packet_len, number: 1, frame: 0 })
    }

    fn publish(&mut self, schedule: Schedule) -> Result<Published> {
        let mut published = Published::default();
        let begin = clock::nanos()?;
        // A piece of a stream begins with a key frame, so that who waits for one doesn't wait into the measurement.
        self.frame = self.frame.next_multiple_of(packet::KEY_FRAME_INTERVAL);
        for index in 0..schedule.bursts() {
            let due = begin + schedule.due(index);
            let mut now = clock::nanos()?;
            if now < due {
                clock::sleep_until(due);
                now = clock::nanos()?;
            }
            published.late_max_us = published.late_max_us.max(now.saturating_sub(due) / 1000);
            if self.send_burst(now)? {
                published.packets += u64::from(schedule.burst);
            } else {
                published.refused += u64::from(schedule.burst);
            }
        }
        published.seconds = (clock::nanos()? - begin) as f64 / 1e9;
        Ok(published)
    }

    /// Whether the kernel took it. What it refuses for want of room has numbers all the same: it is lost.
    fn send_burst(&mut self, nanos: u64) -> Result<bool> {
        let mut packets = self.bytes.chunks_exact_mut(self.packet_len).peekable();
        let mut is_first = true;
        while let Some(bytes) = packets.next() {
            let is_last = packets.peek().is_none();
            packet::write(
                bytes,
                Outgoing { number: self.number, frame: self.frame, is_first, is_last, nanos },
            );
            self.number += 1;
            is_first = false;
        }
        self.frame += 1;
        let segment_size = u16::try_from(self.packet_len)?;
        let message = Message { remote: self.to.into(), bytes: &self.bytes, segment_size };
        let sent = self.outbox.send(self.socket.as_fd(), &[message].into_iter());
        match sent.refusal {
            None => Ok(true),
            Some(Refusal::Full | Refusal::Destination) => Ok(false),
            Some(refusal) => bail!("can't send to {}: {refusal:?}", self.to),
        }
    }
}
