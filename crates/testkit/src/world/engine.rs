//! A Worker machine and what a driver has beside it: buffers, and the drain.

use mafalda_api::id::WorkerId;
use mafalda_api::waist::{Event, Failure, Reply};
use mafalda_media::buffer::{Batch, Run, SendBuffer};
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{OutMessage, Output, Worker, WorkerConfig};
use mafalda_media::{Now, SocketId, Tuple};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};

/// Small, so that a machine meets a full buffer now and then.
const SEND_BYTES: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) id: WorkerId,
    pub(super) worker: Worker,
    out: SendBuffer,
    batch: Option<Batch>,
}

/// What a Worker gave in one drain, in order within its kind.
#[derive(Debug, Default)]
pub(super) struct Drained {
    pub(super) packets: Vec<(Tuple, Vec<u8>)>,
    pub(super) events: Vec<Event>,
    pub(super) replies: Vec<(u64, Result<Reply, Failure>)>,
    pub(super) messages: Vec<OutMessage>,
    pub(super) closed: Vec<SocketId>,
}

impl Engine {
    pub(super) fn new(certificate: Certificate, seed: u64, now: Now) -> Self {
        let id = WorkerId::new();
        let seed = StdRng::seed_from_u64(seed).random();
        let worker = Worker::new(WorkerConfig { id, certificate }, seed, now);
        Self { id, worker, out: SendBuffer::new(SEND_BYTES), batch: None }
    }

    pub(super) fn take_batch(&mut self) -> Batch {
        self.batch.take().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, batch: Batch) {
        self.batch = Some(batch);
    }

    /// Polls until there is nothing left.
    pub(super) fn drain(&mut self) -> Drained {
        let mut drained = Drained::default();
        let mut runs = Vec::new();
        while let Some(output) = self.worker.poll(&mut self.out) {
            match output {
                Output::Send(run) => runs.push(run),
                Output::Flush => {
                    assert!(!runs.is_empty(), "a flush of nothing: the next packet will never fit");
                    self.flush(&mut runs, &mut drained);
                }
                Output::Reply { request, result } => drained.replies.push((request, result)),
                Output::Event(event) => drained.events.push(event),
                Output::Missed { events } => panic!("{events} traces left out: no scene has so many"),
                Output::Message(message) => drained.messages.push(message),
                Output::CloseSocket(socket) => drained.closed.push(socket),
            }
        }
        self.flush(&mut runs, &mut drained);
        if let Some(batch) = self.worker.reclaim() {
            assert!(batch.is_empty(), "a batch comes back empty");
            self.batch = Some(batch);
        }
        drained
    }

    fn flush(&mut self, runs: &mut Vec<Run>, drained: &mut Drained) {
        for run in runs.drain(..) {
            let packets: Vec<_> = self.out.packets(&run).map(<[u8]>::to_vec).collect();
            assert_eq!(packets.len(), usize::from(run.count), "{run:?}");
            drained.packets.extend(packets.into_iter().map(|packet| (run.tuple, packet)));
        }
        self.out.clear();
    }
}
