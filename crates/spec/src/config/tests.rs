//! Reading, writing, errors word for word, and what no text may do.

mod auto;
mod data_sets;
mod errors;
mod files;
mod folder;
mod groups;
mod initialization;
mod layers;
mod network_errors;
mod overrides;
mod round_trip;
mod wrong_values;

use crate::data_set::four;
use crate::{ConfigError, Experiment};

/// A network spelled out, on MNIST. Tests change a line of it.
const SPELLED_OUT: &str = r#"seed = 7
[data]
dataset = "mnist"
[model]
input = [1, 28, 28]
layers = [
    { type = "conv2d", out_channels = 16, kernel = 5, padding = 2 },
    "relu",
    "flatten",
    { type = "linear", out_features = 10 },
]
[optimizer]
learning_rate = 0.05
schedule = "cosine"
[training]
iterations = 100
"#;

fn read(text: &str, overrides: &[&str]) -> Result<Experiment, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
    Experiment::from_toml("configs/a.toml", text, &overrides, &four())
}

/// [`SPELLED_OUT`] with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    assert!(SPELLED_OUT.contains(from));
    SPELLED_OUT.replace(from, to)
}

/// Reading `text` fails with this error, word for word.
#[track_caller]
fn expect(text: &str, expected: &str) {
    let error = read(text, &[]).unwrap_err().to_string();
    assert_eq!(error, expected, "\n{error}");
}
