//! The figures of whole runs, and their table.

use std::path::Path;

use backproof_spec::{Experiment, counted};
use serde::Serialize;

use crate::results::Setting;
use crate::table::{NOTHING, aligned, markdown_table, memory, rounds};
use backproof_report::{markdown_code, mean_and_deviation, median};

/// The version of the file's keys.
const SCHEMA: u32 = 1;

/// `results.json` of whole runs.
#[derive(Debug, Clone, Serialize)]
pub struct WholeRuns {
    schema_version: u32,
    setting: Setting,
    experiment: String,
    config: String,
    trainers: Vec<Trained>,
}

/// All runs of one trainer.
#[derive(Debug, Clone, Serialize)]
struct Trained {
    name: String,
    runs: Vec<WholeRun>,
    /// Median over the rounds, from the start of the process to its end.
    seconds: f64,
    test_accuracy_mean: f64,
    test_accuracy_deviation: Option<f64>,
    /// Median over the rounds.
    peak_memory_bytes: Option<u64>,
    /// Its speed over that of the peer's fastest way; above 1 is faster.
    speed_over_peer: Option<f64>,
    /// Its peak memory over that of the peer's fastest way.
    memory_over_peer: Option<f64>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct WholeRun {
    pub(super) software: String,
    pub(super) seed: u64,
    /// From before the process was started to its end.
    pub(super) seconds: f64,
    pub(super) test_accuracy: f64,
    pub(super) peak_memory_bytes: Option<u64>,
}

impl WholeRuns {
    pub(super) fn new(
        setting: Setting,
        config: &Path,
        experiment: &Experiment,
        runs: Vec<(String, Vec<WholeRun>)>,
    ) -> Self {
        let mut trainers: Vec<Trained> = runs.into_iter().map(|(name, runs)| Trained::new(name, runs)).collect();
        let peers = trainers.iter().filter(|trained| trained.is_peer());
        if let Some(peer) = peers.min_by(|one, other| one.seconds.total_cmp(&other.seconds)).cloned() {
            for trained in &mut trainers {
                trained.speed_over_peer = Some(peer.seconds / trained.seconds);
                trained.memory_over_peer =
                    trained.peak_memory_bytes.zip(peer.peak_memory_bytes).map(|(own, peer)| own as f64 / peer as f64);
            }
        }
        let config = config.display().to_string();
        Self { schema_version: SCHEMA, setting, experiment: experiment.name.clone(), config, trainers }
    }

    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut header = vec!["measured", "wall time", "test accuracy", "memory"];
        let compared = self.trainers.iter().any(Trained::is_peer);
        if compared {
            header.extend(["speed / best peer", "memory / best peer"]);
        }
        let ratio = |ratio: Option<f64>| ratio.map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.2}×"));
        let row = |trained: &Trained| {
            let mut row = vec![
                trained.name.clone(),
                format!("{:.1} s", trained.seconds),
                trained.accuracy(),
                memory(trained.peak_memory_bytes),
            ];
            if compared {
                row.extend([ratio(trained.speed_over_peer), ratio(trained.memory_over_peer)]);
            }
            row
        };
        (header.into_iter().map(str::to_owned).collect(), self.trainers.iter().map(row).collect())
    }

    /// For a terminal.
    pub fn table(&self) -> String {
        let (header, rows) = self.rows();
        let Setting { threads, software, .. } = &self.setting;
        format!(
            "{}\n\n{}, {} by turns, {}\n{}{}",
            aligned(&header, &rows, 1),
            self.experiment,
            rounds(self.setting.rounds),
            counted(*threads, "thread"),
            software.join(", "),
            self.setting.note()
        )
    }

    /// `results.md`.
    pub(crate) fn markdown(&self) -> String {
        let (header, rows) = self.rows();
        format!(
            "{}\n{} from the start of the process to its end: {} by turns, each with a seed of its own. Times and memory are medians, \
             accuracies means ± sample standard deviation. bench/README.md says what each does.\n\n{}{}",
            self.setting.markdown(&format!("{}, start to end", self.experiment)),
            markdown_code(&self.config),
            rounds(self.setting.rounds),
            markdown_table(&header, &rows, 1),
            self.setting.note()
        )
    }
}

impl Trained {
    fn new(name: String, runs: Vec<WholeRun>) -> Self {
        let of = |figure: fn(&WholeRun) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        let (mean, deviation) = mean_and_deviation(&of(|run| run.test_accuracy)).expect("there is at least one run");
        let memory: Vec<f64> = runs.iter().filter_map(|run| run.peak_memory_bytes).map(|bytes| bytes as f64).collect();
        Self {
            name,
            seconds: median(&of(|run| run.seconds)).expect("there is at least one run"),
            test_accuracy_mean: mean,
            test_accuracy_deviation: deviation,
            peak_memory_bytes: median(&memory).map(|bytes| bytes as u64),
            speed_over_peer: None,
            memory_over_peer: None,
            runs,
        }
    }

    fn is_peer(&self) -> bool {
        !self.name.starts_with("backproof")
    }

    fn accuracy(&self) -> String {
        let mean = 100.0 * self.test_accuracy_mean;
        match self.test_accuracy_deviation {
            Some(deviation) => format!("{mean:.2} ± {:.2} %", 100.0 * deviation),
            None => format!("{mean:.2} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::setting;

    fn runs(figures: &[(f64, f64, u64)]) -> Vec<WholeRun> {
        let run = |(seed, &(seconds, test_accuracy, bytes)): (usize, &(f64, f64, u64))| WholeRun {
            software: "it 1".to_owned(),
            seed: seed as u64,
            seconds,
            test_accuracy,
            peak_memory_bytes: Some(bytes),
        };
        figures.iter().enumerate().map(run).collect()
    }

    #[test]
    fn time_and_memory_are_medians_over_those_of_the_fastest_peer_and_accuracy_is_a_mean() {
        let text = include_str!("../../../../configs/cifar-baseline.toml");
        let experiment = Experiment::from_toml("cifar-baseline.toml", text, &[], &backproof_data::data_sets()).unwrap();
        let trained = vec![
            ("backproof manual".to_owned(), runs(&[(10.0, 0.60, 200), (9.0, 0.62, 300), (30.0, 0.61, 100)])),
            ("pytorch eager".to_owned(), runs(&[(25.0, 0.5, 900); 3])),
            ("pytorch eager-channels-last".to_owned(), runs(&[(20.0, 0.5, 800); 3])),
        ];
        let results = WholeRuns::new(setting(), Path::new("c.toml"), &experiment, trained);
        let (_, rows) = results.rows();
        assert_eq!(rows[0], ["backproof manual", "10.0 s", "61.00 ± 1.00 %", "0 MB", "2.00×", "0.25×"]);
        assert_eq!(rows[1][4..], ["0.80×", "1.12×"]);
        assert!(results.markdown().contains("| backproof manual | 10.0 s | 61.00 ± 1.00 % |"));
    }
}
