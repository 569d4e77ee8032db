//! The bare forwarder: I/O and crypto alone, the yardstick of what the machine can do.
//!
//! One receive call with joined datagrams in; for each destination a header and the payload protected out of place; one flush
//! of segmented messages out. There is no RTP logic: no statistics, no loss, no feedback, no retransmission, no check of
//! anything. So nothing that forwards in this way can be cheaper, and what an engine costs above it is what its logic costs.

mod outgoing;

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mafalda_media::rtp::FIXED_HEADER_LEN;
use mafalda_media::srtp::{PlainRtp, SrtpSender};
use mafalda_net::{Receiver, SLOT_LEN};
use nix::poll::PollTimeout;
use nix::unistd::gettid;
use socket2::SockRef;

use self::outgoing::Outgoing;
use crate::addressing::Destinations;
use crate::dialogue::{self, Commands, SubjectReady};
use crate::suite::Suite;

/// Messages of one receive call: as many as an engine takes. With fewer it would send smaller runs under overload, and be no limit.
const MESSAGES_MAX: usize = 32;

/// The buffers of its socket: as large as an engine's.
const BUFFER_BYTES: usize = 4 << 20;

/// Forward with I/O and crypto alone: the yardstick
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to listen, and where to send from
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST)]
    ip: Ipv4Addr,
    #[command(flatten)]
    destinations: Destinations,
    /// How to protect
    #[arg(long, value_enum, default_value = "none")]
    suite: Suite,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut forwarder = Forwarder::new(options)?;
    let mut commands = Commands::default();
    let keys = (0..options.destinations.consumers).filter_map(|index| options.suite.key_base64(index));
    dialogue::say(&SubjectReady {
        ports: vec![forwarder.socket.local_addr()?.port()],
        process: std::process::id(),
        thread: gettid().as_raw(),
        keys: keys.collect(),
        endpoints: Vec::new(),
    })?;
    loop {
        let ready = dialogue::wait(Some(forwarder.socket.as_fd()), PollTimeout::NONE)?;
        if ready.socket {
            forwarder.turn()?;
        }
        if ready.commands {
            let Some(lines) = commands.read()? else { return Ok(()) };
            for line in lines {
                match line.as_str() {
                    "count" => dialogue::say(&forwarder.outgoing.count())?,
                    _ => bail!("no command: {line}"),
                }
            }
        }
    }
}

/// Who gets everything.
#[derive(Debug)]
struct Destination {
    address: SocketAddrV4,
    ssrc: u32,
    sender: Option<SrtpSender>,
}

/// A packet that came in.
#[derive(Clone, Copy, Debug)]
struct Packet {
    start: usize,
    end: usize,
    /// RFC 3711 §3.3.1: rollover counter above sequence number.
    index: u64,
}

#[derive(Debug)]
struct Forwarder {
    socket: UdpSocket,
    receiver: Receiver,
    buffer: Vec<u8>,
    /// Of the turn.
    packets: Vec<Packet>,
    /// Index of the packet before.
    latest: u64,
    destinations: Vec<Destination>,
    outgoing: Outgoing,
}

impl Forwarder {
    fn new(options: &Options) -> Result<Self> {
        let socket = UdpSocket::bind((options.ip, 0)).context("no port to listen at")?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_recv_buffer_size(BUFFER_BYTES)?;
        SockRef::from(&socket).set_send_buffer_size(BUFFER_BYTES)?;
        mafalda_net::join_received(socket.as_fd())?;
        mafalda_net::let_fragment(socket.as_fd(), false)?;
        let addresses = options.destinations.addresses()?;
        let destination = |(index, address): (u16, SocketAddrV4)| -> Result<_> {
            let keys = options.suite.key_base64(index).map(|key| options.suite.keys(&key)).transpose()?;
            let sender = keys.flatten().map(SrtpSender::new);
            Ok(Destination { address, ssrc: 0x1000_0000 + u32::from(index), sender })
        };
        Ok(Self {
            socket,
            receiver: Receiver::new(MESSAGES_MAX),
            buffer: vec![0; MESSAGES_MAX * SLOT_LEN],
            packets: Vec::new(),
            latest: 0,
            destinations: (0..).zip(addresses).map(destination).collect::<Result<_>>()?,
            outgoing: Outgoing::new(),
        })
    }

    /// What waits at the socket, to everyone.
    fn turn(&mut self) -> Result<()> {
        let received = match self.receiver.receive(self.socket.as_fd(), &mut self.buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.packets.clear();
        for range in received.iter().flat_map(|message| message.datagrams()) {
            let Some(header) = self.buffer[range.clone()].first_chunk::<FIXED_HEADER_LEN>() else { continue };
            self.latest = following(self.latest, u16::from_be_bytes([header[2], header[3]]));
            self.packets.push(Packet { start: range.start, end: range.end, index: self.latest });
        }
        for destination in &self.destinations {
            for packet in &self.packets {
                let plain = &self.buffer[packet.start..packet.end];
                let out = self.outgoing.room(self.socket.as_fd(), plain.len());
                let len = destination.write(packet.index, plain, out)?;
                self.outgoing.push(destination.address.into(), len);
            }
        }
        self.outgoing.flush(self.socket.as_fd());
        Ok(())
    }
}

impl Destination {
    /// Writes its packet to `out` and returns the length.
    fn write(&self, index: u64, plain: &[u8], out: &mut [u8]) -> Result<usize> {
        let (header, payload) =
            plain.split_first_chunk::<FIXED_HEADER_LEN>().context("a packet has a header")?;
        let mut header = *header;
        header[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        let Some(sender) = &self.sender else {
            out[..FIXED_HEADER_LEN].copy_from_slice(&header);
            out[FIXED_HEADER_LEN..plain.len()].copy_from_slice(payload);
            return Ok(plain.len());
        };
        Ok(sender.protect_rtp(index, PlainRtp { header: &header, prefix: &[], payload }, out)?)
    }
}

/// The index of a packet that comes after the one with index `latest`. The source is local and sends in order.
fn following(latest: u64, sequence: u16) -> u64 {
    latest + u64::from(sequence.wrapping_sub(latest as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_counts_on_when_the_sequence_wraps() {
        assert_eq!(following(0, 1), 1);
        assert_eq!(following(65_535, 0), 65_536);
        assert_eq!(following(65_530, 3), 65_539);
    }

    #[test]
    fn a_plain_packet_differs_in_its_ssrc_alone() {
        let address = "127.0.0.1:1".parse().unwrap();
        let destination = Destination { address, ssrc: 0x0102_0304, sender: None };
        let plain: Vec<u8> = (0..40).collect();
        let mut out = [0; 60];
        assert_eq!(destination.write(1, &plain, &mut out).unwrap(), 40);
        assert_eq!(out[8..12], [1, 2, 3, 4]);
        assert_eq!((&out[..8], &out[12..40]), (&plain[..8], &plain[12..]));
    }
}
