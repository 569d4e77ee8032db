//! Which ports to try for a listening socket, and in which order.

use std::io;
use std::ops::RangeInclusive;

use mafalda_api::types::data_structures::ListenInfo;

/// The ports that the info allows: its range if it has one, else its port alone, else the Worker's range. Zeros are none, as in
/// mediasoup.
pub(super) fn range(info: &ListenInfo, worker: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    let ranged = info.port_range.clone().filter(|range| *range.end() != 0);
    let fixed = info.port.filter(|port| *port != 0).map(|port| port..=port);
    match ranged.or(fixed) {
        Some(range) => (*range.start()).max(1)..=*range.end(),
        None => worker.clone(),
    }
}

/// Whether the application has named the one port to take.
pub(super) fn is_fixed(info: &ListenInfo) -> bool {
    // Nothing else has one port: the Worker's range is many, or the kernel's choice.
    let range = range(info, &(0..=0));
    range.start() == range.end() && *range.start() != 0
}

/// Ports in the order in which they are to be tried. A range starts at a random place, so that Workers that share one seldom get
/// in each other's way.
pub(super) fn candidates(
    info: &ListenInfo,
    worker: &RangeInclusive<u16>,
    random: u16,
) -> impl Iterator<Item = u16> {
    let range = range(info, worker);
    let (first, count) = (u32::from(*range.start()), u32::from(*range.end()) + 1);
    let count = count.saturating_sub(first);
    (0..count).map(move |step| (first + (u32::from(random) + step) % count) as u16)
}

/// What the first port gives that can be had. Those that are in use are passed over, and so are those that this process may not
/// have: where a range begins to be allowed is nothing that its order of trial should show.
///
/// # Errors
/// What no other port would mend.
pub(super) fn first_free<T>(
    mut candidates: impl Iterator<Item = u16>,
    mut bind: impl FnMut(u16) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let passed_over = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
    };
    let tried = candidates.find_map(|port| match bind(port) {
        Err(error) if passed_over(&error) => None,
        bound => Some(bound),
    });
    tried.transpose()
}

#[cfg(test)]
mod tests {
    use mafalda_api::types::data_structures::Protocol;

    use super::*;

    fn info(port: Option<u16>, port_range: Option<RangeInclusive<u16>>) -> ListenInfo {
        ListenInfo { port, port_range, ..ListenInfo::of_place(Protocol::Udp) }
    }

    fn tried(info: &ListenInfo, random: u16) -> Vec<u16> {
        candidates(info, &(10..=12), random).collect()
    }

    #[test]
    fn a_range_is_tried_whole_from_a_random_start() {
        let info = info(Some(5), Some(65_533..=65_535));
        assert_eq!(tried(&info, 1), [65_534, 65_535, 65_533]);
        assert_eq!(tried(&info, u16::MAX).len(), 3);
    }

    #[test]
    fn a_port_is_tried_alone_and_no_port_means_the_workers_range() {
        assert_eq!(tried(&info(Some(5), None), 9), [5]);
        assert_eq!(tried(&info(None, None), 2), [12, 10, 11]);
        assert!(is_fixed(&info(Some(5), None)) && is_fixed(&info(None, Some(7..=7))));
        assert!(!is_fixed(&info(None, None)) && !is_fixed(&info(Some(5), Some(7..=8))));
    }

    #[test]
    fn zeros_are_no_ports() {
        assert_eq!(tried(&info(Some(0), None), 0), [10, 11, 12]);
        assert_eq!(tried(&info(Some(5), Some(0..=0)), 0), [5]);
        assert_eq!(tried(&info(None, Some(0..=2)), 0), [1, 2]);
        assert!(!is_fixed(&info(Some(0), Some(0..=0))));
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "what a careless caller may give")]
    fn an_empty_range_has_nothing_to_try() {
        assert_eq!(tried(&info(None, Some(9..=8)), 3), [0u16; 0]);
    }

    #[test]
    fn what_is_in_use_or_forbidden_is_passed_over_and_what_no_port_mends_ends_the_search() {
        let bind = |port: u16| match port {
            1 => Err(io::ErrorKind::PermissionDenied.into()),
            2 => Err(io::ErrorKind::AddrInUse.into()),
            3 => Err(io::ErrorKind::AddrNotAvailable.into()),
            port => Ok(port),
        };
        assert_eq!(first_free([1, 2, 7, 8].into_iter(), bind).unwrap(), Some(7));
        assert_eq!(first_free([1, 2].into_iter(), bind).unwrap(), None);
        let error = first_free([2, 3, 7].into_iter(), bind).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
