//! One WebSocket to a demo: questions and their answers, while a task answers pings and passes events over.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::DemoAddress;
use crate::target::TargetError;

/// Questions under way at once. One is asked at a time.
const QUESTIONS_MAX: usize = 4;

type Outcome = Result<Value, TargetError>;

/// A question that waits for its answer.
struct Question {
    method: &'static str,
    data: Value,
    answer: oneshot::Sender<Outcome>,
}

/// The WebSocket's near end; the task behind it ends with this.
#[derive(Debug)]
pub(super) struct Socket {
    address: String,
    questions: mpsc::Sender<Question>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) async fn connect(address: &DemoAddress) -> Result<Self, TargetError> {
        let failed = |reason: String| TargetError::Connection { address: address.to_string(), reason };
        let stream = TcpStream::connect(address.authority()).await.map_err(|it| failed(it.to_string()))?;
        stream.set_nodelay(true).map_err(|it| failed(it.to_string()))?;
        let url = format!("ws://{}/ws", address.authority());
        let (socket, _) = client_async(url, stream).await.map_err(|it| failed(not_a_demo(&it)))?;
        let (questions, receiver) = mpsc::channel(QUESTIONS_MAX);
        let task = tokio::spawn(run(socket, receiver));
        Ok(Self { address: address.to_string(), questions, task })
    }

    /// The `data` of the answer.
    pub(super) async fn ask(&mut self, method: &'static str, data: Value) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let broken = || TargetError::Connection {
            address: self.address.clone(),
            reason: "the WebSocket has closed".into(),
        };
        self.questions.send(Question { method, data, answer }).await.map_err(|_| broken())?;
        outcome.await.map_err(|_| broken())?
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why there is no WebSocket where something answers.
fn not_a_demo(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        other => format!("what answers there is no mafalda-demo: {other}"),
    }
}

/// Ends when the connection or its owner does; questions that wait then are dropped, which tells those who asked.
async fn run(mut socket: WebSocketStream<TcpStream>, mut questions: mpsc::Receiver<Question>) {
    let mut waiting = VecDeque::new();
    let mut next_id = 1_u64;
    loop {
        tokio::select! {
            question = questions.recv() => {
                let Some(question) = question else { return };
                let text = json!({"id": next_id, "method": question.method, "data": question.data}).to_string();
                waiting.push_back((next_id, question));
                next_id += 1;
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            message = socket.next() => {
                if !on_message(message, &mut waiting) {
                    return;
                }
            }
        }
    }
}

/// `false` at the end of the connection. Pings are answered by the WebSocket itself when it is polled.
fn on_message(message: Option<Result<Message, Error>>, waiting: &mut VecDeque<(u64, Question)>) -> bool {
    let text = match message {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
        Some(Ok(_)) => return true,
    };
    let Ok(mut message) = serde_json::from_str::<Value>(&text) else { return false };
    // Answers come in the order of their questions; what has no number is an event.
    let Some(id) = message.get("id").and_then(Value::as_u64) else { return true };
    let Some((_, question)) = waiting.pop_front().filter(|(expected, _)| *expected == id) else {
        return false;
    };
    let outcome = outcome(question.method, &mut message);
    // Whoever asked may have lost patience.
    let _ = question.answer.send(outcome);
    true
}

fn outcome(method: &'static str, message: &mut Value) -> Outcome {
    let Some(error) = message.get("error") else {
        return Ok(message.get_mut("data").map(Value::take).unwrap_or_default());
    };
    let text = |key| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(TargetError::Refused { method, code: text("code"), message: text("message") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (bool, Option<Outcome>) {
        let (answer, mut outcome) = oneshot::channel();
        let mut waiting = VecDeque::from([(3, Question { method: "join", data: Value::Null, answer })]);
        let goes_on = on_message(Some(Ok(Message::text(text))), &mut waiting);
        (goes_on, outcome.try_recv().ok())
    }

    #[test]
    fn an_answer_finds_its_question_and_events_are_passed_over() {
        let (goes_on, outcome) = asked(r#"{"id": 3, "data": {"a": 1}}"#);
        assert!(goes_on && outcome.unwrap().unwrap() == json!({"a": 1}));
        let (goes_on, outcome) = asked(r#"{"event": "peerLeft", "data": {"id": "x"}}"#);
        assert!(goes_on && outcome.is_none());
    }

    #[test]
    fn a_refusal_keeps_its_code() {
        let (_, outcome) = asked(r#"{"id": 3, "error": {"code": "roomFull", "message": "no room"}}"#);
        let Some(Err(TargetError::Refused { method: "join", code, message })) = outcome else { panic!() };
        assert_eq!((code.as_str(), message.as_str()), ("roomFull", "no room"));
    }

    #[test]
    fn a_server_out_of_step_ends_the_connection() {
        for text in ["no json", r#"{"id": 4, "data": {}}"#] {
            let (goes_on, outcome) = asked(text);
            assert!(!goes_on && outcome.is_none(), "{text}");
        }
    }
}
