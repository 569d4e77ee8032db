//! A gateway on a port of loopback, and clients that speak its protocol in plain JSON.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mafalda_core::types::data_structures::{ListenInfo, Protocol};
use mafalda_core::webrtc_server::{WebRtcServerListenInfos, WebRtcServerOptions};
use mafalda_core::webrtc_transport::WebRtcTransportListenInfos;
use mafalda_core::worker::{Worker, WorkerSettings};
use mafalda_core::worker_manager::WorkerManager;
use mafalda_gateway::{Gateway, GatewayOptions, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than anything takes here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway over two Workers, at an address.
pub(crate) struct Fixture {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) workers: Vec<Worker>,
    server: JoinHandle<()>,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Fixture {
    /// Media listens on loopback, whatever the options say.
    pub(crate) async fn start(options: GatewayOptions) -> Self {
        Self::over(workers().await, options).await
    }

    /// Each Worker has a WebRtcServer.
    pub(crate) async fn start_sharing() -> Self {
        let workers = workers().await;
        let mut options = GatewayOptions::default();
        for worker in &workers {
            let [udp, tcp] = listen_infos();
            let infos = WebRtcServerListenInfos::new(udp).insert(tcp);
            let server = worker.create_webrtc_server(WebRtcServerOptions::new(infos)).await.unwrap();
            options.webrtc_servers.push(server);
        }
        Self::over(workers, options).await
    }

    async fn over(workers: Vec<Worker>, mut options: GatewayOptions) -> Self {
        let [udp, tcp] = listen_infos();
        options.listen_infos = WebRtcTransportListenInfos::new(udp).insert(tcp);
        let gateway = Gateway::new(workers.clone(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let http = gateway.http();
        let server = tokio::spawn(async { serve(listener, http, |stream| async { Ok(stream) }).await });
        Self { gateway, address, workers, server }
    }

    pub(crate) async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}/ws", self.address), stream).await.unwrap();
        Client { socket, last_id: 0, notices: VecDeque::new() }
    }

    /// Connects as a page of `origin` would; `Err` is the HTTP status.
    pub(crate) async fn connect_from(&self, origin: &str) -> Result<(), u16> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match client_async(request, stream).await {
            Ok(_) => Ok(()),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects and joins; also gives the answer.
    pub(crate) async fn join(&self, room: &str, name: &str) -> (Client, Value) {
        let mut client = self.connect().await;
        let joined = client.ask("join", json!({"room": room, "name": name})).await.unwrap();
        (client, joined)
    }

    /// The answer to a plain GET, head and body.
    pub(crate) async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }
}

async fn workers() -> Vec<Worker> {
    let manager = WorkerManager::new();
    let mut workers = Vec::new();
    for _ in 0..2 {
        workers.push(manager.create_worker(WorkerSettings::default()).await.unwrap());
    }
    workers
}

fn listen_infos() -> [ListenInfo; 2] {
    [Protocol::Udp, Protocol::Tcp]
        .map(|protocol| ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(protocol) })
}

/// One peer.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    last_id: u64,
    /// Notices that came while an answer was waited for.
    notices: VecDeque<Value>,
}

impl Client {
    /// Sends a request and waits for its answer; `Err` is the error object.
    pub(crate) async fn ask(&mut self, method: &str, data: Value) -> Result<Value, Value> {
        self.last_id += 1;
        let request = json!({"id": self.last_id, "method": method, "data": data});
        self.send(&request.to_string()).await;
        let mut answer = self.answer().await;
        assert_eq!(answer["id"], self.last_id, "answers come in the order of their questions");
        match answer["error"].take() {
            Value::Null => Ok(answer["data"].take()),
            error => Err(error),
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// The next answer, whatever its question.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            let message = self.next().await.expect("the connection lives");
            match message.get("event") {
                Some(_) => self.notices.push_back(message),
                None => return message,
            }
        }
    }

    /// What the next notice of this name says; those before it are passed over.
    pub(crate) async fn notice(&mut self, event: &str) -> Value {
        loop {
            let mut message = match self.notices.pop_front() {
                Some(message) => message,
                None => self.next().await.expect("the connection lives"),
            };
            if message["event"] == event {
                return message["data"].take();
            }
        }
    }

    /// Reads to the end; the code with which the server closed.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while let Some(message) = self.read().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.read().await? {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn read(&mut self) -> Option<Message> {
        let message = timeout(PATIENCE, self.socket.next()).await.expect("something comes");
        message.and_then(Result::ok)
    }
}

/// What a browser sends with Opus as its transport's stream of this number.
pub(crate) fn audio_parameters(number: u32) -> Value {
    json!({
        "mid": number.to_string(),
        "codecs": [{
            "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
            "parameters": {"minptime": 10, "useinbandfec": 1},
            "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}],
        }],
        "headerExtensions": [{"uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 4, "encrypt": false, "parameters": {}}],
        "encodings": [{"ssrc": 1_234_567 + number, "dtx": false}],
        "rtcp": {"cname": "mafalda", "reducedSize": true},
    })
}

/// The fingerprint of nobody's certificate.
pub(crate) fn fingerprints() -> Value {
    let value = ["AB"; 32].join(":");
    json!([{"algorithm": "sha-256", "value": value}])
}
