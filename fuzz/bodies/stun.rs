//! STUN and the ICE-lite agent: no bytes bring them down, strangers get no answer that helps them, and whatever a peer does
//! that knows the password, the agent's owner hears of each tuple once.
//!
//! The first byte chooses the game: any datagram, a well-formed message of any attributes, or a peer's moves.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mafalda_media::ice::{Credentials, IceConfig, IceEvent, IceLite, IceState, TUPLES_MAX};
use mafalda_media::stun::{
    AttributeType, BINDING, Class, ErrorCode, Message, RESPONSE_LEN_MAX, TransactionId, Writer,
};
use mafalda_media::{Now, SocketId, Tuple};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Enough for any order of the few states, and quick.
const MOVES_MAX: usize = 64;

const ERRORS: [ErrorCode; 4] =
    [ErrorCode::BadRequest, ErrorCode::Unauthorized, ErrorCode::UnknownAttribute, ErrorCode::RoleConflict];

/// Plays the game that `data` describes; panics when a promise is broken.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((choice, rest)) if choice % 3 == 0 => read(rest, false),
        Some((choice, rest)) if choice % 3 == 1 => compose(choice / 3, rest),
        Some((_, moves)) => play(moves),
        None => {}
    }
}

/// Reads a datagram and answers it; `insider` if it may be signed with the agent's password.
fn read(datagram: &[u8], insider: bool) {
    let Ok(message) = Message::parse(datagram) else { return };
    let source = SocketAddr::from((datagram.first_chunk::<16>().copied().unwrap_or_default(), 7));
    let mut out = [0; RESPONSE_LEN_MAX];
    let len = message.write_success(source, b"password", &mut out).expect("the bound holds");
    let success = Message::parse(&out[..len]).expect("ours is well formed");
    assert_eq!(success.mapped_address().map(|address| address.ip()), Some(source.ip().to_canonical()));
    assert_eq!(success.transaction(), message.transaction());
    assert!(success.is_signed_with(b"password"));
    for error in ERRORS {
        refuse(&message, error);
    }
    answer(&message, insider);
}

fn refuse(message: &Message<'_>, error: ErrorCode) {
    let mut out = [0; RESPONSE_LEN_MAX];
    let len = message.write_error(error, Some(b"password"), &mut out).expect("the bound holds");
    let refusal = Message::parse(&out[..len]).expect("ours is well formed");
    assert_eq!((refusal.class(), refusal.method()), (Class::Error, message.method()));
    assert_eq!(refusal.error_code(), Some(error.code()));
    assert!(refusal.has_fingerprint() && refusal.is_signed_with(b"password"));
}

/// An agent answers it, and lets nobody in who doesn't know the password.
fn answer(message: &Message<'_>, insider: bool) {
    let mut agent = agent();
    let tuple = tuple(0);
    let mut out = [0; RESPONSE_LEN_MAX];
    let answered = agent.handle(start(), tuple, message, &mut out);
    assert_eq!(answered.is_ok(), message.class() == Class::Request);
    assert!(insider || !agent.is_valid(tuple), "a stranger was let in");
    assert_eq!(agent.is_valid(tuple), agent.state() != IceState::New);
}

/// A message of the attributes that the bytes describe: type (2 bytes), length, value.
fn compose(choice: u8, mut data: &[u8]) {
    let credentials = *agent().local();
    let class = [Class::Request, Class::Request, Class::Success, Class::Error][usize::from(choice / 2 % 4)];
    let insider = choice & 1 == 0;
    let mut out = [0; 2048];
    let mut writer = Writer::new(class, BINDING, TransactionId([3; 12]), &mut out).expect("a header fits");
    if insider {
        let username = format!("{}:peer", credentials.username_fragment);
        writer.attribute(AttributeType::USERNAME, username.as_bytes()).expect("there is room");
    }
    while let Some((&[k0, k1, len], tail)) = data.split_first_chunk() {
        let (value, tail) = tail.split_at(usize::from(len).min(tail.len()));
        data = tail;
        if writer.attribute(AttributeType(u16::from_be_bytes([k0, k1])), value).is_err() {
            return;
        }
    }
    let password = if insider { credentials.password.as_bytes() } else { b"guess" };
    if let Ok(len) = writer.finish(Some(password)) {
        read(&out[..len], insider);
    }
}

/// Two bytes a move: what to do, and with which tuple.
fn play(moves: &[u8]) {
    let mut rng = StdRng::seed_from_u64(2);
    let mut game =
        Game { agent: agent(), old: *agent().local(), now: start(), known: Vec::new(), selected: None };
    for &[action, operand] in moves.as_chunks().0.iter().take(MOVES_MAX) {
        let tuple = tuple(operand % 16);
        match action % 8 {
            0..4 => game.check(tuple, action / 8, operand / 16),
            4 => assert_eq!(game.agent.on_media(tuple), game.agent.selected() == Some(tuple)),
            5 => game.agent.remove_socket(tuple.socket),
            6 => game.restart(&mut rng),
            _ => game.wait(operand),
        }
        if operand % 32 != 31 {
            game.hear();
        }
    }
}

struct Game {
    agent: IceLite,
    /// From before the last restart.
    old: Credentials,
    now: Now,
    /// What the events told.
    known: Vec<Tuple>,
    selected: Option<Tuple>,
}

impl Game {
    fn check(&mut self, tuple: Tuple, kind: u8, nomination: u8) {
        let current = kind & 1 == 0;
        let credentials = if current { *self.agent.local() } else { self.old };
        let mut request = [0; 256];
        let len = check(&credentials, kind & 2 != 0, nomination, &mut request);
        let message = Message::parse(&request[..len]).expect("ours is well formed");
        let mut out = [0; RESPONSE_LEN_MAX];
        let len = self.agent.handle(self.now, tuple, &message, &mut out).expect("it is a request");
        let answer = Message::parse(&out[..len]).expect("ours is well formed");
        assert!(!current || answer.class() == Class::Success, "who knows the password is let in");
        assert!(answer.class() == Class::Error || self.agent.is_valid(tuple));
    }

    fn restart(&mut self, rng: &mut StdRng) {
        self.old = *self.agent.local();
        let _ended = self.agent.restart(self.now, rng);
    }

    fn wait(&mut self, seconds: u8) {
        self.now = self.now.after(Duration::from_secs(u64::from(seconds) / 4));
        self.agent.handle_timeout(self.now);
        assert!(self.agent.timeout().is_none_or(|deadline| deadline > self.now.at));
    }

    /// Takes all events; what they told is then what is.
    fn hear(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            match event {
                IceEvent::TupleAdded(tuple) => {
                    assert!(!self.known.contains(&tuple), "added twice");
                    self.known.push(tuple);
                    assert!(self.known.len() <= TUPLES_MAX);
                }
                IceEvent::TupleRemoved(tuple) => {
                    let index = self.known.iter().position(|&known| known == tuple);
                    self.known.remove(index.expect("removed once"));
                }
                IceEvent::SelectedTupleChanged(tuple) => self.selected = Some(tuple),
                IceEvent::StateChanged(state) => assert_eq!(state, self.agent.state()),
                IceEvent::CredentialsRetired(fragment) => {
                    assert_ne!(fragment, self.agent.local().username_fragment);
                }
            }
        }
        assert!(self.agent.tuples().all(|tuple| self.known.contains(&tuple)));
        assert_eq!(self.agent.tuples().count(), self.known.len());
        if let Some(selected) = self.agent.selected() {
            assert_eq!(self.selected, Some(selected));
            assert!(self.known.contains(&selected));
        }
        assert_eq!(self.agent.selected().is_some(), !self.known.is_empty());
    }
}

fn check(credentials: &Credentials, nominate: bool, nomination: u8, out: &mut [u8]) -> usize {
    let mut writer =
        Writer::new(Class::Request, BINDING, TransactionId([5; 12]), out).expect("a header fits");
    let username = format!("{}:peer", credentials.username_fragment);
    let nomination = u32::from(nomination).to_be_bytes();
    let mut put = |kind, value: &[u8]| writer.attribute(kind, value).expect("there is room");
    put(AttributeType::USERNAME, username.as_bytes());
    put(AttributeType::PRIORITY, &[0; 4]);
    if nominate {
        put(AttributeType::USE_CANDIDATE, &[]);
    }
    if nomination != [0; 4] {
        put(AttributeType::NOMINATION, &nomination);
    }
    writer.finish(Some(credentials.password.as_bytes())).expect("there is room")
}

/// Of sixteen tuples, half lie on one UDP socket and each other on a connection of its own.
fn tuple(number: u8) -> Tuple {
    let socket = if number < 8 { 0 } else { number };
    let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 5000 + u16::from(number)));
    Tuple { socket: SocketId(u32::from(socket)), remote }
}

fn agent() -> IceLite {
    IceLite::new(IceConfig::default(), &mut StdRng::seed_from_u64(1))
}

#[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
fn start() -> Now {
    Now { at: Instant::now(), unix: Duration::ZERO }
}
