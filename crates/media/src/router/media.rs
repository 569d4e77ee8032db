//! Producers and Consumers: they come, are paused and resumed, and go.

use std::sync::Arc;
use std::time::Duration;

use mafalda_api::consumer::{ConsumerScore, ConsumerType};
use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::ortc::{self, ConsumerNegotiation, ConsumerStreams, RemoteNumbers};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpEncodingParameters, RtpParameters};
use mafalda_api::waist::{CloseCause, Consume, ErrorCode, Event, Failure, Origin, Produce};
use rand::RngExt;
use slotmap::SlotMap;

use crate::consumer::{Consumer, Numbers, Place, Places, Row, RowParams};
use crate::producer::{Formats, Negotiated, Numbering, Producer, ProducerStream, StreamSettings};
use crate::trace::Traced;
use crate::transport::Transport;
use crate::worker::Turn;

use super::{Router, StreamKey, TransportKey};

/// Where our sequence numbers begin: not at 0, so that the first packets are no guess, and below 2^15, so that a receiver that
/// misses the first ones doesn't take the next for those before a wrap (RFC 3711 §3.3.1).
const FIRST_SEQUENCES: std::ops::RangeInclusive<u16> = 1000..=32_767;

/// Producers and Consumers of one Transport together, those of data too. A page shows a few hundred at most; it bounds the tables that grow with
/// them.
const OBJECTS_MAX: usize = 4096;

/// After how long without media a stream counts as gone whose siblings may go on, as in mediasoup: browsers stop sending the better
/// streams of a simulcast when the network is bad. Longer would tell of it late, shorter would take a pause for it.
const INACTIVITY: Duration = Duration::from_millis(1500);
/// The same where silence is not sent.
const INACTIVITY_WITH_DTX: Duration = Duration::from_millis(5000);

impl Router {
    /// Creates a Producer.
    pub(crate) fn produce(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        command: &Produce,
        origin: Origin,
    ) -> Result<(), Failure> {
        if self.producers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let transport = self.transports.get_mut(key).ok_or_else(|| Failure::not_found(command.transport))?;
        has_room(transport)?;
        let given = command.rtp_parameters.rtcp.cname.clone();
        // Over a pipe come many endpoints' streams, each with the name that its Transport gave it.
        let shared = transport.cname.clone().filter(|_| transport.as_pipe().is_none());
        let cname = shared.or(given).unwrap_or_else(|| random_cname(turn));
        let enable_bwe = transport.may_estimate_bandwidth();
        let negotiated =
            Negotiated::new(command, cname.clone(), &self.capabilities, self.next_mapped_ssrc, enable_bwe)?;
        transport.listener.add(command.id, &negotiated.rtp_parameters)?;
        self.next_mapped_ssrc = self.next_mapped_ssrc.wrapping_add(negotiated.mapping.encodings.len() as u32);
        transport.cname.get_or_insert(cname);
        transport.learn_extensions(&negotiated.rtp_parameters);
        transport.producers.push(command.id);
        if transport.max_incoming_bitrate.is_some() {
            transport.next_remb.get_or_insert(turn.now.at);
        }
        let streams = self.add_streams(turn, key, command, &negotiated);
        let score: Vec<_> = streams.iter().filter_map(|key| self.streams.get(*key)?.score()).collect();
        let producer = Producer {
            id: command.id,
            alias: command.alias,
            origin,
            transport: key,
            kind: command.kind,
            rtp_parameters: negotiated.rtp_parameters,
            consumable: negotiated.consumable,
            mapping: negotiated.mapping,
            paused: command.paused,
            traced: Traced::default(),
            video_orientation: None,
            score: score.clone(),
            streams,
            observers: Vec::new(),
        };
        let state = producer.state(command.transport, score);
        turn.effects.tell(Event::Appeared(state.into()));
        self.producers.insert(command.id, producer);
        self.aliases.extend(command.alias.map(|alias| (alias, command.id)));
        self.attach_all(turn, command.id);
        self.observe_again(command.id);
        self.set_transport_alarm(turn, key);
        Ok(())
    }

    fn add_streams(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        command: &Produce,
        negotiated: &Negotiated,
    ) -> Vec<StreamKey> {
        let delay = Duration::from_millis(command.key_frame_request_delay.into());
        let encodings = &negotiated.rtp_parameters.encodings;
        let keys: Vec<StreamKey> = encodings
            .iter()
            .enumerate()
            .map(|(place, encoding)| {
                let settings = StreamSettings {
                    producer: command.id,
                    transport: key,
                    formats: Formats::new(&negotiated.rtp_parameters, &negotiated.mapping),
                    encoding: place,
                    rid: encoding.rid.clone(),
                    key_frame_request_delay: delay,
                    inactivity: (encodings.len() > 1).then(|| inactivity_of(encoding)),
                };
                let mut stream = ProducerStream::new(settings, Numbering(turn.rng.random()));
                stream.paused = command.paused;
                if let Some(ssrc) = encoding.ssrc {
                    stream.bind(ssrc);
                }
                if let Some(rtx) = &encoding.rtx {
                    stream.bind_rtx(rtx.ssrc);
                }
                self.streams.insert(stream)
            })
            .collect();
        if let Some(transport) = self.transports.get_mut(key) {
            transport.streams.extend(&keys);
        }
        keys
    }

    /// Creates a Consumer.
    pub(crate) fn consume(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        command: &Consume,
        origin: Origin,
    ) -> Result<(), Failure> {
        let producer_id = self.own_id(command.producer);
        let producer = self.producers.get(&producer_id).filter(|it| it.known_as() == command.producer);
        let producer = producer.ok_or_else(|| Failure::not_found(command.producer))?;
        let transport = self.transports.get_mut(key).ok_or_else(|| Failure::not_found(command.transport))?;
        if transport.consumers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        has_room(transport)?;
        let r#type = consumer_type(command, producer, transport);
        let RemoteNumbers { router, remote } = negotiate(command, r#type, producer, transport)?;
        let score = first_score(r#type, producer, &self.streams);
        let consumer = Consumer {
            id: command.id,
            origin,
            producer: producer_id,
            producer_alias: producer.alias,
            kind: producer.kind,
            r#type,
            consumable: producer.consumable.clone(),
            paused: command.paused,
            producer_paused: producer.paused,
            traced: Traced::default(),
            score,
            places: places(turn, key, command, r#type, &router, &remote),
            rtp_parameters: Arc::new(remote),
        };
        transport.targets.extend(consumer.targets());
        let state = consumer.state(command.transport);
        transport.consumers.insert(command.id, Box::new(consumer));
        turn.effects.tell(Event::Appeared(state.into()));
        self.consumers_of.entry(producer_id).or_default().push((key, command.id));
        self.attach(turn, key, command.id);
        Ok(())
    }

    /// Puts a Consumer's rows where its Producer's packets come by: each to the stream of its encoding.
    pub(super) fn attach(&mut self, turn: &mut Turn, key: TransportKey, id: ConsumerId) {
        let Some(consumer) = self.transports.get(key).and_then(|it| it.consumers.get(&id)) else { return };
        let Some(producer) = self.producers.get(&consumer.producer) else { return };
        let (paused, producer_paused) = (producer.paused, consumer.producer_paused);
        let streams = producer.streams.iter().take(consumer.places.as_slice().len()).copied();
        let streams: Vec<StreamKey> = streams.collect();
        for (encoding, stream) in streams.into_iter().enumerate() {
            self.attach_row(key, id, encoding, stream);
        }
        if producer_paused != paused {
            // It was paused, or resumed, while it was away.
            self.set_producer_paused_for(turn, key, id, paused);
        } else {
            self.follow_pause(turn, key, id);
        }
    }

    fn attach_row(&mut self, key: TransportKey, id: ConsumerId, encoding: usize, stream_key: StreamKey) {
        let consumer = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id));
        let Some(place) = consumer.and_then(|it| it.places.as_mut_slice().get_mut(encoding)) else { return };
        let Some(stream) = self.streams.get_mut(stream_key) else { return };
        if matches!(place, Place::At { .. }) {
            return;
        }
        let at = Place::At { stream: stream_key, index: stream.rows.len() };
        let Place::Away(mut row) = std::mem::replace(place, at) else { return };
        row.transport = key;
        stream.add(*row);
        self.pass_over_last_row(stream_key);
    }

    /// Takes a Consumer's rows out of their tables.
    pub(super) fn detach_rows(&mut self, key: TransportKey, id: ConsumerId) {
        let rows = self.transports.get(key).and_then(|it| it.consumers.get(&id));
        let rows = rows.map_or(0, |consumer| consumer.places.as_slice().len());
        for encoding in 0..rows {
            let consumer = self.transports.get(key).and_then(|it| it.consumers.get(&id));
            let place = consumer.and_then(|it| it.places.as_slice().get(encoding)?.at());
            let Some(row) = place.and_then(|(stream, index)| self.take_row(stream, index)) else { continue };
            let consumer = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id));
            if let Some(place) = consumer.and_then(|it| it.places.as_mut_slice().get_mut(encoding)) {
                *place = Place::Away(Box::new(row));
            }
        }
    }

    /// Puts the rows of all Consumers that wait for this Producer into its tables.
    pub(super) fn attach_all(&mut self, turn: &mut Turn, producer: ProducerId) {
        for (transport, consumer) in self.consumers_of.get(&producer).cloned().unwrap_or_default() {
            self.attach(turn, transport, consumer);
        }
    }

    /// Closes a Producer and all its Consumers.
    pub(crate) fn close_producer(&mut self, turn: &mut Turn, id: ProducerId, cause: CloseCause) {
        let Some(producer) = self.producers.get(&id) else { return };
        let (transport, streams) = (producer.transport, producer.streams.clone());
        let observers = producer.observers.clone();
        turn.effects.tell(Event::Closed { id: id.into(), cause });
        for (transport, consumer) in self.consumers_of.remove(&id).unwrap_or_default() {
            self.close_consumer(turn, transport, consumer, CloseCause::ProducerClosed);
        }
        self.forget_producer(id);
        self.stop_observing_closed(turn, &observers, id);
        if let Some(transport) = self.transports.get_mut(transport) {
            transport.listener.remove(id);
            transport.producers.retain(|other| *other != id);
            transport.streams.retain(|key| !streams.contains(key));
            let srtp = transport.protection.srtp_mut();
            let ssrcs = streams.iter().filter_map(|key| self.streams.get(*key));
            let ssrcs = ssrcs
                .flat_map(|stream| stream.ssrc().into_iter().chain(stream.rtx.as_ref().map(|it| it.ssrc())));
            if let Some(srtp) = srtp {
                ssrcs.for_each(|ssrc| srtp.receiver.retire(ssrc));
            }
        }
        streams.iter().for_each(|key| drop(self.streams.remove(*key)));
        self.forget_streams();
    }

    /// Takes a Producer out of the tables.
    pub(super) fn forget_producer(&mut self, id: ProducerId) -> Option<Producer> {
        let producer = self.producers.remove(&id)?;
        if let Some(alias) = producer.alias {
            self.aliases.remove(&alias);
        }
        Some(producer)
    }

    /// Closes a Consumer.
    pub(crate) fn close_consumer(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        id: ConsumerId,
        cause: CloseCause,
    ) {
        self.detach_rows(key, id);
        let Some(transport) = self.transports.get_mut(key) else { return };
        let Some(consumer) = transport.consumers.remove(&id) else { return };
        for (ssrc, _) in consumer.targets() {
            transport.targets.remove(&ssrc);
        }
        turn.effects.tell(Event::Closed { id: id.into(), cause });
        self.forget_consumer_of(consumer.producer, id);
    }

    pub(super) fn forget_consumer_of(&mut self, producer: ProducerId, id: ConsumerId) {
        let Some(consumers) = self.consumers_of.get_mut(&producer) else { return };
        consumers.retain(|(_, other)| *other != id);
        if consumers.is_empty() {
            self.consumers_of.remove(&producer);
        }
    }

    /// Pauses or resumes a Producer.
    pub(crate) fn set_producer_paused(
        &mut self,
        turn: &mut Turn,
        id: ProducerId,
        paused: bool,
    ) -> Result<(), Failure> {
        let producer = self.producers.get_mut(&id).ok_or_else(|| Failure::not_found(id))?;
        if std::mem::replace(&mut producer.paused, paused) == paused {
            return Ok(());
        }
        turn.effects.tell(if paused { Event::ProducerPaused { id } } else { Event::ProducerResumed { id } });
        for key in producer.streams.clone() {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            stream.paused = paused;
            if let Some(recv) = &mut stream.recv {
                if paused { recv.pause() } else { recv.resume(turn.now) }
            }
        }
        self.tell_observers_of_pause(id);
        for (transport, consumer) in self.consumers_of.get(&id).cloned().unwrap_or_default() {
            self.set_producer_paused_for(turn, transport, consumer, paused);
        }
        Ok(())
    }

    fn set_producer_paused_for(&mut self, turn: &mut Turn, key: TransportKey, id: ConsumerId, paused: bool) {
        let Some(consumer) = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id)) else {
            return;
        };
        consumer.producer_paused = paused;
        let event =
            if paused { Event::ConsumerProducerPaused { id } } else { Event::ConsumerProducerResumed { id } };
        turn.effects.tell(event);
        self.follow_pause(turn, key, id);
    }

    /// Pauses or resumes a Consumer.
    pub(crate) fn set_consumer_paused(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        id: ConsumerId,
        paused: bool,
    ) -> Result<(), Failure> {
        let consumer = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id));
        let consumer = consumer.ok_or_else(|| Failure::not_found(id))?;
        if std::mem::replace(&mut consumer.paused, paused) != paused {
            turn.effects.tell(if paused {
                Event::ConsumerPaused { id }
            } else {
                Event::ConsumerResumed { id }
            });
            self.follow_pause(turn, key, id);
        }
        Ok(())
    }

    /// The rows do what the Consumer's two pauses together say.
    fn follow_pause(&mut self, turn: &mut Turn, key: TransportKey, id: ConsumerId) {
        let Some(consumer) = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id)) else {
            return;
        };
        let active = consumer.is_active();
        let mut waiting = Vec::new();
        for encoding in 0..consumer.places.as_slice().len() {
            let stream = consumer.places.as_slice().get(encoding).and_then(Place::at);
            let Some(row) = Self::row_of(&mut self.streams, consumer, encoding) else { continue };
            if active {
                row.resume();
                waiting.extend(stream.filter(|_| row.is_waiting()).map(|(stream, _)| stream));
            } else {
                row.pause();
            }
        }
        waiting.into_iter().for_each(|stream| self.request_key_frame(turn, stream));
    }

    /// A Transport can send (again): what it would have got in the meantime is gone, so its video begins with a key frame.
    pub(super) fn refresh_consumers(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(transport) = self.transports.get(key) else { return };
        let active = transport.consumers.values().filter(|consumer| consumer.is_active());
        let streams: Vec<_> = active.flat_map(|consumer| consumer.rows_at()).collect();
        for (stream, index) in streams {
            if let Some(row) = self.row_mut(stream, index) {
                row.hold();
                self.request_key_frame(turn, stream);
            }
        }
    }

    /// A Consumer's application wants a key frame.
    pub(crate) fn request_key_frame_for(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        id: ConsumerId,
    ) -> Result<(), Failure> {
        let consumer = self.transports.get(key).and_then(|it| it.consumers.get(&id));
        let rows: Vec<_> = consumer.ok_or_else(|| Failure::not_found(id))?.rows_at().collect();
        rows.into_iter().for_each(|(stream, _)| self.request_key_frame(turn, stream));
        Ok(())
    }

    /// The socket had no room for packets of the Consumer with this SSRC: the rest of the frame is left out too.
    pub(crate) fn on_unsent(&mut self, key: TransportKey, ssrc: u32, packets: u32) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        let Some(target) = transport.targets.get(&ssrc) else { return };
        let Some(consumer) = transport.consumers.get_mut(&target.consumer) else { return };
        if let Some(row) = Self::row_of(&mut self.streams, consumer, target.encoding) {
            row.on_unsent(packets);
        }
    }
}

pub(super) fn has_room(transport: &Transport) -> Result<(), Failure> {
    let data = transport.data.as_ref().map_or(0, |ends| ends.producers.len() + ends.consumers.len());
    if transport.producers.len() + transport.consumers.len() + data < OBJECTS_MAX {
        return Ok(());
    }
    Err(Failure::new(
        ErrorCode::Overloaded,
        format!("a transport has room for {OBJECTS_MAX} producers and consumers"),
    ))
}

/// Over a PipeTransport everything goes as it is, and to endpoints what they ask for.
fn consumer_type(command: &Consume, producer: &Producer, transport: &Transport) -> ConsumerType {
    if command.pipe || transport.as_pipe().is_some() { ConsumerType::Pipe } else { producer.r#type().into() }
}

/// Negotiates a Consumer: happens here and nowhere else. What it gets, in the Router's numbers and in those that its packets carry.
fn negotiate(
    command: &Consume,
    r#type: ConsumerType,
    producer: &Producer,
    transport: &mut Transport,
) -> Result<RemoteNumbers, Failure> {
    let piped = r#type == ConsumerType::Pipe;
    let count = if piped { producer.consumable.encodings.len() } else { 1 };
    let ssrcs: Vec<u32> = (0..count).map(|_| transport.take_ssrc()).collect();
    if let Some(pipe) = transport.as_pipe() {
        let router = ortc::get_pipe_consumer_rtp_parameters(&producer.consumable, pipe.rtx(), &ssrcs);
        return Ok(RemoteNumbers { remote: router.clone(), router });
    }
    let streams = match ssrcs.as_slice() {
        [ssrc] if !piped => ConsumerStreams::One(*ssrc),
        ssrcs => ConsumerStreams::All(ssrcs),
    };
    let negotiation = ConsumerNegotiation {
        remote: &command.rtp_capabilities,
        enable_rtx: command.enable_rtx.unwrap_or(producer.kind == MediaKind::Video),
        enable_bwe: transport.may_estimate_bandwidth(),
        mid: if piped { None } else { Some(mid_of(command, transport)?) },
        streams,
    };
    if command.remote_numbers {
        return Ok(ortc::get_remote_numbers(&producer.consumable, negotiation)?);
    }
    let router = ortc::get_consumer_rtp_parameters(&producer.consumable, negotiation)?;
    Ok(RemoteNumbers { remote: router.clone(), router })
}

fn inactivity_of(encoding: &RtpEncodingParameters) -> Duration {
    if encoding.dtx == Some(true) { INACTIVITY_WITH_DTX } else { INACTIVITY }
}

/// A Consumer's score before anything was sent: its own is full, its Producer's is what it is, or for a pipe, which has no scores,
/// full too.
fn first_score(
    r#type: ConsumerType,
    producer: &Producer,
    streams: &SlotMap<StreamKey, ProducerStream>,
) -> ConsumerScore {
    let scores = producer.streams.iter().map(|key| streams.get(*key).and_then(ProducerStream::score));
    let producer_scores: Vec<u8> = scores.map(|it| it.map_or(0, |score| score.score)).collect();
    let producer_score = match r#type {
        ConsumerType::Pipe => 10,
        _ => producer_scores.first().copied().unwrap_or(0),
    };
    ConsumerScore { score: 10, producer_score, producer_scores }
}

fn mid_of(command: &Consume, transport: &mut Transport) -> Result<String, Failure> {
    use crate::rtp::extension::LABEL_MAX;
    match &command.mid {
        Some(mid) if mid.is_empty() || mid.len() > LABEL_MAX => {
            Err(Failure::new(ErrorCode::InvalidArgument, format!("a MID has 1 to {LABEL_MAX} bytes")))
        }
        Some(mid) => Ok(mid.clone()),
        None => Ok(transport.next_mid()),
    }
}

fn random_cname(turn: &mut Turn) -> String {
    // RFC 7022 §4.2: 96 random bits are a short-term persistent name.
    let bits: u128 = turn.rng.random();
    format!("{:024x}", bits >> 32)
}

/// A Consumer's rows, which wait to be attached.
fn places(
    turn: &mut Turn,
    transport: TransportKey,
    command: &Consume,
    r#type: ConsumerType,
    router: &RtpParameters,
    remote: &RtpParameters,
) -> Places {
    let mut row = |encoding| {
        Place::Away(Box::new(Row::new(RowParams {
            consumer: command.id,
            transport,
            rtp_parameters: router,
            encoding,
            ignore_dtx: command.ignore_dtx,
            numbers: (router != remote).then(|| Numbers::new(router, remote)),
            first_sequences: (turn.rng.random_range(FIRST_SEQUENCES), turn.rng.random_range(FIRST_SEQUENCES)),
        })))
    };
    match r#type {
        ConsumerType::Pipe => Places::All((0..router.encodings.len()).map(row).collect()),
        _ => Places::One(row(0)),
    }
}
