//! Crates that others may depend on have what a registry and its readers need.

use std::fs;
use std::process::Command;

use backproof_tests::root;

/// The manifests of the crates that may be published, with their packages' names.
fn published() -> Vec<(String, toml::Table)> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let manifests = crates.map(|folder| fs::read_to_string(folder.unwrap().path().join("Cargo.toml")).unwrap());
    manifests
        .map(|text| text.parse::<toml::Table>().unwrap()["package"].as_table().unwrap().clone())
        .filter(|package| !package.contains_key("publish"))
        .map(|package| (package["name"].as_str().unwrap().to_owned(), package))
        .collect()
}

#[test]
fn a_crate_that_is_published_says_what_it_is_and_has_licences_and_an_example() {
    let published = published();
    assert!(published.iter().any(|(name, _)| name == "backproof-gradcheck"), "{published:?}");
    for (name, package) in published {
        let list = |key: &str| package.get(key).and_then(toml::Value::as_array).map_or(0, Vec::len);
        assert!(package.contains_key("description"), "{name}");
        assert!((1..=5).contains(&list("keywords")) && (1..=5).contains(&list("categories")), "{name}");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root()).args(["package", "--list", "--allow-dirty", "--offline", "--package", &name]);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let files = String::from_utf8(output.stdout).unwrap();
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(files.lines().any(|line| line == file), "{name} has no {file}");
        }
        let folder = root().join("crates").join(name.trim_start_matches("backproof-"));
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.contains("\n```rust\n"), "the README of {name} has no example");
        let library = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(library.contains("include_str!(\"../README.md\")"), "the example of {name} is not compiled");
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let ours = fs::read_to_string(root().join(licence)).unwrap();
            assert_eq!(fs::read_to_string(folder.join(licence)).unwrap(), ours, "{name}: {licence}");
        }
    }
}
