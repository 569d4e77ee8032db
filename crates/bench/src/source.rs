//! Sends what the Producer gets: VP8 in frames of so many packets, at a constant rate.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::{Result, bail};
use mafalda_net::{Message, Outbox};
use nix::time::{ClockId, clock_gettime};

use crate::contender::{PAYLOAD_LEN, PAYLOAD_TYPE, SSRC};

/// Length of a packet: the fixed header (RFC 3550 §5.1) and the payload.
pub(crate) const PACKET_LEN: usize = 12 + PAYLOAD_LEN;
/// Where in the payload the time of sending stands, behind VP8's descriptor and the head of its frame.
pub(crate) const TIME_AT: usize = 16;
/// Frames between two key frames.
const KEY_FRAME_EVERY: u32 = 50;

/// A publisher.
#[derive(Debug)]
pub(crate) struct Source {
    socket: UdpSocket,
    outbox: Outbox,
    to: SocketAddr,
    frame: Vec<u8>,
    frames: u32,
    sequence: u16,
    burst: u16,
}

impl Source {
    pub(crate) fn new(port: u16, burst: u16) -> Result<Self> {
        Ok(Self {
            socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
            outbox: Outbox::new(),
            to: (Ipv4Addr::LOCALHOST, port).into(),
            frame: vec![0x5a; PACKET_LEN * usize::from(burst)],
            frames: 0,
            sequence: 1000,
            burst,
        })
    }

    /// Sends for that long; how many packets.
    pub(crate) fn run(&mut self, rate: u32, time: Duration) -> Result<u64> {
        let interval = Duration::from_secs(u64::from(self.burst)) / rate;
        let begun = monotonic()?;
        let mut due = begun;
        let mut sent = 0;
        while due < begun + time {
            let now = monotonic()?;
            if now < due {
                std::thread::park_timeout(due - now);
                continue;
            }
            self.send_frame(now)?;
            sent += u64::from(self.burst);
            due += interval;
        }
        Ok(sent)
    }

    fn send_frame(&mut self, now: Duration) -> Result<()> {
        let timestamp = self.frames.wrapping_mul(3000);
        let key = self.frames.is_multiple_of(KEY_FRAME_EVERY);
        for (index, packet) in self.frame.chunks_exact_mut(PACKET_LEN).enumerate() {
            let last = index + 1 == usize::from(self.burst);
            packet[0] = 0x80;
            packet[1] = PAYLOAD_TYPE | if last { 0x80 } else { 0 };
            packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
            packet[8..12].copy_from_slice(&SSRC.to_be_bytes());
            // RFC 7741 §4.2 and §4.3: S bit on the first packet of a frame; P bit clear in a key frame, then its start code.
            packet[12] = if index == 0 { 0x10 } else { 0 };
            packet[13..22].copy_from_slice(&[
                if key { 0x10 } else { 0x11 },
                0,
                0,
                0x9d,
                1,
                0x2a,
                0x80,
                2,
                0xe0,
            ]);
            packet[12 + TIME_AT..12 + TIME_AT + 8].copy_from_slice(&(now.as_nanos() as u64).to_be_bytes());
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.frames += 1;
        let message = Message { remote: self.to, bytes: &self.frame, segment_size: PACKET_LEN as u16 };
        match self.outbox.send(self.socket.as_fd(), &[message].into_iter()).refusal {
            None => Ok(()),
            Some(refusal) => bail!("the source can't send: {refusal:?}"),
        }
    }
}

/// The clock that source and sink share.
pub(crate) fn monotonic() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}
