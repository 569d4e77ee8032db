//! Tools that speak RTP meet PlainTransports, in the program `tests/interop/rtp-tools`.

use anyhow::Result;

use crate::process::Process;
use crate::report::Outcome;
use crate::test::OPTIONAL;
use crate::workspace::Workspace;

/// Its name, as an example of the package of tests.
const PROGRAM: &str = "rtp-tools";

/// Runs the cases of that name.
pub(crate) fn run(workspace: &Workspace, cases: &str) -> Result<Outcome> {
    // With the features of the tests' own build, which has made it already.
    let build = ["build", "--workspace", "--features", OPTIONAL, "--example", PROGRAM];
    Process::cargo().args(build).dir(&workspace.root).run()?;
    Process::new(workspace.target.join("debug/examples").join(PROGRAM)).args([cases]).run()?;
    Ok(Outcome::Passed)
}
