//! Tables of given figures.

use backproof_spec::published;

use super::*;
use crate::contender::Contender;
use crate::machine::Machine;
use crate::peak::Peak;
use crate::protocol::{Ready, Round};
use crate::results::{Unavailable, compare};
use crate::{BenchEngine, Pass};

/// 16 images of cifar-baseline, 14,991,360 operations each, in so many milliseconds a step; peak 200 GFLOP/s.
fn cell(contender: Contender, milliseconds: &[f64]) -> Cell {
    let ready = Ready { software: "it 1".to_owned(), instructions: None };
    let rounds = milliseconds.iter().map(|ms| Round { steps: 100, seconds: ms / 10.0 }).collect();
    let network = published::cifar_baseline();
    let flops = network.flops().unwrap().training();
    Cell::new(&network, 16, Pass::Training, contender, ready, flops, rounds, 200.0, Some(31_400_000))
}

pub(crate) fn setting() -> Setting {
    let machine = Machine {
        cpu: Some("Xeon | 1".to_owned()),
        cores: 2,
        caches: vec!["L1 data 48K".to_owned()],
        memory_bytes: Some(8 << 30),
        system: "Debian".to_owned(),
        cpu_features: vec!["avx2", "fma"],
    };
    Setting {
        date: "2026-01-02T03:04:05Z".to_owned(),
        command_line: vec!["backproof".to_owned(), "bench".to_owned()],
        git_revision: None,
        machine,
        load_before: Some(0.2),
        threads: 2,
        isa: None,
        rounds: 3,
        software: vec!["it 1".to_owned(), "rustc 1".to_owned()],
    }
}

fn results(cells: Vec<Cell>) -> Results {
    let peak = Peak { gflops_per_second: 200.0, instructions: "avx2" };
    Results::new(setting(), 0.5, peak, cells, Vec::new())
}

fn with_peer() -> Results {
    let mut cells = vec![
        cell(Contender::Ours(BenchEngine::Autodiff), &[12.0, 16.0, 8.0]),
        cell(Contender::PyTorch("eager"), &[4.0, 3.0, 5.0]),
        cell(Contender::PyTorch("compile"), &[6.0, 6.0, 6.0]),
    ];
    compare(&mut cells);
    results(cells)
}

fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

#[test]
fn a_row_has_the_median_and_what_follows_from_it() {
    let text = results(vec![cell(Contender::Ours(BenchEngine::Compiled), &[12.0, 16.0, 8.0])]).table();
    let rows = lines(&text);
    assert_eq!(
        rows[0],
        ["network", "batch", "pass", "measured", "ms a step", "images/s", "GFLOP/s", "of peak", "memory"]
    );
    // 16 images in 12 ms; 14,991,360 · 1,333.3 = 19.99 GFLOP/s, of 200.
    let expected =
        ["cifar-baseline", "16", "training", "backproof compiled", "12.0", "1,333", "20.0", "10.0 %", "31 MB"];
    assert_eq!(rows[1], expected);
}

#[test]
fn speeds_are_over_the_fastest_way_of_the_peer() {
    let text = with_peer().table();
    let rows = lines(&text);
    let speeds: Vec<&str> = rows[1..4].iter().map(|row| *row.last().unwrap()).collect();
    assert_eq!(speeds, ["0.33×", "1.00×", "0.67×"]);
    // What repeats is said once.
    assert_eq!(rows[2][0], "pytorch eager");
    assert!(!results(vec![cell(Contender::Ours(BenchEngine::Compiled), &[1.0])]).table().contains("peer"));
}

#[test]
fn markdown_says_the_machine_and_repeats_the_work_in_each_row() {
    let text = with_peer().markdown();
    assert!(
        text.contains("| processor | Xeon \\| 1 |\n| cores | 2 |\n| caches | L1 data 48K |\n| memory | 8 GiB |"),
        "{text}"
    );
    assert!(text.contains("| software | it 1, rustc 1 |"), "{text}");
    assert!(text.contains("| peak | 200 GFLOP/s, measured by avx2 multiply-adds on 2 threads |"), "{text}");
    let row = "| cifar-baseline | 16 | training | pytorch eager | 4.00 | 4,000 | 60.0 | 30.0 % | 31 MB | 1.00× |";
    assert!(text.contains(row), "{text}");
}

#[test]
fn what_could_not_be_measured_is_said_once() {
    let mut results = with_peer();
    for batch in [1, 16] {
        results.unavailable.push(Unavailable {
            model: "cifar-baseline".to_owned(),
            batch,
            pass: "training".to_owned(),
            contender: "pytorch compile".to_owned(),
            reason: "no compiler".to_owned(),
        });
    }
    assert_eq!(results.table().matches("not measured: pytorch compile, no compiler").count(), 1);
}

#[test]
fn a_machine_that_did_something_else_too_is_said_to_have() {
    let mut results = with_peer();
    assert!(!results.table().contains("other programs"));
    results.setting.load_before = Some(1.75);
    assert!(results.table().contains("a load of 1.8"), "{}", results.table());
    assert!(results.markdown().contains("| load before | 1.8 |"));
}

#[test]
fn figures_keep_three_digits_that_count() {
    let texts = [0.012_34, 0.5, 1.234, 12.34, 123.4, 1_234.5].map(three_digits);
    assert_eq!(texts, ["0.0123", "0.500", "1.23", "12.3", "123", "1234"]);
    assert_eq!((memory(None), memory(Some(1_234_567_890))), (NOTHING.to_owned(), "1,235 MB".to_owned()));
}
