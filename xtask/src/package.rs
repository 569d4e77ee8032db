//! The workspace's packages and what they depend on, as cargo sees it.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Process;
use crate::workspace::Workspace;

/// One package of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Absolute path of its manifest; made relative to the root by [`read`].
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables, optional ones included.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "kind")]
    pub(crate) kind: Kind,
}

/// The table that a dependency stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Normal,
    Build,
    Dev,
}

/// Cargo writes `null` for normal dependencies.
fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A package found in a dependency tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// The packages that lead to it, from the root.
    pub(crate) path: Vec<String>,
}

/// Reads the workspace's packages with their declared dependencies.
pub(crate) fn read(workspace: &Workspace) -> Result<Vec<Package>> {
    let args = ["metadata", "--format-version", "1", "--no-deps"];
    let json = Process::cargo().args(args).dir(&workspace.root).output()?;
    let mut packages = parse(&json)?;
    for package in &mut packages {
        package.manifest_path = workspace.relative(package.manifest_path.as_ref());
    }
    Ok(packages)
}

fn parse(json: &str) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let metadata: Metadata = serde_json::from_str(json).context("cargo metadata has an unknown form")?;
    Ok(metadata.packages)
}

/// Reads everything that `package` alone needs at run time, on any platform: no dev- or build-dependencies, no macros, and
/// only the features that it asks for itself.
pub(crate) fn tree(workspace: &Workspace, package: &str) -> Result<Vec<Node>> {
    let edges =
        ["--edges", "normal,no-proc-macro", "--target", "all", "--prefix", "depth", "--format", " {p}"];
    let process = Process::cargo().args(["tree", "--all-features", "--package", package]).args(edges);
    parse_tree(&process.dir(&workspace.root).output()?)
}

/// Reads lines of `DEPTH NAME VERSION …`, each below the nearest line above it with a smaller depth.
fn parse_tree(text: &str) -> Result<Vec<Node>> {
    let mut path: Vec<String> = Vec::new();
    let mut nodes = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let depth = words.next().and_then(|word| word.parse::<usize>().ok());
        let (Some(depth), Some(name)) = (depth, words.next()) else {
            anyhow::bail!("cargo tree has an unknown form: {line}");
        };
        path.truncate(depth);
        nodes.push(Node { name: name.to_owned(), path: path.clone() });
        path.push(name.to_owned());
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cargo_metadata() {
        let json = r#"{"packages": [{"name": "a", "manifest_path": "/w/crates/a/Cargo.toml", "dependencies":
            [{"name": "x", "kind": null}, {"name": "y", "kind": "dev"}, {"name": "z", "kind": "build"}]}]}"#;
        let packages = parse(json).unwrap();
        let kinds: Vec<_> = packages[0].dependencies.iter().map(|dependency| dependency.kind).collect();
        assert_eq!(kinds, [Kind::Normal, Kind::Dev, Kind::Build]);
    }

    #[test]
    fn a_tree_knows_the_way_to_each_package() {
        let nodes = parse_tree("0 root v1 (/w)\n1 a v1\n2 tokio v1\n1 b v2\n2 tokio v1 (*)\n").unwrap();
        let paths: Vec<_> = nodes.iter().map(|node| node.path.join(">")).collect();
        assert_eq!(paths, ["", "root", "root>a", "root", "root>b"]);
        assert!(parse_tree("root v1").is_err());
    }
}
