//! Fuzzing: each parser's body is a target that is built, has seeds, and is replayed by plain `cargo test`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::finding::Finding;
use crate::workspace::Workspace;

const BODIES: &str = "fuzz/bodies";
const TARGETS: &str = "fuzz/fuzz_targets";
const CORPUS: &str = "fuzz/corpus";
const MANIFEST: &str = "fuzz/Cargo.toml";
const REPLAY: &str = "crates/testkit/tests/corpora.rs";

/// What there is for fuzzing, by the name of the target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    bodies: BTreeSet<String>,
    targets: BTreeSet<String>,
    /// Number of seeds.
    corpora: BTreeMap<String, usize>,
    manifest: String,
    replay: String,
}

impl Inventory {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let text = |path: &str| fs::read_to_string(workspace.path(path)).with_context(|| path.to_owned());
        let corpus = workspace.path(CORPUS);
        let seeds = |name: String| {
            let count = file_names(&corpus.join(&name))?.len();
            Ok((name, count))
        };
        Ok(Self {
            bodies: stems(&workspace.path(BODIES))?,
            targets: stems(&workspace.path(TARGETS))?,
            corpora: file_names(&corpus)?.into_iter().map(seeds).collect::<Result<_>>()?,
            manifest: text(MANIFEST)?,
            replay: text(REPLAY)?,
        })
    }
}

/// Each name must be known everywhere.
pub(crate) fn check(inventory: &Inventory) -> Vec<Finding> {
    let names: BTreeSet<&String> = inventory.bodies.iter().chain(&inventory.targets).collect();
    names.into_iter().flat_map(|name| check_name(inventory, name)).collect()
}

fn check_name(inventory: &Inventory, name: &str) -> Vec<Finding> {
    let seeds = inventory.corpora.get(name).copied().unwrap_or_default();
    let in_manifest = inventory.manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\""));
    let in_replay = inventory.replay.contains(&format!("fuzz/bodies/{name}.rs\""));
    let wanted = [
        (inventory.bodies.contains(name), format!("{BODIES}/{name}.rs")),
        (inventory.targets.contains(name), format!("{TARGETS}/{name}.rs")),
        (seeds > 0, format!("a seed in {CORPUS}/{name}/")),
        (in_manifest, format!("a [[bin]] in {MANIFEST}")),
        (in_replay, format!("a replay in {REPLAY}")),
    ];
    let missing = wanted.into_iter().filter(|(there, _)| !there);
    missing.map(|(_, what)| Finding::new(format!("fuzz target {name}"), format!("lacks {what}"))).collect()
}

/// Names of the Rust files in a folder, without their ending.
fn stems(dir: &Path) -> Result<BTreeSet<String>> {
    let names = file_names(dir)?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".rs")).map(str::to_owned).collect())
}

/// Names of what lies in a folder, but for hidden files; none if it isn't there.
fn file_names(dir: &Path) -> Result<Vec<String>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<Result<Vec<_>>>()?;
    Ok(names.into_iter().filter(|name| !name.starts_with('.')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Inventory {
        Inventory {
            bodies: ["stun".to_owned()].into(),
            targets: ["stun".to_owned()].into(),
            corpora: [("stun".to_owned(), 1)].into(),
            manifest: "[[bin]]\nname = \"stun\"\npath = \"fuzz_targets/stun.rs\"\n".into(),
            replay: "#[path = \"../../../fuzz/bodies/stun.rs\"]".into(),
        }
    }

    #[test]
    fn a_complete_target_passes() {
        assert_eq!(check(&complete()), []);
    }

    #[test]
    fn each_missing_piece_fails() {
        let pieces: [fn(&mut Inventory); 6] = [
            |inventory| inventory.bodies.clear(),
            |inventory| inventory.targets.clear(),
            |inventory| inventory.corpora.clear(),
            |inventory| *inventory.corpora.values_mut().next().unwrap() = 0,
            |inventory| inventory.manifest.clear(),
            |inventory| inventory.replay.clear(),
        ];
        for (index, remove) in pieces.iter().enumerate() {
            let mut inventory = complete();
            remove(&mut inventory);
            assert_eq!(check(&inventory).len(), 1, "piece {index}");
        }
    }
}
