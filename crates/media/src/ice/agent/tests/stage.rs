//! A stage for scripts: an agent, virtual time, and a client that knows all credentials.
//!
//! Tuples are letters: small ones share a UDP socket, capital ones are TCP connections. Inputs: `check` (with words that
//! change a good check), `media`, `valid`, `gone` (a socket), `wait` (seconds, then the timer if it is due), `restart`,
//! `deadline`. Outputs: the answer, then events: `+a` added, `-a` removed, `*a` selected, a state, `retired0`.

use std::net::{Ipv4Addr, SocketAddr};

use rand::SeedableRng;

use super::super::*;
use crate::stun::{AttributeType, Message, TransactionId, Writer};

pub(super) const UDP: SocketId = SocketId(0);

pub(super) fn tuple(name: &str) -> Tuple {
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

pub(super) struct Stage {
    pub(super) agent: IceLite,
    rng: StdRng,
    now: Now,
    /// By the number of restarts before them.
    credentials: Vec<Credentials>,
}

/// The words of a check that change it.
pub(super) struct Words<'a>(pub(super) Vec<&'a str>);

impl<'a> Words<'a> {
    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key))
    }
}

impl Stage {
    pub(super) fn new(consent_timeout: Option<Duration>) -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let agent = IceLite::new(IceConfig { consent_timeout }, &mut rng);
        let credentials = vec![*agent.local()];
        Self { agent, rng, now: start(), credentials }
    }

    pub(super) fn run(&mut self, line: &str) -> String {
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

    pub(super) fn events(&mut self) -> Vec<String> {
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

    pub(super) fn check(&mut self, tuple: Tuple, words: &Words<'_>) -> String {
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

    pub(super) fn restart(&mut self) -> String {
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
