//! The conference that a plain `cargo run` starts: Workers, a gateway over them, and a page to open.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use mafalda::demo::{Arguments, Invitation, SelfSigned, share_port};
use mafalda::webrtc_server::WebRtcServer;
use mafalda::worker::{Worker, WorkerSettings};
use mafalda::worker_manager::WorkerManager;
use mafalda_gateway::{Gateway, GatewayOptions, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

/// How long peers have to take note of the end.
const END_PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "mafalda-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start() -> Result<()> {
    let arguments = Arguments::parse();
    arguments.start_log()?;

    let listener = listen(&arguments).await?;
    let local = arguments.local_options();
    let invitation = Invitation::new(listener.local_addr()?, &local.addresses);
    let manager = WorkerManager::with_options(local).context("the media engine doesn't start")?;
    let workers = start_workers(&manager, &arguments).await?;

    let mut options = GatewayOptions::default();
    options.webrtc_servers = share_ports(&workers, &arguments).await?;
    options.token = invitation.token();
    options.max_incoming_bitrate = arguments.max_incoming_bitrate;
    let gateway = Gateway::new(workers, options);
    writeln!(io::stdout(), "{invitation}\nCtrl-C ends it.")?;

    tokio::select! {
        served = serve_page(listener, &gateway, &invitation) => served?,
        signal = end_signal() => info!(signal = signal?, rooms = gateway.room_count(), "closing the rooms"),
    }
    gateway.close(END_PATIENCE).await;
    info!("ended");
    Ok(())
}

async fn listen(arguments: &Arguments) -> Result<TcpListener> {
    let address = arguments.listen;
    TcpListener::bind(address).await.with_context(|| {
        format!("can't listen on {address}; choose another address or port with --listen ADDR:PORT")
    })
}

async fn start_workers(manager: &WorkerManager, arguments: &Arguments) -> Result<Vec<Worker>> {
    let mut workers = Vec::new();
    for _ in 0..arguments.workers.get() {
        let mut settings = WorkerSettings::default();
        settings.rtc_port_range = arguments.rtc_ports.clone();
        let worker = manager.create_worker(settings).await.context("a Worker doesn't start")?;
        let id = worker.id();
        let on_dead =
            move |exit| error!(worker = %id, ?exit, "a Worker has ended; its rooms begin anew on another");
        worker.on_dead(on_dead).detach();
        workers.push(worker);
    }
    Ok(workers)
}

/// One port carries all media of a Worker.
async fn share_ports(workers: &[Worker], arguments: &Arguments) -> Result<Vec<WebRtcServer>> {
    let mut servers = Vec::new();
    for (index, worker) in workers.iter().enumerate() {
        servers.push(share_port(worker, arguments.media_ports(index)?).await?);
    }
    Ok(servers)
}

/// Plain HTTP on loopback, HTTPS anywhere else.
async fn serve_page(listener: TcpListener, gateway: &Gateway, invitation: &Invitation) -> Result<()> {
    if !invitation.is_public() {
        serve(listener, gateway.http(), |stream| async { Ok(stream) }).await;
        return Ok(());
    }
    let acceptor = SelfSigned::new(&invitation.addresses())?.acceptor();
    serve(listener, gateway.http(), move |stream| acceptor.accept(stream)).await;
    Ok(())
}

/// Waits for Ctrl-C or for the signal that service managers send.
async fn end_signal() -> io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| "interrupt"),
        _ = terminate.recv() => Ok("terminate"),
    }
}
