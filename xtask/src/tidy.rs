//! `tidy`: holds the architecture against what is in the tree.
//!
//! Each rule is a pure function from a small model (packages, sources, files) to findings, and is tested on fixtures that
//! break it; this file reads the model from disk and runs the rules. What a compiler or clippy can hold is not here.

pub(crate) mod code;
mod finding;
mod fuzzing;
mod layer;
mod name;
mod purity;
mod size;
pub(crate) mod source;
mod stub;
mod unsafety;

use anyhow::{Result, bail};

use crate::package;
use crate::report;
use crate::workspace::Workspace;

use finding::Finding;
use source::Source;

/// Checks layers, purity, file sizes, unsafe code, names, stubs and fuzz targets.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sources = source::read(workspace)?;
    let mut findings = check_packages(workspace, &sources)?;
    findings.extend(sources.iter().flat_map(check_source));
    findings.extend(fuzzing::check(&fuzzing::Inventory::read(workspace)?));

    for source in &sources {
        if let Some(warning) = size::warn(source) {
            report::line(format_args!("warning: {warning}"));
        }
    }
    for finding in &findings {
        report::line(finding);
    }
    if !findings.is_empty() {
        bail!("tidy found {} broken rules", findings.len());
    }
    report::line(format_args!("{} files keep the rules", sources.len()));
    Ok(())
}

fn check_packages(workspace: &Workspace, sources: &[Source]) -> Result<Vec<Finding>> {
    let packages = package::read(workspace)?;
    let mut findings = layer::check(&packages);
    findings.extend(purity::check_direct(&packages));
    for package in packages.iter().filter(|package| purity::is_pure(&package.name)) {
        let tree = package::tree(workspace, &package.name)?;
        findings.extend(purity::check_tree(&package.name, &tree));
        findings.extend(purity::check_root(package, sources));
        for source in sources {
            findings.extend(purity::check_expectation(package, source, &code::mask(&source.text)));
        }
    }
    Ok(findings)
}

fn check_source(source: &Source) -> Vec<Finding> {
    let code = code::mask(&source.text);
    let mut findings = Vec::new();
    findings.extend(size::check(source));
    findings.extend(name::check(&source.path));
    findings.extend(unsafety::check(source, &code));
    findings.extend(stub::check(source, &code));
    findings
}
