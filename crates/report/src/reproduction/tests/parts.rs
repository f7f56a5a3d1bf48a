//! What is published beside ours, in both parts.

use super::super::identity::difference;
use super::super::published::{Part, Published};
use super::*;

/// Without the config, which is a link.
fn short(row: &[String]) -> Vec<&str> {
    row[1..7].iter().map(String::as_str).collect()
}

#[test]
fn a_figure_counts_in_each_part_by_itself() {
    let table = Table::new(&result("test = \"92.5 %\"", BOTH));
    for (seed, accuracy) in [(1, 0.92), (2, 0.93), (3, 0.95)] {
        table.run("a-as-published", seed, accuracy, &[], |_| {});
        table.run("a", seed, accuracy - 0.03, &[], |_| {});
    }
    let made = table.made();
    let rows = rows(&made);
    // statistics.mean([92, 93, 95]) is 93.33, statistics.stdev of it 1.53.
    assert_eq!(short(&rows[0]), ["test", "92.5 %", "93.33 ± 1.53 %", "+0.83", "3", "✓ within"]);
    assert_eq!(short(&rows[1]), ["test", "92.5 %", "90.33 ± 1.53 %", "−2.17", "3", "✗ not reached"]);
    assert!(rows[0][7].starts_with("[a-as-published](configs/a-as-published.toml) <sup>[1]("), "{}", rows[0][7]);
    assert_eq!(rows[1][7], "[a](configs/a.toml)");
    let first = "With the sources' settings, 1 of 1 published figures lie within two standard deviations of ours; with \
                 ours, 0 of 1 are reached.";
    assert_eq!(made.verdict, first);
    let words: Vec<&str> = made.markdown.split_whitespace().collect();
    assert!(words.join(" ").starts_with(&format!("# Published results, and ours {first} All of them are run.")));
    assert!(made.markdown.contains("| Somebody 2020 | 1 of 1 | ✓ | 0 of 1 | ✗ |"), "{}", made.markdown);
    assert!(made.markdown.contains("\n1. The inputs are guessed.\n"), "{}", made.markdown);
    assert!(made.markdown.contains("\n- `a`: The seed is unlucky.\n"), "{}", made.markdown);
    assert!(made.markdown.contains("| `mnist-baseline` | 14,682 | 3,000 × 16 | 3 |"), "{}", made.markdown);
    assert!(made.markdown.contains("| flex (CPU, 2 threads) | 6 |"), "{}", made.markdown);
}

#[test]
fn the_reported_figure_is_within_two_deviations_or_above_or_below() {
    // The mean is 0.91 and the deviation 0.01.
    let verdict = |reported: &str| {
        let table = Table::new(&result(reported, BOTH));
        for (seed, accuracy) in [(1, 0.90), (2, 0.91), (3, 0.92)] {
            table.run("a-as-published", seed, accuracy, &[], |_| {});
        }
        rows(&table.made())[0][6].clone()
    };
    for (reported, expected) in [
        ("test = \"93 %\"", "✓ within"),
        ("test = \"93.01 %\"", "▲ reported is above"),
        ("test = \"about 89 %\"", "✓ within"),
        ("test = \"88.99 %\"", "▼ reported is below"),
        ("test = \"above 70 %\"", "✓ within"),
        ("test = \"above 93.01 %\"", "▲ reported is above"),
        ("test = \"better\"", ""),
    ] {
        assert_eq!(verdict(reported), expected, "{reported}");
    }
}

#[test]
fn one_seed_has_no_deviation_and_is_not_counted_as_within() {
    let table = Table::new(&result("test = \"92 %\"", BOTH));
    table.run("a-as-published", 1, 0.92, &[], |_| {});
    let made = table.made();
    assert_eq!(short(&rows(&made)[0]), ["test", "92 %", "92.00 %", "0.00", "1 of 3", "– one seed"]);
    assert!(made.verdict.contains(" 0 of 1 published figures lie within"), "{}", made.verdict);
}

#[test]
fn what_is_exactly_reached_is_reached() {
    for (reported, verdict) in [("92.0 %", "✓ reached"), ("92.01 %", "✗ not reached")] {
        let table = Table::new(&result(&format!("test = \"{reported}\""), BOTH));
        table.run("a", 1, 0.92, &[], |_| {});
        assert_eq!(rows(&table.made())[1][6], verdict);
    }
}

#[test]
fn each_figure_is_held_against_the_same_of_the_last_iteration() {
    let figures =
        "validation = \"about 81 %\", training = \"91 %\", total_loss = \"0.84\", least_loss_epoch = \"after 2\"";
    let table = Table::new(&(result(figures, BOTH) + &result("validation = \"60 %\"", "[\"a\"]") + "epoch = 2\n"));
    table.run("a", 1, 0.92, &[], |_| {});
    let made = table.made();
    let ours: Vec<Vec<String>> = rows(&made).into_iter().filter(|row| row[7] == "[a](configs/a.toml)").collect();
    let expected = [
        ["validation", "about 81 %", "82.00 %", "+1.00", "1 of 2", "✓ reached"],
        ["training", "91 %", "90.00 %", "−1.00", "1 of 2", "✗ not reached"],
        ["total loss", "0.84", "0.8333", "−0.0067", "1 of 2", "✓ reached"],
        ["epoch of the least validation loss", "after 2", "epoch 1.0", "–", "1 of 2", ""],
        ["validation", "60 %", "60.00 %", "0.00", "1 of 2", "✓ reached"],
    ];
    assert_eq!(ours.iter().map(|row| short(row)).collect::<Vec<_>>(), expected);
}

#[test]
fn what_no_config_covers_and_what_has_no_runs_counts_as_not_run() {
    let untrained = "[[sources.results]]\nwhat = \"ImageNet\"\nreported = { test = \"none\" }\nconfigs = []\n\
                     network = \"alexnet\"\nremark = \"No data.\"\n";
    let text = result("test = \"92 %\"", "[\"a-as-published\"]")
        + &result("test = \"93 %\"", "[\"a\"]")
        + &result("test = \"worse\"", "[\"b\"]")
        + untrained;
    let made = Table::new(&text).made();
    let lines: Vec<&str> = made.markdown.lines().filter(|line| line.starts_with("| MNIST")).collect();
    assert!(
        lines[0].starts_with("| MNIST | test | 92 % | – | – | 0 of 3 | – not run | [a-as-published]"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1], "| MNIST | test | 93 % | – | – | – | – not run | – |");
    assert_eq!(lines[2], lines[1].replace("93", "92"));
    assert!(lines[4].starts_with("| MNIST | test | worse | – | – | 0 of 2 |  | [b]"), "{}", lines[4]);
    assert_eq!(lines.len(), 5, "words without a number have a row only where they have a config");
    assert!(
        made.verdict.contains("0 of 2 published") && made.verdict.ends_with("0 of 2 are reached."),
        "{}",
        made.verdict
    );
    assert!(made.markdown.contains("2 have no runs to compare with in the first part, and 2"), "{}", made.markdown);
    assert!(made.markdown.contains("\n- ImageNet: No data.\n"), "{}", made.markdown);
    assert!(made.markdown.contains("| – | `alexnet` | 60,965,224 |"), "{}", made.markdown);
    assert!(made.markdown.contains("There are no runs yet."));
}

#[test]
fn the_newest_run_of_a_seed_counts_and_all_but_finished_runs_of_the_config_are_left_out_with_the_reason() {
    let table = Table::new(&result("test = \"92 %\"", BOTH));
    let newer = |record: &mut RunRecord| record.started = "2026-01-02T03:04:06Z".to_owned();
    table.run("a", 1, 0.99, &[], newer);
    table.run("a", 1, 0.11, &[], |_| {});
    table.run("a", 2, 0.97, &["engine=manual", "expect.test_accuracy=0.5"], |_| {});
    table.run("a", 3, 0.12, &["training.iterations=20"], |_| {});
    table.run("a", 4, 0.13, &[], |record| record.status = RunStatus::Interrupted);
    let damaged = table.run("a", 5, 0.14, &[], |_| {});
    fs::write(damaged.join("run.json"), "{\"schema_version\": 1").unwrap();
    let cut = table.run("a", 6, 0.15, &[], |_| {});
    fs::write(cut.join("metrics.jsonl"), "garbage\n").unwrap();
    table.run("b", 1, 0.16, &[], |_| {});
    let made = table.made();
    assert_eq!(rows(&made)[1][3..6], ["98.00 ± 1.41 %", "+6.00", "2"]);
    assert_eq!(made.runs, 2);
    let left_out: Vec<(String, &str)> = made
        .left_out
        .iter()
        .map(|it| (it.folder.file_name().unwrap().to_string_lossy().into_owned(), it.reason.as_str()))
        .collect();
    assert_eq!(left_out[0], ("a-1-0.11".to_owned(), "is an older run with the same seed"));
    assert_eq!(left_out[1], ("a-3-0.12".to_owned(), "has other settings: training.iterations is 20 and not 3000"));
    assert_eq!(left_out[2], ("a-4-0.13".to_owned(), "was interrupted"));
    assert!(left_out[3].1.starts_with("cannot be read: ") && left_out[3].1.contains("run.json"), "{}", left_out[3].1);
    assert!(left_out[4].1.contains("line 1: "), "{}", left_out[4].1);
    assert_eq!(left_out.len(), 5, "a run of another experiment is none of the page's");
}

/// In seed `seed`, each class is found by so much, in the last checkpoint or in an earlier one.
fn evaluated(table: &Table, seed: u64, recall: f64, iteration: usize) {
    let folder = table.run("a-as-published", seed, 0.9, &[], |_| {}).join("evaluation/validation");
    fs::create_dir_all(&folder).unwrap();
    let class =
        serde_json::json!({"class": "c", "precision": null, "recall": recall, "true_positives": 1, "support": 2});
    let result = serde_json::json!({"schema_version": 1, "split": "validation", "iteration": iteration, "images": 2,
        "correct": 1, "accuracy": 0.5, "loss": 0.1, "classes": vec![class; 10]});
    fs::write(folder.join("result.json"), result.to_string()).unwrap();
}

#[test]
fn recall_of_each_class_is_held_against_that_of_the_last_weights_on_the_validation_images() {
    let recall = "recall = [50, 50, 50, 50, 50, 50, 50, 50, 50, 99]\n";
    let table = Table::new(&(result("test = \"92 %\"", BOTH) + recall));
    assert!(table.made().markdown.contains("No run of `a-as-published` was evaluated on them"));
    evaluated(&table, 1, 0.5, 3_000);
    evaluated(&table, 2, 0.52, 3_000);
    evaluated(&table, 3, 0.1, 2_000);
    let text = table.made().markdown;
    // statistics.stdev([50, 52]) is 1.41.
    assert!(text.contains("| 0 | 50 % | 51.00 ± 1.41 % | +1.00 |"), "{text}");
    assert!(text.contains("| 9 | 99 % | 51.00 ± 1.41 % | −48.00 |"), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("over 2 seeds. 9 of 10 reported shares lie within"), "{text}");
}

#[test]
fn a_run_that_diverged_is_told_unless_its_seed_has_a_result() {
    let table = Table::new(&result("test = \"92 %\"", BOTH));
    let diverged = |record: &mut RunRecord| {
        record.status = RunStatus::Diverged;
        record.summary = None;
    };
    table.run("a", 1, 0.95, &[], |_| {});
    table.run("a", 1, 0.1, &[], diverged);
    table.run("a", 2, 0.2, &[], diverged);
    let made = table.made();
    let told = "\n- `a`: The run with seed 2 diverged and is not in the mean.\n";
    assert!(made.markdown.contains(told), "{}", made.markdown);
    assert_eq!(rows(&made)[1][5], "1 of 2");
}

#[test]
fn runs_on_other_data_than_the_published_are_told_at_the_head() {
    let table = Table::new(&result("test = \"92 %\"", BOTH));
    table.run("a", 1, 0.95, &[], |_| {});
    assert!(!table.made().markdown.contains("other files"));
    let other = |record: &mut RunRecord| {
        record.data_checksums.insert("t10k-images-idx3-ubyte".to_owned(), "0".repeat(64));
    };
    table.run("a", 2, 0.95, &[], other);
    let text = table.made().markdown;
    assert!(text.contains("**Read other files of mnist than those that were published: 1 run.**"), "{text}");
}

#[test]
fn the_same_folders_give_the_same_page_wherever_they_lie() {
    let results = result("test = \"92 %\"", BOTH);
    let (one, other) = (Table::new(&results), Table::new(&results));
    let seeds = [1, 2, 3];
    seeds.iter().for_each(|&seed| _ = one.run("a", seed, 0.9 + 0.01 * seed as f64, &[], |_| {}));
    seeds.iter().rev().for_each(|&seed| _ = other.run("a", seed, 0.9 + 0.01 * seed as f64, &[], |_| {}));
    assert_eq!(one.made().markdown, other.made().markdown);
}

#[test]
fn what_is_wrong_with_the_results_is_an_error_with_its_place() {
    let wrong = |results: &str| Table::new(results).error();
    let text = wrong(&result("test = \"92,5 %\"", BOTH));
    assert!(
        text.ends_with("results.toml: the result `MNIST`: `92,5 %` has no share in it, such as `97.6 %`"),
        "{text}"
    );
    assert!(wrong(&result("tset = \"92 %\"", BOTH)).contains("unknown variant `tset`"));
    assert!(wrong(&result("test = \"92 %\"", "[]")).contains("`MNIST` has neither `configs` nor a `network`"));
    assert!(wrong(&result("test = \"92 %\"", "[\"a\", \"c\"]")).contains("the config cannot be read"));
    assert!(wrong(&result("test = \"92 %\"", "[\"a\"]")).contains("`a-as-published` under [taken] is no config"));
    let only_theirs = wrong(&result("test = \"92 %\"", "[\"a-as-published\"]"));
    assert!(only_theirs.contains("`a` under [below] is no config of any result"), "{only_theirs}");
    let at_an_epoch = result("test = \"92 %\"", BOTH) + "epoch = 3\n";
    assert!(wrong(&at_an_epoch).contains("the test images are evaluated at the end"));
    let missing = Table::new(&result("test = \"92 %\"", BOTH)).try_made("nothing").unwrap_err().to_string();
    assert!(missing.starts_with("cannot read ") && missing.ends_with("nothing"), "{missing}");
}

/// The published results that come with the program.
#[test]
fn every_config_of_the_published_results_is_in_a_sweep_with_as_many_seeds_as_are_wanted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let published = Published::load(&root.join("docs/reproduction.toml")).unwrap();
    assert_eq!(published.file.sources.len(), 5);
    let of_data_sets = backproof_data::data_sets();
    let sweeps: Vec<_> = published
        .file
        .sweeps
        .iter()
        .map(|path| backproof_spec::Sweep::load(&published.beside(path), &[], &of_data_sets).unwrap())
        .collect();
    let points: Vec<_> = sweeps.iter().flat_map(|sweep| &sweep.points).collect();
    for (name, config) in &published.configs {
        let point = points.iter().find(|point| point.name.as_ref() == Some(name));
        let point = point.unwrap_or_else(|| panic!("{name} is in no sweep"));
        assert!(point.runs.len() >= published.file.seeds_of(Part::of(name) == Part::Theirs), "{name}");
        for run in &point.runs {
            assert_eq!(difference(run, config), None);
        }
    }
    assert_eq!(points.len(), published.configs.len(), "a sweep trains what no result is of, or two train the same");
}

/// Sources and tests as text, by the names of the commands that the page gives.
#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file: crate::reproduction::schema::ResultsFile =
        toml::from_str(&fs::read_to_string(root.join("docs/reproduction.toml")).unwrap()).unwrap();
    let places = [
        "layers/src/relu.rs",
        "train/src/momentum.rs",
        "report/src/reproduction/authors.rs",
        "spec/src/layers/conv2d.rs",
    ];
    let sources = places.map(|place| fs::read_to_string(root.join("crates").join(place)).unwrap()).concat();
    let checks = file.mistakes.iter().flat_map(|mistake| &mistake.checks);
    let tests: Vec<&str> = checks.filter_map(|check| check.split_once(" -- ")?.1.rsplit("::").next()).collect();
    assert_eq!(tests.len(), 4);
    for test in tests {
        assert!(sources.contains(&format!("fn {test}")), "{test}");
    }
}
