//! Debian packages: installed where that is possible, else named with the command that installs them.

use anyhow::{Context, Result, bail};

use crate::process::{Process, find_program};
use crate::report;

/// A package that is not there, and what it is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missing<'a> {
    pub(crate) package: &'a str,
    pub(crate) purpose: &'a str,
}

/// Installs packages, as root or with passwordless sudo. None is nothing to do.
pub(crate) fn install(missing: &[Missing<'_>]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    for Missing { package, purpose } in missing {
        report::line(format_args!("missing: {package} ({purpose})"));
    }
    let packages: Vec<&str> = missing.iter().map(|missing| missing.package).collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    let Some(root) = root_prefix() else {
        bail!("cannot install Debian packages here; as root, or with your system's own names: {by_hand}");
    };
    apt_get(root, &["update"])?;
    apt_get(root, &[&["install", "-y", "--no-install-recommends"], &packages[..]].concat())
}

/// The words in front of a command that make it run as root; `None` if nothing does, or if there is no apt-get.
fn root_prefix() -> Option<&'static [&'static str]> {
    find_program("apt-get")?;
    let is_root = Process::new("id").args(["-u"]).output().is_ok_and(|id| id.trim() == "0");
    if is_root {
        Some(&[])
    } else {
        Process::new("sudo").args(["-n", "true"]).succeeds().then_some(&["sudo", "-n"])
    }
}

fn apt_get(root: &[&str], args: &[&str]) -> Result<()> {
    let command = [root, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat();
    let (program, args) = command.split_first().context("a command has a program")?;
    Process::new(program).args(args).run()
}
