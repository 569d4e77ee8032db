//! Subscribers: a socket each, drained together; what comes is counted, checked and timed.
//!
//! The sink looks at its sockets once a millisecond instead of being woken, since a subject's clients are elsewhere and it
//! doesn't pay for waking them. Delays do not suffer from that: the kernel stamps each packet when it arrives.

mod feedback;
mod stream;

use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use mafalda_media::srtp::{SrtpReceiver, SrtpSender};
use nix::errno::Errno;
use nix::poll::PollTimeout;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, RecvMsg, recvmsg, setsockopt,
    sockopt::{RcvBufForce, ReceiveTimestampns},
};
use nix::sys::time::TimeSpec;

use self::feedback::Feedback;
use self::stream::{Count, Stream};
use crate::clock;
use crate::delay::Delays;
use crate::dialogue::{self, Commands};
use crate::suite::Suite;

/// Each socket's buffer: what one subscriber gets in some tens of milliseconds at the highest rates.
const BUFFER_BYTES: usize = 16 << 20;

/// The largest message that the kernel joins.
const MESSAGE_LEN_MAX: usize = 65_536;

/// How often the sockets are looked at.
const INTERVAL: Duration = Duration::from_millis(1);

/// Receive what a subject forwards. Lines: `keys KEY,…`, `feedback IP:PORT KEY,…` to answer as browsers do, `reset`, `count`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to receive
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST)]
    ip: Ipv4Addr,
    /// The first subscriber's port
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// How many subscribers
    #[arg(long, value_name = "N", default_value_t = 1)]
    consumers: u16,
    /// Let the kernel join what arrives together
    #[arg(long)]
    gro: bool,
    /// How it is protected
    #[arg(long, value_enum, default_value = "none")]
    suite: Suite,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut sink = Sink::new(options)?;
    let mut commands = Commands::default();
    let timeout = PollTimeout::try_from(INTERVAL)?;
    dialogue::say(&serde_json::json!({ "ready": true }))?;
    loop {
        sink.drain()?;
        sink.answer()?;
        if !dialogue::wait(None, timeout)?.commands {
            continue;
        }
        let Some(lines) = commands.read()? else { return Ok(()) };
        sink.drain()?;
        for line in lines {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("count", "") => dialogue::say(&sink.count())?,
                ("reset", "") => sink.reset()?,
                ("keys", keys) => sink.key(options.suite, keys)?,
                ("feedback", rest) => sink.begin_feedback(options.suite, rest)?,
                _ => bail!("no command: {line}"),
            }
        }
    }
}

#[derive(Debug)]
struct Sink {
    subscribers: Vec<(UdpSocket, Stream)>,
    /// Of each subscriber, or of none.
    feedback: Vec<Feedback>,
    /// When it is next sent.
    feedback_due: u64,
    buffer: Vec<u8>,
    control: Vec<u8>,
    delays: Delays,
}

impl Sink {
    fn new(options: &Options) -> Result<Self> {
        let is_protected = options.suite.profile().is_some();
        let bind = |index: u16| -> Result<_> {
            let port = options.port.checked_add(index).context("ports end before subscribers do")?;
            let socket = UdpSocket::bind((options.ip, port)).with_context(|| format!("port {port}"))?;
            socket.set_nonblocking(true)?;
            setsockopt(&socket, RcvBufForce, &BUFFER_BYTES)?;
            setsockopt(&socket, ReceiveTimestampns, &true)?;
            if options.gro {
                mafalda_net::join_received(socket.as_fd())?;
            }
            Ok((socket, Stream::new(is_protected)))
        };
        Ok(Self {
            subscribers: (0..options.consumers).map(bind).collect::<Result<_>>()?,
            feedback: Vec::new(),
            feedback_due: 0,
            buffer: vec![0; MESSAGE_LEN_MAX],
            control: nix::cmsg_space!(TimeSpec, i32),
            delays: Delays::new(),
        })
    }

    /// Takes everything that waits.
    fn drain(&mut self) -> Result<()> {
        let mut feedback = self.feedback.iter_mut();
        for (socket, stream) in &mut self.subscribers {
            let mut feedback = feedback.next();
            while let Some(message) = receive(socket, &mut self.buffer, &mut self.control)? {
                let bytes = &mut self.buffer[..message.len];
                let size = message.segment_size.unwrap_or(message.len).max(1);
                for packet in bytes.chunks_mut(size) {
                    if let Some(feedback) = &mut feedback {
                        feedback.take(packet, message.nanos);
                    }
                    stream.take(packet, message.nanos, &mut self.delays);
                }
            }
        }
        Ok(())
    }

    /// Sends the feedback that is due.
    fn answer(&mut self) -> Result<()> {
        let now = clock::nanos()?;
        if self.feedback.is_empty() || now < self.feedback_due {
            return Ok(());
        }
        self.feedback_due = now + feedback::INTERVAL_NANOS;
        let sockets = self.subscribers.iter().map(|(socket, _)| socket);
        self.feedback.iter_mut().zip(sockets).try_for_each(|(feedback, socket)| feedback.send(socket))
    }

    fn count(&self) -> Count {
        let streams = self.subscribers.iter().map(|(_, stream)| stream);
        Count::of(streams, &self.delays)
    }

    fn reset(&mut self) -> Result<()> {
        self.subscribers.iter_mut().for_each(|(_, stream)| stream.reset());
        self.delays.clear();
        dialogue::say(&serde_json::json!({ "reset": true }))
    }

    fn begin_feedback(&mut self, suite: Suite, rest: &str) -> Result<()> {
        let (to, keys) = rest.split_once(' ').context("feedback needs an address and keys")?;
        let to: SocketAddr = to.parse()?;
        let feedback = |key| -> Result<_> {
            let keys = suite.keys(key)?.context("feedback needs SRTP")?;
            Ok(Feedback::new(to, SrtpSender::new(keys)))
        };
        self.feedback = self.each(keys)?.into_iter().map(feedback).collect::<Result<_>>()?;
        dialogue::say(&serde_json::json!({ "feedback": true }))
    }

    /// A key for each subscriber.
    fn each<'a>(&self, keys: &'a str) -> Result<Vec<&'a str>> {
        let keys: Vec<&str> = keys.split(',').collect();
        ensure!(keys.len() == self.subscribers.len(), "{} keys for {}", keys.len(), self.subscribers.len());
        Ok(keys)
    }

    fn key(&mut self, suite: Suite, keys: &str) -> Result<()> {
        let keys = self.each(keys)?;
        for ((_, stream), key) in self.subscribers.iter_mut().zip(keys) {
            stream.set_receiver(suite.keys(key)?.map(SrtpReceiver::new));
        }
        dialogue::say(&serde_json::json!({ "keys": true }))
    }
}

/// A message that came in: one datagram, or equal ones of one sender.
#[derive(Debug)]
struct Message {
    len: usize,
    segment_size: Option<usize>,
    /// When it arrived.
    nanos: u64,
}

/// The next one; `None` when nothing waits.
fn receive(socket: &UdpSocket, buffer: &mut [u8], control: &mut [u8]) -> Result<Option<Message>> {
    let mut room = [IoSliceMut::new(buffer)];
    let received: RecvMsg<'_, '_, ()> =
        match recvmsg(socket.as_raw_fd(), &mut room, Some(control), MsgFlags::MSG_DONTWAIT) {
            Ok(received) => received,
            // ECONNREFUSED tells of an earlier send; there is none, but it does no harm either.
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
    let mut message = Message { len: received.bytes, segment_size: None, nanos: 0 };
    for control in received.cmsgs()? {
        match control {
            ControlMessageOwned::ScmTimestampns(time) => message.nanos = clock::nanos_of(time),
            ControlMessageOwned::UdpGroSegments(size) => message.segment_size = usize::try_from(size).ok(),
            _ => {}
        }
    }
    Ok(Some(message))
}
