use std::time::Duration;

use super::*;
use crate::Clock;

const LEFT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const RIGHT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

fn packet(number: u16) -> Packet {
    let bytes = number.to_be_bytes().repeat(50);
    Packet { from: (LEFT, 1).into(), to: (RIGHT, 2).into(), bytes }
}

/// Sends a packet each millisecond and gives what arrives, with its time.
fn run(seed: u64, conditions: Conditions, packets: u16) -> (Vec<(Duration, u16)>, LinkStats) {
    let mut clock = Clock::new();
    let mut network = Network::new(seed);
    network.set(RIGHT, Access::Down, conditions);
    let mut arrivals = Vec::new();
    for number in 0..packets + 1000 {
        if number < packets {
            network.send(clock.now().at, &packet(number));
        }
        while let Some(packet) = network.arrived(clock.now().at) {
            arrivals.push((clock.elapsed(), u16::from_be_bytes([packet.bytes[0], packet.bytes[1]])));
        }
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(network.next(), None, "all has arrived");
    (arrivals, network.stats(RIGHT, Access::Down))
}

#[test]
fn a_perfect_link_passes_all_at_once_and_in_order() {
    let (arrivals, stats) = run(1, Conditions::default(), 100);
    let expected: Vec<_> = (0..100).map(|number| (Duration::from_millis(number.into()), number)).collect();
    assert_eq!(arrivals, expected);
    assert_eq!(stats, LinkStats { sent: 100, bytes: 10_000, ..LinkStats::default() });
}

#[test]
fn loss_doubling_and_holding_happen_as_often_as_told_and_are_counted() {
    let conditions = Conditions {
        loss: 0.1,
        duplication: 0.05,
        reordering: 0.2,
        hold: Duration::from_millis(5),
        ..Conditions::delayed(Duration::from_millis(10))
    };
    let (arrivals, stats) = run(7, conditions, 5000);
    // Only what isn't lost can be doubled or held.
    for (count, chance) in [(stats.lost, 0.1), (stats.duplicated, 0.045), (stats.held, 0.18)] {
        let share = count as f64 / 5000.0;
        assert!((share - chance).abs() < 0.02, "{share} is not about {chance}");
    }
    assert_eq!(arrivals.len() as u64, 5000 - stats.lost + stats.duplicated);
    assert!(arrivals.windows(2).any(|pair| pair[0].1 > pair[1].1), "some were overtaken");
    assert!(arrivals.iter().all(|(at, number)| {
        let took = at.as_millis() as u16 - number;
        (10..=20).contains(&took)
    }));
}

#[test]
fn jitter_delays_and_keeps_the_order() {
    let conditions = Conditions { jitter: Duration::from_millis(30), ..Conditions::default() };
    let (arrivals, _) = run(3, conditions, 1000);
    assert!(arrivals.windows(2).all(|pair| pair[0].1 < pair[1].1));
    assert!(arrivals.iter().any(|(at, number)| at.as_millis() as u16 - number > 20));
}

#[test]
fn a_bottleneck_passes_its_rate_and_drops_what_its_queue_does_not_hold() {
    // Packets of 100 bytes each millisecond are 800 kbit/s; half of that passes.
    let conditions =
        Conditions { bandwidth: Some(400_000), queue: Duration::from_millis(50), ..Conditions::default() };
    let (arrivals, stats) = run(3, conditions, 1000);
    assert!((500..=530).contains(&arrivals.len()), "{}", arrivals.len());
    assert_eq!(stats.overflowed, 1000 - arrivals.len() as u64);
    let slowest = arrivals.iter().map(|(at, number)| at.as_millis() as u16 - number).max();
    assert!(slowest.is_some_and(|it| (45..=55).contains(&it)), "{slowest:?}");
}

#[test]
fn an_unplugged_host_is_cut_off_until_it_is_plugged_in() {
    let clock = Clock::new();
    let mut network = Network::new(0);
    network.plug(LEFT, false);
    network.send(clock.now().at, &packet(1));
    network.plug(LEFT, true);
    network.send(clock.now().at, &packet(2));
    assert_eq!(network.arrived(clock.now().at), Some(packet(2)));
    assert_eq!(network.arrived(clock.now().at), None);
    assert_eq!(network.stats(LEFT, Access::Up).cut, 1);
}

#[test]
fn the_same_seed_gives_the_same_fate() {
    let conditions =
        Conditions { loss: 0.3, duplication: 0.1, jitter: Duration::from_millis(9), ..Conditions::default() };
    assert_eq!(run(5, conditions, 500), run(5, conditions, 500));
    assert_ne!(run(5, conditions, 500).0, run(6, conditions, 500).0);
}
