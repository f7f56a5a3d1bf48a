//! An exercise with answers in, verdicts out.

use std::path::Path;

use backproof_gradcheck::Value;
use burn::tensor::Device;

use crate::answers::{Answer, Answers};
use crate::case::{Case, Truth, gradient_name};
use crate::explanations::{self, Explanations};
use crate::manifest::{Manifest, Request};
use crate::verdict::{Judged, JudgedCase, JudgedTensor, Verdict};
use crate::{JudgeError, choice, gradients, network, optimizer, outputs};

/// Judges the answers in a folder that [`write`](crate::write()) made.
///
/// # Errors
///
/// A folder without a manifest, or whose cases this version cannot draw again. What is wrong with answers is no error
/// here: the verdicts say it.
pub fn judge(exercise: &Path, device: &Device) -> Result<Judged, JudgeError> {
    let manifest = Manifest::read(exercise)?;
    let cases = cases(exercise, &manifest, device)?;
    let (mut judged, explanations): (Vec<_>, Vec<_>) = cases.iter().map(|case| judge_case(exercise, case)).unzip();
    explanations::agree(&mut judged, &explanations);
    let Manifest { subject, level, seed, .. } = manifest;
    Ok(Judged::new(exercise.display().to_string(), subject, level.into(), seed, judged))
}

/// The cases of a manifest, drawn again: all that an exercise of its layer, level and seed has, and no others.
pub(crate) fn cases(exercise: &Path, manifest: &Manifest, device: &Device) -> Result<Vec<Case>, JudgeError> {
    let request = manifest.request();
    known(&request)?;
    let cases = choice::choose(&request, device);
    if cases.iter().map(Case::drawn).eq(manifest.cases.iter().cloned()) {
        return Ok(cases);
    }
    let (folder, version) = (exercise.to_owned(), manifest.version.clone());
    Err(match version == env!("CARGO_PKG_VERSION") {
        true => JudgeError::OtherCases(folder),
        false => JudgeError::OtherVersion { folder, version },
    })
}

/// Refuses what there is no exercise of.
pub(crate) fn known(request: &Request) -> Result<(), JudgeError> {
    match &request.config {
        Some(config) => network::architecture(config).map(drop),
        None if crate::subjects().contains(&request.subject.as_str()) => Ok(()),
        None => Err(JudgeError::NoSubject(request.subject.clone())),
    }
}

fn judge_case(exercise: &Path, case: &Case) -> (JudgedCase, Explanations) {
    let asked = case.asked();
    let answers = Answers::read(exercise, &case.name, &asked);
    let mut tensors: Vec<Option<JudgedTensor>> = asked
        .iter()
        .zip(&answers.tensors)
        .map(|((name, dims), answer)| match answer {
            Answer::Read(_) => None,
            Answer::Missing(why) => Some(JudgedTensor::without(name, dims, Verdict::Missing, why)),
            Answer::Unreadable(why) => Some(JudgedTensor::without(name, dims, Verdict::Unreadable, why)),
        })
        .collect();
    let read = |name: &str| -> Option<Value> {
        let index = asked.iter().position(|(asked, _)| asked == name)?;
        match &answers.tensors[index] {
            Answer::Read(value) => Some(value.clone()),
            _ => None,
        }
    };
    let mut put = |judged: JudgedTensor| {
        if let Some(index) = asked.iter().position(|(name, _)| *name == judged.tensor) {
            tensors[index] = Some(judged);
        }
    };
    let mut explanations = Explanations::new();
    match &case.truth {
        Truth::Layer(truth) => {
            if let Some(answer) = read("y") {
                put(outputs::judge(truth, &answer));
            }
            let given = |tensor: &crate::case::Given| tensor.differentiated.then(|| read(&gradient_name(&tensor.name)));
            let given: Vec<Option<Value>> = case.tensors.iter().map(|tensor| given(tensor).flatten()).collect();
            if given.iter().any(Option::is_some) {
                gradients::judge(truth, &given).into_iter().flatten().for_each(put);
                explanations = explanations::of(truth, &given, |index| gradient_name(&case.tensors[index].name));
            }
        }
        Truth::Optimizer(steps) => {
            if let Some(answer) = read(optimizer::WEIGHTS) {
                put(optimizer::judge(steps, &answer));
            }
        }
    }
    let undecided = |((name, dims), tensor): (&(String, Vec<usize>), Option<JudgedTensor>)| {
        let none = || JudgedTensor::without(name, dims, Verdict::NotDecided, "nothing is known of it here");
        tensor.unwrap_or_else(none)
    };
    let Answers { file, notes, .. } = answers;
    let tensors = asked.iter().zip(tensors).map(undecided).collect();
    let judged = JudgedCase { case: case.name.clone(), about: case.about(), file, notes, tensors };
    (judged, explanations)
}
