//! Where a subject sends to: one address per destination, counted up from a first one.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

/// What differs between two destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Spread {
    /// The IP: destinations as clients are, each with a neighbour entry and a route of its own.
    Ip,
    /// The port: all of them in one host that is really there.
    Port,
}

/// The destinations of a subject.
#[derive(Clone, Debug, Args)]
pub(crate) struct Destinations {
    /// The first destination
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) to: SocketAddrV4,
    /// What is counted up from one destination to the next
    #[arg(long, value_enum, default_value = "port")]
    spread: Spread,
    /// How many destinations
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) consumers: u16,
}

impl Destinations {
    /// Each of them, in order.
    ///
    /// # Errors
    /// When there are no addresses left to count up to.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddrV4>> {
        (0..self.consumers).map(|index| self.address(index)).collect()
    }

    fn address(&self, index: u16) -> Result<SocketAddrV4> {
        let (ip, port) = (*self.to.ip(), self.to.port());
        match self.spread {
            Spread::Ip => {
                let ip = u32::from(ip).checked_add(u32::from(index)).map(Ipv4Addr::from);
                Ok(SocketAddrV4::new(ip.context("addresses end before destinations do")?, port))
            }
            Spread::Port => {
                let port = port.checked_add(index).context("ports end before destinations do")?;
                Ok(SocketAddrV4::new(ip, port))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(to: &str, spread: Spread, consumers: u16) -> Result<Vec<String>> {
        let destinations = Destinations { to: to.parse().unwrap(), spread, consumers };
        Ok(destinations.addresses()?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_ip_or_the_port_is_counted_up() {
        let ips = addresses("10.0.0.254:7", Spread::Ip, 3).unwrap();
        assert_eq!(ips, ["10.0.0.254:7", "10.0.0.255:7", "10.0.1.0:7"]);
        let ports = addresses("10.0.0.1:65534", Spread::Port, 2).unwrap();
        assert_eq!(ports, ["10.0.0.1:65534", "10.0.0.1:65535"]);
    }

    #[test]
    fn there_are_only_so_many() {
        assert!(addresses("10.0.0.1:65534", Spread::Port, 3).is_err());
        assert!(addresses("255.255.255.255:1", Spread::Ip, 2).is_err());
    }
}
