//! Redundant audio: what is found lies within the payload, and only payload types change.

use mafalda_media::rtp::red::{REDUNDANT_MAX, translate};

/// Takes `data` for a payload of RED.
pub fn run(data: &[u8]) {
    // All but two are known, and change places.
    let mapped = |payload_type: u8| (payload_type < 0x7e).then_some(payload_type ^ 1);
    let mut payload = data.to_vec();
    let Ok(primary) = translate(&mut payload, mapped) else { return };
    assert_eq!(payload.len(), data.len());
    let start = usize::from(primary.start);
    assert!((1..=payload.len()).contains(&start), "the newest frame is behind its header and in the payload");
    let changed: Vec<usize> = (0..data.len()).filter(|at| payload[*at] != data[*at]).collect();
    assert!(changed.len() <= REDUNDANT_MAX + 1 && changed.iter().all(|at| at % 4 == 0), "{changed:?}");
    let last = changed.last().expect("one frame is always there");
    assert_eq!(payload[*last], primary.payload_type, "F is clear in front of the newest");
    let back = translate(&mut payload, mapped).expect("it was read before");
    assert_eq!((back.start, back.payload_type ^ 1), (primary.start, primary.payload_type));
    assert_eq!(payload, data, "and change back");
}
