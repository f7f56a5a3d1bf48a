//! Nothing of burn-nn is left out: every public module, activation and loss is in the suite, or on a list with a
//! reason. They are read from the sources that this test is compiled with, so that a new version of Burn shows what it
//! adds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::FAMILIES;

/// Modules that are left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("TransformerEncoderLayer", "a TransformerEncoder of one layer is in the suite"),
    ("TransformerDecoderLayer", "a TransformerDecoder of one layer is in the suite"),
];

/// The public modules: types with `#[derive(Module)]`.
fn modules() -> BTreeSet<String> {
    sources().iter().flat_map(|file| modules_of(&fs::read_to_string(file).expect("it is there"))).collect()
}

/// The source files of burn-nn that this test is compiled with. The compiler writes their names beside every library,
/// so that they are found even where the registry is elsewhere or the crates are vendored.
fn sources() -> Vec<PathBuf> {
    let version = pinned();
    let test = std::env::current_exe().expect("a test knows its file");
    let beside = test.parent().expect("it is in a folder");
    for entry in fs::read_dir(beside).expect("its folder can be read").flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if !name.starts_with("burn_nn-") || !name.ends_with(".d") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).expect("it can be read");
        let files: BTreeSet<&str> = text.split_whitespace().filter(|word| word.ends_with(".rs")).collect();
        let root = files.iter().find(|file| file.ends_with("src/lib.rs"));
        let manifest = root.and_then(|root| Path::new(root).parent()?.parent().map(|crate_| crate_.join("Cargo.toml")));
        let manifest = manifest.and_then(|manifest| fs::read_to_string(manifest).ok()).unwrap_or_default();
        if manifest.contains(&format!("version = \"{version}\"")) {
            return files.into_iter().map(PathBuf::from).collect();
        }
    }
    panic!("the sources of burn-nn {version} are not named beside {}", test.display());
}

/// The version of burn-nn in the lock file.
fn pinned() -> String {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = fs::read_to_string(lock).expect("the lock file is there");
    let (_, after) = lock.split_once("name = \"burn-nn\"\nversion = \"").expect("burn-nn is in it");
    after.split('"').next().expect("a version ends").to_owned()
}

/// `Linear` of `#[derive(Module, Debug)] pub struct Linear {`, without what is for tests alone.
fn modules_of(source: &str) -> Vec<String> {
    let source = source.split("\n#[cfg(test)]").next().expect("there is a first part");
    let mut derived = false;
    let mut found = Vec::new();
    for line in source.lines() {
        let declared = line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum "));
        if let Some(name) = declared.filter(|_| derived) {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            found.push(name[..end].to_owned());
        }
        let derives = line.strip_prefix("#[derive(").and_then(|list| list.strip_suffix(")]"));
        match derives {
            Some(list) => derived |= list.split(',').any(|name| name.trim() == "Module"),
            // Other attributes and comments may stand between.
            None => derived &= line.starts_with("#[") || line.starts_with("//"),
        }
    }
    found
}

/// The types that have a subject: `CrossEntropyLoss` of `CrossEntropyLoss_smoothed`.
fn covered() -> BTreeSet<&'static str> {
    let subjects = FAMILIES.iter().copied().flatten();
    subjects.map(|subject| subject.name.split('_').next().expect("a name has a first part")).collect()
}

#[test]
fn every_module_is_in_the_suite_or_left_out_for_a_reason() {
    let (modules, covered) = (modules(), covered());
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    let missing: Vec<&String> =
        modules.iter().filter(|name| !covered.contains(name.as_str()) && !left_out.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "neither in the suite nor left out for a reason: {missing:#?}");
}

#[test]
fn no_entry_is_stale() {
    let (modules, covered) = (modules(), covered());
    let gone: Vec<&&str> = covered.iter().filter(|name| !modules.contains(**name)).collect();
    assert!(gone.is_empty(), "burn-nn has no {gone:?}");
    let wrong =
        |(name, reason): &&(&str, &str)| !modules.contains(*name) || covered.contains(name) || reason.is_empty();
    let stale: Vec<_> = LEFT_OUT.iter().filter(wrong).collect();
    assert!(stale.is_empty(), "gone, in the suite, or without a reason: {stale:?}");
}

#[test]
fn a_module_is_what_derives_it_outside_of_tests() {
    let source = "#[derive(Module, Debug)]\n#[module(custom_display)]\n/// Doc.\npub struct One {\n}\n\
                  #[derive(Config)]\npub struct OneConfig {\n}\n#[derive(Debug, Module)]\npub enum Two<T> {\n}\n\
                  #[derive(Module)]\nstruct Hidden;\npub struct Plain;\n\n#[cfg(test)]\nmod tests {\n\
                  #[derive(Module)]\npub struct Three;\n}\n";
    assert_eq!(modules_of(source), ["One", "Two"]);
    let modules = modules();
    for known in ["Linear", "TransformerDecoderLayer", "CTCLoss", "GLU", "Activation", "Normalization"] {
        assert!(modules.contains(known), "{known} is not found");
    }
    assert!(modules.len() > 90, "{} modules", modules.len());
}
