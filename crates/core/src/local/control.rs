//! The control thread: routes calls to Workers, folds their reports into the log, answers.
//!
//! It never waits for a Worker: a full mailbox refuses the call.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};

use mafalda_api::id::{ObjectId, WorkerId};
use mafalda_api::labels::LABELS_BYTES_MAX;
use mafalda_api::waist::{
    Answer, Call, Close, CloseCause, Command, CreateWorker, Detach, Done, ErrorCode, Event, Failure, Origin,
    Position, Reply, UpdateWorkerSettings, WorkerState,
};
use mafalda_api::worker::WorkerLogLevel;
use tokio::sync::oneshot;

use super::log::Log;
use super::watch::Watcher;
use super::{LocalOptions, Message, Report, Reports};
use crate::thread::{Opened, Thread, ThreadOptions};

type Answering = oneshot::Sender<Result<Answer, Failure>>;

/// A call that Workers are busy with.
#[derive(Debug)]
struct Pending {
    answering: Answering,
    /// Workers that have not answered yet.
    waiting: Vec<WorkerId>,
    /// The object that it creates: its route goes when the call fails.
    creates: Option<ObjectId>,
    /// Whether a Worker's end is what was asked for, or includes it.
    closes: bool,
}

/// A Worker's thread with what is told of it once it runs.
#[derive(Debug)]
struct Running {
    thread: Thread,
    origin: Origin,
    created_by: u64,
    /// It was told to end: no call is for it any more.
    ending: bool,
    /// From which weight on it logs; here its end is what is left to say.
    log_level: WorkerLogLevel,
}

#[derive(Debug)]
pub(super) struct Control {
    options: LocalOptions,
    inbox: SyncSender<Message>,
    log: Log,
    watchers: Vec<Watcher>,
    workers: HashMap<WorkerId, Running>,
    /// Where each object lives, from the moment at which its creation was handed on.
    routes: HashMap<ObjectId, WorkerId>,
    pending: HashMap<u64, Pending>,
    next_request: u64,
}

impl Control {
    pub(super) fn new(options: LocalOptions, inbox: SyncSender<Message>) -> Self {
        Self {
            options,
            inbox,
            log: Log::new(rand::random()),
            watchers: Vec::new(),
            workers: HashMap::new(),
            routes: HashMap::new(),
            pending: HashMap::new(),
            next_request: 0,
        }
    }

    /// Until it is told to stop.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            match message {
                Message::Call { call, reply } => self.on_call(*call, reply),
                Message::Watch { from, watcher } => self.on_watch(from, watcher),
                Message::Report { worker, reports } => self.on_reports(worker, reports),
                Message::Media(opened) => self.on_media(opened),
                Message::Stop => break,
                #[cfg(test)]
                Message::Panic(worker) => self.workers[&worker].thread.panic(),
            }
        }
        self.stop(messages);
    }

    /// Ends all Workers, and reads on until they are gone: their last reports must not block them.
    fn stop(mut self, messages: &Receiver<Message>) {
        for running in self.workers.values() {
            running.thread.stop();
        }
        while !self.workers.is_empty() {
            if let Ok(Message::Report { worker, reports }) = messages.recv() {
                self.on_reports(worker, reports);
            }
        }
    }

    fn on_watch(&mut self, from: Option<Position>, watcher: Watcher) {
        let missed = from.and_then(|from| self.log.since(from, watcher.scope()));
        let updates = missed.unwrap_or_else(|| vec![self.log.snapshot(watcher.scope())]);
        watcher.push(updates, &self.log);
        self.watchers.push(watcher);
    }

    /// Hands a port to the Worker of its Transport. One that finds none ends.
    fn on_media(&self, opened: Opened) {
        let worker = self.routes.get(&opened.transport.into());
        if let Some(running) = worker.and_then(|worker| self.workers.get(worker)) {
            running.thread.open(opened);
        }
    }

    fn on_call(&mut self, call: Call, answering: Answering) {
        if call.labels.bytes() > LABELS_BYTES_MAX || call.tags.len() > Call::TAGS_BYTES_MAX {
            let failure = Failure::new(ErrorCode::InvalidArgument, "labels or tags are too large");
            return self.answer(answering, Err(failure));
        }
        match &call.command {
            Command::CreateWorker(command) => self.create_worker(command.clone(), &call, answering),
            Command::Close(Close { ids }) => {
                let shares = self.shares(ids);
                self.spread(&call, shares, true, answering);
            }
            Command::Detach(Detach { ids }) => {
                let shares = self.shares(ids);
                self.spread(&call, shares, false, answering);
            }
            _ => self.forward(call, answering),
        }
    }

    fn create_worker(&mut self, command: CreateWorker, call: &Call, answering: Answering) {
        let id = command.id;
        if self.routes.contains_key(&id.into()) {
            return self.answer(answering, Err(Failure::already_exists(id)));
        }
        let log_level = command.log_level;
        let created_by = self.pend(answering, vec![id], Some(id.into()), false);
        let origin = Origin { owner: Some(call.owner), labels: call.labels.clone(), tags: call.tags.clone() };
        let options =
            ThreadOptions { command, request: created_by, addresses: self.options.addresses.clone() };
        match Thread::spawn(options, Reports { worker: id, inbox: self.inbox.clone() }) {
            Ok(thread) => {
                self.workers.insert(id, Running { thread, origin, created_by, ending: false, log_level });
                self.routes.insert(id.into(), id);
            }
            Err(error) => {
                let failure = Failure::new(ErrorCode::System, format!("can't start a thread: {error}"));
                self.on_reply(id, created_by, Err(failure));
            }
        }
    }

    /// Hands a call to the one Worker that it concerns.
    fn forward(&mut self, call: Call, answering: Answering) {
        let Some(target) = call.command.target() else {
            return self.answer(
                answering,
                Err(Failure::new(ErrorCode::Unsupported, "no single object is concerned")),
            );
        };
        let worker = self.routes.get(&target).copied().filter(|worker| !self.is_ending(*worker));
        let Some(worker) = worker else {
            return self.answer(answering, Err(Failure::not_found(target)));
        };
        if let Command::UpdateWorkerSettings(UpdateWorkerSettings { log_level: Some(level), .. }) =
            &call.command
            && let Some(running) = self.workers.get_mut(&worker)
        {
            running.log_level = *level;
        }
        let creates = call.command.creates();
        if let Some(id) = creates {
            if self.routes.contains_key(&id) {
                return self.answer(answering, Err(Failure::already_exists(id)));
            }
            self.routes.insert(id, worker);
        }
        let request = self.pend(answering, vec![worker], creates, false);
        self.post(worker, request, call);
    }

    fn is_ending(&self, worker: WorkerId) -> bool {
        self.workers.get(&worker).is_some_and(|running| running.ending)
    }

    /// Which Worker holds which of these objects; those that nobody holds are left out.
    fn shares(&self, ids: &[ObjectId]) -> HashMap<WorkerId, Vec<ObjectId>> {
        let mut shares: HashMap<WorkerId, Vec<ObjectId>> = HashMap::new();
        for id in ids {
            if let Some(worker) = self.routes.get(id) {
                shares.entry(*worker).or_default().push(*id);
            }
        }
        shares
    }

    /// Hands each Worker its share of a `Close` or `Detach`. A Worker itself ends, or is detached, here.
    fn spread(
        &mut self,
        call: &Call,
        shares: HashMap<WorkerId, Vec<ObjectId>>,
        closes: bool,
        answering: Answering,
    ) {
        let request = self.pend(answering, shares.keys().copied().collect(), None, closes);
        if shares.is_empty() {
            return self.finish(request, Ok(Done.into()));
        }
        for (worker, mut ids) in shares {
            let whole = ids.contains(&worker.into());
            if whole && closes {
                if let Some(running) = self.workers.get_mut(&worker) {
                    running.ending = true;
                    running.thread.stop();
                }
                continue;
            }
            if whole {
                self.append(Event::Detached { id: worker.into() });
                ids.retain(|id| *id != worker.into());
            }
            let command = if closes { Close { ids }.into() } else { Detach { ids }.into() };
            self.post(worker, request, Call { command, ..call.clone() });
        }
    }

    fn post(&mut self, worker: WorkerId, request: u64, call: Call) {
        let posted = self.workers.get(&worker).is_some_and(|running| running.thread.post(request, call));
        if !posted {
            self.on_reply(worker, request, Err(super::overloaded().about(worker)));
        }
    }

    fn on_reports(&mut self, worker: WorkerId, reports: Vec<Report>) {
        for report in reports {
            match report {
                Report::Started => self.on_started(worker),
                Report::Reply { request, result } => self.on_reply(worker, request, result),
                Report::Event(event) if event.is_passing() => self.pass(&event),
                Report::Event(event) => self.append(event),
                Report::Missed(events) => self.miss(worker, events),
                Report::Ended { panic } => self.on_ended(worker, panic.as_deref()),
            }
        }
        self.watchers.retain(|watcher| !watcher.is_abandoned());
    }

    fn on_started(&mut self, id: WorkerId) {
        let Some(running) = self.workers.get(&id) else { return };
        let (origin, created_by) = (running.origin.clone(), running.created_by);
        self.append(Event::Appeared(WorkerState { id, origin }.into()));
        self.on_reply(id, created_by, Ok(Done.into()));
    }

    /// All that lived in the Worker is gone, and so are its answers.
    fn on_ended(&mut self, id: WorkerId, panic: Option<&str>) {
        if let Some(Running { thread, log_level, .. }) = self.workers.remove(&id) {
            thread.join();
            tell_end(id, log_level, panic);
        }
        if self.log.contains(id.into()) {
            let cause = panic.map_or(CloseCause::Requested, |text| CloseCause::Died(text.into()));
            for event in self.log.closing(id.into(), cause) {
                self.append(event);
            }
        }
        // Objects whose creation was under way have a route, but no state.
        self.routes.retain(|_, worker| *worker != id);
        let waiting = self.pending.iter().filter(|(_, pending)| pending.waiting.contains(&id));
        let waiting: Vec<_> = waiting.map(|(request, pending)| (*request, pending.closes)).collect();
        for (request, closes) in waiting {
            self.on_reply(id, request, if closes { Ok(Done.into()) } else { Err(ended(id, panic)) });
        }
    }

    /// What changes nothing goes to those who are there, and nowhere else.
    fn pass(&self, event: &Event) {
        for watcher in &self.watchers {
            watcher.on_passing(event, &self.log);
        }
    }

    /// A Worker has left some out: those who see the Worker are told.
    fn miss(&self, worker: WorkerId, events: u64) {
        for watcher in &self.watchers {
            watcher.on_missed(worker, events, &self.log);
        }
    }

    fn append(&mut self, event: Event) {
        if let Event::Closed { id, .. } = &event {
            self.routes.remove(id);
        }
        self.log.append(event);
        for watcher in &self.watchers {
            watcher.on_appended(&self.log);
        }
    }

    fn pend(
        &mut self,
        answering: Answering,
        waiting: Vec<WorkerId>,
        creates: Option<ObjectId>,
        closes: bool,
    ) -> u64 {
        self.next_request += 1;
        self.pending.insert(self.next_request, Pending { answering, waiting, creates, closes });
        self.next_request
    }

    /// A call is done when each of its Workers has answered, or one has failed.
    fn on_reply(&mut self, worker: WorkerId, request: u64, result: Result<Reply, Failure>) {
        let Some(pending) = self.pending.get_mut(&request) else { return };
        pending.waiting.retain(|waiting| *waiting != worker);
        if pending.waiting.is_empty() || result.is_err() {
            self.finish(request, result);
        }
    }

    fn finish(&mut self, request: u64, result: Result<Reply, Failure>) {
        let Some(pending) = self.pending.remove(&request) else { return };
        if let (Some(id), Err(_)) = (pending.creates, &result) {
            self.routes.remove(&id);
        }
        self.answer(pending.answering, result);
    }

    fn answer(&self, answering: Answering, result: Result<Reply, Failure>) {
        // The caller may have gone; what was done stays done.
        let _ = answering.send(result.map(|reply| Answer { reply, at: self.log.position() }));
    }
}

/// What a Worker can't say itself any more.
fn tell_end(worker: WorkerId, log_level: WorkerLogLevel, panic: Option<&str>) {
    match panic {
        Some(panic) if log_level <= WorkerLogLevel::Error => {
            tracing::error!(target: "mafalda::info", %worker, panic, "a worker has panicked");
        }
        None if log_level == WorkerLogLevel::Debug => {
            tracing::debug!(target: "mafalda::info", %worker, "a worker has ended");
        }
        _ => {}
    }
}

/// Why a Worker that has ended gives no answer.
fn ended(id: WorkerId, panic: Option<&str>) -> Failure {
    match panic {
        Some(text) => Failure::new(ErrorCode::System, format!("the worker has panicked: {text}")).about(id),
        None => Failure::new(ErrorCode::Disconnected, "the worker has ended").about(id),
    }
}
