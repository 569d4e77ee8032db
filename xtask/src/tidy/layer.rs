//! The layers: which crate may use which. The table is that of `docs/architecture.md`.

use super::finding::Finding;
use crate::package::{Dependency, Kind, Package};

/// What a crate may name in its manifest, among the crates of this workspace.
#[derive(Debug, Clone, Copy)]
enum Uses {
    Only(&'static [&'static str]),
    /// Every crate below it.
    Below,
    /// Every crate, `testkit` too: for crates that only hold tests.
    Everything,
}

/// The crates from the lowest layer up. A row may only use rows above it in this list.
const LAYERS: &[(&str, Uses)] = &[
    ("mafalda-api", Uses::Only(&[])),
    ("mafalda-span", Uses::Only(&["mafalda-api"])),
    ("mafalda-media", Uses::Only(&["mafalda-api"])),
    ("mafalda-net", Uses::Only(&[])),
    ("mafalda-core", Uses::Only(&["mafalda-api", "mafalda-media", "mafalda-net", "mafalda-span"])),
    ("mafalda-protocol", Uses::Only(&["mafalda-api"])),
    ("mafalda-client", Uses::Only(&["mafalda-api", "mafalda-protocol"])),
    ("mafalda-node", Uses::Only(&["mafalda-api", "mafalda-core", "mafalda-protocol", "mafalda-client"])),
    (
        "mafalda-controller",
        Uses::Only(&["mafalda-api", "mafalda-span", "mafalda-protocol", "mafalda-client"]),
    ),
    (
        "mafalda-federation",
        Uses::Only(&["mafalda-api", "mafalda-span", "mafalda-protocol", "mafalda-client"]),
    ),
    ("mafalda-gateway", Uses::Only(&["mafalda-api"])),
    ("mafalda-monitor", Uses::Only(&["mafalda-api", "mafalda-protocol", "mafalda-client"])),
    (
        "mafalda-load",
        Uses::Only(&["mafalda-api", "mafalda-client", "mafalda-core", "mafalda-media", "mafalda-net"]),
    ),
    ("mafalda", Uses::Below),
    ("mafalda-bench", Uses::Below),
    (TESTKIT, Uses::Only(&["mafalda-api", "mafalda-media", "mafalda-span"])),
    ("mafalda-tests", Uses::Everything),
    ("xtask", Uses::Only(&[])),
];

/// Usable from any crate's tests, and from nothing that ships.
const TESTKIT: &str = "mafalda-testkit";

/// Every edge between two crates of the workspace must be in the table; tests may use all that lies below, and testkit.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let members: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some(rank) = rank(&package.name) else {
            findings
                .push(Finding::new(&package.name, "has no row in the layer table (xtask/src/tidy/layer.rs)"));
            continue;
        };
        let inner =
            package.dependencies.iter().filter(|dependency| members.contains(&dependency.name.as_str()));
        let wrong = inner.filter(|dependency| !allowed(rank, dependency));
        findings.extend(wrong.map(|dependency| {
            Finding::new(
                &package.name,
                format!("may not use {}: arrows point down, see the layer table", dependency.name),
            )
        }));
    }
    findings
}

fn allowed(rank: usize, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    let (crate_name, uses) = LAYERS[rank];
    let below = self::rank(name).is_some_and(|other| other < rank) && name != TESTKIT;
    let listed = match uses {
        Uses::Only(names) => names.contains(&name),
        Uses::Below => below,
        Uses::Everything => true,
    };
    // A crate may name itself in its dev-dependencies to turn on a feature for its own tests.
    let in_tests = dependency.kind == Kind::Dev && (below || name == TESTKIT || name == crate_name);
    listed || in_tests
}

fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(row, _)| *row == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(edges: &[(&str, &str, Kind)]) -> Vec<Package> {
        let mut names: Vec<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        names.sort_unstable();
        names.dedup();
        let package = |name: &&str| Package {
            name: (*name).into(),
            manifest_path: String::new(),
            dependencies: edges
                .iter()
                .filter(|(from, ..)| from == name)
                .map(|(_, to, kind)| Dependency { name: (*to).into(), kind: *kind })
                .collect(),
        };
        names.iter().map(package).collect()
    }

    fn passes(from: &str, to: &str, kind: Kind) -> bool {
        check(&packages(&[(from, to, kind)])).is_empty()
    }

    #[test]
    fn the_table_itself_only_points_down() {
        for (index, (name, uses)) in LAYERS.iter().enumerate() {
            let Uses::Only(names) = uses else { continue };
            for used in *names {
                assert!(rank(used).unwrap() < index, "{name} -> {used}");
            }
        }
    }

    #[test]
    fn an_arrow_down_passes_when_the_table_has_it() {
        assert!(passes("mafalda-media", "mafalda-api", Kind::Normal));
        assert!(passes("mafalda", "mafalda-gateway", Kind::Normal));
        assert!(!passes("mafalda-gateway", "mafalda-core", Kind::Normal), "down, but not in the table");
        assert!(!passes("mafalda-protocol", "mafalda-media", Kind::Build));
    }

    #[test]
    fn an_arrow_up_fails_in_every_kind() {
        for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
            assert!(!passes("mafalda-api", "mafalda-media", kind));
            assert!(!passes("mafalda-media", "mafalda-core", kind));
        }
    }

    #[test]
    fn tests_may_use_what_lies_below_and_testkit() {
        assert!(passes("mafalda-gateway", "mafalda-core", Kind::Dev));
        assert!(passes("mafalda-media", "mafalda-testkit", Kind::Dev));
        assert!(passes("mafalda-tests", "mafalda-testkit", Kind::Normal));
        assert!(!passes("mafalda", "mafalda-testkit", Kind::Normal), "testkit must not ship");
        assert!(!passes("mafalda-core", "mafalda-testkit", Kind::Normal), "testkit must not ship");
    }

    #[test]
    fn a_crate_without_a_row_fails() {
        assert!(!passes("mafalda-novel", "mafalda-api", Kind::Normal));
    }
}
