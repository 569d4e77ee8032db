//! Frames on a TCP stream: where the chunks end makes no difference, and the buffer stays in its bounds.

use mafalda_media::tcp::{Deframer, FRAME_MAX, FrameError, frame_header};

/// The packets of a stream, and the error that ends it.
type Outcome = (Vec<Vec<u8>>, Option<FrameError>);

/// Reads the stream behind the first byte in one chunk, byte by byte, and in chunks that the first byte seeds; panics when
/// the outcomes differ.
pub fn run(data: &[u8]) {
    let Some((&seed, stream)) = data.split_first() else { return };
    let whole = deframe(stream, |_| usize::MAX);
    assert_eq!(whole, deframe(stream, |_| 1), "byte by byte");
    assert_eq!(whole, deframe(stream, |step| usize::from(seed).wrapping_mul(step) % 37 + 1), "in chunks");
    assert_frames(stream, &whole);
}

fn deframe(mut stream: &[u8], chunk_len: impl Fn(usize) -> usize) -> Outcome {
    let mut deframer = Deframer::new();
    let mut packets = Vec::new();
    for step in 0.. {
        if stream.is_empty() {
            break;
        }
        let (chunk, rest) = stream.split_at(chunk_len(step).min(stream.len()));
        stream = rest;
        if let Err(error) = take_all(&mut deframer, &mut chunk.to_vec(), &mut packets) {
            return (packets, Some(error));
        }
    }
    (packets, None)
}

fn take_all(
    deframer: &mut Deframer,
    mut chunk: &mut [u8],
    packets: &mut Vec<Vec<u8>>,
) -> Result<(), FrameError> {
    while let Some(packet) = deframer.next_packet(&mut chunk)? {
        assert!((1..=FRAME_MAX).contains(&packet.len()));
        packets.push(packet.to_vec());
    }
    assert!(chunk.is_empty(), "bytes were left");
    Ok(())
}

/// The packets, framed again, are the stream's beginning, but for null packets.
fn assert_frames(stream: &[u8], (packets, _): &Outcome) {
    let mut rest = stream;
    for packet in packets {
        while let Some(tail) = rest.strip_prefix(&[0, 0]) {
            rest = tail;
        }
        let len = u16::try_from(packet.len()).expect("FRAME_MAX fits the length field");
        rest = rest.strip_prefix(&frame_header(len)).expect("the frame's header comes next");
        rest = rest.strip_prefix(packet.as_slice()).expect("the frame's packet comes next");
    }
}
