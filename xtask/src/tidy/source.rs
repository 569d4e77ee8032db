//! The Rust sources of the repository.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Folders with sources of ours.
const ROOTS: [&str; 5] = ["crates", "tests", "xtask", "fuzz/bodies", "fuzz/fuzz_targets"];

/// Folders that hold what tools made.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// A Rust file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// Whether a tool wrote it, by the mark that such tools leave near the top.
    pub(crate) fn is_generated(&self) -> bool {
        self.lines().take(5).any(|line| line.starts_with("//") && line.contains("@generated"))
    }

    /// Whether the whole file is compiled for tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

/// Reads every Rust file, in order of path.
pub(crate) fn read(workspace: &Workspace) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for root in ROOTS.map(|root| workspace.path(root)).iter().filter(|root| root.is_dir()) {
        walk(workspace, root, &mut sources)?;
    }
    Ok(sources)
}

fn walk(workspace: &Workspace, dir: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || SKIPPED.contains(&&*name);
        if path.is_dir() && !skipped {
            walk(workspace, &path, sources)?;
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            sources.push(Source::new(workspace.relative(&path), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_known_by_their_path() {
        let is_test = |path| Source::new(path, "").is_test();
        assert!(is_test("tests/router.rs"));
        assert!(is_test("crates/media/src/rtp/tests.rs"));
        assert!(is_test("crates/testkit/tests/corpora.rs"));
        assert!(!is_test("crates/testkit/src/peer.rs"));
    }
}
