//! Another user, a clock that jumps, and a data folder that two processes share.

use std::fs;
use std::process::Command;

use backproof_tests::small::{assert_same, folder, small, train};
use backproof_tests::{backproof, json, program, root, stdout};

#[cfg(target_os = "linux")]
use super::permissions::as_nobody;

#[cfg(target_os = "linux")]
pub(crate) fn another_user_trains_in_a_folder_of_their_own() {
    let folder = folder();
    let shared = folder.path().join("backproof");
    fs::copy(program(), &shared).unwrap();
    Command::new("chmod").args(["-R", "a+rwx"]).arg(folder.path()).status().unwrap();
    let mut command = as_nobody(folder.path(), &shared);
    let output = command.args(["train", "-c", "small.toml"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What they made, this user reads; and what they may not write, they are told.
    backproof(folder.path()).args(["evaluate", "runs/small/latest"]).assert().success();
    let run = fs::canonicalize(small(folder.path())).unwrap();
    Command::new("chown").args(["-R", "0:0"]).arg(&run).status().unwrap();
    let mut command = as_nobody(folder.path(), &shared);
    let output = command.args(["resume", "--iterations", "30"]).arg(&run).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Permission denied"), "{text}");
}

/// A clock that goes an hour back at every second look: times are wrong, numbers are not.
pub(crate) fn a_clock_that_jumps_changes_no_number() {
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
    let (usual, folder) = (folder(), folder());
    train(usual.path(), &[]).assert().success();
    fs::write(folder.path().join("clock.c"), CLOCK).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"]).current_dir(folder.path());
    assert!(cc.status().unwrap().success(), "the clock does not compile");
    let clock = folder.path().join("clock.so");
    train(folder.path(), &["training.iterations=12"]).arg("--tensorboard").env("LD_PRELOAD", &clock).assert().success();
    let mut command = backproof(folder.path());
    command.args(["resume", "runs/small/latest", "--iterations", "24"]).env("LD_PRELOAD", &clock).assert().success();
    train(folder.path(), &[]).env("LD_PRELOAD", &clock).assert().success();
    assert_same(&small(usual.path()), &small(folder.path()), "a clock that jumps");
}

pub(crate) fn two_processes_share_a_data_folder() {
    // The sample needs no folder.
    let data = root().join(std::env::var_os("BACKPROOF_DATA_DIR").unwrap());
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
