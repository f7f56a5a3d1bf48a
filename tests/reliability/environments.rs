//! Surroundings that a program may find itself in.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use backproof_tests::{backproof, json, program, root, stderr, stdout};

use crate::common::{assert_same, folder, small, train};

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
    for threads in ["1", "64", "0", "many"] {
        let two = [folder(), folder()];
        for folder in &two {
            train(folder.path(), &[]).env("RAYON_NUM_THREADS", threads).assert().success();
        }
        assert_same(&small(two[0].path()), &small(two[1].path()), threads);
    }
}

#[test]
fn another_user_trains_in_a_folder_of_their_own() {
    let folder = folder();
    let shared = folder.path().join("backproof");
    fs::copy(program(), &shared).unwrap();
    Command::new("chmod").args(["-R", "a+rwx"]).arg(folder.path()).status().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&shared);
    command.args(["train", "-c", "small.toml"]).current_dir(folder.path()).env("HOME", "/nonexistent");
    match command.output() {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("setpriv:") => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        _ => return eprintln!("skipped: only root can try another user, by `setpriv`"),
    }
    // What they made, this user reads; and what they may not write, they are told.
    backproof(folder.path()).args(["evaluate", "runs/small/latest"]).assert().success();
    let run = fs::canonicalize(small(folder.path())).unwrap();
    Command::new("chown").args(["-R", "0:0"]).arg(&run).status().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&shared);
    let output = command.args(["resume", "--iterations", "30"]).arg(&run).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Permission denied"), "{text}");
}

/// A clock that goes an hour back at every second look: times are wrong, numbers are not.
#[test]
#[cfg(target_os = "linux")]
fn a_clock_that_jumps_changes_no_number() {
    const CLOCK: &str = r#"
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <time.h>
        int clock_gettime(clockid_t clock, struct timespec *now) {
            static int (*real)(clockid_t, struct timespec *);
            static long looks;
            if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
            int result = real(clock, now);
            if (clock == CLOCK_REALTIME) now->tv_sec += looks++ % 2 ? -3600 : 86400;
            return result;
        }
    "#;
    let (usual, folder) = (usual(), folder());
    fs::write(folder.path().join("clock.c"), CLOCK).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"]).current_dir(folder.path());
    if !cc.status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: there is no `cc` to build a wrong clock with");
    }
    let clock = folder.path().join("clock.so");
    train(folder.path(), &["training.iterations=12"]).arg("--tensorboard").env("LD_PRELOAD", &clock).assert().success();
    let mut command = backproof(folder.path());
    command.args(["resume", "runs/small/latest", "--iterations", "24"]).env("LD_PRELOAD", &clock).assert().success();
    train(folder.path(), &[]).env("LD_PRELOAD", &clock).assert().success();
    assert_same(&small(usual.path()), &small(folder.path()), "a clock that jumps");
}

#[test]
fn two_processes_share_a_data_folder() {
    // With the full data sets only: the sample needs no folder.
    let Some(data) = std::env::var_os("BACKPROOF_DATA_DIR") else {
        return eprintln!("skipped: BACKPROOF_DATA_DIR names no data sets");
    };
    let data = Path::new(&data);
    let data = if data.is_absolute() { data.to_owned() } else { root().join(data) };
    let two = [folder(), folder()];
    let start = |folder: &tempfile::TempDir| {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).args(["train", "-c", "small.toml", "--set", "data.dataset=mnist"]);
        command.arg("--data-dir").arg(&data).spawn().unwrap()
    };
    for mut child in two.each_ref().map(start) {
        assert!(child.wait().unwrap().success());
    }
    assert_same(&small(two[0].path()), &small(two[1].path()), "one data folder");
    let verified =
        stdout(&backproof(two[0].path()).args(["data", "verify", "mnist", "--data-dir"]).arg(&data).assert().success());
    assert_eq!(verified.matches(": ok").count(), 4, "{verified}");
    assert_eq!(json(&small(two[0].path()).join("run.json"))["status"], "done");
}
