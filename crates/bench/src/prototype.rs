//! The yardstick: a forwarder of receiving, encrypting and sending alone. No parser, no statistics, no retransmission, no RTCP.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use mafalda_media::srtp::{PlainRtp, SrtpKeys, SrtpProfile, SrtpSender};
use mafalda_net::{Message, Outbox, Received, Receiver, SLOT_LEN, join_received};

use crate::case::Suite;
use crate::contender::{Arguments, KEY, serve};

/// Messages taken with one call.
const MESSAGES: usize = 32;
/// Bytes that go out with one call; as many as the engine's.
const SEND_BYTES: usize = 512 * 1024;
/// The largest packet that is written: a network's, and what protection adds.
const PACKET_MAX: usize = 2048;

struct Target {
    to: SocketAddr,
    sender: Option<SrtpSender>,
    ssrc: u32,
    /// The index of the next packet.
    index: u64,
}

struct Forwarder {
    output: UdpSocket,
    outbox: Outbox,
    targets: Vec<Target>,
    out: Vec<u8>,
    used: usize,
    runs: Vec<Run>,
    sent: Arc<AtomicU64>,
}

struct Run {
    to: SocketAddr,
    start: usize,
    end: usize,
    size: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let input = UdpSocket::bind("127.0.0.1:0")?;
    join_received(input.as_fd())?;
    let port = input.local_addr()?.port();
    let sent = Arc::new(AtomicU64::new(0));
    let mut forwarder = Forwarder {
        output: UdpSocket::bind((arguments.from, 0))?,
        outbox: Outbox::new(),
        targets: arguments
            .destinations()
            .enumerate()
            .map(|(index, ip)| {
                Ok(Target {
                    to: (ip, arguments.port).into(),
                    sender: sender(arguments.suite)?,
                    ssrc: 10_000 + index as u32,
                    index: 1000,
                })
            })
            .collect::<Result<_>>()?,
        out: vec![0; SEND_BYTES],
        used: 0,
        runs: Vec::new(),
        sent: sent.clone(),
    };
    std::thread::Builder::new().name("forwarder".into()).spawn(move || {
        if let Err(error) = forwarder.run(&input) {
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("prototype: {error:#}\n").as_bytes(),
            );
            std::process::exit(1);
        }
    })?;
    serve(port, || Ok(sent.load(Ordering::Acquire)))
}

fn sender(suite: Suite) -> Result<Option<SrtpSender>> {
    let profile = match suite {
        Suite::None => return Ok(None),
        Suite::Gcm => SrtpProfile::AeadAes128Gcm,
        Suite::Cm => SrtpProfile::Aes128CmSha1_80,
    };
    let (key, salt) = KEY.split_at(profile.key_len());
    Ok(Some(SrtpSender::new(SrtpKeys::new(profile, key, &salt[..profile.salt_len()])?)))
}

impl Forwarder {
    fn run(&mut self, input: &UdpSocket) -> Result<()> {
        let mut receiver = Receiver::new(MESSAGES);
        let mut buffer = vec![0; MESSAGES * SLOT_LEN];
        let mut packets = Vec::new();
        loop {
            wait(input)?;
            packets.clear();
            match receiver.receive(input.as_fd(), &mut buffer) {
                Ok(received) => packets.extend(received.iter().flat_map(Received::datagrams)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            for target in 0..self.targets.len() {
                for range in &packets {
                    self.write(target, &buffer[range.clone()])?;
                }
            }
            self.flush()?;
        }
    }

    /// Writes a packet for one target behind the others.
    fn write(&mut self, target: usize, packet: &[u8]) -> Result<()> {
        if self.out.len() - self.used < PACKET_MAX {
            self.flush()?;
        }
        let it = &mut self.targets[target];
        let (header, payload) = packet.split_at_checked(12).context("the source sends RTP")?;
        let mut header: [u8; 12] = *header.first_chunk().context("it is that long")?;
        header[2..4].copy_from_slice(&(it.index as u16).to_be_bytes());
        header[8..12].copy_from_slice(&it.ssrc.to_be_bytes());
        let out = &mut self.out[self.used..];
        let len = match &it.sender {
            Some(sender) => {
                sender.protect_rtp(it.index, PlainRtp { header: &header, prefix: &[], payload }, out)?
            }
            None => {
                out[..12].copy_from_slice(&header);
                out[12..packet.len()].copy_from_slice(payload);
                packet.len()
            }
        };
        it.index += 1;
        let (start, end) = (self.used, self.used + len);
        match self.runs.last_mut() {
            Some(run) if run.to == it.to && usize::from(run.size) == len && end - run.start < 65_000 => {
                run.end = end;
            }
            _ => self.runs.push(Run { to: it.to, start, end, size: len as u16 }),
        }
        self.used = end;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let Self { runs, out, .. } = self;
        let messages = runs.iter().map(|run| Message {
            remote: run.to,
            bytes: &out[run.start..run.end],
            segment_size: run.size,
        });
        let sent = self.outbox.send(self.output.as_fd(), &messages);
        if let Some(refusal) = sent.refusal {
            bail!("the prototype can't send: {refusal:?}");
        }
        let packets: usize = runs.iter().map(|run| (run.end - run.start) / usize::from(run.size)).sum();
        self.sent.fetch_add(packets as u64, Ordering::Release);
        runs.clear();
        self.used = 0;
        Ok(())
    }
}

/// Until the socket is readable.
fn wait(socket: &UdpSocket) -> Result<()> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
    Ok(())
}
