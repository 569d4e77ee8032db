use std::num::NonZeroU16;

use super::*;

/// A Producer's id; they are in the order of their numbers.
pub(super) fn id(number: u128) -> ProducerId {
    format!("{number:032x}").parse().unwrap()
}

fn own() -> RtpObserverId {
    format!("{:032x}", 7).parse().unwrap()
}

const QUIET: Duration = Duration::from_millis(100);

fn command(threshold: i8, interval: u16) -> CreateAudioLevelObserver {
    CreateAudioLevelObserver {
        id: own(),
        router: RouterId::new(),
        max_entries: NonZeroU16::MIN,
        threshold,
        interval,
    }
}

fn observer(interval: u16) -> RtpObserver {
    RtpObserver::audio_level(&command(-80, interval), Origin::default()).unwrap()
}

fn interval(observer: &RtpObserver) -> u16 {
    match observer.state(RouterId::new()).kind {
        RtpObserverKind::AudioLevel { interval, .. } | RtpObserverKind::ActiveSpeaker { interval, .. } => {
            interval
        }
    }
}

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    Instant::now()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn producer() -> ProducerId {
    id(1)
}

fn speak(observer: &mut RtpObserver) {
    let now = start();
    (0..10).for_each(|_| observer.on_level(now, producer(), AudioLevel { voice: true, attenuation_db: 30 }));
}

fn voice() -> Option<Event> {
    let volumes = vec![Volume { producer: producer(), volume: -30 }];
    Some(Event::Volumes { id: own(), volumes })
}

fn silence() -> Option<Event> {
    Some(Event::Silence { id: own() })
}

#[test]
fn intervals_are_brought_into_what_makes_sense() {
    for (asked, given) in
        [(0, 250), (249, 250), (250, 250), (1000, 1000), (5000, 5000), (5001, 5000), (u16::MAX, 5000)]
    {
        assert_eq!(interval(&observer(asked)), given);
    }
}

#[test]
fn no_threshold_is_louder_than_full_scale() {
    for threshold in [1, 127] {
        let refusal = RtpObserver::audio_level(&command(threshold, 1000), Origin::default()).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InvalidArgument, "{refusal}");
    }
    for threshold in [0, -127, i8::MIN] {
        RtpObserver::audio_level(&command(threshold, 1000), Origin::default()).unwrap();
    }
}

#[test]
fn it_tells_at_the_end_of_each_interval_without_drift() {
    let (mut observer, start) = (observer(250), start());
    assert_eq!(observer.timeout(), None, "there is nobody to listen to");
    assert!(observer.add(start, producer(), false) && !observer.add(start + QUIET, producer(), false));
    let mut due = start + ms(250);
    for late in [0, 30, 7, 249] {
        assert_eq!(observer.timeout(), Some(due));
        speak(&mut observer);
        assert_eq!(observer.handle_timeout(due - ms(1)), None);
        assert_eq!(observer.handle_timeout(due + ms(late)), voice());
        due += ms(250);
    }
    // Later than a whole interval: the next one is whole again.
    assert_eq!(observer.handle_timeout(due + ms(250)), silence());
    assert_eq!(observer.timeout(), Some(due + ms(500)));
}

#[test]
fn nobody_is_woken_for_nothing() {
    let (mut observer, start) = (observer(1000), start());
    observer.add(start, producer(), false);
    speak(&mut observer);
    assert_eq!(observer.handle_timeout(start + ms(1000)), voice());
    observer.remove(producer());
    assert_eq!(observer.handle_timeout(start + ms(2000)), silence(), "it was heard, and has gone");
    assert_eq!(observer.timeout(), None);
    observer.add(start + ms(2500), producer(), false);
    assert_eq!(observer.timeout(), Some(start + ms(3500)), "a whole interval");
}

#[test]
fn while_it_is_paused_it_neither_hears_nor_tells() {
    let (mut observer, start) = (observer(1000), start());
    observer.add(start, producer(), false);
    assert_eq!(observer.pause(), None, "nobody was heard");
    assert_eq!(observer.timeout(), None);
    speak(&mut observer);
    observer.add(start + QUIET, id(2), false);
    assert_eq!(observer.timeout(), None);
    observer.resume(start + ms(500));
    assert_eq!(observer.timeout(), Some(start + ms(1500)));
    assert_eq!(observer.handle_timeout(start + ms(1500)), None);
    speak(&mut observer);
    assert_eq!(observer.handle_timeout(start + ms(2500)), voice());
    assert_eq!(observer.pause(), silence());
}

fn active_speaker(interval: u16) -> RtpObserver {
    let command = CreateActiveSpeakerObserver { id: own(), router: RouterId::new(), interval };
    RtpObserver::active_speaker(&command, Origin::default())
}

fn speaks(number: u128) -> Option<Event> {
    Some(Event::DominantSpeaker { id: own(), producer: id(number) })
}

fn dominant(observer: &RtpObserver) -> Option<ProducerId> {
    match observer.state(RouterId::new()).kind {
        RtpObserverKind::ActiveSpeaker { dominant_speaker, .. } => dominant_speaker,
        RtpObserverKind::AudioLevel { .. } => panic!("it listens for who speaks"),
    }
}

#[test]
fn decisions_come_at_intervals_that_make_sense() {
    for (asked, given) in [(0, 100), (99, 100), (100, 100), (300, 300), (5000, 5000), (5001, 5000)] {
        assert_eq!(self::interval(&active_speaker(asked)), given);
    }
}

#[test]
fn who_follows_is_told_at_once_when_the_dominant_one_is_removed() {
    let (mut observer, start) = (active_speaker(300), start());
    assert_eq!(observer.timeout(), None);
    (1..=3).for_each(|number| assert!(observer.add(start, id(number), number == 2)));
    assert_eq!(observer.timeout(), Some(start + ms(300)));
    assert_eq!(observer.handle_timeout(start + ms(300)), speaks(1));
    assert_eq!(dominant(&observer), Some(id(1)));
    assert!(observer.remove(id(1)));
    assert_eq!(dominant(&observer), None);
    assert_eq!(observer.on_removed(start + ms(310)), speaks(3), "the second is paused");
    assert!(observer.remove(id(2)));
    assert_eq!(observer.on_removed(start + ms(320)), None);
    // A paused one tells nothing, and makes up for it.
    assert!(observer.add(start, id(4), false));
    assert_eq!(observer.pause(), None);
    assert!(observer.remove(id(3)));
    assert_eq!(observer.on_removed(start + ms(330)), None);
    observer.resume(start + ms(400));
    assert_eq!(observer.handle_timeout(start + ms(700)), speaks(4));
    assert!(observer.remove(id(4)));
    assert_eq!(observer.on_removed(start + ms(710)), None);
    assert_eq!(observer.handle_timeout(start + ms(1000)), None);
    assert_eq!(observer.timeout(), None, "nobody is left");
}

#[test]
fn only_what_it_hears_while_it_listens_counts() {
    let (mut observer, start) = (active_speaker(300), start());
    observer.add(start, id(1), false);
    observer.add(start, id(2), false);
    let mut packets = (1_u64..).map(|packet| start + ms(20 * packet));
    // Quiet first, then loud.
    let mut talk = |observer: &mut RtpObserver, attenuation_db| {
        for at in packets.by_ref().take(50) {
            observer.on_level(at, id(2), AudioLevel { voice: true, attenuation_db });
        }
    };
    talk(&mut observer, 120);
    assert_eq!(observer.handle_timeout(start + ms(1000)), speaks(1));
    observer.pause();
    talk(&mut observer, 20);
    observer.resume(start + ms(2000));
    assert_eq!(observer.handle_timeout(start + ms(2300)), None);
    talk(&mut observer, 20);
    assert_eq!(observer.handle_timeout(start + ms(3000)), speaks(2));
}
