//! Addresses belong to places: what an unspecified listen address stands for.

use mafalda_api::types::data_structures::ListenInfo;

use crate::local::MediaAddress;

/// Puts the place's own addresses where an info names none (0.0.0.0 or ::), one info for each of that family. An announced
/// address goes with the first of them alone: two candidates that look alike help nobody.
pub(super) fn resolve(infos: &[ListenInfo], addresses: &[MediaAddress]) -> Vec<ListenInfo> {
    infos.iter().flat_map(|info| resolve_one(info, addresses)).collect()
}

/// Puts one of the place's own addresses where an info names none, for what has one address only: the first that is not loopback,
/// if there is one, and the same for all infos of its family. Infos for which the place has no address are left out.
pub(super) fn resolve_to_one(infos: &[ListenInfo], addresses: &[MediaAddress]) -> Vec<ListenInfo> {
    let best = |info| all_of_place(info, addresses).into_iter().min_by_key(|info| info.ip.is_loopback());
    infos.iter().filter_map(best).collect()
}

fn resolve_one(info: &ListenInfo, addresses: &[MediaAddress]) -> Vec<ListenInfo> {
    let mut resolved = all_of_place(info, addresses);
    if info.announced_address.is_some() {
        resolved.truncate(1);
    }
    resolved
}

fn all_of_place(info: &ListenInfo, addresses: &[MediaAddress]) -> Vec<ListenInfo> {
    if !info.ip.is_unspecified() {
        return vec![info.clone()];
    }
    let own = addresses.iter().filter(|address| address.ip.is_ipv4() == info.ip.is_ipv4());
    let resolved = own.map(|address| ListenInfo {
        ip: address.ip,
        announced_address: info.announced_address.clone().or_else(|| address.announced_address.clone()),
        ..info.clone()
    });
    resolved.collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use mafalda_api::types::data_structures::Protocol;

    use super::*;

    fn place() -> Vec<MediaAddress> {
        vec![
            IpAddr::from([127, 0, 0, 1]).into(),
            MediaAddress { ip: [10, 0, 0, 7].into(), announced_address: Some("media.example".into()) },
        ]
    }

    #[test]
    fn an_unspecified_address_stands_for_all_of_its_family() {
        let infos = resolve(&[ListenInfo::of_place(Protocol::Udp)], &place());
        let told: Vec<_> = infos.iter().map(|info| (info.ip, info.announced_address.as_deref())).collect();
        assert_eq!(told, [([127, 0, 0, 1].into(), None), ([10, 0, 0, 7].into(), Some("media.example"))]);
        let v6 = ListenInfo { ip: IpAddr::from([0u16; 8]), ..ListenInfo::of_place(Protocol::Udp) };
        assert!(resolve(&[v6], &place()).is_empty());
    }

    #[test]
    fn what_has_one_address_gets_the_one_that_others_can_reach() {
        let infos = [ListenInfo::of_place(Protocol::Udp), ListenInfo::of_place(Protocol::Udp)];
        let told: Vec<_> = resolve_to_one(&infos, &place()).iter().map(|info| info.ip).collect();
        assert_eq!(told, [[10, 0, 0, 7], [10, 0, 0, 7]].map(IpAddr::from));
        let announced = ListenInfo { announced_address: Some("1.2.3.4".into()), ..infos[0].clone() };
        assert_eq!(resolve_to_one(&[announced], &place())[0].ip, IpAddr::from([10, 0, 0, 7]));
        let only = [IpAddr::from([127, 0, 0, 1]).into()];
        assert_eq!(resolve_to_one(&infos[..1], &only)[0].ip, IpAddr::from([127, 0, 0, 1]));
        let named = ListenInfo { ip: [127, 0, 0, 1].into(), ..infos[0].clone() };
        assert_eq!(resolve_to_one(std::slice::from_ref(&named), &place()), [named]);
        assert!(resolve_to_one(&infos, &[]).is_empty());
    }

    #[test]
    fn an_announced_address_is_told_once_and_a_named_address_is_left_alone() {
        let announced =
            ListenInfo { announced_address: Some("1.2.3.4".into()), ..ListenInfo::of_place(Protocol::Tcp) };
        let named = ListenInfo { ip: [192, 0, 2, 1].into(), ..ListenInfo::of_place(Protocol::Udp) };
        let infos = resolve(&[announced, named.clone()], &place());
        assert_eq!(infos.len(), 2);
        assert_eq!(infos[0].announced_address.as_deref(), Some("1.2.3.4"));
        assert_eq!(infos[1], named);
    }
}
