//! Cargo builds a crate once more where tests ask for other features of it than the program. Burn takes minutes.

use std::collections::BTreeSet;

use backproof_tests::root;

/// The crates of a build with their features, a line each.
fn crates(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--locked", "--offline", "--prefix=none", "--format={p} {f}"]);
    let output = cargo.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn tests_have_every_crate_of_the_program_with_its_features_so_that_none_is_built_twice() {
    let program = crates(&["--package=backproof", "--edges=normal,build"]);
    let tests = crates(&["--workspace", "--edges=normal,build,dev"]);
    assert!(program.iter().any(|line| line.starts_with("burn-flex ")), "{program:?}");
    let twice: Vec<_> = program.difference(&tests).collect();
    assert!(twice.is_empty(), "built twice, for the program and for tests: {twice:?}");
}
