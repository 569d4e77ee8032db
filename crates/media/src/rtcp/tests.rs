//! Both directions against another implementation, bytes from RFCs and browsers, and broken packets.

use proptest::prelude::*;
use rtc_rtcp::Packet;
use rtc_rtcp::extended_report as theirs_xr;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::payload_feedbacks::full_intra_request as theirs_fir;
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report as theirs_rr;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report as theirs_sr;
use rtc_rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{
    NackPair, TransportLayerNack, nack_pairs_from_sequence_numbers,
};

use super::*;

/// What `write` writes into an empty compound packet.
fn written<T>(write: impl FnOnce(&mut CompoundWriter<'_>) -> Result<T, Full>) -> (T, Vec<u8>) {
    let mut out = vec![0xee; COMPOUND_LEN_MAX];
    let mut writer = CompoundWriter::new(&mut out);
    let result = write(&mut writer).unwrap();
    let len = writer.len();
    out.truncate(len);
    (result, out)
}

/// The only packet of a datagram.
fn single(data: &[u8]) -> RtcpPacket<'_> {
    let mut packets = packets(data);
    let packet = packets.next().unwrap().unwrap();
    assert!(packets.next().is_none());
    packet
}

/// The only packet of a datagram, as the other implementation reads it.
fn theirs<T: Clone + 'static>(data: &[u8]) -> T {
    let packets = rtc_rtcp::packet::unmarshal(&mut &data[..]).unwrap();
    assert_eq!(packets.len(), 1);
    packets[0].as_any().downcast_ref::<T>().unwrap().clone()
}

/// What the other implementation writes.
fn marshal(packet: impl Packet + 'static) -> Vec<u8> {
    rtc_rtcp::packet::marshal(&[Box::new(packet)]).unwrap().to_vec()
}

fn block() -> impl Strategy<Value = ReportBlock> {
    (any::<[u32; 5]>(), any::<u8>(), 0i32..0x80_0000).prop_map(|(words, fraction_lost, cumulative_lost)| {
        let [ssrc, highest_sequence, jitter, last_sr, delay_since_last_sr] = words;
        ReportBlock {
            ssrc,
            fraction_lost,
            cumulative_lost,
            highest_sequence,
            jitter,
            last_sr,
            delay_since_last_sr,
        }
    })
}

fn their_block(block: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        total_lost: block.cumulative_lost.cast_unsigned(),
        last_sequence_number: block.highest_sequence,
        jitter: block.jitter,
        last_sender_report: block.last_sr,
        delay: block.delay_since_last_sr,
    }
}

proptest! {
    #[test]
    fn sender_report(
        (ssrc, ntp, rtp_timestamp, packet_count, octet_count) in any::<(u32, u64, u32, u32, u32)>(),
        blocks in prop::collection::vec(block(), 0..=31),
    ) {
        let info = SenderInfo { ssrc, ntp, rtp_timestamp, packet_count, octet_count };
        let (taken, bytes) = written(|writer| writer.sender_report(&info, &blocks));
        prop_assert_eq!(taken, blocks.len());
        let RtcpPacket::SenderReport(read) = single(&bytes) else { panic!() };
        prop_assert_eq!(read.info, info);
        prop_assert!(read.blocks.iter().eq(blocks.iter().copied()));
        let oracle = theirs_sr::SenderReport {
            ssrc,
            ntp_time: ntp,
            rtp_time: rtp_timestamp,
            packet_count,
            octet_count,
            reports: blocks.iter().map(their_block).collect(),
            ..theirs_sr::SenderReport::default()
        };
        prop_assert_eq!(&theirs::<theirs_sr::SenderReport>(&bytes), &oracle);
        prop_assert_eq!(marshal(oracle), bytes);
    }

    #[test]
    fn receiver_report(ssrc: u32, blocks in prop::collection::vec(block(), 0..=31)) {
        let (taken, bytes) = written(|writer| writer.receiver_report(ssrc, &blocks));
        prop_assert_eq!(taken, blocks.len());
        let RtcpPacket::ReceiverReport(read) = single(&bytes) else { panic!() };
        prop_assert_eq!(read.ssrc, ssrc);
        prop_assert!(read.blocks.iter().eq(blocks.iter().copied()));
        let reports = blocks.iter().map(their_block).collect();
        let oracle = theirs_rr::ReceiverReport { ssrc, reports, ..theirs_rr::ReceiverReport::default() };
        prop_assert_eq!(marshal(oracle), bytes);
    }

    #[test]
    fn sdes(ssrc: u32, cname in prop::collection::vec(any::<u8>(), 1..=255)) {
        let ((), bytes) = written(|writer| writer.sdes_cname(ssrc, &cname));
        let RtcpPacket::Sdes(read) = single(&bytes) else { panic!() };
        let chunk = SdesChunk { ssrc, cname: Some(&cname) };
        prop_assert_eq!(read.chunks().collect::<Vec<_>>(), [chunk]);
        let item = SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: cname.clone().into() };
        let chunks = vec![SourceDescriptionChunk { source: ssrc, items: vec![item] }];
        // Not compared with what theirs writes: it ends the zeros behind the chunk with their count.
        prop_assert_eq!(theirs::<SourceDescription>(&bytes), SourceDescription { chunks });
    }

    #[test]
    fn sdes_of_many_sources(
        sources in prop::collection::vec(
            (any::<u32>(), prop::collection::vec((1u8..8, "[a-z]{0,20}"), 0..4)), 1..8),
    ) {
        let item = |(kind, text): &(u8, String)| SourceDescriptionItem {
            sdes_type: SdesType::from(*kind),
            text: text.clone().into_bytes().into(),
        };
        let chunk = |(source, items): &(u32, Vec<(u8, String)>)| SourceDescriptionChunk {
            source: *source,
            items: items.iter().map(item).collect(),
        };
        let bytes = marshal(SourceDescription { chunks: sources.iter().map(chunk).collect() });
        let RtcpPacket::Sdes(read) = single(&bytes) else { panic!() };
        let cname = |items: &[(u8, String)]| {
            items.iter().find(|(kind, _)| *kind == 1).map(|(_, text)| text.clone().into_bytes())
        };
        let read: Vec<_> = read.chunks().map(|it| (it.ssrc, it.cname.map(<[u8]>::to_vec))).collect();
        let expected: Vec<_> = sources.iter().map(|(ssrc, items)| (*ssrc, cname(items))).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn bye(sources in prop::collection::vec(any::<u32>(), 0..=31), reason in prop::option::of("[a-z]{1,30}")) {
        let (taken, bytes) = written(|writer| writer.bye(&sources));
        prop_assert_eq!(taken, sources.len());
        prop_assert_eq!(&theirs::<Goodbye>(&bytes).sources, &sources);
        let text = reason.clone().unwrap_or_default().into_bytes();
        let bytes = marshal(Goodbye { sources: sources.clone(), reason: text.into() });
        let RtcpPacket::Bye(read) = single(&bytes) else { panic!() };
        prop_assert!(read.ssrcs().eq(sources));
        // Theirs writes an empty reason where there is none.
        prop_assert_eq!(read.reason(), Some(reason.as_deref().unwrap_or_default().as_bytes()));
    }

    #[test]
    fn nack(sender: u32, media: u32, first: u16, gaps in prop::collection::vec(1u16..40, 0..100)) {
        let mut lost = vec![first];
        lost.extend(gaps.iter().scan(first, |at, gap| { *at = at.wrapping_add(*gap); Some(*at) }));
        let (taken, bytes) = written(|writer| writer.nack(sender, media, &lost));
        prop_assert_eq!(taken, lost.len());
        let RtcpPacket::Nack(read) = single(&bytes) else { panic!() };
        prop_assert_eq!((read.sender_ssrc, read.media_ssrc), (sender, media));
        prop_assert!(read.lost().eq(lost.iter().copied()));
        for taken in 0..=lost.len() {
            let mut rest = read.lost();
            prop_assert_eq!(rest.by_ref().take(taken).collect::<Vec<_>>().len(), taken);
            prop_assert_eq!((rest.is_over(), rest.count()), (taken == lost.len(), lost.len() - taken));
        }
        let oracle = theirs::<TransportLayerNack>(&bytes);
        prop_assert_eq!(oracle.nacks.iter().flat_map(NackPair::packet_list).collect::<Vec<_>>(), lost.clone());
        if lost.is_sorted() {
            prop_assert_eq!(oracle.nacks, nack_pairs_from_sequence_numbers(&lost), "packed as well as theirs");
        }
    }

    #[test]
    fn nack_in_any_order(lost in prop::collection::vec(any::<u16>(), 1..200)) {
        let (taken, bytes) = written(|writer| writer.nack(1, 2, &lost));
        let RtcpPacket::Nack(read) = single(&bytes) else { panic!() };
        let (mut read, mut sent) = (read.lost().collect::<Vec<_>>(), lost[..taken].to_vec());
        read.sort_unstable();
        read.dedup();
        sent.sort_unstable();
        sent.dedup();
        prop_assert_eq!(read, sent);
    }

    #[test]
    fn pli(sender_ssrc: u32, media_ssrc: u32) {
        let ((), bytes) = written(|writer| writer.pli(sender_ssrc, media_ssrc));
        prop_assert_eq!(single(&bytes), RtcpPacket::Pli(Pli { sender_ssrc, media_ssrc }));
        prop_assert_eq!(marshal(PictureLossIndication { sender_ssrc, media_ssrc }), bytes);
    }

    #[test]
    fn fir(sender_ssrc: u32, entries in prop::collection::vec(any::<(u32, u8)>(), 1..20)) {
        let ours: Vec<_> = entries.iter().map(|&(ssrc, sequence)| FirEntry { ssrc, sequence }).collect();
        let (taken, bytes) = written(|writer| writer.fir(sender_ssrc, &ours));
        prop_assert_eq!(taken, ours.len());
        let RtcpPacket::Fir(read) = single(&bytes) else { panic!() };
        prop_assert_eq!(read.sender_ssrc, sender_ssrc);
        prop_assert!(read.entries().eq(ours));
        let entry = |&(ssrc, sequence_number)| theirs_fir::FirEntry { ssrc, sequence_number };
        let fir = entries.iter().map(entry).collect();
        prop_assert_eq!(marshal(theirs_fir::FullIntraRequest { sender_ssrc, media_ssrc: 0, fir }), bytes);
    }

    #[test]
    fn remb(sender_ssrc: u32, bitrate: u64, shift in 0u32..64, ssrcs in prop::collection::vec(any::<u32>(), 0..200)) {
        let bitrate = bitrate >> shift;
        let (taken, bytes) = written(|writer| writer.remb(sender_ssrc, bitrate, &ssrcs));
        prop_assert_eq!(taken, ssrcs.len());
        let RtcpPacket::Remb(read) = single(&bytes) else { panic!() };
        prop_assert_eq!(read.sender_ssrc, sender_ssrc);
        prop_assert!(read.ssrcs().eq(ssrcs.iter().copied()));
        prop_assert!(read.bitrate <= bitrate && bitrate - read.bitrate <= bitrate >> 17, "rounded down a little");
        let oracle = theirs::<ReceiverEstimatedMaximumBitrate>(&bytes);
        prop_assert_eq!(oracle.ssrcs, ssrcs);
        // Theirs reads 0 as 2^23.
        prop_assert!(bitrate == 0 || f64::from(oracle.bitrate) == read.bitrate as f64);
    }

    #[test]
    fn extended_report(ssrc: u32, ntp: u64, reports in prop::collection::vec(any::<[u32; 3]>(), 1..50)) {
        let ((), reference) = written(|writer| writer.receiver_reference_time(ssrc, ntp));
        let RtcpPacket::ExtendedReport(read) = single(&reference) else { panic!() };
        prop_assert_eq!(read.ssrc, ssrc);
        prop_assert!(read.blocks().eq([XrBlock::ReceiverReferenceTime(ntp)]));
        let block = theirs_xr::ReceiverReferenceTimeReportBlock { ntp_timestamp: ntp };
        let oracle = theirs_xr::ExtendedReport { sender_ssrc: ssrc, reports: vec![Box::new(block)] };
        prop_assert_eq!(marshal(oracle), reference);

        let ours: Vec<_> =
            reports.iter().map(|&[ssrc, last_rr, delay]| DlrrReport { ssrc, last_rr, delay }).collect();
        let (taken, bytes) = written(|writer| writer.dlrr(ssrc, &ours));
        prop_assert_eq!(taken, ours.len());
        let RtcpPacket::ExtendedReport(read) = single(&bytes) else { panic!() };
        let Some(XrBlock::Dlrr(read)) = read.blocks().next() else { panic!() };
        prop_assert!(read.iter().eq(ours));
        let report = |&[ssrc, last_rr, dlrr]: &[u32; 3]| theirs_xr::DLRRReport { ssrc, last_rr, dlrr };
        let block = theirs_xr::DLRRReportBlock { reports: reports.iter().map(report).collect() };
        let oracle = theirs_xr::ExtendedReport { sender_ssrc: ssrc, reports: vec![Box::new(block)] };
        prop_assert_eq!(marshal(oracle), bytes);
    }

    #[test]
    fn noise_is_walked_to_an_end(mut data in prop::collection::vec(any::<u8>(), 4..100), kind in 200u8..208) {
        // A first header that is right, so that the body gets looked at.
        data[0] = 0x80 | data[0] & 0x3f;
        data[1] = kind;
        let words = (data.len() / 4 - 1) as u16;
        data[2..4].copy_from_slice(&words.to_be_bytes());
        let read: Vec<_> = packets(&data).collect();
        let errors = read.iter().filter(|packet| packet.is_err()).count();
        prop_assert!(errors == 0 || errors == 1 && read.last().unwrap().is_err());
        // Views that borrow can be walked to their end too.
        for packet in read.into_iter().flatten() {
            match packet {
                RtcpPacket::Nack(nack) => prop_assert!(nack.lost().count() <= 25 * 17),
                RtcpPacket::Sdes(sdes) => prop_assert!(sdes.chunks().count() <= 31),
                RtcpPacket::ExtendedReport(report) => prop_assert!(report.blocks().count() <= 25),
                RtcpPacket::TransportFeedback(feedback) => {
                    prop_assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
                }
                _ => {}
            }
        }
    }
}

/// A receiver report, source description, goodbye and loss indication, each well formed.
fn compound() -> Vec<u8> {
    let (_, bytes) = written(|writer| {
        writer.receiver_report(0x902f_9e2e, &[ReportBlock { ssrc: 7, ..ReportBlock::default() }])?;
        writer.sdes_cname(0x902f_9e2e, b"{9c00eb92}")?;
        writer.bye(&[0x902f_9e2e])?;
        writer.pli(1, 2)
    });
    bytes
}

#[test]
fn a_compound_packet_is_walked_in_order() {
    let bytes = compound();
    let read: Vec<_> = packets(&bytes).map(Result::unwrap).collect();
    let [RtcpPacket::ReceiverReport(report), RtcpPacket::Sdes(_), RtcpPacket::Bye(bye), RtcpPacket::Pli(_)] =
        read[..]
    else {
        panic!("{read:?}")
    };
    assert_eq!(report.blocks.iter().len(), 1);
    assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [0x902f_9e2e]);
    assert_eq!(packets(&[]).count(), 0);
}

#[test]
fn a_cut_compound_packet_ends_with_one_error() {
    let bytes = compound();
    let ends: Vec<_> = [32, 32 + 24, 32 + 24 + 8, bytes.len()].into();
    for len in 1..bytes.len() {
        let read: Vec<_> = packets(&bytes[..len]).collect();
        let whole = ends.iter().filter(|&&end| end <= len).count();
        assert_eq!(read.iter().filter(|packet| packet.is_ok()).count(), whole, "{len}");
        if ends.contains(&len) {
            assert_eq!(read.len(), whole);
        } else {
            assert_eq!(read.last(), Some(&Err(RtcpError::Truncated)));
            assert_eq!(read.len(), whole + 1);
        }
    }
}

#[test]
fn broken_packets_have_typed_errors() {
    let malformed = |packet_type| RtcpError::Malformed { packet_type };
    let cases: [(&[u8], RtcpError); 14] = [
        (&[0x40, 201, 0, 0], RtcpError::Version),
        (&[0x80, 201, 0, 1], RtcpError::Truncated),
        (&[0xa0, 201, 0, 0], RtcpError::Padding),
        (&[0xa0, 201, 0, 1, 0, 0, 0, 0], RtcpError::Padding),
        (&[0xa0, 201, 0, 1, 0, 0, 0, 5], RtcpError::Padding),
        (&[0x80, 200, 0, 1, 0, 0, 0, 5], malformed(200)),
        (&[0x81, 201, 0, 1, 0, 0, 0, 5], malformed(201)),
        // An item that reaches beyond its packet, and a chunk that never ends.
        (&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, b'a', 0], malformed(202)),
        (&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, b'a', b'b'], malformed(202)),
        (&[0x82, 203, 0, 1, 0, 0, 0, 1], malformed(203)),
        (&[0x81, 203, 0, 2, 0, 0, 0, 1, 4, b'a', b'b', b'c'], malformed(203)),
        (&[0x81, 205, 0, 1, 0, 0, 0, 1], malformed(205)),
        // A REMB that promises two streams and has one.
        (
            &[0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 2, 0, 0, 1, 0, 0, 0, 9],
            malformed(206),
        ),
        // A reference time of one word.
        (&[0x80, 207, 0, 3, 0, 0, 0, 1, 4, 0, 0, 1, 0, 0, 0, 0], malformed(207)),
    ];
    for (bytes, error) in cases {
        assert_eq!(packets(bytes).collect::<Vec<_>>(), [Err(error)], "{bytes:x?}");
    }
}

#[test]
fn other_types_are_skipped() {
    let application = [0x85, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e'];
    let other_remb = [0x8f, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'X'];
    let congestion = [0x8b, 205, 0, 1, 0, 0, 0, 1];
    let bytes = [&application[..], &other_remb, &congestion].concat();
    let read: Vec<_> = packets(&bytes).map(Result::unwrap).collect();
    let unknown = |packet_type, fmt| RtcpPacket::Unknown { packet_type, fmt };
    assert_eq!(read, [unknown(204, 5), unknown(206, 15), unknown(205, 11)]);
}

#[test]
fn padding_is_taken_off() {
    let bytes = [0xa1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4];
    let RtcpPacket::Bye(bye) = single(&bytes) else { panic!() };
    assert_eq!((bye.ssrcs().collect::<Vec<_>>(), bye.reason()), (vec![9], None));
}

#[test]
fn a_remb_of_chrome() {
    let bytes =
        [0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 26, 32, 223, 72, 116, 237, 22];
    let RtcpPacket::Remb(remb) = single(&bytes) else { panic!() };
    assert_eq!(remb.bitrate, 139_487 << 6);
    assert_eq!(remb.ssrcs().collect::<Vec<_>>(), [1_215_622_422]);
}

#[test]
fn a_bitrate_beyond_64_bits_is_the_greatest() {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&[0x8f, 206, 0, 4]);
    bytes[12..17].copy_from_slice(b"REMB\0");
    for (rate, bitrate) in [
        ([0xff, 0xff, 0xff], u64::MAX),
        ([0xfc, 0, 1], 1 << 63),
        ([0xfc, 0, 2], u64::MAX),
        ([0xfc, 0, 0], 0),
        ([0xbb, 0xff, 0xff], 0x3_ffff << 46),
    ] {
        bytes[17..].copy_from_slice(&rate);
        let RtcpPacket::Remb(remb) = single(&bytes) else { panic!() };
        assert_eq!(remb.bitrate, bitrate, "{rate:x?}");
    }
}

#[test]
fn losses_have_a_sign_and_bounds() {
    for (given, read) in [(-1, -1), (0x7f_ffff, 0x7f_ffff), (i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000)] {
        let block = ReportBlock { cumulative_lost: given, fraction_lost: 255, ..ReportBlock::default() };
        let (_, bytes) = written(|writer| writer.receiver_report(1, &[block]));
        let RtcpPacket::ReceiverReport(report) = single(&bytes) else { panic!() };
        assert_eq!(report.blocks.iter().next().unwrap(), ReportBlock { cumulative_lost: read, ..block });
    }
}

#[test]
fn lists_are_split_at_the_bounds_of_packets() {
    let blocks = [ReportBlock::default(); 40];
    assert_eq!(written(|writer| writer.receiver_report(1, &blocks)).0, 31);
    assert_eq!(written(|writer| writer.bye(&[0; 40])).0, 31);
    assert_eq!(written(|writer| writer.remb(1, 1, &[0; 400])).0, 255);
    // These have no count, so only the compound packet bounds them.
    let far_apart: Vec<u16> = (0..400).map(|index| index * 100).collect();
    let (taken, bytes) = written(|writer| writer.nack(1, 2, &far_apart));
    assert_eq!((taken, bytes.len()), (297, COMPOUND_LEN_MAX));
    let reports = [DlrrReport { ssrc: 0, last_rr: 0, delay: 0 }; 200];
    assert_eq!(written(|writer| writer.dlrr(1, &reports)).0, (COMPOUND_LEN_MAX - 12) / 12);
    let name = [b'n'; 300];
    let ((), bytes) = written(|writer| writer.sdes_cname(1, &name));
    let RtcpPacket::Sdes(sdes) = single(&bytes) else { panic!() };
    assert_eq!(sdes.chunks().next().unwrap().cname.unwrap().len(), CNAME_LEN_MAX);
}

#[test]
fn full_leaves_no_trace_and_lists_take_what_fits() {
    let blocks = [ReportBlock { jitter: 5, ..ReportBlock::default() }; 3];
    let mut out = [0xee; 8 + 24 * 2 + 11];
    let mut writer = CompoundWriter::new(&mut out);
    assert!(writer.is_empty());
    assert_eq!(writer.receiver_report(1, &blocks), Ok(2));
    let len = writer.len();
    assert_eq!(writer.receiver_report(1, &blocks[2..]), Err(Full));
    assert_eq!(writer.pli(1, 2), Err(Full));
    assert_eq!(writer.nack(1, 2, &[3]), Err(Full));
    assert_eq!(writer.sdes_cname(1, b"abc"), Err(Full));
    assert_eq!(writer.len(), len);
    assert_eq!(writer.bye(&[9]), Ok(1));
    assert!(out[len + 8..].iter().all(|&byte| byte == 0xee));
    assert_eq!(packets(&out[..len + 8]).filter(Result::is_ok).count(), 2);
}

#[test]
fn a_longer_buffer_is_filled_up_to_the_bound() {
    let mut out = [0xee; COMPOUND_LEN_MAX + 100];
    let mut writer = CompoundWriter::new(&mut out);
    while writer.pli(1, 2).is_ok() {}
    assert_eq!(writer.len(), COMPOUND_LEN_MAX);
    assert!(out[COMPOUND_LEN_MAX..].iter().all(|&byte| byte == 0xee));
}
