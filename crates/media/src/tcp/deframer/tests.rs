use proptest::prelude::*;

use super::*;
use crate::tcp::frame_header;

/// A packet that starts like RTP.
fn packet(len: usize) -> Vec<u8> {
    (0..len).map(|index| if index == 0 { 0x80 } else { index as u8 }).collect()
}

fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
    packets.iter().flat_map(|packet| [&frame_header(packet.len() as u16)[..], packet].concat()).collect()
}

/// What the deframer finds when the stream comes in these chunks, and the error that ends it.
fn deframed(
    stream: &[u8],
    chunk_lens: impl IntoIterator<Item = usize>,
) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut deframer = Deframer::new();
    let mut packets = vec![];
    let mut rest = stream;
    for len in chunk_lens {
        let (chunk, tail) = rest.split_at(len.min(rest.len()));
        rest = tail;
        let mut chunk = chunk.to_vec();
        let mut chunk = chunk.as_mut_slice();
        loop {
            match deframer.next_packet(&mut chunk) {
                Ok(Some(packet)) => packets.push(packet.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(deframer.next_packet(&mut chunk), Err(error), "an error is for ever");
                    return (packets, Some(error));
                }
            }
        }
        assert!(chunk.is_empty(), "None means that all was read");
    }
    (packets, None)
}

/// The same from the whole stream at once, with as little thought as possible.
fn naive(mut stream: &[u8]) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut packets = vec![];
    while stream.len() >= 2 {
        let len = usize::from(stream[0]) * 256 + usize::from(stream[1]);
        if len > FRAME_MAX {
            return (packets, Some(FrameError::Oversize { len: len as u16 }));
        }
        let body = &stream[2..stream.len().min(2 + len)];
        if let Some(&first) = body.first() {
            let known = matches!(first, 0..=3 | 20..=63 | 128..=191);
            if !known {
                return (packets, Some(FrameError::Garbage(Kind::of(&[first, 0]).unwrap_err())));
            }
        }
        if body.len() < len {
            break;
        }
        if len > 0 {
            packets.push(body.to_vec());
        }
        stream = &stream[2 + len..];
    }
    (packets, None)
}

#[test]
fn whole_frames_lie_where_they_lay() {
    let mut stream = framed(&[packet(5), packet(3)]);
    let range = stream.as_ptr_range();
    let mut deframer = Deframer::new();
    let mut chunk = stream.as_mut_slice();
    for len in [5, 3] {
        let found = deframer.next_packet(&mut chunk).unwrap().unwrap();
        assert_eq!(found, packet(len));
        assert!(range.contains(&found.as_ptr()), "not copied");
    }
    assert_eq!(deframer.next_packet(&mut chunk), Ok(None));
    assert_eq!(deframer.partial.capacity(), 0, "nothing was kept");
}

#[test]
fn every_cut_gives_the_same() {
    let packets = [packet(1), packet(4), packet(2)];
    let stream = framed(&packets);
    for cut in 0..=stream.len() {
        assert_eq!(deframed(&stream, [cut, stream.len()]), (packets.to_vec(), None), "cut at {cut}");
    }
    assert_eq!(deframed(&stream, vec![1; stream.len()]), (packets.to_vec(), None));
}

#[test]
fn null_packets_are_skipped() {
    let stream = [&[0; 6][..], &framed(&[packet(2)]), &[0; 3]].concat();
    for len in 1..=stream.len() {
        assert_eq!(deframed(&stream, vec![len; stream.len()]), (vec![packet(2)], None), "chunks of {len}");
    }
}

#[test]
fn the_largest_frame_passes_and_a_larger_one_does_not() {
    let largest = framed(&[packet(FRAME_MAX)]);
    assert_eq!(deframed(&largest, vec![1000; 5]).0, [packet(FRAME_MAX)]);
    let len = FRAME_MAX as u16 + 1;
    for chunk_len in [1, 2, 10_000] {
        let larger = framed(&[packet(usize::from(len))]);
        assert_eq!(deframed(&larger, vec![chunk_len; 3]), (vec![], Some(FrameError::Oversize { len })));
    }
}

#[test]
fn the_buffer_never_grows() {
    let mut deframer = Deframer::new();
    for _ in 0..3 {
        for byte in framed(&[packet(FRAME_MAX)]) {
            let mut chunk = &mut [byte][..];
            let _ = deframer.next_packet(&mut chunk).unwrap();
            assert_eq!(deframer.partial.capacity(), HEADER_LEN + FRAME_MAX);
        }
    }
}

#[test]
fn other_protocols_are_found_out_at_once() {
    let http = b"GET / HTTP/1.1\r\n\r\n";
    assert_eq!(deframed(http, [2]), (vec![], Some(FrameError::Oversize { len: 0x4745 })));
    let tls = [0x16, 0x03, 0x01, 0x02, 0x00];
    assert_eq!(deframed(&tls, [5]), (vec![], Some(FrameError::Oversize { len: 0x1603 })));
    let turn = [0x00, 0x10, 0x40, 0x00];
    assert_eq!(deframed(&turn, [3]), (vec![], Some(FrameError::Garbage(DemuxDrop::TurnChannel))));
    assert_eq!(deframed(&turn, [2, 1]), (vec![], Some(FrameError::Garbage(DemuxDrop::TurnChannel))));
}

#[test]
fn what_came_before_the_garbage_is_returned() {
    let mut stream = framed(&[packet(7)]);
    stream.extend_from_slice(&[0, 4, 0xff]);
    assert_eq!(deframed(&stream, [100]), (vec![packet(7)], Some(FrameError::Garbage(DemuxDrop::Unassigned))));
}

#[test]
fn the_header_is_big_endian() {
    assert_eq!(frame_header(0x0102), [1, 2]);
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![8 => Just(0x80_u8), 4 => 0_u8..=3, 4 => 20_u8..=63, 1 => any::<u8>()];
    let len = prop_oneof![8 => 0_usize..40, 1 => 0_usize..=FRAME_MAX + 10];
    let frame = (first, len).prop_map(|(first, len)| {
        let mut packet = packet(len);
        if let Some(byte) = packet.first_mut() {
            *byte = first;
        }
        packet
    });
    prop::collection::vec(frame, 0..12).prop_map(|packets| framed(&packets))
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        stream in any_stream(),
        missing in 0_usize..5,
        chunk_lens in prop::collection::vec(prop_oneof![4 => 0_usize..12, 1 => 0_usize..6000], 0..40),
    ) {
        let stream = &stream[..stream.len().saturating_sub(missing)];
        let all = chunk_lens.into_iter().chain([usize::MAX]);
        prop_assert_eq!(deframed(stream, all), naive(stream));
    }

    #[test]
    fn any_bytes_can_be_read(stream in prop::collection::vec(any::<u8>(), 0..64), len in 1_usize..10) {
        prop_assert_eq!(deframed(&stream, vec![len; 64]), naive(&stream));
    }
}
