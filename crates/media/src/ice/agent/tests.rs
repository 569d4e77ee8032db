//! Scripts: one input a line, and behind `=>` what must come of it. The words are those of [`stage`].

use super::*;
use crate::ice::TUPLES_MAX;
use stage::{Stage, UDP, Words, tuple};

mod stage;

fn play_with(consent_timeout: Option<Duration>, script: &str) {
    let mut stage = Stage::new(consent_timeout);
    for (number, line) in script.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (input, expected) = line.split_once("=>").expect("a line has an arrow");
        assert_eq!(stage.run(input), expected.trim(), "line {}: {line}", number + 1);
        let selected = stage.agent.selected();
        assert!(selected.is_none_or(|tuple| stage.agent.is_valid(tuple)), "{line}");
        assert_eq!(selected.is_some(), stage.agent.tuples().count() > 0, "{line}");
        assert!(stage.agent.tuples().count() <= TUPLES_MAX);
        assert_eq!(stage.agent.poll_event(), None);
    }
}

fn play(script: &str) {
    play_with(IceConfig::default().consent_timeout, script);
}

#[test]
fn checks_are_refused_for_their_form_first() {
    play(
        "check a method=3                                  => 400
         check a method=3 password=wrong                   => 400
         check a no-fingerprint                            => 400
         check a no-fingerprint password=wrong             => 400
         check a no-priority                               => 400
         check a no-priority user=wrong                    => 400
         check a no-username                               => 400
         check a unsigned                                  => 400
         check a unsigned user=wrong                       => 400
         valid a                                           => no
         deadline x                                        => none",
    );
}

#[test]
fn then_for_their_credentials() {
    play(
        "check a user=wrong                                => 401
         check a user=wrong controlled unknown             => 401
         check a no-colon                                  => 401
         check a password=wrong                            => 401
         check a password=wrong controlled                 => 401
         valid a                                           => no",
    );
}

#[test]
fn then_for_what_they_ask() {
    play(
        "check a unknown                                   => 420
         check a unknown controlled                        => 420
         check a controlled                                => 487
         check a controlled use                            => 487
         valid a                                           => no
         check a optional                                  => ok +a *a connected",
    );
}

#[test]
fn a_refusal_changes_nothing() {
    play(
        "check a use                                       => ok +a *a completed
         restart                                           =>
         check b controlled                                => 487
         check b password=wrong                            => 401
         wait 10                                           =>
         check b unknown                                   => 420
         deadline x                                        => 20
         check a as=0                                      => ok",
    );
}

#[test]
fn only_requests_are_answered() {
    play(
        "check a indication                                => not-request
         check a success                                   => not-request
         check a error                                     => not-request
         check a no-room                                   => no-room
         valid a                                           => no
         check a                                           => ok +a *a connected",
    );
}

#[test]
fn a_check_connects_and_a_nomination_completes() {
    play(
        "check a                                           => ok +a *a connected
         check a                                           => ok
         check b                                           => ok +b
         check b use                                       => ok *b completed
         check a                                           => ok
         check c                                           => ok +c",
    );
}

#[test]
fn a_first_check_may_nominate() {
    play("check a use => ok +a *a completed");
    play("check a nom=1 => ok +a *a completed");
    play("check a goog=1 use => ok +a *a completed");
}

#[test]
fn a_plain_nomination_selects_again() {
    play(
        "check a use                                       => ok +a *a completed
         check b use                                       => ok +b *b
         check a use                                       => ok *a
         check a use                                       => ok",
    );
}

#[test]
fn a_renomination_must_be_greater() {
    play(
        "check a                                           => ok +a *a connected
         check b nom=2                                     => ok +b *b completed
         check a nom=2                                     => ok
         check a nom=1 use                                 => ok
         check c goog=2                                    => ok +c
         check a goog=3                                    => ok *a
         check b nom=4294967295                            => ok *b
         check a use                                       => ok *a",
    );
}

#[test]
fn nomination_zero_is_none() {
    play(
        "check a nom=0                                     => ok +a *a connected
         check b nom=0 use                                 => ok +b
         check b nom=1                                     => ok *b completed",
    );
}

#[test]
fn restart_and_disconnection_forget_nominations() {
    play(
        "check a nom=9                                     => ok +a *a completed
         restart                                           =>
         check b nom=1                                     => ok +b *b retired0
         gone udp                                          => -a -b disconnected
         check c nom=1                                     => ok +c *c completed",
    );
}

#[test]
fn the_ninth_tuple_drops_the_oldest_that_is_not_selected() {
    play(
        "check a                                           => ok +a *a connected
         check b                                           => ok +b
         check c                                           => ok +c
         check d                                           => ok +d
         check e                                           => ok +e
         check f                                           => ok +f
         check g                                           => ok +g
         check h                                           => ok +h
         check b                                           => ok
         check i                                           => ok -b +i
         valid b                                           => no
         valid a                                           => yes
         check j use                                       => ok -c +j *j completed
         check k                                           => ok -a +k
         check d use                                       => ok *d
         check l                                           => ok -e +l",
    );
}

#[test]
fn a_socket_takes_its_tuples_along() {
    play(
        "check A                                           => ok +A *A connected
         check b                                           => ok +b
         check c                                           => ok +c
         check D use                                       => ok +D *D completed
         gone A                                            => -A
         gone D                                            => -D *c
         gone X                                            =>
         media b                                           => yes *b
         gone udp                                          => -b -c disconnected
         deadline x                                        => none
         gone udp                                          =>",
    );
}

#[test]
fn an_agent_that_is_new_stays_new_without_sockets() {
    play("gone udp => \n check a => ok +a *a connected");
}

#[test]
fn media_moves_the_selection() {
    play(
        "media a                                           => no
         check a use                                       => ok +a *a completed
         check b                                           => ok +b
         media a                                           => yes
         media b                                           => yes *b
         media c                                           => no
         valid a                                           => yes
         check a nom=1                                     => ok *a",
    );
}

#[test]
fn consent_expires() {
    play(
        "deadline x                                        => none
         wait 100                                          =>
         check a                                           => ok +a *a connected
         deadline x                                        => 30
         wait 20                                           =>
         check b use                                       => ok +b *b completed
         deadline x                                        => 30
         wait 29                                           =>
         media b                                           => yes
         deadline x                                        => 1
         check C password=wrong                            => 401
         wait 1                                            => -a -b disconnected
         deadline x                                        => none
         media b                                           => no
         wait 100                                          =>
         check a                                           => ok +a *a connected
         wait 30                                           => -a disconnected
         check a use                                       => ok +a *a completed",
    );
}

#[test]
fn consent_timeouts_have_a_range() {
    for (set, used) in [(0, 10), (9, 10), (10, 10), (45, 45), (60, 60), (61, 60), (255, 60)] {
        play_with(
            Some(Duration::from_secs(set)),
            &format!("check a => ok +a *a connected \n deadline x => {used}"),
        );
    }
}

#[test]
fn consent_can_be_off() {
    play_with(
        None,
        "check a                                           => ok +a *a connected
         deadline x                                        => none
         wait 1000000                                      =>
         restart                                           =>
         deadline x                                        => none
         media a                                           => yes",
    );
}

#[test]
fn old_credentials_are_valid_until_new_ones_are_used() {
    play(
        "check a use                                       => ok +a *a completed
         restart                                           =>
         check b as=0                                      => ok +b
         check b as=0 use                                  => ok *b
         check c password=wrong                            => 401
         check c controlled                                => 487
         check b as=0                                      => ok
         check c                                           => ok +c retired0
         check b as=0                                      => 401
         check c use                                       => ok *c",
    );
}

#[test]
fn a_second_restart_ends_the_oldest_at_once() {
    play(
        "check a                                           => ok +a *a connected
         restart                                           =>
         restart                                           => returned0
         check a as=0                                      => 401
         check a as=1                                      => ok
         check a as=2                                      => ok retired1
         check a as=1                                      => 401
         restart                                           =>
         check a as=2                                      => ok",
    );
}

#[test]
fn a_restart_restarts_consent_and_nothing_else() {
    play(
        "restart                                           =>
         deadline x                                        => none
         check a use                                       => ok +a *a completed retired0
         check b                                           => ok +b
         wait 20                                           =>
         restart                                           =>
         deadline x                                        => 30
         media b                                           => yes *b
         media a                                           => yes *a",
    );
}

/// Answers of three checks, and then all their events at once.
#[test]
fn who_polls_late_sees_what_is() {
    let mut stage = Stage::new(None);
    let check = |stage: &mut Stage, name: &str, words: Vec<&str>| {
        assert_eq!(stage.check(tuple(name), &Words(words)), "ok");
    };
    check(&mut stage, "A", vec![]);
    check(&mut stage, "b", vec!["use"]);
    stage.agent.remove_socket(tuple("A").socket);
    assert_eq!(stage.events(), ["+b", "*b", "completed"], "A has come and gone");

    stage.agent.remove_socket(UDP);
    check(&mut stage, "b", vec!["use"]);
    assert_eq!(stage.events(), [""; 0], "b has gone and come");
}

/// A retirement that nobody has polled is not lost by another restart, and its credentials are refused already.
#[test]
fn a_retirement_is_told_once() {
    let mut stage = Stage::new(None);
    assert_eq!(stage.restart(), "");
    assert_eq!(stage.check(tuple("a"), &Words(vec![])), "ok");
    assert_eq!(stage.check(tuple("a"), &Words(vec!["as=0"])), "401");
    assert_eq!(stage.restart(), "returned0");
    assert_eq!(stage.events(), ["+a", "*a", "connected"]);
}

#[test]
fn many_tuples_without_a_poll_are_reported_in_bounds() {
    let mut stage = Stage::new(None);
    for round in 0..3 {
        for letter in 'a'..='z' {
            assert_eq!(stage.check(tuple(&letter.to_string()), &Words(vec![])), "ok");
        }
        let events = stage.events();
        assert!(events.len() <= 2 * TUPLES_MAX + 2, "round {round}: {events:?}");
        assert!(stage.agent.reported.tuples.capacity() <= TUPLES_MAX);
        assert!(stage.agent.tuples().all(|tuple| stage.agent.reported.tuples.contains(&tuple)));
    }
}
