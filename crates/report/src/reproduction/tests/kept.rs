//! Kept results beside run folders, and in their place.

use super::*;

/// Writes what a page keeps, as `--keep` does.
fn keep(table: &Table) -> String {
    let (path, text) = table.made().kept.unwrap();
    assert_eq!(path, table.path("kept.json"));
    fs::write(&path, &text).unwrap();
    text
}

fn forget(table: &Table) {
    fs::remove_dir_all(table.path("runs")).unwrap();
    fs::create_dir(table.path("runs")).unwrap();
}

fn table() -> Table {
    let table = Table::new(&result("test = \"92 %\", validation = \"90 %\"", BOTH));
    for (seed, accuracy) in [(1, 0.92), (2, 0.93), (3, 0.95)] {
        table.run("a-as-published", seed, accuracy, &[], |_| {});
    }
    table
}

#[test]
fn a_page_of_kept_results_is_the_page_of_their_run_folders() {
    let table = table();
    let diverged = |record: &mut RunRecord| record.status = RunStatus::Diverged;
    table.run("a-as-published", 4, 0.1, &[], diverged);
    let page = table.made().markdown;
    let kept = keep(&table);
    assert_eq!(kept.lines().filter(|line| line.contains("\"seed\":")).count(), 4, "a line a run:\n{kept}");
    forget(&table);
    let made = table.made();
    assert_eq!(made.markdown, page);
    assert_eq!((made.runs, made.left_out.len()), (3, 0));
    assert_eq!(made.kept.unwrap().1, kept, "keeping again changes nothing");
}

#[test]
fn kept_results_and_run_folders_come_together_and_the_newer_of_a_seed_counts() {
    let table = table();
    keep(&table);
    forget(&table);
    let newer = |record: &mut RunRecord| record.started = "2026-03-01T00:00:00Z".to_owned();
    let older = |record: &mut RunRecord| record.started = "2025-03-01T00:00:00Z".to_owned();
    table.run("a-as-published", 1, 0.5, &[], newer);
    table.run("a-as-published", 2, 0.1, &[], older);
    table.run("a-as-published", 9, 0.7, &[], |_| {});
    let made = table.made();
    // statistics.mean([50, 93, 95, 70]) is 77, statistics.stdev of it 21.28.
    assert_eq!(rows(&made)[0][3], "77.00 ± 21.28 %");
    let reasons: Vec<&str> = made.left_out.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(reasons, ["is older than the kept result of the same seed"]);
}

#[test]
fn kept_results_of_a_config_that_has_changed_are_left_out_with_the_reason() {
    let table = table();
    table.run("a", 1, 0.9, &[], |_| {});
    keep(&table);
    forget(&table);
    fs::write(table.path("configs/a-as-published.toml"), CONFIG.replace("3_000", "4_000")).unwrap();
    let made = table.made();
    let left_out: Vec<String> = made.left_out.iter().map(ToString::to_string).collect();
    let expected =
        "kept.json: 3 results of a-as-published: has other settings: training.iterations is 3000 and not 4000";
    assert!(left_out.len() == 1 && left_out[0].ends_with(expected), "{left_out:?}");
    assert_eq!(made.runs, 1);
    // Keeping again loses nothing: they count once more when the config is as it was.
    keep(&table);
    fs::write(table.path("configs/a-as-published.toml"), CONFIG).unwrap();
    assert_eq!((table.made().runs, table.made().left_out.len()), (4, 0));
}

#[test]
fn kept_results_whose_settings_another_version_wrote_are_left_out_or_filled_in() {
    let table = table();
    let good = keep(&table);
    forget(&table);
    let made = |text: &str| {
        fs::write(table.path("kept.json"), text).unwrap();
        table.made()
    };
    let gone = made(&good.replace("iterations = 3000", "iterations = 3000\\nlaps = 2"));
    assert_eq!((gone.runs, gone.left_out.len()), (0, 1));
    let reason = &gone.left_out[0].reason;
    assert!(reason.starts_with("3 results of a-as-published: has settings that are no longer valid: "), "{reason}");
    assert!(reason.contains("laps"), "{reason}");
    // What an earlier version did not know has its default.
    let without = good.replace("padding = 0\\nnormalization = \\\"standardize\\\"\\n", "");
    assert_ne!(without, good);
    let earlier = made(&without);
    assert_eq!((earlier.runs, earlier.left_out.len()), (3, 0));
}

#[test]
fn a_key_that_is_free_in_a_run_is_free_in_a_kept_one() {
    let table = table();
    keep(&table);
    forget(&table);
    let text = CONFIG.replace("[data]", "seed = 7\nengine = \"manual\"\n[data]");
    fs::write(table.path("configs/a-as-published.toml"), text).unwrap();
    assert_eq!((table.made().runs, table.made().left_out.len()), (3, 0));
}

#[test]
fn a_damaged_file_and_another_version_are_errors_that_say_so() {
    let table = table();
    let good = keep(&table);
    let wrong = |text: &str| {
        fs::write(table.path("kept.json"), text).unwrap();
        let error = table.error();
        assert!(error.starts_with("the file of kept results ") && error.contains("kept.json "), "{error}");
        error
    };
    assert!(wrong(&good[..good.len() / 2]).contains("is damaged (EOF while parsing"));
    assert!(wrong("").contains("is damaged"));
    let error = wrong(&good.replace("\"schema_version\": 1", "\"schema_version\": 2"));
    assert!(error.ends_with("has schema version 2; expected version 1"), "{error}");
    assert!(wrong("{}").ends_with("has no schema version; expected version 1"));
    assert!(wrong(&good.replace("\"seed\":1", "\"seed\":-1")).contains("line 7"));
    assert!(wrong(&good.replace("\"seed\":1", "\"sead\":1")).contains("unknown field `sead`"));
    let key = &good[good.find("\"settings\":\"").unwrap() + 12..][..8];
    let error = wrong(&good.replacen(&format!("\"{key}\": "), "\"00000000\": ", 1));
    assert!(error.contains(&format!("a run of a-as-published has no settings {key}")), "{error}");
    let error = wrong(&good.replace("\"config\":\"a-as-published\"", "\"config\":\"a\""));
    assert!(error.contains("a run of a has the settings of a-as-published"), "{error}");
    fs::remove_file(table.path("kept.json")).unwrap();
    fs::create_dir(table.path("kept.json")).unwrap();
    assert!(table.error().contains("cannot be read"));
}
