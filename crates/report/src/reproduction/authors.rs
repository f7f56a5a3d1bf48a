//! Networks that the sources published with their weights, evaluated here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof_data::{load_images, sha256};
use backproof_train::{Setup, Silent, Split, TrainError, evaluate_weights};
use serde::{Deserialize, Serialize};

use super::published::Published;
use super::schema::AuthorsNetwork;
use crate::ReportError;

/// What the evaluations of one network came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorsResult {
    /// The name of the weights file.
    pub(super) file: String,
    /// Of that file.
    pub(super) sha256: String,
    pub(super) config: String,
    /// SHA-256 of each data file.
    pub(super) data_checksums: BTreeMap<String, String>,
    pub(super) evaluations: Vec<AuthorsFigures>,
}

/// Those of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorsFigures {
    /// The settings over the config's.
    pub(super) set: Vec<String>,
    /// Test images.
    pub(super) images: usize,
    /// Share of the test images.
    pub(super) accuracy: f64,
    /// By label.
    pub(super) classes: Vec<ClassFigures>,
}

/// Precision and recall of one class; `None` where the denominator is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassFigures {
    pub(super) class: String,
    pub(super) precision: Option<f64>,
    pub(super) recall: Option<f64>,
    /// Images of this class.
    pub(super) support: usize,
}

impl AuthorsResult {
    /// What makes it another evaluation than the one that the results name, in words.
    pub(super) fn differs(&self, published: &Published) -> Option<String> {
        let Some(network) = published.file.networks().find(|network| network.file == self.file) else {
            return Some("is no network of the results".to_owned());
        };
        let settings = |it: &Self| it.evaluations.iter().map(|it| it.set.clone()).collect::<Vec<_>>();
        let asked: Vec<Vec<String>> = network.evaluations.iter().map(|it| it.set.clone()).collect();
        match &network.sha256 {
            Some(sha256) if *sha256 != self.sha256 => Some(format!("has SHA-256 {} and not {sha256}", self.sha256)),
            _ if network.config != self.config => {
                Some(format!("has config {} and not {}", self.config, network.config))
            }
            _ if settings(self) != asked => Some("has other settings".to_owned()),
            _ => None,
        }
    }
}

/// Evaluates every network of the results, whose files are in the folder `folder`, on all test images.
///
/// # Errors
///
/// A file that is missing or another one; weights that do not fit the network; data that cannot be read.
pub(super) fn evaluate(published: &Published, folder: &Path, setup: &Setup) -> Result<Vec<AuthorsResult>, ReportError> {
    if published.file.networks().next().is_none() {
        let reason = "there are no networks under [[authors.networks]]".to_owned();
        return Err(ReportError::Results { path: published.path.clone(), reason });
    }
    // All files before the first evaluation, which takes seconds.
    let networks = published.file.networks();
    let found: Vec<(&AuthorsNetwork, String)> =
        networks.map(|network| Ok((network, hash(network, folder)?))).collect::<Result<_, ReportError>>()?;
    found.into_iter().map(|(network, sha256)| evaluate_one(published, network, sha256, folder, setup)).collect()
}

fn hash(network: &AuthorsNetwork, folder: &Path) -> Result<String, ReportError> {
    let path = folder.join(&network.file);
    let fault = |reason: String| ReportError::Authors { path: path.clone(), reason };
    let bytes = fs::read(&path).map_err(|error| fault(format!("cannot be read ({error})")))?;
    let found = sha256(&bytes);
    match &network.sha256 {
        Some(expected) if *expected != found => {
            Err(fault(format!("is another file than the results name: its SHA-256 is {found}; expected {expected}")))
        }
        _ => Ok(found),
    }
}

fn evaluate_one(
    published: &Published,
    network: &AuthorsNetwork,
    sha256: String,
    folder: &Path,
    setup: &Setup,
) -> Result<AuthorsResult, ReportError> {
    let mut evaluations = Vec::new();
    for asked in &network.evaluations {
        let experiment = published.config(&network.config, &asked.set)?;
        let (weights, on) = (folder.join(&network.file), AtomicBool::new(false));
        let result = evaluate_weights(&experiment, Split::Test, &weights, None, setup, &mut Silent, &on)?.result;
        let classes = result.classes.into_iter().map(|class| ClassFigures {
            class: class.class,
            precision: class.precision,
            recall: class.recall,
            support: class.support,
        });
        evaluations.push(AuthorsFigures {
            set: asked.set.clone(),
            images: result.images,
            accuracy: result.accuracy,
            classes: classes.collect(),
        });
    }
    let config = &published.configs[&network.config];
    let data_checksums =
        load_images(&config.data.images, setup.data_dir.as_deref(), config.seed).map_err(TrainError::from)?.checksums;
    let (file, config) = (network.file.clone(), network.config.clone());
    Ok(AuthorsResult { file, sha256, config, data_checksums, evaluations })
}

/// The accuracy that goes with the recalls of an evaluation: Σₖ rₖ nₖ / Σₖ nₖ, with nₖ images of class k. A table of
/// recalls that gives another accuracy than its text is of another evaluation. `None` where a class has no recall.
pub(super) fn accuracy_of(recalls: &[Option<f64>], support: &[usize]) -> Option<f64> {
    let right = recalls.iter().zip(support).map(|(recall, &n)| Some((*recall)? * n as f64)).sum::<Option<f64>>()?;
    let images: usize = support.iter().sum();
    (images > 0).then(|| right / images as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write-up has a table of precision and recall in its text that was copied from another data set.
    #[test]
    fn a_table_of_recalls_gives_its_accuracy_so_one_of_another_data_set_is_told() {
        // Of MNIST: 980 zeros and 1,135 ones, 960 and 1,130 of them right.
        let recalls = [Some(960.0 / 980.0), Some(1_130.0 / 1_135.0)];
        let mnist = accuracy_of(&recalls, &[980, 1_135]).unwrap();
        assert!((mnist - 2_090.0 / 2_115.0).abs() < 1e-12);
        // In a text on CIFAR-10, with 1,000 images of each class and 57 % of them right.
        let cifar = accuracy_of(&recalls, &[1_000, 1_000]).unwrap();
        assert!((cifar - 0.57).abs() > 0.4);
        assert_eq!(accuracy_of(&[None, Some(1.0)], &[0, 5]), None);
        assert_eq!(accuracy_of(&[], &[]), None);
    }
}
