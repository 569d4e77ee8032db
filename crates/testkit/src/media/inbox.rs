//! What arrived of one stream.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Broken, Content};

/// One packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Virtual time since the world's beginning.
    pub at: Duration,
    /// Sequence number, with its rollovers.
    pub sequence: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// RTP marker.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// Which packet it is.
    pub content: Content,
}

/// The packets of one stream, in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    arrivals: Vec<Arrival>,
    by_number: BTreeMap<u64, usize>,
    broken: Vec<Broken>,
}

impl Inbox {
    /// Takes in a packet: its payload with all that is known of it but the content.
    pub fn take(&mut self, payload: &[u8], arrival: impl FnOnce(Content) -> Arrival) {
        match Content::read(payload) {
            Ok(content) => {
                *self.by_number.entry(content.number).or_default() += 1;
                self.arrivals.push(arrival(content));
            }
            Err(broken) => self.broken.push(broken),
        }
    }

    /// All packets, in the order of their arrival.
    #[must_use]
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// How many different packets have arrived.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_number.len()
    }

    /// The numbers from the first that arrived to the last for which nothing arrived.
    #[must_use]
    pub fn missing(&self) -> Vec<u64> {
        let Some((first, _)) = self.by_number.first_key_value() else { return Vec::new() };
        let Some((last, _)) = self.by_number.last_key_value() else { return Vec::new() };
        (*first..=*last).filter(|number| !self.by_number.contains_key(number)).collect()
    }

    /// Sees to it that nothing is missing, beside what [`Inbox::check`] looks at.
    ///
    /// # Panics
    /// When it isn't so.
    pub fn check_whole(&self) {
        self.check();
        let missing = self.missing();
        assert!(missing.is_empty(), "missing of {:?}: {missing:?}", self.span());
    }

    /// The first and the last number that arrived.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        let (first, _) = self.by_number.first_key_value()?;
        let (last, _) = self.by_number.last_key_value()?;
        Some((*first, *last))
    }

    /// How often a packet arrived that had arrived already.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.arrivals.len() - self.by_number.len()
    }

    /// Payloads that were not what a source had made.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// What arrived after that time.
    pub fn since(&self, at: Duration) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().skip_while(move |arrival| arrival.at < at)
    }

    /// Sees to it that what arrived is whole, from one source, and numbered without gaps or repetitions that the source
    /// didn't have: sequence numbers go with the packets' numbers, and timestamps with frames.
    ///
    /// # Panics
    /// When it isn't so.
    pub fn check(&self) {
        assert!(self.broken.is_empty(), "broken payloads: {:?}", self.broken);
        assert_eq!(self.repeated(), 0, "packets came twice");
        let mut ordered: Vec<&Arrival> = self.arrivals.iter().collect();
        ordered.sort_by_key(|arrival| arrival.content.number);
        for pair in ordered.windows(2) {
            let [a, b] = [pair[0], pair[1]];
            assert_eq!(a.content.source, b.content.source, "of two sources: {a:?}, {b:?}");
            let numbers = b.content.number - a.content.number;
            assert!(a.sequence < b.sequence, "in another order than they were made: {a:?}, {b:?}");
            assert!(b.sequence - a.sequence <= numbers, "a gap that was not made: {a:?}, {b:?}");
            let same_frame = a.content.frame == b.content.frame;
            assert_eq!(a.timestamp == b.timestamp, same_frame, "timestamps against frames: {a:?}, {b:?}");
        }
        for arrival in ordered {
            let marker = arrival.content.last && arrival.marker;
            assert_eq!(arrival.marker, marker, "a marker within a frame: {arrival:?}");
        }
    }
}
