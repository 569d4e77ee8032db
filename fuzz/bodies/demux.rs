//! Demux: two bytes tell the protocol, whatever follows them, and what a parser takes is what demux says.

use mafalda_media::demux::{DemuxDrop, Kind};
use mafalda_media::stun::Message;

/// Compares with a table that was written down another way; panics when they differ.
pub fn run(data: &[u8]) {
    let kind = Kind::of(data);
    assert_eq!(kind, Kind::of(&data[..data.len().min(2)]), "later bytes were looked at");
    assert_eq!(kind, expected(data));
    // A message of the other three quarters of STUN's types has methods that nobody defined.
    if Message::parse(data).is_ok() && data[0] < 4 {
        assert_eq!(kind, Ok(Kind::Stun));
    }
}

fn expected(data: &[u8]) -> Result<Kind, DemuxDrop> {
    let Some(first) = data.first() else { return Err(DemuxDrop::TooShort) };
    match first >> 2 {
        0 => Ok(Kind::Stun),
        4 => Err(DemuxDrop::Zrtp),
        5..16 => Ok(Kind::Dtls),
        16..20 => Err(DemuxDrop::TurnChannel),
        32..48 => match data.get(1) {
            None => Err(DemuxDrop::TooShort),
            Some(second) if second >> 5 == 0b110 => Ok(Kind::Rtcp),
            Some(_) => Ok(Kind::Rtp),
        },
        _ => Err(DemuxDrop::Unassigned),
    }
}
