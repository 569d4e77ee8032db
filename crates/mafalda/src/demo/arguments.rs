//! What the command line says, checked where it is read.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::RangeInclusive;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::{LocalOptions, MediaAddress};

/// Where the demo listens by default: loopback, where browsers give out cameras without a certificate.
const LISTEN_DEFAULT: &str = "127.0.0.1:3000";

/// A conference in the browser, through Mafalda's own media engine.
///
/// Open the address that it prints in a few tabs. On loopback it speaks plain HTTP. On any other address it speaks HTTPS
/// with a certificate made on the spot, since browsers give out cameras on secure pages only, and asks for a token that is
/// part of the printed link.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    /// Where the page listens; 0.0.0.0:3000 for every address of this machine
    #[arg(long, value_name = "ADDR:PORT", default_value = LISTEN_DEFAULT, env = "MAFALDA_LISTEN")]
    pub listen: SocketAddr,

    /// Address for media, and optionally the address or name to tell browsers instead (for a machine behind NAT). May be
    /// given several times. By default loopback and the first other address of this machine
    #[arg(long, value_name = "IP[=ANNOUNCED]", value_parser = parse_media_address)]
    pub media_address: Vec<MediaAddress>,

    /// Threads that carry media; rooms take turns
    #[arg(long, value_name = "N", default_value = "1")]
    pub workers: NonZeroUsize,

    /// The port for all media, UDP and TCP; further threads take the ones behind it. By default the first of --rtc-ports that
    /// is free
    #[arg(long, value_name = "PORT", conflicts_with = "rtc_ports", value_parser = parse_port)]
    pub media_port: Option<u16>,

    /// Where to look for a port for media
    #[arg(long, value_name = "MIN-MAX", default_value = "10000-59999", value_parser = parse_ports)]
    pub rtc_ports: RangeInclusive<u16>,

    /// Most bits per second that each participant is asked to send
    #[arg(long, value_name = "BPS")]
    pub max_incoming_bitrate: Option<NonZeroU64>,

    /// What to log: a level, or levels per module such as `warn,mafalda_gateway=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "RUST_LOG")]
    pub log: String,

    /// How to log
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Arguments {
    /// What the engine is told of this machine.
    #[must_use]
    pub fn local_options(&self) -> LocalOptions {
        let mut options = LocalOptions::default();
        if !self.media_address.is_empty() {
            options.addresses.clone_from(&self.media_address);
        }
        options
    }

    /// The ports of which one is to carry the media of a Worker; Workers are counted from 0.
    ///
    /// # Errors
    /// When there are more Workers than ports behind the one that was given.
    pub fn media_ports(&self, worker: usize) -> Result<RangeInclusive<u16>> {
        let Some(first) = self.media_port else { return Ok(self.rtc_ports.clone()) };
        let port = u16::try_from(worker).ok().and_then(|worker| first.checked_add(worker));
        let port = port.with_context(|| {
            format!("there are not enough ports from {first} on for {} threads", self.workers)
        })?;
        Ok(port..=port)
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{text:?} is not a port"))
}

fn parse_media_address(text: &str) -> Result<MediaAddress, String> {
    let (ip, announced) = match text.split_once('=') {
        Some((ip, announced)) => (ip, Some(announced.to_owned())),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().map_err(|_| format!("{ip:?} is not an IP address"))?;
    if ip.is_unspecified() {
        return Err(format!("{ip} is no address that media could come to; name one of this machine's"));
    }
    if announced.as_ref().is_some_and(String::is_empty) {
        return Err("there is nothing behind `=`".into());
    }
    Ok(MediaAddress { ip, announced_address: announced })
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (min, max) = text.split_once('-').ok_or("a range looks like 40000-49999")?;
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text:?} is not a port"));
    let (min, max) = (port(min)?, port(max)?);
    if min == 0 || min > max {
        return Err(format!("{min} to {max} holds no ports"));
    }
    Ok(min..=max)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        let arguments = [&["mafalda-demo"], arguments].concat();
        Arguments::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn nothing_need_be_given() {
        let arguments = parse(&[]).unwrap();
        assert!(arguments.listen.ip().is_loopback());
        assert_eq!(arguments.media_ports(3).unwrap(), 10000..=59999);
        assert_eq!(arguments.local_options().addresses, LocalOptions::default().addresses);
    }

    #[test]
    fn media_addresses_may_be_announced_as_others() {
        let arguments =
            parse(&["--media-address", "10.0.0.5=sfu.example", "--media-address", "::1"]).unwrap();
        let addresses = arguments.local_options().addresses;
        assert_eq!(addresses.len(), 2);
        assert_eq!(addresses[0].announced_address.as_deref(), Some("sfu.example"));
        assert_eq!(addresses[1], MediaAddress::from("::1".parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn each_worker_has_its_own_port_for_media() {
        let arguments = parse(&["--media-port", "65534", "--workers", "3"]).unwrap();
        assert_eq!(arguments.media_ports(0).unwrap(), 65534..=65534);
        assert_eq!(arguments.media_ports(1).unwrap(), 65535..=65535);
        assert!(arguments.media_ports(2).unwrap_err().to_string().contains("for 3 threads"));
        let arguments = parse(&["--rtc-ports", "40000-40001"]).unwrap();
        assert_eq!(arguments.media_ports(1).unwrap(), 40000..=40001);
        let error = parse(&["--rtc-ports", "40000-40001", "--media-port", "40000"]).unwrap_err();
        assert!(error.contains("cannot be used with"), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        for (arguments, reason) in [
            (["--listen", "3000"], "invalid socket address"),
            (["--media-address", "0.0.0.0"], "name one of this machine's"),
            (["--media-address", "sfu.example"], "not an IP address"),
            (["--media-address", "10.0.0.5="], "nothing behind"),
            (["--rtc-ports", "5"], "looks like"),
            (["--rtc-ports", "9-5"], "holds no ports"),
            (["--rtc-ports", "0-5"], "holds no ports"),
            (["--rtc-ports", "1-99999"], "not a port"),
            (["--media-port", "0"], "not a port"),
            (["--media-port", "65536"], "not a port"),
            (["--workers", "0"], "invalid value"),
            (["--max-incoming-bitrate", "0"], "invalid value"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
    }
}
