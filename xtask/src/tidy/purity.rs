//! Purity: `api`, `media` and `span` have no I/O, and their manifests prove it.
//!
//! A direct dependency on a runtime or on sockets is refused, and so is one that comes along with another crate. `nix` is
//! refused only directly: crates that touch no socket take it for address types. Their roots also forbid unsafe code; `media`,
//! which has the kernel of SRTP and a hint to the CPU's caches, denies it, and expects it at those two modules.

use super::finding::Finding;
use super::source::Source;
use crate::package::{Kind, Node, Package};

const PURE: [&str; 3] = ["mafalda-api", "mafalda-media", "mafalda-span"];

const BANNED_DIRECT: [&str; 4] = ["tokio", "mio", "socket2", "nix"];

const BANNED_IN_TREE: [&str; 3] = ["tokio", "mio", "socket2"];

pub(crate) fn is_pure(name: &str) -> bool {
    PURE.contains(&name)
}

/// The manifests themselves; tests may use what they like.
pub(crate) fn check_direct(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| is_pure(&package.name)) {
        let shipped = package.dependencies.iter().filter(|dependency| dependency.kind != Kind::Dev);
        for dependency in shipped.filter(|dependency| BANNED_DIRECT.contains(&dependency.name.as_str())) {
            let message = format!("is pure and may not depend on {}: I/O belongs to core", dependency.name);
            findings.push(Finding::new(&package.name, message));
        }
    }
    findings
}

/// Everything that the crate brings along.
pub(crate) fn check_tree(name: &str, tree: &[Node]) -> Vec<Finding> {
    let banned = tree.iter().filter(|node| BANNED_IN_TREE.contains(&node.name.as_str()));
    let finding = |node: &Node| {
        Finding::new(name, format!("is pure but brings {} along: {}", node.name, node.path.join(" > ")))
    };
    banned.map(finding).collect()
}

/// The one pure crate with unsafe code in it, in the places that [`super::unsafety`] allows.
const WITH_KERNEL: &str = "mafalda-media";

/// The crate's root must refuse unsafe code.
pub(crate) fn check_root(package: &Package, sources: &[Source]) -> Option<Finding> {
    let root = package.manifest_path.replace("Cargo.toml", "src/lib.rs");
    let word = if package.name == WITH_KERNEL { "deny" } else { "forbid" };
    let opening = format!("#![{word}(unsafe_code)]");
    let refuses = |source: &Source| source.lines().any(|line| line.trim() == opening);
    let good = sources.iter().any(|source| source.path == root && refuses(source));
    (!good).then(|| Finding::new(root, format!("a pure crate opens with {opening}")))
}

/// The crate with the kernel speaks of the lint three times: where its root denies it and declares `sys`, and where the module of
/// SRTP declares the kernel.
pub(crate) fn check_expectation(package: &Package, source: &Source, code: &str) -> Vec<Finding> {
    let folder = package.manifest_path.replace("Cargo.toml", "src/");
    if package.name != WITH_KERNEL || !source.path.starts_with(&folder) {
        return Vec::new();
    }
    let allowed = match source.path.strip_prefix(&folder) {
        Some("lib.rs") => 2,
        Some("srtp.rs") => 1,
        _ => 0,
    };
    let mentions = code.lines().enumerate().filter(|(_, line)| line.contains("unsafe_code"));
    let finding = |(index, _)| {
        Finding::at_line(
            &source.path,
            index,
            "unsafe code is expected at `sys` and at the kernel of SRTP alone",
        )
    };
    mentions.skip(allowed).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::*;
    use crate::package::Dependency;

    fn package(name: &str, dependency: &str, kind: Kind) -> Package {
        Package {
            name: name.into(),
            manifest_path: "crates/media/Cargo.toml".into(),
            dependencies: vec![Dependency { name: dependency.into(), kind }],
        }
    }

    #[test]
    fn tokio_in_media_fails() {
        let findings = check_direct(&[package("mafalda-media", "tokio", Kind::Normal)]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("tokio"));
        assert_eq!(check_direct(&[package("mafalda-api", "nix", Kind::Build)]).len(), 1);
    }

    #[test]
    fn tokio_elsewhere_or_in_tests_passes() {
        assert!(check_direct(&[package("mafalda-core", "tokio", Kind::Normal)]).is_empty());
        assert!(check_direct(&[package("mafalda-media", "tokio", Kind::Dev)]).is_empty());
        assert!(check_direct(&[package("mafalda-media", "slab", Kind::Normal)]).is_empty());
    }

    #[test]
    fn tokio_brought_along_fails_and_the_way_is_named() {
        let node = |name: &str, path: &[&str]| Node {
            name: name.into(),
            path: path.iter().map(|part| (*part).into()).collect(),
        };
        let clean = [node("mafalda-media", &[]), node("nix", &["mafalda-media", "shared"])];
        assert!(check_tree("mafalda-media", &clean).is_empty());

        let dirty = [node("tokio", &["mafalda-media", "shared"])];
        let findings = check_tree("mafalda-media", &dirty);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.ends_with("mafalda-media > shared"));
    }

    #[test]
    fn a_pure_root_must_forbid_unsafe_code() {
        let api = Package {
            name: "mafalda-api".into(),
            manifest_path: "crates/api/Cargo.toml".into(),
            dependencies: Vec::new(),
        };
        let root = |text: &str| [Source::new("crates/api/src/lib.rs", text)];
        assert!(check_root(&api, &root("//! Doc.\n#![forbid(unsafe_code)]\n")).is_none());
        assert!(check_root(&api, &root("//! Doc.\n#![deny(unsafe_code)]\n")).is_some());
        assert!(check_root(&api, &root("//! Doc.\n// #![forbid(unsafe_code)]\n")).is_some());
        assert!(check_root(&api, &[]).is_some());
    }

    #[test]
    fn the_root_with_the_kernel_must_deny_it() {
        let media = package("mafalda-media", "slab", Kind::Normal);
        let root = |text: &str| [Source::new("crates/media/src/lib.rs", text)];
        assert!(check_root(&media, &root("//! Doc.\n#![deny(unsafe_code)]\n")).is_none());
        assert!(check_root(&media, &root("//! Doc.\n")).is_some());
        assert!(check_root(&media, &[]).is_some());
    }

    #[test]
    fn unsafe_code_is_expected_in_two_places_alone() {
        let media = package("mafalda-media", "slab", Kind::Normal);
        let findings = |path: &str, text: &str| {
            check_expectation(&media, &Source::new(path, text), &code::mask(text)).len()
        };
        let expectation = "#[expect(unsafe_code, reason = \"x\")]\nmod kernel;\n";
        assert_eq!(findings("crates/media/src/srtp.rs", expectation), 0);
        assert_eq!(findings("crates/media/src/srtp.rs", &expectation.repeat(2)), 1);
        let root = format!("#![deny(unsafe_code)]\n{expectation}");
        assert_eq!(findings("crates/media/src/lib.rs", &root), 0);
        assert_eq!(findings("crates/media/src/lib.rs", &(root + expectation)), 1);
        assert_eq!(findings("crates/media/src/rtp.rs", expectation), 1);
        assert_eq!(findings("crates/media/src/rtp.rs", "#![allow(\n    unsafe_code,\n)]\n"), 1);
        assert_eq!(
            findings("crates/media/src/rtp.rs", "#[expect(dead_code, reason = \"unsafe_code\")]\n"),
            0
        );
        assert_eq!(findings("crates/core/src/sys.rs", expectation), 0, "another crate");
    }
}
