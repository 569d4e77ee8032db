//! One port for all media of a Worker: UDP and TCP, on each address of this machine.

use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail};
use tracing::info;

use crate::types::data_structures::{ListenInfo, Protocol};
use crate::waist::ErrorCode;
use crate::webrtc_server::{WebRtcServer, WebRtcServerListenInfos, WebRtcServerOptions};
use crate::worker::Worker;

/// What the kernel shall keep for a UDP socket, where it lets us have that much. All peers share it, so it must hold what comes in,
/// and goes out, of many at once; larger only delays what is late already.
const BUFFER_BYTES: u32 = 4 * 1024 * 1024;

/// Has a Worker listen on the first of these ports that is free for both protocols on all addresses.
///
/// # Errors
/// When there is none, or an address is not this machine's.
pub async fn share_port(worker: &Worker, ports: RangeInclusive<u16>) -> Result<WebRtcServer> {
    for port in ports.clone() {
        let options = WebRtcServerOptions::new(listen_infos(port));
        match worker.create_webrtc_server(options).await {
            Ok(server) => {
                info!(worker = %worker.id(), port, "media comes in over one port, UDP and TCP");
                return Ok(server);
            }
            Err(error) if error.code() == ErrorCode::NoPort => {}
            Err(error) => return Err(error).context("media can't be listened for"),
        }
    }
    bail!(
        "of the ports {} to {} none is free for media over UDP and TCP; choose another with --media-port or --rtc-ports",
        ports.start(),
        ports.end()
    )
}

fn listen_infos(port: u16) -> WebRtcServerListenInfos {
    let at = |protocol| ListenInfo { port: Some(port), ..ListenInfo::of_place(protocol) };
    let udp = ListenInfo {
        send_buffer_size: Some(BUFFER_BYTES),
        recv_buffer_size: Some(BUFFER_BYTES),
        ..at(Protocol::Udp)
    };
    // A connection is one peer's alone, and the kernel knows best how much it needs.
    WebRtcServerListenInfos::new(udp).insert(at(Protocol::Tcp))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::worker::WorkerSettings;
    use crate::worker_manager::WorkerManager;
    use crate::{LocalOptions, MediaAddress};

    #[tokio::test]
    async fn the_first_port_that_is_free_for_both_protocols_is_taken() {
        let mut options = LocalOptions::default();
        options.addresses = vec![MediaAddress::from(std::net::IpAddr::from([127, 0, 0, 1]))];
        let manager = WorkerManager::with_options(options).unwrap();
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let first = taken.local_addr().unwrap().port();
        let error = share_port(&worker, first..=first).await.unwrap_err();
        assert!(error.to_string().contains("--media-port"), "{error}");

        let server = share_port(&worker, first..=u16::MAX).await.unwrap();
        let dump = server.dump().await.unwrap();
        assert!(dump.udp_sockets[0].port > first);
        assert_eq!(dump.udp_sockets, dump.tcp_servers, "one port for both");
    }
}
