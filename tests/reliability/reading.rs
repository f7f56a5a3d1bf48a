//! Signals while the images of a folder are read.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use backproof_tests::pictures::write_bmp;
use backproof_tests::small::{spawn, wait_for};
use backproof_tests::{backproof, latest, send};

/// Two classes of large pictures in `leaves`, which take seconds to read; each a link to one file.
fn leaves(folder: &Path) {
    for (class, colour) in [("ash", [200, 30, 40]), ("oak", [20, 130, 40])] {
        let inside = folder.join("leaves").join(class);
        fs::create_dir_all(&inside).unwrap();
        let first = folder.join(format!("{class}.bmp"));
        write_bmp(&first, [2_500, 2_500], colour);
        for number in 0..150 {
            std::os::unix::fs::symlink(&first, inside.join(format!("{number}.bmp"))).unwrap();
        }
    }
    let config = "name = \"leaves\"\n[data]\nfolder = \"leaves\"\nsize = 16\nchannels = 3\n\
                  [model]\ninput = [3, 16, 16]\nlayers = [\"flatten\", { type = \"linear\", out_features = 2 }]\n\
                  [training]\niterations = 5\nbatch_size = 8\n[optimizer]\nlearning_rate = 0.01\n";
    fs::write(folder.join("leaves.toml"), config).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Sends `signal` to a command while it reads; it ends with 130 and a word, and leaves nothing behind.
fn stop_reading(folder: &Path, arguments: &[&str], signal: &str) {
    let words: Vec<String> = [arguments, &["--data-dir", "data"]].concat().iter().map(|&it| it.to_owned()).collect();
    let child = spawn(folder, &words);
    let images = folder.join("data/images");
    wait_for("a cache that is being written", || {
        let mut entries = fs::read_dir(&images).into_iter().flatten().flatten();
        entries.any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0))
    });
    send(signal, child.id());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{arguments:?}, {signal}: {text}");
    assert!(text.contains("reading 300 images\n"), "{text}");
    assert!(text.contains("error: interrupted while images were read; nothing is kept of them"), "{text}");
    assert_eq!(names(&images), [""; 0], "{arguments:?}, {signal}");
}

#[test]
fn a_signal_while_a_folder_is_read_ends_with_130_and_leaves_no_half_cache() {
    let folder = tempfile::tempdir().unwrap();
    leaves(folder.path());
    let config = ["-c", "leaves.toml"];
    for signal in ["INT", "TERM"] {
        stop_reading(folder.path(), &[&["train"], &config[..]].concat(), signal);
    }
    stop_reading(folder.path(), &[&["train", "--dry-run"], &config[..]].concat(), "INT");
    stop_reading(folder.path(), &[&["lr-find", "-o", "found"], &config[..]].concat(), "INT");
    assert!(!folder.path().join("runs").exists() && !folder.path().join("found").exists());

    // Nothing is in the way of the next one, and of its run the same is true.
    let train = [&["train"], &config[..], &["--data-dir", "data"]].concat();
    backproof(folder.path()).args(train).assert().success();
    let cache = folder.path().join("data/images");
    assert_eq!(names(&cache).len(), 1);
    let run = latest(folder.path(), "leaves");
    let before = fs::read(run.join("evaluation/result.json")).unwrap();
    for arguments in [["evaluate", "runs/leaves/latest"], ["resume", "runs/leaves/latest"]] {
        fs::remove_dir_all(&cache).unwrap();
        let more: &[&str] = if arguments[0] == "resume" { &["--iterations", "9"] } else { &[] };
        stop_reading(folder.path(), &[&arguments[..], more].concat(), "INT");
        assert_eq!(fs::read(run.join("evaluation/result.json")).unwrap(), before);
    }
}
