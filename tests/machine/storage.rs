//! Full disks, read-only folders and no network, in namespaces of the test's own: nothing of it is left behind.

use std::path::Path;
use std::process::{Command, Output};

use backproof_tests::program;

use backproof_tests::small::{assert_same, folder, small, train};

/// Runs `script` in `folder`, where it may mount things for itself and has no network.
fn in_namespace(folder: &Path, script: &str) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--net", "sh", "-c", script]);
    command.current_dir(folder).env("PROGRAM", program()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Disks from one that holds nothing to one that holds nearly all of a run: whatever is being written is in its way
/// once.
pub(crate) fn a_full_disk_is_told_and_with_room_the_run_goes_on_exactly() {
    let whole = folder();
    train(whole.path(), &["training.iterations=96"]).assert().success();
    let mut stopped = 0;
    for kibibytes in (8..200).step_by(12) {
        let folder = folder();
        let script = format!(
            r#"
            mkdir disk out
            mount -t tmpfs -o size={kibibytes}k none disk || exit 77
            "$PROGRAM" train -c small.toml --runs-dir disk/runs --set training.iterations=96; echo "code $?"
            mount -o remount,size=64m disk
            ls disk/runs/small/latest/run.json && {{ "$PROGRAM" resume disk/runs/small/latest; echo "then $?"; }}
            cp -r disk/runs out
            "#
        );
        let output = in_namespace(folder.path(), &script);
        let text = text(&output);
        assert!(!text.contains("panicked"), "{kibibytes} KiB: {text}");
        let full = text.contains("code 1") && text.contains("error: cannot ") && text.contains("No space left");
        // The report is made after the run, and its failure is a warning.
        let only_report = text.contains("code 0") && text.contains("warning: the report could not be made");
        assert!(full || only_report || text.contains("code 0"), "{kibibytes} KiB: {text}");
        if text.contains("then ") {
            stopped += usize::from(full);
            assert!(text.contains("then 0") || text.contains("nothing left to do"), "{kibibytes} KiB: {text}");
            assert_same(
                &small(whole.path()),
                &folder.path().join("out/runs/small/latest"),
                &format!("{kibibytes} KiB"),
            );
        }
    }
    println!("{stopped} of 16 disks were full in the middle of a run, which went on exactly when there was room");
    assert!(stopped >= 3, "only {stopped} disks were full in the middle of a run");
}

pub(crate) fn a_read_only_run_folder_is_told_and_stays_as_it_is() {
    let folder = folder();
    train(folder.path(), &[]).assert().success();
    let script = r#"
        mount --bind runs runs && mount -o remount,bind,ro runs || exit 77
        "$PROGRAM" resume runs/small/latest --iterations 30; echo "resume $?"
        "$PROGRAM" train -c small.toml; echo "train $?"
        "$PROGRAM" compare-runs runs/small/latest runs/small/latest; echo "compare $?"
    "#;
    let output = in_namespace(folder.path(), script);
    let text = text(&output);
    for line in ["resume 1", "train 1", "compare 0", "Read-only file system"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

pub(crate) fn a_read_only_source_tree_is_no_hindrance() {
    let folder = folder();
    let root = backproof_tests::root().display();
    let script = format!(
        r#"
        out=$PWD
        mount --bind '{root}' '{root}' && mount -o remount,bind,ro '{root}' || exit 77
        cd '{root}' && touch written 2>/dev/null && exit 78
        "$PROGRAM" train -c configs/quickstart.toml --smoke --runs-dir "$out/runs"
        "#
    );
    let output = in_namespace(folder.path(), &script);
    assert!(output.status.success(), "{}", text(&output));
}

pub(crate) fn nothing_but_fetching_data_needs_a_network() {
    let folder = folder();
    let script = format!(
        r#"
        "$PROGRAM" train -c small.toml && "$PROGRAM" resume runs/small/latest --iterations 30 || exit 1
        "$PROGRAM" evaluate runs/small/latest && "$PROGRAM" report runs/small/latest || exit 2
        "$PROGRAM" predict runs/small/latest '{}/tests/fixtures/digits/3.png' && "$PROGRAM" doctor || exit 3
        "$PROGRAM" train --smoke --set data.dataset=mnist --data-dir data; echo "train $?"
        "#,
        backproof_tests::root().display()
    );
    let output = in_namespace(folder.path(), &script);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    // Data that is missing is not downloaded behind one's back.
    assert!(text.contains("train 1") && text.contains("help: ") && text.contains("data fetch"), "{text}");
}
