//! Takes what the Consumers get on loopback: counts, and looks how long it was on its way.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use mafalda_net::{Receiver, SLOT_LEN, join_received};

use crate::contender::PAYLOAD_LEN;
use crate::device::PORT;
use crate::source::{TIME_AT, monotonic};

/// Messages taken at once.
const MESSAGES: usize = 64;
/// Delays that are kept; more than a round brings.
const DELAYS_MAX: usize = 4 << 20;

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) packets: u64,
    /// From the source through a contender to here, in microseconds; of packets that can be read.
    pub(crate) delays: Vec<u32>,
}

/// A running sink.
#[derive(Debug)]
pub(crate) struct Sink {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Taken>>,
}

impl Sink {
    /// Starts it on the CPU of the caller.
    pub(crate) fn start(joined: bool, readable: bool) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", PORT))?;
        socket.set_nonblocking(true)?;
        if joined {
            join_received(socket.as_fd())?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || take(&socket, &stopped, readable));
        Ok(Self { stop, thread })
    }

    /// Ends it once nothing comes any more.
    pub(crate) fn finish(self) -> Result<Taken> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the sink has panicked"))?
    }
}

fn take(socket: &UdpSocket, stop: &AtomicBool, readable: bool) -> Result<Taken> {
    let mut receiver = Receiver::new(MESSAGES);
    let mut buffer = vec![0; MESSAGES * SLOT_LEN];
    let mut taken = Taken::default();
    loop {
        let received = match receiver.receive(socket.as_fd(), &mut buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if stop.load(Ordering::Acquire) {
                    return Ok(taken);
                }
                std::thread::park_timeout(Duration::from_micros(200));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let ranges: Vec<_> = received.iter().flat_map(mafalda_net::Received::datagrams).collect();
        let now = monotonic()?.as_nanos() as u64;
        // What is shorter is RTCP.
        for packet in
            ranges.into_iter().map(|range| &buffer[range]).filter(|packet| packet.len() > PAYLOAD_LEN)
        {
            taken.packets += 1;
            let payload = &packet[packet.len() - PAYLOAD_LEN..];
            if let Some(sent) = payload[TIME_AT..].first_chunk().filter(|_| readable)
                && taken.delays.len() < DELAYS_MAX
            {
                let delay = now.saturating_sub(u64::from_be_bytes(*sent)) / 1000;
                taken.delays.push(u32::try_from(delay).unwrap_or(u32::MAX));
            }
        }
    }
}
