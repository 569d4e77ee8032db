//! Carrying a Producer from one Router to another. All of it is done by handles, so it works wherever the two Routers live: in one
//! Worker, in two, or with two backends.
//!
//! What a pipe is made of: a pair of PipeTransports, one for all that goes between two Routers, in both directions; in it a Consumer
//! of the Producer, and a Producer that takes what the Consumer sends. The two of them are tied to each other by callbacks.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::Router;
use crate::consumer::{Consumer, ConsumerOptions};
use crate::error::{PipeProducerToRouterError, RequestError};
use crate::handle::Handle;
use crate::id::ProducerId;
use crate::link::{Ends, WeakEnds};
use crate::pipe_transport::{PipeTransport, PipeTransportOptions, PipeTransportRemoteParameters};
use crate::producer::{PipedProducer, Producer, ProducerOptions};
use crate::transport::{Kind as _, Transport};
use crate::types::data_structures::{ListenInfo, Protocol};
use crate::types::rtp_parameters::RtpCapabilities;
use crate::waist::Event;

/// How a Producer is carried to another Router. All but `keep_id` is of the pair of PipeTransports: once there is one between two
/// Routers it is used as it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct PipeToRouterOptions {
    /// Where to.
    pub router: Router,
    /// Whether the Producer has the same id there. Default true. Routers of one Worker need false.
    pub keep_id: bool,
    /// Where the PipeTransports listen. Default UDP on 127.0.0.1, for Routers of one machine.
    pub listen_info: ListenInfo,
    /// Where the one of the other Router listens; `None`, the default, means as this one, which fits Routers of one machine. Ours:
    /// mediasoup has one for both.
    pub remote_listen_info: Option<ListenInfo>,
    /// Whether lost packets are asked for and sent again. Default false.
    pub enable_rtx: bool,
    /// Whether packets are protected by SRTP. Default false.
    pub enable_srtp: bool,
}

impl PipeToRouterOptions {
    /// To this Router of the same machine.
    #[must_use]
    pub fn new(router: Router) -> Self {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            router,
            keep_id: true,
            listen_info: ListenInfo { ip, ..ListenInfo::of_place(Protocol::Udp) },
            remote_listen_info: None,
            enable_rtx: false,
            enable_srtp: false,
        }
    }
}

/// What carries a Producer to another Router.
#[derive(Debug)]
pub struct PipeProducerToRouterPair {
    /// It consumes the Producer, and stays as long as that does, whoever drops this handle. When it is closed, so is the Producer
    /// at the other end.
    pub pipe_consumer: Consumer,
    /// The Producer in the other Router.
    pub pipe_producer: PipedProducer,
}

impl Router {
    /// Carries a Producer of this Router to another one, where it can be consumed like any other, by default under the same id.
    /// What pauses, resumes or ends at this end does so at the other.
    ///
    /// # Errors
    ///
    /// When it would be the same Router under the same id, there is no such Producer, or something of the pipe can't be made: in
    /// `ProduceFailed` is `AlreadyExists` when the other Router's Worker knows a Producer with the id, and what the other Router
    /// has no codec for.
    pub async fn pipe_producer_to_router(
        &self,
        producer_id: ProducerId,
        pipe_to_router_options: PipeToRouterOptions,
    ) -> Result<PipeProducerToRouterPair, PipeProducerToRouterError> {
        let options = pipe_to_router_options;
        if options.keep_id && options.router.id() == self.id() {
            return Err(PipeProducerToRouterError::SameRouter);
        }
        let link = self.handle().link();
        let entry = link.mirror.find_producer(self.id(), producer_id);
        let origin = entry.and_then(|entry| Producer::of(link, &entry));
        let origin = origin.ok_or(PipeProducerToRouterError::ProducerNotFound(producer_id))?;
        let Ends { here, there } = self.ends(&options).await?;
        let consume = ConsumerOptions::new(producer_id, RtpCapabilities::default());
        let consumer = here.consume(consume).await?;
        let encodings = origin.consumable_rtp_parameters().encodings.iter();
        let produce = ProducerOptions {
            paused: is_silent(&consumer),
            labels: origin.labels().clone(),
            app_data: origin.app_data().clone(),
            alias: options.keep_id.then_some(producer_id),
            mapped_ssrcs: encodings.filter_map(|encoding| encoding.ssrc).collect(),
            ..ProducerOptions::new(consumer.kind(), consumer.rtp_parameters().clone())
        };
        let producer = there.produce(produce).await?;
        tie(&consumer, &producer);
        keep(&consumer, &origin);
        let pipe_producer = PipedProducer::new(producer, &consumer);
        Ok(PipeProducerToRouterPair { pipe_consumer: consumer, pipe_producer })
    }

    /// The pair of PipeTransports between the two Routers: that which there is, or a new one. Who comes meanwhile waits for it.
    async fn ends(&self, options: &PipeToRouterOptions) -> Result<Ends, RequestError> {
        let other = &options.router;
        // Either way round it is one pair, which is known where the lesser id is.
        let turned = other.id() < self.id();
        let keeper = if turned { other } else { self }.handle().link();
        let routers = if turned { (other.id(), self.id()) } else { (self.id(), other.id()) };
        let place = keeper.pipes.place(routers);
        let mut known = place.take().await;
        let ends = match known.as_ref().and_then(WeakEnds::upgrade) {
            Some(ends) => ends.turned_if(turned),
            None => {
                let ends = self.new_ends(options).await?;
                let kept = ends.clone().turned_if(turned);
                *known = Some(kept.downgrade());
                for end in [&ends.here, &ends.there] {
                    let keeper = Arc::downgrade(keeper);
                    end.handle()
                        .on_close(move || {
                            if let Some(keeper) = keeper.upgrade() {
                                keeper.pipes.tidy(routers);
                            }
                        })
                        .detach();
                }
                ends
            }
        };
        Ok(ends)
    }

    async fn new_ends(&self, options: &PipeToRouterOptions) -> Result<Ends, RequestError> {
        let create = |listen_info: &ListenInfo| PipeTransportOptions {
            enable_rtx: options.enable_rtx,
            enable_srtp: options.enable_srtp,
            ..PipeTransportOptions::new(listen_info.clone())
        };
        let far = options.remote_listen_info.as_ref().unwrap_or(&options.listen_info);
        let here = self.create_pipe_transport(create(&options.listen_info)).await?;
        let there = options.router.create_pipe_transport(create(far)).await?;
        here.connect(remote_of(&there)?).await?;
        there.connect(remote_of(&here)?).await?;
        close_with(&here, &there);
        close_with(&there, &here);
        Ok(Ends { here, there })
    }
}

/// What one end is told of the other.
fn remote_of(end: &PipeTransport) -> Result<PipeTransportRemoteParameters, RequestError> {
    let tuple = end.tuple();
    let address = tuple.local_address();
    let ip = address.parse().map_err(|_| RequestError::InvalidArgument {
        detail: format!("a pipe needs an IP to announce, {address:?} is none"),
    })?;
    let srtp_parameters = end.srtp_parameters();
    Ok(PipeTransportRemoteParameters { ip, port: tuple.local_port(), srtp_parameters })
}

/// An end alone is of no use: it would be in the way of a new pair.
fn close_with(end: &PipeTransport, other: &PipeTransport) {
    let other = other.downgrade();
    end.handle()
        .on_close(move || {
            if let Some(other) = other.upgrade() {
                other.close();
            }
        })
        .detach();
}

/// Whether nothing comes of it: it or its Producer is paused.
fn is_silent(consumer: &Consumer) -> bool {
    consumer.paused() || consumer.producer_paused()
}

/// The Consumer stays as long as what it carries, whoever drops the pair: applications pipe and look at the other Router alone.
fn keep(consumer: &Consumer, origin: &Producer) {
    let kept = consumer.clone();
    let kept = origin.on_close(move || drop(kept));
    // Nothing is left with the Producer when the Consumer ends first: dropping the id takes the callback out.
    consumer.on_close(move || drop(kept)).detach();
}

/// From now on what ends at one end ends at the other, and the Producer is paused when nothing comes of the Consumer.
fn tie(consumer: &Consumer, producer: &Producer) {
    let end = producer.downgrade();
    consumer
        .on_close(move || {
            if let Some(producer) = end.upgrade() {
                producer.close();
            }
        })
        .detach();
    let end = consumer.downgrade();
    producer
        .on_close(move || {
            if let Some(consumer) = end.upgrade() {
                consumer.close();
            }
        })
        .detach();
    let source: &Handle = consumer.handle();
    let (link, entry, id) =
        (Arc::downgrade(producer.handle().link()), Arc::clone(source.entry()), producer.object_id());
    let watched = Arc::downgrade(&entry);
    source
        .on_change(move |event| {
            let silenced = matches!(
                event,
                Event::ConsumerPaused { .. }
                    | Event::ConsumerResumed { .. }
                    | Event::ConsumerProducerPaused { .. }
                    | Event::ConsumerProducerResumed { .. }
            );
            if let (true, Some(link), Some(entry)) = (silenced, link.upgrade(), watched.upgrade()) {
                link.follow(id, entry);
            }
        })
        .detach();
    if is_silent(consumer) != producer.paused() {
        // It was paused or resumed before anybody watched.
        producer.handle().link().follow(id, entry);
    }
}
