//! What must have happened between two states of one object.

use crate::waist::{
    ConsumerState, DataConsumerState, DataProducerState, Event, ObjectState, PipeTransportState,
    PlainConnection, PlainTransportState, ProducerState, RouterState, RtpObserverState, WebRtcTransportState,
};

/// The events that make the older state into the newer one, in an order in which they could have happened. Parts that can't
/// change are not looked at.
pub(crate) fn difference(old: &ObjectState, new: &ObjectState) -> Vec<Event> {
    let mut events = Vec::new();
    if old.origin().owner.is_some() && new.origin().owner.is_none() {
        events.push(Event::Detached { id: new.id() });
    }
    match (old, new) {
        (ObjectState::Router(old), ObjectState::Router(new)) => {
            router(old, new, &mut events);
        }
        (ObjectState::WebRtcTransport(old), ObjectState::WebRtcTransport(new)) => {
            transport(old, new, &mut events);
        }
        (ObjectState::PlainTransport(old), ObjectState::PlainTransport(new)) => {
            plain_transport(old, new, &mut events);
        }
        (ObjectState::PipeTransport(old), ObjectState::PipeTransport(new)) => {
            pipe_transport(old, new, &mut events);
        }
        (ObjectState::Producer(old), ObjectState::Producer(new)) => {
            producer(old, new, &mut events);
        }
        (ObjectState::Consumer(old), ObjectState::Consumer(new)) => {
            consumer(old, new, &mut events);
        }
        (ObjectState::DataProducer(old), ObjectState::DataProducer(new)) => {
            data_producer(old, new, &mut events);
        }
        (ObjectState::DataConsumer(old), ObjectState::DataConsumer(new)) => {
            data_consumer(old, new, &mut events);
        }
        (ObjectState::RtpObserver(old), ObjectState::RtpObserver(new)) => {
            rtp_observer(old, new, &mut events);
        }
        _ => {}
    }
    events
}

fn router(old: &RouterState, new: &RouterState, events: &mut Vec<Event>) {
    if old.rtp_capabilities != new.rtp_capabilities {
        let rtp_capabilities = new.rtp_capabilities.clone();
        events.push(Event::RtpCapabilitiesChanged { id: new.id, rtp_capabilities });
    }
}

fn transport(old: &WebRtcTransportState, new: &WebRtcTransportState, events: &mut Vec<Event>) {
    let id = new.id;
    if old.ice_parameters != new.ice_parameters {
        events.push(Event::IceParametersChanged { id, parameters: new.ice_parameters.clone() });
    }
    if old.dtls_parameters != new.dtls_parameters {
        events.push(Event::DtlsParametersChanged { id, parameters: new.dtls_parameters.clone() });
    }
    if old.ice_selected_tuple != new.ice_selected_tuple {
        events.push(Event::IceSelectedTupleChanged { id, tuple: new.ice_selected_tuple.clone() });
    }
    if old.ice_state != new.ice_state {
        events.push(Event::IceStateChanged { id, state: new.ice_state });
    }
    if (old.dtls_state, &old.dtls_remote_cert) != (new.dtls_state, &new.dtls_remote_cert) {
        events.push(Event::DtlsStateChanged {
            id,
            state: new.dtls_state,
            remote_cert: new.dtls_remote_cert.clone(),
        });
    }
}

fn plain_transport(old: &PlainTransportState, new: &PlainTransportState, events: &mut Vec<Event>) {
    let id = new.id;
    if old.srtp_parameters != new.srtp_parameters {
        // Nothing else changes the key.
        let connection = PlainConnection {
            tuple: new.tuple.clone(),
            rtcp_tuple: new.rtcp_tuple.clone(),
            srtp_parameters: new.srtp_parameters.clone(),
        };
        events.push(Event::PlainTransportConnected { id, connection: Box::new(connection) });
        return;
    }
    if old.tuple != new.tuple {
        events.push(Event::TupleChanged { id, tuple: new.tuple.clone() });
    }
    if let Some(tuple) = new.rtcp_tuple.clone().filter(|new| old.rtcp_tuple.as_ref() != Some(new)) {
        events.push(Event::RtcpTupleChanged { id, tuple });
    }
}

fn pipe_transport(old: &PipeTransportState, new: &PipeTransportState, events: &mut Vec<Event>) {
    if old.tuple != new.tuple {
        events.push(Event::TupleChanged { id: new.id, tuple: new.tuple.clone() });
    }
}

fn producer(old: &ProducerState, new: &ProducerState, events: &mut Vec<Event>) {
    let id = new.id;
    match (old.paused, new.paused) {
        (false, true) => events.push(Event::ProducerPaused { id }),
        (true, false) => events.push(Event::ProducerResumed { id }),
        _ => {}
    }
    if old.score != new.score {
        events.push(Event::ProducerScoreChanged { id, score: new.score.clone() });
    }
    if let Some(orientation) = new.video_orientation.filter(|new| old.video_orientation != Some(*new)) {
        events.push(Event::ProducerVideoOrientationChanged { id, orientation });
    }
}

fn consumer(old: &ConsumerState, new: &ConsumerState, events: &mut Vec<Event>) {
    let id = new.id;
    match (old.paused, new.paused) {
        (false, true) => events.push(Event::ConsumerPaused { id }),
        (true, false) => events.push(Event::ConsumerResumed { id }),
        _ => {}
    }
    match (old.producer_paused, new.producer_paused) {
        (false, true) => events.push(Event::ConsumerProducerPaused { id }),
        (true, false) => events.push(Event::ConsumerProducerResumed { id }),
        _ => {}
    }
    if old.score != new.score {
        events.push(Event::ConsumerScoreChanged { id, score: new.score.clone() });
    }
}

fn data_producer(old: &DataProducerState, new: &DataProducerState, events: &mut Vec<Event>) {
    let id = new.id;
    match (old.paused, new.paused) {
        (false, true) => events.push(Event::DataProducerPaused { id }),
        (true, false) => events.push(Event::DataProducerResumed { id }),
        _ => {}
    }
}

fn data_consumer(old: &DataConsumerState, new: &DataConsumerState, events: &mut Vec<Event>) {
    let id = new.id;
    match (old.paused, new.paused) {
        (false, true) => events.push(Event::DataConsumerPaused { id }),
        (true, false) => events.push(Event::DataConsumerResumed { id }),
        _ => {}
    }
    match (old.data_producer_paused, new.data_producer_paused) {
        (false, true) => events.push(Event::DataConsumerDataProducerPaused { id }),
        (true, false) => events.push(Event::DataConsumerDataProducerResumed { id }),
        _ => {}
    }
    if old.subchannels != new.subchannels {
        events.push(Event::SubchannelsChanged { id, subchannels: new.subchannels.clone() });
    }
}

fn rtp_observer(old: &RtpObserverState, new: &RtpObserverState, events: &mut Vec<Event>) {
    let id = new.id;
    match (old.paused, new.paused) {
        (false, true) => events.push(Event::RtpObserverPaused { id }),
        (true, false) => events.push(Event::RtpObserverResumed { id }),
        _ => {}
    }
    let removed = old.producers.difference(&new.producers);
    events.extend(removed.map(|producer| Event::RtpObserverProducerRemoved { id, producer: *producer }));
    let added = new.producers.difference(&old.producers);
    events.extend(added.map(|producer| Event::RtpObserverProducerAdded { id, producer: *producer }));
    if let Some(producer) = new.dominant_speaker().filter(|new| old.dominant_speaker() != Some(*new)) {
        events.push(Event::DominantSpeaker { id, producer });
    }
}

#[cfg(test)]
mod tests;
