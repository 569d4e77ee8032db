//! Dumps and statistics: what applications see when they look inside.

use mafalda_api::consumer::{
    ConsumerDump, ConsumerRtpStreamStat, ConsumerStat, RtpStream, RtpStreamParams, RtxStreamParams,
};
use mafalda_api::id::{ConsumerId, ProducerId, RtpObserverId};
use mafalda_api::producer::{ProducerDump, ProducerStat, RtpStreamRecv, RtxStream};
use mafalda_api::router::RouterDump;
use mafalda_api::types::rtp_parameters::{
    MediaKind, RtpCodecParameters, RtpCodecParametersParametersValue, RtpEncodingParameters, RtpParameters,
};

mod transport;

use crate::Now;
use crate::consumer::{Consumer, Place, Row};
use crate::producer::{Producer, ProducerStream, apt};

use super::{Router, TransportKey};

impl Router {
    pub(crate) fn dump(&self) -> RouterDump {
        let consumers = self.transports.values().flat_map(|transport| transport.consumers.values());
        RouterDump {
            id: self.id,
            map_consumer_id_producer_id: consumers.map(|it| (it.id, it.known_producer())).collect(),
            map_producer_id_consumer_ids: self
                .producers
                .values()
                .map(|producer| (producer.known_as(), self.consumer_ids(producer.id)))
                .collect(),
            map_producer_id_observer_ids: self
                .producers
                .values()
                .map(|producer| (producer.known_as(), self.observer_ids(producer)))
                .collect(),
            map_data_consumer_id_data_producer_id: self
                .data
                .consumers
                .values()
                .map(|consumer| (consumer.id, consumer.producer))
                .collect(),
            map_data_producer_id_data_consumer_ids: self
                .data
                .producers
                .values()
                .map(|producer| (producer.id, producer.consumers.iter().copied().collect()))
                .collect(),
            rtp_observer_ids: self.observers.values().map(|observer| observer.id).collect(),
            transport_ids: self.transports.values().map(|transport| transport.id).collect(),
        }
    }

    fn consumer_ids(&self, producer: ProducerId) -> std::collections::HashSet<ConsumerId> {
        self.consumers_of.get(&producer).into_iter().flatten().map(|(_, consumer)| *consumer).collect()
    }

    fn observer_ids(&self, producer: &Producer) -> std::collections::HashSet<RtpObserverId> {
        producer.observers.iter().filter_map(|key| self.observers.get(*key)).map(|it| it.id).collect()
    }

    pub(crate) fn dump_producer(&self, id: ProducerId) -> Option<ProducerDump> {
        let producer = self.producers.get(&id)?;
        Some(ProducerDump {
            id: producer.known_as(),
            kind: producer.kind,
            paused: producer.paused,
            rtp_mapping: producer.mapping.clone(),
            rtp_parameters: RtpParameters::clone(&producer.rtp_parameters),
            rtp_streams: self
                .streams_of(producer)
                .filter_map(|stream| stream_dump(producer, stream))
                .collect(),
            trace_event_types: producer.traced.kinds(),
            r#type: producer.r#type(),
        })
    }

    pub(crate) fn producer_stats(&self, now: Now, id: ProducerId) -> Option<Vec<ProducerStat>> {
        let producer = self.producers.get(&id)?;
        Some(self.streams_of(producer).filter_map(|stream| stream_stat(now, producer.kind, stream)).collect())
    }

    fn streams_of<'a>(&'a self, producer: &'a Producer) -> impl Iterator<Item = &'a ProducerStream> {
        producer.streams.iter().filter_map(|key| self.streams.get(*key))
    }

    pub(crate) fn dump_consumer(&self, key: TransportKey, id: ConsumerId) -> Option<ConsumerDump> {
        let consumer = self.transports.get(key)?.consumers.get(&id)?;
        let media = consumer.rtp_parameters.codecs.iter().filter(|codec| !codec.is_rtx());
        Some(ConsumerDump {
            id,
            kind: consumer.kind,
            paused: consumer.paused,
            producer_id: consumer.known_producer(),
            priority: 1,
            producer_paused: consumer.producer_paused,
            rtp_parameters: RtpParameters::clone(&consumer.rtp_parameters),
            supported_codec_payload_types: media.map(RtpCodecParameters::payload_type).collect(),
            trace_event_types: consumer.traced.kinds(),
            r#type: consumer.r#type,
            consumable_rtp_encodings: consumer.consumable.encodings.clone(),
            rtp_streams: self.rows(consumer).filter_map(|row| row_dump(consumer, row)).collect(),
            preferred_spatial_layer: None,
            target_spatial_layer: None,
            current_spatial_layer: None,
            preferred_temporal_layer: None,
            target_temporal_layer: None,
            current_temporal_layer: None,
        })
    }

    /// The Consumer's own streams, then that of its Producer which it sends on; a pipe Consumer's are its own alone.
    pub(crate) fn consumer_stats(
        &self,
        now: Now,
        key: TransportKey,
        id: ConsumerId,
    ) -> Option<Vec<ConsumerRtpStreamStat>> {
        let consumer = self.transports.get(key)?.consumers.get(&id)?;
        let own = self.rows(consumer).filter_map(|row| row_stat(now, consumer, row));
        let source = consumer.rows_at().next().filter(|_| !consumer.is_pipe());
        let source = source.and_then(|(key, _)| self.streams.get(key));
        let source = source
            .and_then(|stream| stream_stat(now, consumer.kind, stream))
            .map(ConsumerRtpStreamStat::Inbound);
        Some(own.map(ConsumerRtpStreamStat::Outbound).chain(source).collect())
    }

    fn rows<'a>(&'a self, consumer: &'a Consumer) -> impl Iterator<Item = &'a Row> {
        consumer.places.as_slice().iter().filter_map(|place| match place {
            Place::At { stream, index } => self.streams.get(*stream)?.rows.get(*index),
            Place::Away(row) => Some(row),
        })
    }
}

fn timestamp(now: Now) -> u64 {
    now.unix.as_millis() as u64
}

fn ms(time: std::time::Duration) -> f32 {
    time.as_secs_f32() * 1000.0
}

fn stream_dump(producer: &Producer, stream: &ProducerStream) -> Option<RtpStreamRecv> {
    let format = stream.formats.first()?;
    let recv = stream.begun()?;
    let cname = producer.rtp_parameters.rtcp.cname.clone().unwrap_or_default();
    let encoding = producer.rtp_parameters.encodings.get(stream.encoding);
    let codecs = &producer.rtp_parameters.codecs;
    let codec = codecs.iter().find(|codec| codec.payload_type() == format.payload_type);
    let layers = Layers::of(encoding);
    let rtx = stream.rtx.as_ref().map(|rtx| RtxStream {
        params: RtxStreamParams {
            clock_rate: format.clock_rate,
            cname: cname.clone(),
            mime_type: format.mime_type,
            payload_type: format.rtx.unwrap_or_default(),
            ssrc: rtx.ssrc(),
            rrid: stream.rid.clone(),
        },
    });
    Some(RtpStreamRecv {
        params: RtpStreamParams {
            clock_rate: format.clock_rate,
            cname,
            encoding_idx: stream.encoding as u32,
            mime_type: format.mime_type,
            payload_type: format.payload_type,
            spatial_layers: layers.spatial,
            ssrc: recv.params().ssrc,
            temporal_layers: layers.temporal,
            use_dtx: use_dtx(encoding, codec),
            use_in_band_fec: is_set(codec, "useinbandfec"),
            use_nack: format.nack,
            use_pli: format.pli,
            rid: stream.rid.clone(),
            rtx_ssrc: stream.rtx.as_ref().map(|rtx| rtx.ssrc()),
            rtx_payload_type: format.rtx.filter(|_| stream.rtx.is_some()),
        },
        score: recv.score(),
        rtx_stream: rtx,
    })
}

fn stream_stat(now: Now, kind: MediaKind, stream: &ProducerStream) -> Option<ProducerStat> {
    let format = stream.formats.first()?;
    let recv = stream.begun()?;
    let it = recv.stats(now);
    Some(ProducerStat {
        timestamp: timestamp(now),
        ssrc: recv.params().ssrc,
        rtx_ssrc: stream.rtx.as_ref().map(|rtx| rtx.ssrc()),
        rid: stream.rid.clone(),
        kind,
        mime_type: format.mime_type,
        packets_lost: it.packets_lost,
        fraction_lost: it.fraction_lost,
        jitter: it.jitter,
        packets_discarded: it.discarded + it.duplicates,
        packets_retransmitted: it.retransmitted,
        packets_repaired: it.repaired,
        nack_count: it.feedback.nacks,
        nack_packet_count: it.feedback.nacked_packets,
        pli_count: it.feedback.plis,
        fir_count: it.feedback.firs,
        packet_count: it.packets,
        byte_count: it.bytes,
        bitrate: it.bitrate,
        round_trip_time: it.round_trip.map(ms),
        rtx_packets_discarded: stream.rtx.as_ref().map(|rtx| rtx.discarded()),
        score: it.score,
        bitrate_by_layer: Vec::new(),
    })
}

fn media_codec(parameters: &RtpParameters) -> Option<&RtpCodecParameters> {
    parameters.codecs.iter().find(|codec| !codec.is_rtx())
}

/// In the numbers of the receiver, which needn't be the row's.
fn rtx_payload_type(parameters: &RtpParameters, media: &RtpCodecParameters) -> Option<u8> {
    let is_its = |rtx: &&RtpCodecParameters| rtx.is_rtx() && apt(rtx) == Some(media.payload_type().into());
    parameters.codecs.iter().find(is_its).map(RtpCodecParameters::payload_type)
}

fn row_dump(consumer: &Consumer, row: &Row) -> Option<RtpStream> {
    let codec = media_codec(&consumer.rtp_parameters)?;
    let has = |feedback| codec.rtcp_feedback().contains(&feedback);
    let encoding = consumer.rtp_parameters.encodings.get(row.encoding);
    let layers = Layers::of(encoding);
    Some(RtpStream {
        params: RtpStreamParams {
            clock_rate: codec.clock_rate().get(),
            cname: consumer.rtp_parameters.rtcp.cname.clone().unwrap_or_default(),
            encoding_idx: row.encoding as u32,
            mime_type: codec.mime_type(),
            payload_type: codec.payload_type(),
            spatial_layers: layers.spatial,
            ssrc: row.send.params().ssrc,
            temporal_layers: layers.temporal,
            use_dtx: use_dtx(encoding, Some(codec)),
            use_in_band_fec: is_set(Some(codec), "useinbandfec"),
            use_nack: row.send.params().nack,
            use_pli: has(mafalda_api::types::rtp_parameters::RtcpFeedback::NackPli),
            rid: None,
            rtx_ssrc: row.rtx.as_ref().map(|rtx| rtx.ssrc()),
            rtx_payload_type: row
                .rtx
                .as_ref()
                .and_then(|_| rtx_payload_type(&consumer.rtp_parameters, codec)),
        },
        score: row.send.score(),
    })
}

fn row_stat(now: Now, consumer: &Consumer, row: &Row) -> Option<ConsumerStat> {
    let codec = media_codec(&consumer.rtp_parameters)?;
    let it = row.send.stats(now);
    Some(ConsumerStat {
        timestamp: timestamp(now),
        ssrc: row.send.params().ssrc,
        rtx_ssrc: row.rtx.as_ref().map(|rtx| rtx.ssrc()),
        kind: consumer.kind,
        mime_type: codec.mime_type(),
        packets_lost: it.packets_lost as i32,
        fraction_lost: it.fraction_lost,
        jitter: it.jitter,
        packets_discarded: row.unsent,
        packets_retransmitted: it.retransmitted,
        packets_repaired: it.repaired,
        nack_count: it.feedback.nacks,
        nack_packet_count: it.feedback.nacked_packets,
        pli_count: it.feedback.plis,
        fir_count: it.feedback.firs,
        packet_count: it.packets,
        byte_count: it.bytes,
        bitrate: it.bitrate,
        round_trip_time: it.round_trip.map(ms),
        rtx_packets_discarded: row.rtx.as_ref().map(|rtx| rtx.discarded()),
        score: it.score,
    })
}

/// How many layers a stream was negotiated with.
struct Layers {
    spatial: u8,
    temporal: u8,
}

impl Layers {
    fn of(encoding: Option<&RtpEncodingParameters>) -> Self {
        let mode = encoding.map(|encoding| &encoding.scalability_mode);
        Self {
            spatial: mode.map_or(1, |mode| mode.spatial_layers().get()),
            temporal: mode.map_or(1, |mode| mode.temporal_layers().get()),
        }
    }
}

/// Either says so: the encoding, or Opus with `usedtx` (RFC 7587 §6.1).
fn use_dtx(encoding: Option<&RtpEncodingParameters>, codec: Option<&RtpCodecParameters>) -> bool {
    encoding.and_then(|encoding| encoding.dtx).unwrap_or(false) || is_set(codec, "usedtx")
}

fn is_set(codec: Option<&RtpCodecParameters>, parameter: &str) -> bool {
    let value = codec.and_then(|codec| codec.parameters().get(parameter));
    matches!(value, Some(RtpCodecParametersParametersValue::Number(1)))
}
