//! Which ports to try for a listening socket, and in which order.

use std::ops::RangeInclusive;

use mafalda_api::types::data_structures::ListenInfo;

/// Ports in the order in which they are to be tried: the range of the info if it has one, else its port alone, else the
/// Worker's range. A range starts at a random place, so that Workers that share one seldom get in each other's way.
pub(super) fn candidates(
    info: &ListenInfo,
    worker: &RangeInclusive<u16>,
    random: u16,
) -> impl Iterator<Item = u16> {
    let fixed = info.port.filter(|port| *port != 0 && info.port_range.is_none());
    let range = fixed.map(|port| port..=port);
    let range = range.or_else(|| info.port_range.clone()).unwrap_or_else(|| worker.clone());
    let (first, count) = (u32::from(*range.start()), u32::from(*range.end()) + 1);
    let count = count.saturating_sub(first);
    (0..count).map(move |step| (first + (u32::from(random) + step) % count) as u16)
}

#[cfg(test)]
mod tests {
    use mafalda_api::types::data_structures::Protocol;

    use super::*;

    fn tried(info: &ListenInfo, random: u16) -> Vec<u16> {
        candidates(info, &(10..=12), random).collect()
    }

    #[test]
    fn a_range_is_tried_whole_from_a_random_start() {
        let info = ListenInfo {
            port: Some(5),
            port_range: Some(65_533..=65_535),
            ..ListenInfo::of_place(Protocol::Udp)
        };
        assert_eq!(tried(&info, 1), [65_534, 65_535, 65_533]);
        assert_eq!(tried(&info, u16::MAX).len(), 3);
    }

    #[test]
    fn a_port_is_tried_alone_and_no_port_means_the_workers_range() {
        let info = ListenInfo { port: Some(5), ..ListenInfo::of_place(Protocol::Udp) };
        assert_eq!(tried(&info, 9), [5]);
        assert_eq!(tried(&ListenInfo::of_place(Protocol::Udp), 2), [12, 10, 11]);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "what a careless caller may give")]
    fn an_empty_range_has_nothing_to_try() {
        let info = ListenInfo { port_range: Some(9..=8), ..ListenInfo::of_place(Protocol::Udp) };
        assert_eq!(tried(&info, 3), [0u16; 0]);
    }
}
