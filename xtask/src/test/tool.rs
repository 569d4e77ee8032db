//! Programs and packages that the tests need: found, or installed, or named in the error.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process::{Process, find_program};
use crate::workspace::Workspace;
use crate::{debian, node_modules, report, web};

/// Browser tests, with their package.json.
pub(super) const BROWSER_TESTS: &str = "tests/browser";

/// Names under which a Chromium is installed.
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Pinned, so that a test that breaks was broken by us.
const PYTHON_PACKAGES: [&str; 2] = ["aiortc==1.16.0", "pymediasoup==1.5.0"];

/// Something that a Debian package brings.
struct Tool {
    package: &'static str,
    purpose: &'static str,
    is_there: fn() -> bool,
}

const TOOLS: [Tool; 9] = [
    Tool { package: "build-essential", purpose: "builds crypto", is_there: || has("cc") },
    Tool { package: "pkg-config", purpose: "finds OpenSSL", is_there: || has("pkg-config") },
    Tool { package: "libssl-dev", purpose: "DTLS peer in tests", is_there: has_libssl },
    Tool { package: "nftables", purpose: "cuts a tab off in the browser tests", is_there: || has("nft") },
    Tool { package: "chromium", purpose: "browser tests", is_there: || chromium().is_some() },
    Tool { package: "nodejs", purpose: "browser tests, the page's bundle", is_there: || has("node") },
    Tool { package: "npm", purpose: "browser tests, the page's bundle", is_there: || has("npm") },
    Tool { package: "ffmpeg", purpose: "sends and receives RTP", is_there: || has("ffmpeg") },
    Tool { package: "python3-venv", purpose: "aiortc as a peer", is_there: has_venv },
];

/// Sees to Debian, npm and Python packages.
pub(super) fn ensure(workspace: &Workspace) -> Result<()> {
    ensure_debian_packages()?;
    for dir in [web::SOURCES, BROWSER_TESTS] {
        node_modules::ensure(&workspace.path(dir))?;
    }
    ensure_python_packages(workspace)?;
    report::line("all tools are there");
    Ok(())
}

/// The Chromium to test with: the one that `CHROMIUM` names, or the first that is installed.
pub(super) fn chromium() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| CHROMIUM.iter().find_map(|name| find_program(name)))
}

/// The Python that has the packages of the tests.
pub(super) fn python(workspace: &Workspace) -> PathBuf {
    venv(workspace).join("bin/python")
}

fn venv(workspace: &Workspace) -> PathBuf {
    workspace.target.join("venv")
}

fn has(program: &str) -> bool {
    find_program(program).is_some()
}

fn has_libssl() -> bool {
    Process::new("pkg-config").args(["--exists", "openssl"]).succeeds()
}

fn has_venv() -> bool {
    Process::new("python3").args(["-c", "import venv, ensurepip"]).succeeds()
}

fn ensure_debian_packages() -> Result<()> {
    let absent: Vec<_> = missing()
        .into_iter()
        .map(|tool| debian::Missing { package: tool.package, purpose: tool.purpose })
        .collect();
    debian::install(&absent)?;
    match missing().first() {
        None => Ok(()),
        Some(tool) => bail!("{} was installed, but what it brings is not found", tool.package),
    }
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !(tool.is_there)()).collect()
}

/// A stamp beside the packages names them, and is written last: a changed list or a broken install starts anew.
fn ensure_python_packages(workspace: &Workspace) -> Result<()> {
    let venv = venv(workspace);
    let (stamp, wanted) = (venv.join("packages.txt"), PYTHON_PACKAGES.join("\n"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    Process::new("python3").args(["-m", "venv", "--clear"]).args([&venv]).run()?;
    let pip = Process::new(python(workspace)).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    pip.args(PYTHON_PACKAGES).run()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}
