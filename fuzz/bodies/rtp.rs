//! RTP: what is found lies within the packet, and extensions that are written again are read again.

use mafalda_media::rtp::extension::{
    ExtensionIds, ExtensionMask, Extensions, LabelRange, OutgoingExtensions,
};
use mafalda_media::rtp::{HEADER_LEN_MAX, OutgoingHeader, RtpHeader, max_header_len, rtx, write_header};

/// Takes `data` for a packet.
pub fn run(data: &[u8]) {
    let Ok(encrypted) = RtpHeader::parse_encrypted(data) else {
        assert!(RtpHeader::parse(data).is_err(), "a packet in plain text has a header too");
        return;
    };
    assert_eq!(encrypted.payload_range().end, data.len());
    let parsed = RtpHeader::parse(data);
    assert_eq!(encrypted.finish(data), parsed);
    let Ok(header) = parsed else { return };
    check_ranges(data, &header);
    check_extensions(data, &header);
    if let Some(media) = rtx::restore(&header, data, 1, 2) {
        assert_eq!(media.payload_range().end, header.payload_range().end);
        assert_eq!(media.payload_range().start, header.payload_range().start + rtx::OSN_LEN);
    }
}

fn check_ranges(data: &[u8], header: &RtpHeader) {
    assert_eq!(header.payload_range().end + usize::from(header.padding), data.len());
    assert_eq!(header.payload(data).len(), usize::from(header.payload_len));
    assert_eq!(header.csrcs(data).count(), usize::from(header.csrc_count));
    let block = header.extension.map(|block| block.range()).unwrap_or_default();
    assert!(block.end <= data.len());
    let elements_len: usize = header.elements(data).map(|(_, value)| value.len() + 1).sum();
    assert!(elements_len <= block.len(), "each element has at least one byte in front of its value");
    assert!(header.elements(data).all(|(id, _)| id != 0), "id 0 is padding");
}

fn check_extensions(data: &[u8], header: &RtpHeader) {
    let read = Extensions::parse(data, header, &ExtensionIds::router());
    let [mid, rid, repaired_rid] = [read.mid, read.rid, read.repaired_rid]
        .map(|range| range.map(|range| range.label(data).expect("a range in the packet is a label")));
    let outgoing = OutgoingExtensions {
        mid: mid.as_ref(),
        rid: rid.as_ref(),
        repaired_rid: repaired_rid.as_ref(),
        abs_send_time: read.abs_send_time,
        transport_cc: read.transport_cc,
        audio_level: read.audio_level,
        video_orientation: read.video_orientation,
        abs_capture_time: read.abs_capture_time,
        playout_delay: read.playout_delay,
    };
    let fixed = OutgoingHeader {
        marker: header.marker,
        payload_type: header.payload_type,
        sequence: header.sequence,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        padded: false,
    };
    let mut out = [0; HEADER_LEN_MAX];
    let len = write_header(&mut out, &fixed, &outgoing, ExtensionMask::ALL).expect("the bound is enough");
    assert!(len <= max_header_len(ExtensionMask::ALL));
    let packet = &out[..len];
    let again = RtpHeader::parse(packet).expect("a header that was written is read");
    assert_eq!((again.marker, again.payload_type), (header.marker, header.payload_type));
    assert_eq!(
        (again.sequence, again.timestamp, again.ssrc),
        (header.sequence, header.timestamp, header.ssrc)
    );
    assert_eq!((again.payload_len, again.csrc_count), (0, 0));
    let reread = Extensions::parse(packet, &again, &ExtensionIds::router());
    let label = |range: Option<LabelRange>| range.and_then(|range| range.label(packet));
    assert_eq!([label(reread.mid), label(reread.rid), label(reread.repaired_rid)], [mid, rid, repaired_rid]);
    let values = |it: Extensions| Extensions { mid: None, rid: None, repaired_rid: None, ..it };
    assert_eq!(values(reread), values(read));
}
