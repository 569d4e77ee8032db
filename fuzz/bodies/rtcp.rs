//! RTCP: the walk ends, and each packet that is read and written again is read as the same.

use mafalda_media::rtcp::{
    Arrival, COMPOUND_LEN_MAX, CompoundWriter, FeedbackInfo, Full, RtcpPacket, TransportFeedback, XrBlock,
    packets,
};

/// Takes `data` for a datagram.
pub fn run(data: &[u8]) {
    let mut failed = false;
    for packet in packets(data) {
        assert!(!failed, "nothing comes after an error");
        match packet {
            Ok(packet) => check(packet),
            Err(_) => failed = true,
        }
    }
}

fn check(packet: RtcpPacket<'_>) {
    match packet {
        RtcpPacket::SenderReport(report) => {
            let blocks: Vec<_> = report.blocks.iter().collect();
            again(packet, |writer| writer.sender_report(&report.info, &blocks), blocks.len());
        }
        RtcpPacket::ReceiverReport(report) => {
            let blocks: Vec<_> = report.blocks.iter().collect();
            again(packet, |writer| writer.receiver_report(report.ssrc, &blocks), blocks.len());
        }
        RtcpPacket::Sdes(sdes) => {
            for chunk in sdes.chunks() {
                let Some(cname) = chunk.cname else { continue };
                let bytes = write(|writer| writer.sdes_cname(chunk.ssrc, cname)).expect("a name fits").1;
                let Some(Ok(RtcpPacket::Sdes(read))) = packets(&bytes).next() else { panic!("no SDES") };
                assert!(read.chunks().eq([chunk]));
            }
        }
        RtcpPacket::Bye(bye) => {
            let ssrcs: Vec<_> = bye.ssrcs().collect();
            let bytes = write(|writer| writer.bye(&ssrcs)).expect("31 sources fit").1;
            let Some(Ok(RtcpPacket::Bye(read))) = packets(&bytes).next() else { panic!("no BYE") };
            assert!(read.ssrcs().eq(ssrcs));
        }
        RtcpPacket::Nack(nack) => {
            let lost: Vec<_> = nack.lost().collect();
            let Ok((taken, bytes)) = write(|writer| writer.nack(nack.sender_ssrc, nack.media_ssrc, &lost))
            else {
                panic!("one number fits")
            };
            let Some(Ok(RtcpPacket::Nack(read))) = packets(&bytes).next() else { panic!("no NACK") };
            let mut reread: Vec<_> = read.lost().collect();
            let mut sent = lost[..taken].to_vec();
            for list in [&mut reread, &mut sent] {
                list.sort_unstable();
                list.dedup();
            }
            assert_eq!(reread, sent);
        }
        RtcpPacket::Pli(pli) => {
            let bytes = write(|writer| writer.pli(pli.sender_ssrc, pli.media_ssrc)).expect("it fits").1;
            assert_eq!(packets(&bytes).next(), Some(Ok(packet)));
        }
        RtcpPacket::Fir(fir) => {
            let entries: Vec<_> = fir.entries().take(100).collect();
            let bytes = write(|writer| writer.fir(fir.sender_ssrc, &entries)).expect("100 entries fit").1;
            let Some(Ok(RtcpPacket::Fir(read))) = packets(&bytes).next() else { panic!("no FIR") };
            assert!(read.entries().eq(entries));
        }
        RtcpPacket::TransportFeedback(feedback) => check_transport_feedback(feedback),
        RtcpPacket::Remb(remb) => {
            let ssrcs: Vec<_> = remb.ssrcs().collect();
            let bytes =
                write(|writer| writer.remb(remb.sender_ssrc, remb.bitrate, &ssrcs)).expect("it fits").1;
            let Some(Ok(RtcpPacket::Remb(read))) = packets(&bytes).next() else { panic!("no REMB") };
            assert!(read.ssrcs().eq(ssrcs));
            // What was beyond 64 bits is read as the greatest number, which has 64 significant bits.
            assert!(read.bitrate == remb.bitrate || remb.bitrate == u64::MAX);
        }
        RtcpPacket::ExtendedReport(report) => {
            for block in report.blocks() {
                check_block(report.ssrc, block);
            }
        }
        RtcpPacket::Unknown { .. } => {}
    }
}

/// What `writer` writes, with its answer.
fn write<T>(write: impl FnOnce(&mut CompoundWriter<'_>) -> Result<T, Full>) -> Result<(T, Vec<u8>), Full> {
    let mut out = vec![0; COMPOUND_LEN_MAX];
    let mut writer = CompoundWriter::new(&mut out);
    let answer = write(&mut writer)?;
    let len = writer.len();
    out.truncate(len);
    Ok((answer, out))
}

/// Writes the packet again, with all `count` items of its list, and compares.
fn again(
    packet: RtcpPacket<'_>,
    write_again: impl FnOnce(&mut CompoundWriter<'_>) -> Result<usize, Full>,
    count: usize,
) {
    let (taken, bytes) = write(write_again).expect("the packet fits");
    assert_eq!(taken, count);
    let mut read = packets(&bytes);
    assert_eq!(read.next(), Some(Ok(packet)));
    assert_eq!(read.next(), None);
}

fn check_block(ssrc: u32, block: XrBlock<'_>) {
    let bytes = match block {
        XrBlock::ReceiverReferenceTime(ntp) => {
            write(|writer| writer.receiver_reference_time(ssrc, ntp)).expect("it fits").1
        }
        XrBlock::Dlrr(reports) if (1..90).contains(&reports.iter().len()) => {
            let reports: Vec<_> = reports.iter().collect();
            write(|writer| writer.dlrr(ssrc, &reports)).expect("90 reports fit").1
        }
        XrBlock::Dlrr(_) | XrBlock::Unknown(_) => return,
    };
    let Some(Ok(RtcpPacket::ExtendedReport(read))) = packets(&bytes).next() else { panic!("no report") };
    assert_eq!(read.ssrc, ssrc);
    match (read.blocks().next(), block) {
        (Some(XrBlock::Dlrr(read)), XrBlock::Dlrr(sent)) => assert!(read.iter().eq(sent.iter())),
        (read, sent) => assert_eq!(read, Some(sent)),
    }
}

/// Turns the feedback into arrivals, and these into feedback again, in as many packets as it takes.
fn check_transport_feedback(feedback: TransportFeedback<'_>) {
    assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
    // Far from the clock's zero, so that no sum of deltas gets below it.
    let mut at_us = feedback.reference_time_us() + (1 << 40);
    let mut arrivals = Vec::new();
    for (sequence, delta) in feedback.statuses() {
        if let Some(delta) = delta {
            at_us = at_us.wrapping_add_signed(i64::from(delta));
            arrivals.push(Arrival { sequence, at_us });
        }
    }
    let mut info = FeedbackInfo {
        sender_ssrc: feedback.sender_ssrc,
        media_ssrc: feedback.media_ssrc,
        base_sequence: feedback.base_sequence,
        feedback_count: feedback.feedback_count,
    };
    let mut rest = arrivals.as_slice();
    while let Some(first) = rest.first() {
        let (taken, bytes) = write(|writer| writer.transport_feedback(&info, rest))
            .expect("one arrival fits into an empty packet");
        assert!(taken > 0);
        let Some(Ok(RtcpPacket::TransportFeedback(read))) = packets(&bytes).next() else {
            panic!("no feedback")
        };
        let mut time = first.at_us / 64_000 * 64_000;
        let received = read.statuses().filter_map(|(sequence, delta)| Some((sequence, delta?)));
        let told: Vec<_> = received
            .map(|(sequence, delta)| {
                time = time.wrapping_add_signed(i64::from(delta));
                Arrival { sequence, at_us: time }
            })
            .collect();
        let (sent, unsent) = rest.split_at(taken);
        assert!(told.iter().zip(sent).all(|(told, sent)| told.sequence == sent.sequence));
        assert!(told.iter().zip(sent).all(|(told, sent)| (0..250).contains(&(sent.at_us - told.at_us))));
        assert_eq!(told.len(), taken);
        info.base_sequence = sent.last().map_or(0, |last| last.sequence.wrapping_add(1));
        rest = unsent;
    }
}
