//! A backend in memory: carries out what it is told at once, and tells it later if the test wants that.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use mafalda_api::consumer::{ConsumerScore, ConsumerType};
use mafalda_api::id::{ObjectId, SessionId, TransportId};
use mafalda_api::ortc::{self, RtpCapabilitiesError};
use mafalda_api::router::RouterDump;
use mafalda_api::types::data_structures::{
    DtlsParameters, DtlsRole, DtlsState, IceParameters, IceRole, IceState,
};
use mafalda_api::waist::{
    Answer, Backend, BoxFuture, BoxStream, Call, CloseCause, Command, ConsumerState,
    CreateAudioLevelObserver, DirectTransportState, Done, Egress, ErrorCode, Event, Failure, Ingress, Listen,
    MediaError, MediaPort, ObjectState, Origin, Position, ProducerState, Reply, RouterState, RtpObserverKind,
    RtpObserverState, Scope, Update, WebRtcServerState, WebRtcTransportState, WorkerState,
};

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sequence: u64,
    epoch: Option<u64>,
    objects: BTreeMap<ObjectId, ObjectState>,
    calls: Vec<Command>,
    session: Option<SessionId>,
    refuse_closes: bool,
    refuses_codecs: bool,
    holds_answers: bool,
    holds_events: bool,
    held_events: Vec<Update>,
    answer_wakers: Vec<Waker>,
    watch: Watch,
    ports: HashMap<TransportId, Arc<FakePort>>,
}

#[derive(Default)]
struct Watch {
    updates: VecDeque<Update>,
    ended: bool,
    dropped: bool,
    waker: Option<Waker>,
}

/// The epoch that a fake begins with.
pub(crate) const FIRST_EPOCH: u64 = 7;

impl Fake {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn session(&self) -> SessionId {
        self.lock().session.unwrap()
    }

    pub(crate) fn exists(&self, id: impl Into<ObjectId>) -> bool {
        self.lock().objects.contains_key(&id.into())
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().objects.len()
    }

    pub(crate) fn owner(&self, id: impl Into<ObjectId>) -> Option<SessionId> {
        self.lock().objects[&id.into()].origin().owner
    }

    /// The names of the calls so far.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        let calls = mem::take(&mut self.lock().calls);
        let name = |call: &Command| format!("{call:?}").split('(').next().unwrap().to_owned();
        calls.iter().map(name).collect()
    }

    /// The way to and from a DirectTransport that a handle has been made for.
    pub(crate) fn port(&self, transport: TransportId) -> Arc<FakePort> {
        Arc::clone(&self.lock().ports[&transport])
    }

    pub(crate) fn refuse_closes(&self, refuse: bool) {
        self.lock().refuse_closes = refuse;
    }

    pub(crate) fn refuse_codecs(&self) {
        self.lock().refuses_codecs = true;
    }

    pub(crate) fn hold_answers(&self, hold: bool) {
        let mut state = self.lock();
        state.holds_answers = hold;
        mem::take(&mut state.answer_wakers).into_iter().for_each(Waker::wake);
    }

    pub(crate) fn hold_events(&self, hold: bool) {
        let mut state = self.lock();
        state.holds_events = hold;
        for update in mem::take(&mut state.held_events) {
            state.send(update);
        }
    }

    pub(crate) fn happen(&self, event: Event) {
        self.lock().happen(event);
    }

    /// Something happens that changes nothing.
    pub(crate) fn pass(&self, event: Event) {
        self.lock().send(Update::Passing { event });
    }

    /// Passing events were left out.
    pub(crate) fn miss(&self, events: u64) {
        self.lock().send(Update::Missed { events });
    }

    /// Closes an object and what lives in it.
    pub(crate) fn close(&self, id: impl Into<ObjectId>, cause: CloseCause) {
        self.lock().close(id.into(), cause);
    }

    /// Changes objects behind the watcher's back, and then shows it a snapshot.
    pub(crate) fn skip_to(&self, epoch: u64, change: impl FnOnce(&mut BTreeMap<ObjectId, ObjectState>)) {
        let mut state = self.lock();
        change(&mut state.objects);
        state.epoch = Some(epoch);
        state.sequence += 100;
        let at = state.at();
        let session = state.session;
        let objects =
            state.objects.values().filter(|object| object.origin().owner == session).cloned().collect();
        state.send(Update::Snapshot { at, objects });
    }

    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.watch.ended = true;
        state.watch.wake();
    }

    /// Whether nobody watches any more.
    pub(crate) fn is_left(&self) -> bool {
        self.lock().watch.dropped
    }
}

impl Backend for Fake {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Answer, Failure>> {
        let mut state = self.lock();
        state.calls.push(call.command.clone());
        let result = match state.watch.ended {
            true => Err(Failure::new(ErrorCode::Disconnected, "ended")),
            false => state.carry_out(call),
        };
        let answer = result.map(|reply| Answer { reply, at: state.at() });
        drop(state);
        let (fake, mut answer) = (self.clone(), Some(answer));
        Box::pin(poll_fn(move |cx| {
            let mut state = fake.lock();
            if state.holds_answers {
                state.answer_wakers.push(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(answer.take().unwrap())
        }))
    }

    fn watch(&self, scope: Scope, from: Option<Position>) -> BoxStream<'static, Update> {
        let Scope::Session(session) = scope else { panic!("handles watch their session") };
        assert_eq!(from, None);
        let mut state = self.lock();
        state.session = Some(session);
        let at = state.at();
        state.send(Update::Snapshot { at, objects: Vec::new() });
        Box::pin(Updates(self.clone()))
    }

    fn media(&self, transport: TransportId) -> Arc<dyn MediaPort> {
        let port = Arc::new(FakePort::default());
        let before = self.lock().ports.insert(transport, Arc::clone(&port));
        assert!(before.is_none(), "a Transport's handles share one port");
        port
    }
}

/// The way to and from a DirectTransport. It has room for two.
#[derive(Debug, Default)]
pub(crate) struct FakePort(Mutex<Media>);

#[derive(Debug, Default)]
struct Media {
    sent: Vec<Ingress>,
    out: VecDeque<Egress>,
    waker: Option<Waker>,
    ended: bool,
}

impl FakePort {
    /// What was sent so far.
    pub(crate) fn take_sent(&self) -> Vec<Ingress> {
        mem::take(&mut self.0.lock().unwrap().sent)
    }

    pub(crate) fn put(&self, egress: Egress) {
        let mut media = self.0.lock().unwrap();
        media.out.push_back(egress);
        media.waker.take().into_iter().for_each(Waker::wake);
    }

    pub(crate) fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }
}

impl MediaPort for FakePort {
    fn try_send(&self, ingress: Ingress) -> Result<(), MediaError> {
        let mut media = self.0.lock().unwrap();
        if media.ended {
            return Err(MediaError::Ended);
        }
        if media.sent.len() == 2 {
            return Err(MediaError::Full);
        }
        media.sent.push(ingress);
        Ok(())
    }

    fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Option<Egress>> {
        let mut media = self.0.lock().unwrap();
        if let Some(egress) = media.out.pop_front() {
            return Poll::Ready(Some(egress));
        }
        media.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

struct Updates(Fake);

impl Stream for Updates {
    type Item = Update;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        let watch = &mut self.0.lock().watch;
        if let Some(update) = watch.updates.pop_front() {
            return Poll::Ready(Some(update));
        }
        if watch.ended {
            return Poll::Ready(None);
        }
        watch.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.0.lock().watch.dropped = true;
    }
}

impl Watch {
    fn wake(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn at(&self) -> Position {
        Position { epoch: self.epoch.unwrap_or(FIRST_EPOCH), sequence: self.sequence }
    }

    fn send(&mut self, update: Update) {
        if self.holds_events {
            self.held_events.push(update);
        } else {
            self.watch.updates.push_back(update);
            self.watch.wake();
        }
    }

    fn happen(&mut self, event: Event) {
        match &event {
            Event::Appeared(state) => drop(self.objects.insert(state.id(), state.clone())),
            Event::Closed { id, .. } => drop(self.objects.remove(id)),
            change => {
                if let Some(state) = self.objects.get_mut(&change.subject()) {
                    state.apply(change);
                }
            }
        }
        self.sequence += 1;
        self.send(Update::Event { at: self.at(), event });
    }

    fn close(&mut self, id: ObjectId, cause: CloseCause) {
        if !self.objects.contains_key(&id) {
            return;
        }
        self.happen(Event::Closed { id, cause });
        let dependants: Vec<(ObjectId, CloseCause)> = self
            .objects
            .values()
            .filter_map(|object| {
                match (object, id) {
                    (ObjectState::WebRtcServer(it), ObjectId::Worker(id)) if it.worker == id => {
                        Some(CloseCause::WorkerClosed)
                    }
                    (ObjectState::Router(it), ObjectId::Worker(id)) if it.worker == id => {
                        Some(CloseCause::WorkerClosed)
                    }
                    (ObjectState::WebRtcTransport(it), ObjectId::Router(id)) if it.router == id => {
                        Some(CloseCause::RouterClosed)
                    }
                    (ObjectState::DirectTransport(it), ObjectId::Router(id)) if it.router == id => {
                        Some(CloseCause::RouterClosed)
                    }
                    (ObjectState::WebRtcTransport(it), ObjectId::WebRtcServer(id))
                        if it.webrtc_server == Some(id) && self.has_worker(it.router.into()) =>
                    {
                        Some(CloseCause::WebRtcServerClosed)
                    }
                    (ObjectState::RtpObserver(it), ObjectId::Router(id)) if it.router == id => {
                        Some(CloseCause::RouterClosed)
                    }
                    (ObjectState::Producer(it), ObjectId::Transport(id)) if it.transport == id => {
                        Some(CloseCause::TransportClosed)
                    }
                    (ObjectState::Consumer(it), ObjectId::Transport(id)) if it.transport == id => {
                        Some(CloseCause::TransportClosed)
                    }
                    (ObjectState::Consumer(it), ObjectId::Producer(id)) if it.producer == id => {
                        Some(CloseCause::ProducerClosed)
                    }
                    _ => None,
                }
                .map(|cause| (object.id(), cause))
            })
            .collect();
        dependants.into_iter().for_each(|(id, cause)| self.close(id, cause));
    }

    /// Whether the end of what lives in this Router isn't that of the whole Worker.
    fn has_worker(&self, router: ObjectId) -> bool {
        let worker = self.objects.get(&router).and_then(ObjectState::parent);
        worker.is_some_and(|worker| self.objects.contains_key(&worker))
    }

    fn find(&self, id: impl Into<ObjectId>) -> Result<&ObjectState, Failure> {
        let id = id.into();
        self.objects.get(&id).ok_or_else(|| Failure::not_found(id))
    }

    fn carry_out(&mut self, call: Call) -> Result<Reply, Failure> {
        let origin = Origin { owner: Some(call.owner), labels: call.labels, tags: call.tags };
        match call.command {
            Command::CreateWorker(it) => {
                self.happen(Event::Appeared(ObjectState::Worker(Arc::new(WorkerState {
                    id: it.id,
                    origin,
                }))));
            }
            Command::CreateWebRtcServer(it) => {
                self.find(it.worker)?;
                let state = WebRtcServerState { id: it.id, origin, worker: it.worker };
                self.happen(Event::Appeared(state.into()));
            }
            Command::CreateRouter(it) => {
                self.find(it.worker)?;
                let rtp_capabilities = Arc::new(ortc::generate_router_rtp_capabilities(it.media_codecs)?);
                let state = RouterState { id: it.id, origin, worker: it.worker, rtp_capabilities };
                self.happen(Event::Appeared(state.into()));
            }
            Command::UpdateMediaCodecs(_) if self.refuses_codecs => {
                return Err(RtpCapabilitiesError::CannotAllocate.into());
            }
            Command::UpdateMediaCodecs(it) => {
                self.find(it.id)?;
                let rtp_capabilities = Arc::new(ortc::generate_router_rtp_capabilities(it.media_codecs)?);
                self.happen(Event::RtpCapabilitiesChanged { id: it.id, rtp_capabilities });
            }
            Command::DumpRouter(it) => {
                self.find(it.id)?;
                return Ok(Box::new(RouterDump {
                    id: it.id,
                    map_consumer_id_producer_id: Default::default(),
                    map_producer_id_consumer_ids: Default::default(),
                    map_producer_id_observer_ids: Default::default(),
                    map_data_consumer_id_data_producer_id: Default::default(),
                    map_data_producer_id_data_consumer_ids: Default::default(),
                    rtp_observer_ids: Default::default(),
                    transport_ids: Default::default(),
                })
                .into());
            }
            Command::CreateWebRtcTransport(it) => {
                self.find(it.router)?;
                let webrtc_server = match it.listen {
                    Listen::Individual(_) => None,
                    Listen::Server(id) => {
                        self.find(id)?;
                        Some(id)
                    }
                };
                let state = WebRtcTransportState {
                    id: it.id,
                    origin,
                    router: it.router,
                    webrtc_server,
                    ice_role: IceRole::Controlled,
                    ice_parameters: Arc::new(ice_parameters(0)),
                    ice_candidates: Arc::default(),
                    ice_state: IceState::New,
                    ice_selected_tuple: None,
                    dtls_parameters: Arc::new(DtlsParameters {
                        role: DtlsRole::Auto,
                        fingerprints: Vec::new(),
                    }),
                    dtls_state: DtlsState::New,
                    dtls_remote_cert: None,
                };
                self.happen(Event::Appeared(state.into()));
            }
            Command::CreateDirectTransport(it) => {
                self.find(it.router)?;
                let max_receive_message_size = it.max_receive_message_size;
                let state =
                    DirectTransportState { id: it.id, origin, router: it.router, max_receive_message_size };
                self.happen(Event::Appeared(state.into()));
            }
            Command::RestartIce(it) => {
                self.find(it.id)?;
                let parameters = ice_parameters(1);
                self.happen(Event::IceParametersChanged {
                    id: it.id,
                    parameters: Arc::new(parameters.clone()),
                });
                return Ok(parameters.into());
            }
            Command::Produce(it) => {
                self.find(it.transport)?;
                let state = ProducerState {
                    id: it.id,
                    alias: None,
                    origin,
                    transport: it.transport,
                    kind: it.kind,
                    r#type: ortc::ProducerType::Simple,
                    consumable_rtp_parameters: Arc::new(it.rtp_parameters.clone()),
                    rtp_parameters: Arc::new(it.rtp_parameters),
                    paused: it.paused,
                    score: Vec::new(),
                    video_orientation: None,
                };
                self.happen(Event::Appeared(state.into()));
            }
            Command::PauseProducer(it) => {
                self.find(it.id)?;
                self.happen(Event::ProducerPaused { id: it.id });
            }
            Command::Consume(it) => {
                self.find(it.transport)?;
                let ObjectState::Producer(producer) = self.find(it.producer)? else { unreachable!() };
                let state = ConsumerState {
                    id: it.id,
                    producer_alias: None,
                    origin,
                    transport: it.transport,
                    producer: it.producer,
                    kind: producer.kind,
                    r#type: ConsumerType::Simple,
                    rtp_parameters: producer.rtp_parameters.clone(),
                    paused: it.paused,
                    producer_paused: producer.paused,
                    score: ConsumerScore { score: 10, producer_score: 0, producer_scores: Vec::new() },
                };
                self.happen(Event::Appeared(state.into()));
            }
            Command::CreateAudioLevelObserver(it) => {
                self.find(it.router)?;
                let CreateAudioLevelObserver { id, router, max_entries, threshold, interval } = it;
                let kind = RtpObserverKind::AudioLevel { max_entries, threshold, interval };
                let producers = BTreeSet::new();
                let state = RtpObserverState { id, origin, router, kind, paused: false, producers };
                self.happen(Event::Appeared(state.into()));
            }
            Command::Close(_) if self.refuse_closes => {
                return Err(Failure::new(ErrorCode::Overloaded, "too much to do"));
            }
            Command::Close(it) => it.ids.into_iter().for_each(|id| self.close(id, CloseCause::Requested)),
            Command::Detach(it) => it.ids.into_iter().for_each(|id| self.happen(Event::Detached { id })),
            other => panic!("no test needs {other:?}"),
        }
        Ok(Done.into())
    }
}

fn ice_parameters(generation: u8) -> IceParameters {
    IceParameters {
        username_fragment: format!("u{generation}"),
        password: "p".to_owned(),
        ice_lite: Some(true),
    }
}
