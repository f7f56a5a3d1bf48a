//! Surroundings that a program may find itself in.

#![cfg(unix)]

use std::fs;
use std::process::Command;

use backproof_tests::{backproof, program, stderr};

use backproof_tests::small::{assert_same, folder, small, train};

/// A run without anything unusual, to compare with.
fn usual() -> tempfile::TempDir {
    let usual = folder();
    train(usual.path(), &[]).assert().success();
    usual
}

#[test]
fn a_locale_with_decimal_commas_changes_nothing() {
    let (usual, folder) = (usual(), folder());
    let mut command = train(folder.path(), &[]);
    command.env("LC_ALL", "de_DE.UTF-8").env("LANG", "de_DE.UTF-8").env("LC_NUMERIC", "de_DE.UTF-8");
    command.assert().success();
    assert_same(&small(usual.path()), &small(folder.path()), "de_DE");
}

#[test]
fn neither_variables_nor_a_home_directory_are_needed() {
    let (usual, folder) = (usual(), folder());
    let mut command = Command::new(program());
    command.env_clear().current_dir(folder.path()).args(["train", "-c", "small.toml"]);
    assert!(command.output().unwrap().status.success());
    assert_same(&small(usual.path()), &small(folder.path()), "without variables");
    // A data set that is not there names what to do, home or not.
    let mut command = backproof(folder.path());
    command.env("HOME", "").env_remove("XDG_CACHE_HOME").args(["train", "--smoke", "--set", "data.dataset=mnist"]);
    let assert = command.assert().code(1);
    assert!(stderr(&assert).contains("help: "), "{}", stderr(&assert));
}

#[test]
fn paths_may_have_spaces_and_any_letters() {
    let usual = usual();
    for name in ["with spaces", "données ☃ 数字", "quote's \"and\" $HOME", "-c"] {
        let outer = folder();
        let inner = outer.path().join(name);
        fs::create_dir(&inner).unwrap();
        fs::rename(outer.path().join("small.toml"), inner.join("small.toml")).unwrap();
        train(&inner, &[]).assert().success();
        assert_same(&small(usual.path()), &small(&inner), name);
        let warm = format!("model.init_from='''{}'''", fs::canonicalize(small(&inner)).unwrap().display());
        train(&inner, &["name=warm", &warm]).assert().success();
        backproof(outer.path()).args(["report", "--output", "out"]).arg("--").arg(small(&inner)).assert().success();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_path_that_is_no_unicode_works_too() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let (usual, outer) = (usual(), folder());
    let inner = outer.path().join(OsStr::from_bytes(b"\xff\xfe"));
    fs::create_dir(&inner).unwrap();
    fs::rename(outer.path().join("small.toml"), inner.join("small.toml")).unwrap();
    train(&inner, &[]).assert().success();
    assert_same(&small(usual.path()), &small(&inner), "no Unicode");
}

#[test]
fn any_number_of_threads_trains_and_says_the_same_again() {
    for threads in ["1", "64", ""] {
        let two = [folder(), folder()];
        for folder in &two {
            train(folder.path(), &[]).env("RAYON_NUM_THREADS", threads).assert().success();
        }
        assert_same(&small(two[0].path()), &small(two[1].path()), threads);
    }
}

#[test]
fn a_variable_without_a_flag_that_is_wrong_is_an_error_that_names_it() {
    for (variable, value, words) in [
        ("RAYON_NUM_THREADS", "abc", "error: RAYON_NUM_THREADS is `abc`, which is no positive number"),
        ("RAYON_NUM_THREADS", "0", "error: RAYON_NUM_THREADS is `0`, which is no positive number"),
        ("RAYON_NUM_THREADS", "-1", "error: RAYON_NUM_THREADS is `-1`, which is no positive number"),
        ("RAYON_RS_NUM_CPUS", "two", "error: RAYON_RS_NUM_CPUS is `two`, which is no positive number"),
        ("BACKPROOF_KERNELS", "mmx", "error: BACKPROOF_KERNELS=mmx: this machine has "),
        ("BACKPROOF_LOG", "backproof_train=loud", "error: BACKPROOF_LOG=backproof_train=loud: "),
    ] {
        let folder = folder();
        let assert = train(folder.path(), &[]).env(variable, value).assert().code(2);
        assert!(stderr(&assert).starts_with(words), "{}", stderr(&assert));
        assert!(!folder.path().join("runs").exists(), "{variable}={value} began a run");
        train(folder.path(), &["training.iterations=1"]).env(variable, "").assert().success();
    }
}
