//! `web`: bundles the conference page.
//!
//! The bundle is committed, so that building the gateway needs no Node; `--check` proves that it is what the sources build.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::node_modules;
use crate::process::Process;
use crate::report;
use crate::workspace::Workspace;

/// Sources of the page, with its package.json.
pub(crate) const SOURCES: &str = "crates/gateway/web";

/// The bundle, nothing else.
const ASSETS: &str = "crates/gateway/assets";

/// Bundle the conference page from crates/gateway/web into crates/gateway/assets.
///
/// Needs Node.js with npm; the npm packages are installed as the lock file has them.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Change nothing; fail if the committed bundle is not what the sources build
    #[arg(long)]
    pub(crate) check: bool,
}

/// The files of a folder by their path below it.
type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let built = build(workspace)?;
    let assets = workspace.path(ASSETS);
    let committed = read(&assets)?;
    let changes = differences(&built, &committed);
    if changes.is_empty() {
        report::line(format_args!("{ASSETS} is what {SOURCES} builds ({} files)", built.len()));
        return Ok(());
    }
    for change in &changes {
        report::line(format_args!("{ASSETS}/{change}"));
    }
    if options.check {
        bail!("{ASSETS} is not what {SOURCES} builds: run `cargo xtask web` and commit the result");
    }
    replace(&assets, &built, &committed)
}

/// Builds into a fresh folder below `target`, so that a failed build leaves the committed bundle alone.
fn build(workspace: &Workspace) -> Result<Files> {
    let sources = workspace.path(SOURCES);
    node_modules::ensure(&sources)?;
    let out = workspace.target.join("web");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| out.display().to_string())?;
    }
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    Process::new("npm").args(["run", "build"]).dir(&sources).env("OUTDIR", &out).run()?;
    let built = read(&out)?;
    if built.is_empty() {
        bail!("`npm run build` in {SOURCES} wrote nothing to OUTDIR");
    }
    Ok(built)
}

/// What would change in the committed bundle, one line per file.
fn differences(built: &Files, committed: &Files) -> Vec<String> {
    let written = built.iter().filter_map(|(name, bytes)| match committed.get(name) {
        None => Some(format!("{name} is missing")),
        Some(old) if old != bytes => Some(format!("{name} differs")),
        Some(_) => None,
    });
    let stale = committed.keys().filter(|name| !built.contains_key(*name));
    written.chain(stale.map(|name| format!("{name} is not built from the sources"))).collect()
}

fn replace(assets: &Path, built: &Files, committed: &Files) -> Result<()> {
    for name in committed.keys().filter(|name| !built.contains_key(*name)) {
        fs::remove_file(assets.join(name))?;
    }
    for (name, bytes) in built {
        let file = assets.join(name);
        fs::create_dir_all(file.parent().unwrap_or(assets))?;
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    report::line(format_args!("wrote {} files to {ASSETS}", built.len()));
    Ok(())
}

/// Reads a folder; one that isn't there is empty.
fn read(dir: &Path) -> Result<Files> {
    let mut files = Files::new();
    if dir.is_dir() {
        read_below(dir, "", &mut files)?;
    }
    Ok(files)
}

fn read_below(dir: &Path, prefix: &str, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_below(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        let built = files(&[("app.js", "new"), ("index.html", "same"), ("style.css", "x")]);
        let committed = files(&[("app.js", "old"), ("index.html", "same"), ("gone.js", "x")]);
        let lines = differences(&built, &committed);
        assert_eq!(
            lines,
            ["app.js differs", "style.css is missing", "gone.js is not built from the sources"]
        );
        assert!(differences(&built, &built).is_empty());
    }
}
