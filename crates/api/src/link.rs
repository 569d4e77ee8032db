//! What stands between all handles and their backend: calls go down through it, what happens comes up into its mirror.
//!
//! It lives as long as a handle does. Two futures run beside it, and hold it only while they have something to do:
//! [`feed`] keeps the mirror, [`deliver`] runs callbacks and sends off the ids of dropped objects.

mod ahead;
mod deliver;
mod exclusive;
mod feed;
mod outbox;
mod pipes;
mod port;
mod progress;
mod queue;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;

use crate::callbacks::Callbacks;
use crate::handle::{Handle, Hold};
use crate::id::{ObjectId, ProducerId, SessionId};
use crate::labels::{LABELS_BYTES_MAX, Labels};
use crate::mirror::{Mirror, Mirrored, difference};
use crate::subscription::Subscribers;
use crate::types::data_structures::AppData;
use crate::types::rtp_parameters::RtpCapabilitiesFinalized;
use crate::waist::{
    Answer, Backend, BoxFuture, Call, CloseCause, Command, Done, ErrorCode, Event, Failure, ObjectState,
    Operation, Reply, Scope, Update, UpdateMediaCodecs,
};
use ahead::{Ahead, Unsettled};
use outbox::{Leave, Outbox, Parting};
use pipes::Pipes;
pub(crate) use pipes::{Ends, WeakEnds};
pub(crate) use port::Port;
use progress::Progress;
use queue::{Item, Queue};

pub(crate) struct Link {
    backend: Arc<dyn Backend>,
    session: SessionId,
    pub(crate) mirror: Mirror,
    /// For Workers that appear.
    pub(crate) callbacks: Callbacks,
    /// For all that happens.
    pub(crate) subscribers: Subscribers,
    /// Pipes between Routers of which the one with the lesser id is here.
    pub(crate) pipes: Pipes,
    outbox: Outbox,
    pub(crate) ahead: Ahead,
    progress: Arc<Progress>,
    queue: Arc<Queue>,
    /// Passing events that the watch has left out.
    missed: AtomicU64,
}

impl Link {
    /// A link and the futures that it needs run.
    pub(crate) fn open(backend: Arc<dyn Backend>) -> (Arc<Self>, [BoxFuture<'static, ()>; 2]) {
        let session = SessionId::new();
        let updates = backend.watch(Scope::Session(session), None);
        let progress = Arc::new(Progress::default());
        let queue = Arc::new(Queue::default());
        let link = Arc::new(Self {
            backend,
            session,
            mirror: Mirror::default(),
            callbacks: Callbacks::default(),
            subscribers: Subscribers::default(),
            pipes: Pipes::default(),
            outbox: Outbox::default(),
            ahead: Ahead::default(),
            progress: Arc::clone(&progress),
            queue: Arc::clone(&queue),
            missed: AtomicU64::new(0),
        });
        let feed = feed::feed(Arc::downgrade(&link), progress, updates);
        let deliver = deliver::deliver(Arc::downgrade(&link), queue);
        (link, [Box::pin(feed), Box::pin(deliver)])
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session
    }

    /// Carries out an operation; when it returns, the mirror shows its outcome.
    pub(crate) async fn run<O: Operation>(&self, operation: O) -> Result<O::Reply, O::Error> {
        let reply = self.call(Labels::default(), operation.into()).await?;
        Ok(reply_of::<O>(reply))
    }

    /// Carries out an operation that makes an object, which belongs to the handle: whoever drops this future closes it.
    pub(crate) async fn create<O: Operation<Reply = Done>>(
        self: &Arc<Self>,
        id: impl Into<ObjectId>,
        labels: Labels,
        app_data: AppData,
        operation: O,
    ) -> Result<Handle, O::Error> {
        check(&labels)?;
        let id = id.into();
        let hold = Hold::owning(Arc::clone(self), id);
        self.mirror.expect(id, &hold, app_data);
        if let Err(failure) = self.call(labels, operation.into()).await {
            // Without a connection nobody knows whether it was made: then it is closed, for when it was.
            if failure.code != ErrorCode::Disconnected {
                hold.let_go();
                self.mirror.give_up(id);
            }
            return Err(failure.into());
        }
        let handle = Handle::appeared(hold).ok_or_else(disconnected)?;
        deliver::announce(self, handle.entry());
        Ok(handle)
    }

    /// Gives a Router other codecs. The call goes out here and now, ahead of later ones; what comes of it is the deliver future's
    /// to look after.
    pub(crate) fn update_media_codecs(
        &self,
        rtp_capabilities: RtpCapabilitiesFinalized,
        operation: UpdateMediaCodecs,
    ) {
        self.send_leaving();
        let _turn = self.outbox.turn();
        let id = operation.id;
        let answer = self.backend.call(self.request(Labels::default(), operation.into()));
        let call = Box::pin(settle(answer, Arc::clone(&self.progress)));
        self.ahead.set(id, Unsettled { rtp_capabilities: Arc::new(rtp_capabilities), call });
        self.queue.wake();
    }

    /// An object was closed here.
    pub(crate) fn close(&self, id: ObjectId) {
        self.outbox.close(id);
        self.queue.wake();
    }

    /// The way of packets to and from a DirectTransport.
    pub(crate) fn port<'a>(&self, transport: &'a Arc<Mirrored>) -> Option<&'a Port> {
        if let Some(port) = transport.port() {
            return Some(port);
        }
        let ObjectId::Transport(id) = transport.id() else { return None };
        let open = || Port::new(self.backend.media(id), Arc::clone(&self.queue), transport);
        let port = transport.port_or(open);
        port.knock();
        Some(port)
    }

    /// An object is to have no owner.
    pub(crate) fn detach(&self, id: ObjectId) {
        self.outbox.detach(id);
        self.queue.wake();
    }

    /// A Producer is to be paused or not, as the Consumer is that it gets its streams from.
    pub(crate) fn follow(&self, producer: ProducerId, source: Arc<Mirrored>) {
        self.outbox.follow(producer, source);
        self.queue.wake();
    }

    async fn call(&self, labels: Labels, command: Command) -> Result<Reply, Failure> {
        if self.send_leaving() {
            // The deliver future looks after their answers.
            self.queue.wake();
        }
        let answer = self.backend.call(self.request(labels, command));
        let Answer { reply, at } = self.progress.unless_ended(answer).await.map_err(|_| disconnected())??;
        self.progress.reached(at).await.map_err(|_| disconnected())?;
        Ok(reply)
    }

    fn request(&self, labels: Labels, command: Command) -> Call {
        Call { owner: self.session, labels, tags: Vec::new(), command }
    }

    /// Sends the ids of objects that were closed or detached here; says whether there were any.
    fn send_leaving(&self) -> bool {
        let _turn = self.outbox.turn();
        let mut any = false;
        for leave in self.outbox.take() {
            any = true;
            let answer = self.backend.call(self.request(Labels::default(), leave.clone().into()));
            self.outbox.sent(Box::pin(part(leave, answer, Arc::clone(&self.progress))));
        }
        any
    }

    /// Sends off what leaves and looks at what has been sent.
    fn poll_leaving(&self, cx: &mut Context<'_>) {
        self.send_leaving();
        let closed = self.outbox.poll(cx);
        self.mirror.give_up_abandoned(&closed);
    }

    /// Passing events that were left out somewhere on the way to this process's callbacks.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed) + self.queue.missed()
    }

    /// Looks at what was changed here without waiting: what is refused is put back, and told.
    fn poll_ahead(&self, cx: &mut Context<'_>) {
        for (id, failure) in self.ahead.poll(cx) {
            self.change(Event::MediaCodecsRefused { id, error: Box::new(failure.into()) });
        }
    }

    fn take(&self, update: Update) {
        let at = match update {
            Update::Passing { event } => return self.pass(event),
            Update::Missed { events } => return self.miss(events),
            Update::Reached { at } => at,
            Update::Event { at, event } => {
                self.happen(event);
                at
            }
            Update::Snapshot { at, objects } => {
                let comparison = self.mirror.compare(objects, self.progress.follows(at.epoch));
                comparison.departed.into_iter().for_each(|id| self.depart(id));
                comparison.events.into_iter().for_each(|event| self.happen(event));
                at
            }
        };
        self.progress.advance(at);
    }

    /// What changes nothing is for those who are there.
    fn pass(&self, event: Event) {
        let Some(entry) = self.mirror.get(event.subject()) else { return };
        self.subscribers.publish(&event);
        entry.subscribers.publish(&event);
        if !entry.callbacks.is_empty() {
            self.queue.push(Item::Passing(entry, event));
        }
    }

    fn miss(&self, events: u64) {
        self.missed.fetch_add(events, Ordering::Relaxed);
        self.subscribers.miss(events);
    }

    fn happen(&self, event: Event) {
        match event {
            Event::Appeared(state) => self.appear(state),
            Event::Closed { id, cause } => self.disappear(id, cause),
            event => self.change(event),
        }
    }

    fn appear(&self, state: ObjectState) {
        if let Some(known) = self.mirror.get(state.id()) {
            let events = known.with(|known| difference(known, &state));
            events.into_iter().for_each(|event| self.change(event));
            return;
        }
        let above = [state.parent(), state.webrtc_server()].into_iter().flatten();
        let above: Vec<_> = above.filter_map(|above| self.mirror.get(above)).collect();
        let wanted = !self.subscribers.is_empty() || above.iter().any(|above| !above.subscribers.is_empty());
        let event = wanted.then(|| Event::Appeared(state.clone()));
        let made_elsewhere = self.mirror.insert(state);
        if let Some(event) = event {
            self.subscribers.publish(&event);
            above.iter().for_each(|above| above.subscribers.publish(&event));
        }
        // What was made here is announced by who made it.
        if let Some(entry) = made_elsewhere {
            self.queue.push(Item::Appeared(entry));
        }
    }

    fn change(&self, event: Event) {
        let Some(entry) = self.mirror.get(event.subject()) else { return };
        entry.apply(&event);
        if let Event::Detached { .. } = event
            && let Some(hold) = entry.hold()
        {
            hold.let_go();
        }
        self.subscribers.publish(&event);
        entry.subscribers.publish(&event);
        self.queue.push(Item::Changed(entry, event));
    }

    fn disappear(&self, id: ObjectId, cause: CloseCause) {
        let Some(entry) = self.mirror.remove(id) else { return };
        self.outbox.forget(id);
        entry.closed_by_backend();
        let event = Event::Closed { id, cause: cause.clone() };
        self.subscribers.publish(&event);
        entry.subscribers.publish(&event);
        entry.subscribers.end();
        self.queue.push(Item::Closed(entry, cause));
    }

    /// An object is out of sight, and may live on.
    fn depart(&self, id: ObjectId) {
        if let Some(entry) = self.mirror.remove(id) {
            entry.subscribers.end();
        }
    }

    /// The backend has ended: so have all objects.
    fn end(&self) {
        for id in self.mirror.ids() {
            self.disappear(id, CloseCause::BackendEnded);
        }
        self.subscribers.end();
        self.progress.end();
        self.queue.end();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.send_leaving();
        self.progress.end();
        self.queue.end();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Waits until the mirror shows that a set has left.
async fn part(
    leave: Leave,
    answer: BoxFuture<'static, Result<Answer, Failure>>,
    progress: Arc<Progress>,
) -> Parting {
    match answer.await {
        Ok(answer) => {
            let _ = progress.reached(answer.at).await;
            Parting::Done(leave)
        }
        Err(failure) if failure.code == ErrorCode::Overloaded => Parting::Refused(leave),
        Err(_) => Parting::Done(leave),
    }
}

/// Waits until the mirror shows what came of a call.
async fn settle(
    answer: BoxFuture<'static, Result<Answer, Failure>>,
    progress: Arc<Progress>,
) -> Result<(), Failure> {
    let Answer { at, .. } = answer.await?;
    let _ = progress.reached(at).await;
    Ok(())
}

fn check(labels: &Labels) -> Result<(), Failure> {
    let bytes = labels.bytes();
    if bytes <= LABELS_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("labels of {bytes} bytes are more than {LABELS_BYTES_MAX}");
    Err(Failure::new(ErrorCode::InvalidArgument, detail))
}

fn disconnected() -> Failure {
    Failure::new(ErrorCode::Disconnected, "the backend has ended")
}

fn reply_of<O: Operation>(reply: Reply) -> O::Reply {
    O::Reply::try_from(reply).ok().expect("a backend answers an operation with its own reply")
}

#[cfg(test)]
mod tests;
