//! One request over a connection of its own, byte for byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Fixture, PATIENCE};

/// What is asked.
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n"), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub(crate) fn body(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self
    }

    pub(crate) async fn send(self, fixture: &Fixture) -> Response {
        let body = self.body.clone();
        let mut waiting = self.send_head(fixture).await;
        waiting.0.write_all(&body).await.unwrap();
        timeout(PATIENCE, waiting.receive()).await.unwrap()
    }

    /// Sends all but the body.
    pub(crate) async fn send_head(self, fixture: &Fixture) -> Waiting {
        let Self { head, body } = self;
        let mut stream = TcpStream::connect(fixture.address).await.unwrap();
        let head = format!("{head}host: {}\r\ncontent-length: {}\r\n\r\n", fixture.address, body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        Waiting(stream)
    }
}

/// A connection that an answer is to come over.
pub(crate) struct Waiting(TcpStream);

impl Waiting {
    pub(crate) async fn receive(mut self) -> Response {
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer).await.unwrap();
        Response::parse(&String::from_utf8(answer).unwrap())
    }
}

impl Response {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The media section of a kind.
    pub(crate) fn line(&self, kind: &str) -> &str {
        self.body.lines().find(|line| line.starts_with(kind)).unwrap()
    }
}
