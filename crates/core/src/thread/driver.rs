//! The event loop of a Worker: wait, take in, drain, send.
//!
//! Everything with a decision in it is in the machine. A turn is bounded: as many datagrams as take about two milliseconds, one read
//! of each connection, so many calls; so media, calls and deadlines wait for each other no longer than that. Where it takes longer
//! to send on what has come, the thread rests from that and goes on in the next turn. Sockets that had no part in a turn are the
//! first in the next.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{io, mem};

use mafalda_api::id::DataConsumerId;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::waist::{Call, Command, CreateWorker, ErrorCode, Failure, Ingress, Listen};
use mafalda_media::buffer::{BATCH_DATAGRAMS_MAX, Batch};
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{Input, ListenSocket, Output, SocketBuffers, Worker, WorkerConfig};
use mafalda_media::{Now, SocketId, Tuple};

use super::direct::{Ends, Taken};
use super::dispatch::Dispatch;
use super::listen::Bound;
use super::mailbox::{Mailbox, News};
use super::pace::Pace;
use super::packet_io::Syscalls;
use super::socket::{Accept, Ready, Socket, Sockets};
use super::udp::Unsent;
use super::{address, listen, usage};
use crate::local::{MediaAddress, Report, Reports};

/// Calls carried out per turn. Each takes some ten microseconds, so media waits about a millisecond at most.
const CALLS_PER_TURN: usize = 64;
/// Packets and messages taken from applications per turn: half of a batch, so that sockets get their share. What is left is taken in the next turn.
const SENT_PER_TURN: usize = BATCH_DATAGRAMS_MAX / 2;
/// Connections accepted from one listener per turn.
const ACCEPTS_PER_TURN: usize = 16;
/// How long after its beginning a turn takes a rest from sending, if there is more: what has come up meanwhile goes first.
const REST_AFTER: Duration = Duration::from_micros(1500);
/// Bytes read from one connection per turn: some ten milliseconds of the fastest sender's media.
const READ_MAX: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Driver {
    machine: Worker,
    sockets: Sockets,
    /// DirectTransports' applications.
    ends: Ends,
    mailbox: Mailbox,
    reports: Reports,
    addresses: Vec<MediaAddress>,
    ports: RangeInclusive<u16>,
    io: Syscalls,
    dispatch: Dispatch,
    batch: Batch,
    pace: Pace,
    scratch: Box<[u8]>,
    news: Vec<Report>,
    /// Messages that applications didn't take, with their bytes: to be told to the machine.
    lost: Vec<(DataConsumerId, usize)>,
    /// Memory for what ports tell.
    port_news: Vec<News>,
    /// Sockets that have something to do and had no part in a turn yet.
    ready: VecDeque<Ready>,
    /// Connections that are at their end, with something in the batch perhaps.
    over: Vec<SocketId>,
    /// Whether there is more to be sent of what was handed in last.
    resting: bool,
    /// Datagrams of that, with those that the machine may give back, and how long it has taken so far.
    given: usize,
    spent: Duration,
}

impl Driver {
    pub(super) fn new(
        command: &CreateWorker,
        certificate: Certificate,
        addresses: Vec<MediaAddress>,
        mailbox: Mailbox,
        reports: Reports,
    ) -> Result<Self, Failure> {
        let system = |error: io::Error| Failure::new(ErrorCode::System, format!("no event loop: {error}"));
        let config = WorkerConfig { id: command.id, certificate };
        Ok(Self {
            machine: Worker::new(config, rand::random(), now())
                .with_log(command.log_level, &command.log_tags),
            sockets: Sockets::new(&mailbox).map_err(system)?,
            ends: Ends::default(),
            mailbox,
            reports,
            addresses,
            ports: command.rtc_port_range.0..=command.rtc_port_range.1,
            io: Syscalls::new(),
            dispatch: Dispatch::new(),
            batch: Batch::for_receiving(),
            pace: Pace::default(),
            scratch: vec![0; READ_MAX].into_boxed_slice(),
            news: Vec::new(),
            lost: Vec::new(),
            port_news: Vec::new(),
            ready: VecDeque::new(),
            over: Vec::new(),
            resting: false,
            given: 0,
            spent: Duration::ZERO,
        })
    }

    /// Turns until the mailbox says stop.
    pub(super) fn run(mut self) {
        while !self.mailbox.is_stopped() {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let rung = self.wait();
        let now = now();
        self.sockets.end_rest(now.at);
        self.take_calls(now, rung);
        if rung {
            self.take_news();
        }
        self.take_datagrams(now);
        if self.machine.timeout().is_some_and(|at| at <= now.at) {
            self.feed(now, Input::Timeout);
        }
        self.tell_unsent(now);
        self.drop_broken(now);
        self.tell();
    }

    /// Waits for something to do, unless there is some left; whether the bell has rung.
    fn wait(&mut self) -> bool {
        if self.resting || !self.ready.is_empty() || !self.batch.is_empty() {
            return false;
        }
        let deadlines = [self.machine.timeout(), self.sockets.rest_end()];
        let next = deadlines.into_iter().flatten().min();
        let timeout = next.map(|at| at.saturating_duration_since(clock()));
        // Where applications have more, sockets are looked at and not waited for.
        let timeout = if self.ends.are_ready() { Some(Duration::ZERO) } else { timeout };
        self.sockets.wait(timeout, &mut self.ready)
    }

    fn take_calls(&mut self, now: Now, rung: bool) {
        if rung {
            // Before the look, so that nothing is missed.
            self.mailbox.hush();
        }
        for _ in 0..CALLS_PER_TURN {
            let Some((request, call)) = self.mailbox.take() else { return };
            self.on_call(now, request, call);
        }
        self.mailbox.ring_again();
    }

    /// Ports that were opened, and that something was sent from.
    fn take_news(&mut self) {
        let mut news = mem::take(&mut self.port_news);
        self.mailbox.take_news(&mut news);
        for news in news.drain(..) {
            match news {
                News::Opened(opened) => self.ends.open(&opened, self.mailbox.bell_for_ports()),
                News::Sent(socket) => self.ends.on_sent(socket),
            }
        }
        self.port_news = news;
    }

    /// Puts what applications have sent into the batch.
    fn take_sent(&mut self, now: Now) {
        for _ in 0..SENT_PER_TURN {
            // The next one, of any size, will fit.
            let taken = if self.batch.is_full() { None } else { self.ends.take() };
            match taken {
                Some(Taken::Sent(socket, Ingress::Rtp(packet))) => {
                    self.batch.push(Tuple::direct_rtp(socket), &packet);
                }
                Some(Taken::Sent(socket, Ingress::Rtcp(packet))) => {
                    self.batch.push(Tuple::direct_rtcp(socket), &packet);
                }
                Some(Taken::Sent(socket, Ingress::Message { data_producer, message, audience })) => {
                    self.feed(now, Input::Message { socket, data_producer, message, audience });
                }
                Some(Taken::Refused(socket, sends)) => self.feed(now, Input::Refused { socket, sends }),
                None => return,
            }
        }
    }

    fn take_datagrams(&mut self, now: Now) {
        if self.resting {
            return self.drain(now);
        }
        // What is left of the last batch comes first.
        let room = self.batch.is_empty();
        if room {
            self.take_sent(now);
        }
        while room && !self.batch.is_full() {
            let Some(Ready { id, readable, writable }) = self.ready.pop_front() else { break };
            self.on_socket(now, id, readable, writable);
        }
        self.hand_in_batch(now);
    }

    fn on_call(&mut self, now: Now, request: u64, mut call: Call) {
        if let Command::GetWorkerResourceUsage(_) = call.command {
            let result = usage::of_this_thread().map(Into::into);
            return self.news.push(Report::Reply { request, result });
        }
        if self.resting && binds(&call.command) {
            // A call before it may have closed what has the port.
            self.drain(now);
        }
        let sockets = match &mut call.command {
            Command::CreateWebRtcServer(command) => {
                command.listen_infos = address::resolve(&command.listen_infos, &self.addresses);
                self.bind(&command.listen_infos, |_| true)
            }
            Command::CreatePlainTransport(command) => {
                command.listen_infos = address::resolve_to_one(&command.listen_infos, &self.addresses);
                self.bind(&command.listen_infos, |protocol| protocol == Protocol::Udp)
            }
            Command::CreateDirectTransport(command) => {
                let (socket, local) = (self.sockets.number(), (Ipv4Addr::UNSPECIFIED, 0).into());
                self.ends.add(socket, command.id);
                // The kernel has no part in it.
                Ok(vec![ListenSocket { socket, info: 0, local, buffers: SocketBuffers::default() }])
            }
            Command::CreatePipeTransport(command) => {
                let infos = std::slice::from_ref(&command.listen_info);
                let infos = address::resolve_to_one(infos, &self.addresses);
                let bound = self.bind(&infos, |protocol| protocol == Protocol::Udp);
                infos.into_iter().for_each(|info| command.listen_info = info);
                bound
            }
            Command::CreateWebRtcTransport(command) => match &mut command.listen {
                Listen::Individual(infos) => {
                    *infos = address::resolve(infos, &self.addresses);
                    let (udp, tcp) = (command.enable_udp, command.enable_tcp);
                    self.bind(infos, |protocol| match protocol {
                        Protocol::Udp => udp,
                        Protocol::Tcp => tcp,
                    })
                }
                Listen::Server(_) => Ok(Vec::new()),
            },
            _ => Ok(Vec::new()),
        };
        match sockets {
            Ok(sockets) => self.feed(now, Input::Call { request, call: Box::new(call), sockets }),
            Err(failure) => self.news.push(Report::Reply { request, result: Err(failure) }),
        }
    }

    /// Binds a socket for each info whose protocol is wanted; all or none.
    fn bind(
        &mut self,
        infos: &[ListenInfo],
        wanted: impl Fn(Protocol) -> bool,
    ) -> Result<Vec<ListenSocket>, Failure> {
        let mut bound = Vec::new();
        for (info, listen_info) in infos.iter().enumerate().filter(|(_, info)| wanted(info.protocol)) {
            let socket = listen::bind(listen_info, &self.ports, &self.addresses).and_then(|bound| {
                let Bound { socket, local, buffers } = bound;
                let inserted = self.sockets.insert(listen_info.protocol, socket);
                let inserted = inserted.map_err(|error| Failure::new(ErrorCode::System, error.to_string()));
                inserted.map(|socket| ListenSocket { socket, info, local, buffers })
            });
            match socket {
                Ok(socket) => bound.push(socket),
                Err(failure) => {
                    bound.iter().for_each(|bound: &ListenSocket| self.sockets.remove(bound.socket));
                    return Err(failure);
                }
            }
        }
        if bound.is_empty() {
            let detail =
                "no listen info is usable: none given, none of an enabled protocol, or none of this place's";
            return Err(Failure::new(ErrorCode::InvalidArgument, detail));
        }
        Ok(bound)
    }

    fn on_socket(&mut self, now: Now, id: SocketId, readable: bool, writable: bool) {
        if writable {
            self.on_writable(now, id);
        }
        if !readable {
            return;
        }
        match self.sockets.get_mut(id) {
            Some(Socket::Udp(_)) => self.receive(id),
            Some(Socket::Connection(_)) => self.read(now, id),
            Some(Socket::Listener(_)) => self.accept(now, id),
            None => {}
        }
    }

    fn on_writable(&mut self, now: Now, id: SocketId) {
        if self.dispatch.on_writable(&mut self.io, &mut self.sockets, id, now.at) {
            self.disconnect(now, id);
        }
    }

    /// Takes what has come until the batch is full; the rest is still there in the next turn.
    fn receive(&mut self, id: SocketId) {
        let Some(Socket::Udp(udp)) = self.sockets.get_mut(id) else { return };
        while !self.batch.is_full() && udp.receive(&mut self.io, id, &mut self.batch) {}
    }

    fn read(&mut self, now: Now, id: SocketId) {
        let mut scratch = mem::take(&mut self.scratch);
        let over = self.read_into(now, id, &mut scratch).is_err();
        self.scratch = scratch;
        if over {
            self.end(id);
        }
    }

    /// A connection is at its end; it goes when what came before that is taken in.
    fn end(&mut self, connection: SocketId) {
        if !self.over.contains(&connection) {
            self.over.push(connection);
        }
    }

    /// One read, which can hold more frames than a batch takes.
    fn read_into(&mut self, now: Now, id: SocketId, buffer: &mut [u8]) -> io::Result<()> {
        let Some(Socket::Connection(connection)) = self.sockets.get_mut(id) else { return Ok(()) };
        let tuple = Tuple { socket: id, remote: connection.remote };
        let len = connection.read(buffer)?;
        let mut chunk = &mut buffer[..len];
        // What came before may have closed it.
        while let Some(Socket::Connection(connection)) = self.sockets.get_mut(id)
            && let Some(packet) = connection.next_packet(&mut chunk)?
        {
            self.batch.push(tuple, packet);
            if self.batch.is_full() {
                self.hand_in_all(now);
            }
        }
        Ok(())
    }

    fn accept(&mut self, now: Now, listener: SocketId) {
        for _ in 0..ACCEPTS_PER_TURN {
            match self.sockets.accept(listener, now.at) {
                Accept::Connection(connection) => self.feed(now, Input::Accepted { listener, connection }),
                Accept::Failed => {}
                Accept::Nothing => return,
            }
        }
    }

    fn drop_broken(&mut self, now: Now) {
        while let Some(connection) = self.dispatch.take_broken() {
            self.end(connection);
        }
        if self.resting || !self.batch.is_empty() {
            return;
        }
        while let Some(connection) = self.over.pop() {
            if self.sockets.get_mut(connection).is_some() {
                self.disconnect(now, connection);
            }
        }
    }

    fn disconnect(&mut self, now: Now, connection: SocketId) {
        self.sockets.remove(connection);
        self.feed(now, Input::Disconnected { connection });
    }

    /// Hands the machine as much of the batch as it gets done in time.
    fn hand_in_batch(&mut self, now: Now) {
        if self.resting || self.batch.is_empty() {
            return;
        }
        self.batch.open(self.pace.datagrams());
        self.given = self.batch.len();
        let begun = clock();
        let batch = mem::take(&mut self.batch);
        self.machine.handle(now, Input::Datagrams(batch));
        self.spent = clock().saturating_duration_since(begun);
        self.drain(now);
    }

    fn hand_in_all(&mut self, now: Now) {
        while self.resting || !self.batch.is_empty() {
            if self.resting {
                self.drain(now);
            }
            self.hand_in_batch(now);
        }
    }

    /// One input, then the drain. While the thread rests from one, that goes on when its time comes in the turn.
    fn feed(&mut self, now: Now, input: Input) {
        self.machine.handle(now, input);
        if !self.resting {
            self.drain(now);
        }
    }

    fn drain(&mut self, now: Now) {
        let begun = clock();
        self.resting = !self.drain_until_late(now);
        self.spent += clock().saturating_duration_since(begun);
        if let Some(batch) = self.machine.reclaim() {
            self.pace.on_input(self.given - batch.len(), self.spent);
            self.batch = batch;
        }
    }

    /// Whether all is done.
    fn drain_until_late(&mut self, now: Now) -> bool {
        while let Some(output) = self.machine.poll(&mut self.dispatch.out) {
            match output {
                Output::Send(run) => self.dispatch.push(run),
                Output::Flush => {
                    self.flush(now);
                    self.tell();
                    if clock().saturating_duration_since(now.at) > REST_AFTER {
                        return false;
                    }
                }
                Output::Reply { request, result } => self.news.push(Report::Reply { request, result }),
                Output::Event(event) => self.news.push(Report::Event(event)),
                Output::Missed { events } => self.news.push(Report::Missed(events)),
                Output::Message(message) => {
                    let (data_consumer, bytes) = (message.consumer, message.message.payload.len());
                    if !self.ends.put_message(message) {
                        self.lost.push((data_consumer, bytes));
                    }
                }
                Output::CloseSocket(socket) => {
                    self.flush(now);
                    self.sockets.remove(socket);
                    self.ends.remove(socket);
                }
            }
        }
        self.flush(now);
        true
    }

    fn tell(&mut self) {
        self.reports.send(mem::take(&mut self.news));
    }

    fn flush(&mut self, now: Now) {
        self.dispatch.flush(&mut self.io, &mut self.sockets, &mut self.ends, &self.machine, now.at);
    }

    /// Tells the machine what could not be sent, so that it leaves out the rest of those frames.
    fn tell_unsent(&mut self, now: Now) {
        let mut unsent = self.dispatch.take_unsent();
        for Unsent { tuple, sender, packets } in unsent.drain(..) {
            self.feed(now, Input::Unsent { tuple, sender, packets });
        }
        // What this brought up in turn waits for the next turn.
        self.dispatch.recycle(unsent);
        let mut lost = mem::take(&mut self.lost);
        for (data_consumer, bytes) in lost.drain(..) {
            self.feed(now, Input::MessageLost { data_consumer, bytes });
        }
        self.lost = lost;
    }
}

/// Whether a call may need a port.
fn binds(command: &Command) -> bool {
    match command {
        Command::CreateWebRtcServer(_)
        | Command::CreatePlainTransport(_)
        | Command::CreatePipeTransport(_) => true,
        Command::CreateWebRtcTransport(command) => matches!(command.listen, Listen::Individual(_)),
        _ => false,
    }
}

/// The two clocks of a turn, read together.
fn now() -> Now {
    #[expect(clippy::disallowed_methods, reason = "the driver is who reads the clocks")]
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { at: clock(), unix }
}

#[expect(clippy::disallowed_methods, reason = "the driver is who reads the clocks")]
fn clock() -> Instant {
    Instant::now()
}
