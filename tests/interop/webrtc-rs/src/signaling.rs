//! The gateway's WebSocket: requests that are answered, and events that come by themselves.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to the gateway.
#[derive(Debug)]
pub(crate) struct Signaling {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// Came while an answer was awaited.
    events: VecDeque<Value>,
}

impl Signaling {
    /// Connects to the gateway of the page at `url`.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let host = url.strip_prefix("http://").context("the URL must start with http://")?;
        let (socket, _) = connect_async(format!("ws://{}/ws", host.trim_end_matches('/'))).await?;
        Ok(Self { socket, last_id: 0, events: VecDeque::new() })
    }

    /// Asks and waits for the answer.
    pub(crate) async fn request(&mut self, method: &str, data: Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let text = json!({"id": id, "method": method, "data": data}).to_string();
        self.socket.send(Message::text(text)).await?;
        loop {
            let message = timeout(ANSWER_TIMEOUT, self.read())
                .await
                .with_context(|| format!("no answer to {method}"))??;
            if message.get("event").is_some() {
                self.events.push_back(message);
            } else if message["id"] == id {
                return match message.get("error") {
                    None => Ok(message["data"].clone()),
                    Some(error) => bail!("{method} was refused: {error}"),
                };
            }
        }
    }

    /// The next event; waits for it.
    pub(crate) async fn next_event(&mut self) -> Result<Value> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        loop {
            let message = self.read().await?;
            if message.get("event").is_some() {
                return Ok(message);
            }
        }
    }

    async fn read(&mut self) -> Result<Value> {
        loop {
            match self.socket.next().await.context("the gateway closed the connection")?? {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(frame) => bail!("the gateway closed the connection: {frame:?}"),
                _ => {}
            }
        }
    }
}
