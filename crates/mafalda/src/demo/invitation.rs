//! What to open in a browser, here and elsewhere.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use mafalda_gateway::JoinToken;
use uuid::Uuid;

use crate::MediaAddress;

/// Where the page is to be found, and the secret that lets people in.
#[derive(Clone, Debug)]
pub struct Invitation {
    listen: SocketAddr,
    /// Addresses of this machine that are not loopback.
    reachable: Vec<IpAddr>,
    /// `None` on loopback, where only this machine's users come.
    secret: Option<String>,
}

impl Invitation {
    /// For a page that listens at `listen`, on a machine with these addresses.
    #[must_use]
    pub fn new(listen: SocketAddr, addresses: &[MediaAddress]) -> Self {
        let reachable = addresses.iter().map(|address| address.ip).filter(|ip| !ip.is_loopback()).collect();
        let secret = (!listen.ip().is_loopback()).then(|| Uuid::new_v4().simple().to_string());
        Self { listen, reachable, secret }
    }

    /// Whether the page needs TLS.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.secret.is_some()
    }

    /// What the gateway asks for.
    #[must_use]
    pub fn token(&self) -> Option<JoinToken> {
        self.secret.clone().map(JoinToken::new)
    }

    /// The addresses that the certificate names.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        match self.listen.ip() {
            ip if ip.is_unspecified() => self.reachable.clone(),
            ip => vec![ip],
        }
    }

    fn link(&self, ip: IpAddr) -> String {
        let address = SocketAddr::new(ip, self.listen.port());
        match &self.secret {
            Some(secret) => format!("https://{address}/#token={secret}"),
            None => format!("http://{address}/"),
        }
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.listen.port();
        if !self.is_public() {
            writeln!(f, "Open in a few tabs:  {}", self.link(self.listen.ip()))?;
            writeln!(f, "From another machine: start with --listen 0.0.0.0:{port}, which comes with HTTPS,")?;
            return write!(
                f,
                "  or there: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE, and open the same address"
            );
        }
        let addresses = self.addresses();
        if addresses.is_empty() {
            write!(
                f,
                "Open:  https://THIS-MACHINE:{port}/#token={}",
                self.secret.as_deref().unwrap_or_default()
            )?;
        }
        for (at, ip) in addresses.into_iter().enumerate() {
            write!(
                f,
                "{}{}",
                if at == 0 { "Open, here or on another machine:  " } else { "\n  or  " },
                self.link(ip)
            )?;
        }
        write!(f, "\nThe certificate was made just now, so the browser warns of it once.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(listen: &str) -> Invitation {
        let addresses =
            ["127.0.0.1", "192.0.2.7"].map(|ip| MediaAddress::from(ip.parse::<IpAddr>().unwrap()));
        Invitation::new(listen.parse().unwrap(), &addresses)
    }

    #[test]
    fn loopback_is_open_to_all_who_are_here() {
        let invitation = invitation("127.0.0.1:3000");
        assert!(!invitation.is_public() && invitation.token().is_none());
        let text = invitation.to_string();
        assert!(
            text.contains("http://127.0.0.1:3000/\n") && text.contains("--listen 0.0.0.0:3000"),
            "{text}"
        );
    }

    #[test]
    fn any_other_address_has_a_token_in_its_link() {
        for listen in ["0.0.0.0:3000", "192.0.2.7:3000"] {
            let invitation = invitation(listen);
            let text = invitation.to_string();
            let (_, rest) =
                text.split_once("https://192.0.2.7:3000/#token=").unwrap_or_else(|| panic!("{text}"));
            let secret = rest.lines().next().unwrap();
            assert_eq!(secret.len(), 32);
            assert!(invitation.token().unwrap().admits(secret));
        }
    }

    #[test]
    fn two_invitations_differ() {
        assert_ne!(invitation("0.0.0.0:1").secret, invitation("0.0.0.0:1").secret);
    }
}
