//! Scripts: one input a line, and behind `=>` what must come of it.
//!
//! Tuples are letters: small ones share a UDP socket, capital ones are TCP connections. Inputs: `check` (with words that
//! change a good check), `media`, `valid`, `gone` (a socket), `wait` (seconds, then the timer if it is due), `restart`,
//! `deadline`. Outputs: the answer, then events: `+a` added, `-a` removed, `*a` selected, a state, `retired0`.

use std::net::{Ipv4Addr, SocketAddr};

use rand::SeedableRng;

use super::*;
use crate::stun::{AttributeType, Message, TransactionId, Writer};

const UDP: SocketId = SocketId(0);

fn tuple(name: &str) -> Tuple {
    let letter = name.bytes().next().expect("a tuple has a name");
    let socket = if letter.is_ascii_uppercase() { SocketId(u32::from(letter)) } else { UDP };
    Tuple { socket, remote: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), u16::from(letter))) }
}

fn name(tuple: Tuple) -> char {
    char::from(u8::try_from(tuple.remote.port()).unwrap())
}

fn start() -> Now {
    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    let at = Instant::now();
    Now { at, unix: Duration::from_secs(1_700_000_000) }
}

struct Stage {
    agent: IceLite,
    rng: StdRng,
    now: Now,
    /// By the number of restarts before them.
    credentials: Vec<Credentials>,
}

/// The words of a check that change it.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key))
    }
}

impl Stage {
    fn new(consent_timeout: Option<Duration>) -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let agent = IceLite::new(IceConfig { consent_timeout }, &mut rng);
        let credentials = vec![*agent.local()];
        Self { agent, rng, now: start(), credentials }
    }

    fn run(&mut self, line: &str) -> String {
        let mut words = line.split_whitespace();
        let (verb, operand) = (words.next().unwrap(), words.next().unwrap_or_default());
        let answer = match verb {
            "check" => self.check(tuple(operand), &Words(words.collect())),
            "media" => said(self.agent.on_media(tuple(operand))),
            "valid" => said(self.agent.is_valid(tuple(operand))),
            "gone" => self.gone(operand),
            "wait" => self.wait(operand.parse().unwrap()),
            "restart" => self.restart(),
            "deadline" => self.deadline(),
            other => panic!("no verb: {other}"),
        };
        std::iter::once(answer)
            .chain(self.events())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn events(&mut self) -> Vec<String> {
        let events = std::iter::from_fn(|| self.agent.poll_event()).collect::<Vec<_>>();
        events.into_iter().map(|event| self.word(event)).collect()
    }

    fn word(&self, event: IceEvent) -> String {
        match event {
            IceEvent::TupleAdded(tuple) => format!("+{}", name(tuple)),
            IceEvent::TupleRemoved(tuple) => format!("-{}", name(tuple)),
            IceEvent::SelectedTupleChanged(tuple) => format!("*{}", name(tuple)),
            IceEvent::StateChanged(state) => format!("{state:?}").to_lowercase(),
            IceEvent::CredentialsRetired(fragment) => format!("retired{}", self.generation(fragment)),
        }
    }

    fn generation(&self, fragment: UsernameFragment) -> usize {
        self.credentials.iter().position(|other| other.username_fragment == fragment).expect("one of ours")
    }

    fn check(&mut self, tuple: Tuple, words: &Words<'_>) -> String {
        let generation =
            words.value("as=").map_or(self.credentials.len() - 1, |index| index.parse().unwrap());
        let credentials = self.credentials[generation];
        let request = request(&credentials, words);
        let mut out = [0; RESPONSE_LEN_MAX];
        let room = if words.has("no-room") { RESPONSE_LEN_MAX - 1 } else { RESPONSE_LEN_MAX };
        match self.agent.handle(self.now, tuple, &Message::parse(&request).unwrap(), &mut out[..room]) {
            Ok(len) => answer(&Message::parse(&out[..len]).unwrap(), tuple, &credentials),
            Err(StunDrop::NotRequest) => "not-request".into(),
            Err(StunDrop::NoRoom) => "no-room".into(),
        }
    }

    fn gone(&mut self, socket: &str) -> String {
        self.agent.remove_socket(if socket == "udp" { UDP } else { tuple(socket).socket });
        String::new()
    }

    fn wait(&mut self, seconds: u64) -> String {
        self.now = self.now.after(Duration::from_secs(seconds));
        self.agent.handle_timeout(self.now);
        assert!(self.agent.timeout().is_none_or(|deadline| deadline > self.now.at), "a timer that stays due");
        String::new()
    }

    fn restart(&mut self) -> String {
        let returned = self.agent.restart(self.now, &mut self.rng);
        self.credentials.push(*self.agent.local());
        returned.map_or(String::new(), |fragment| format!("returned{}", self.generation(fragment)))
    }

    fn deadline(&self) -> String {
        self.agent.timeout().map_or("none".into(), |at| (at - self.now.at).as_secs().to_string())
    }
}

fn said(yes: bool) -> String {
    if yes { "yes" } else { "no" }.into()
}

/// A good check, but for what `words` say.
fn request(credentials: &Credentials, words: &Words<'_>) -> Vec<u8> {
    let mut out = [0; 512];
    let method = words.value("method=").map_or(stun::BINDING, |method| method.parse().unwrap());
    let class = match words {
        _ if words.has("indication") => Class::Indication,
        _ if words.has("success") => Class::Success,
        _ if words.has("error") => Class::Error,
        _ => Class::Request,
    };
    let mut writer = Writer::new(class, method, TransactionId([9; 12]), &mut out).unwrap();
    let fragment = words.value("user=").unwrap_or(credentials.username_fragment.as_str());
    let username = if words.has("no-colon") { fragment.into() } else { format!("{fragment}:peer") };
    let mut put = |kind, value: &[u8]| writer.attribute(kind, value).unwrap();
    if !words.has("no-username") {
        put(AttributeType::USERNAME, username.as_bytes());
    }
    if !words.has("no-priority") {
        put(AttributeType::PRIORITY, &[1, 2, 3, 4]);
    }
    if words.has("use") {
        put(AttributeType::USE_CANDIDATE, &[]);
    }
    let role =
        if words.has("controlled") { AttributeType::ICE_CONTROLLED } else { AttributeType::ICE_CONTROLLING };
    put(role, &[7; 8]);
    for (key, kind) in [("nom=", AttributeType::NOMINATION), ("goog=", AttributeType::GOOG_NOMINATION)] {
        if let Some(value) = words.value(key) {
            put(kind, &value.parse::<u32>().unwrap().to_be_bytes());
        }
    }
    if words.has("unknown") {
        put(AttributeType(0x7abc), &[]);
    }
    if words.has("optional") {
        put(AttributeType(0xc057), &[0, 0, 0, 1]);
    }
    let password = words.value("password=").unwrap_or(credentials.password.as_str());
    let len = writer.finish((!words.has("unsigned")).then_some(password.as_bytes())).unwrap();
    let len = if words.has("no-fingerprint") { without_fingerprint(&mut out, len) } else { len };
    out[..len].to_vec()
}

fn without_fingerprint(message: &mut [u8], len: usize) -> usize {
    let body = u16::try_from(len - 20 - 8).unwrap().to_be_bytes();
    message[2..4].copy_from_slice(&body);
    len - 8
}

/// The word for a response, once all else in it is what it has to be.
fn answer(response: &Message<'_>, tuple: Tuple, credentials: &Credentials) -> String {
    assert_eq!(response.transaction(), TransactionId([9; 12]));
    assert!(response.has_fingerprint());
    let signed = response.is_signed_with(credentials.password.as_bytes());
    if let Some(code) = response.error_code() {
        assert_eq!(response.class(), Class::Error);
        // RFC 8489 §9.1.3: who has not proved itself gets no proof.
        assert_eq!((response.is_signed(), signed), if code < 402 { (false, false) } else { (true, true) });
        assert_eq!(response.unknown_attributes().len(), 0);
        return code.to_string();
    }
    assert_eq!((response.class(), signed), (Class::Success, true));
    assert_eq!(response.mapped_address(), Some(tuple.remote));
    "ok".into()
}

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
        assert!(stage.agent.reported.tuples.capacity() == TUPLES_MAX);
        assert!(stage.agent.tuples().all(|tuple| stage.agent.reported.tuples.contains(&tuple)));
    }
}
