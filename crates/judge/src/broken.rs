//! Backward passes with one fault, to be found and explained.
//!
//! `templates/broken` has a right backward in Python for each layer. Below a line that is easy to get wrong come the
//! ways to do so: `#~` and the name of the fault, and on the next line `#=` and what stands in the place of the right
//! line.

use std::path::Path;

use backproof_spec::stream_seed;
use burn::tensor::Device;

use crate::folder::{Page, Written, write_cases};
use crate::manifest::{Level, Request};
use crate::subjects::CODE;
use crate::templates::render;
use crate::{JudgeError, choice};

/// A fault of a backward, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What the judge calls it.
    pub name: String,
    /// The right line.
    pub right: String,
    /// What stands in its place.
    pub wrong: String,
    /// The number of the right line among those of the right code, from 0.
    line: usize,
}

/// The right code of a layer, and its faults.
fn parsed(layer: &str) -> Option<(Vec<&'static str>, Vec<Fault>)> {
    let (_, code) = CODE.iter().find(|(name, _)| *name == layer)?;
    let (mut right, mut faults) = (Vec::new(), Vec::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.trim_start().strip_prefix("#~ ") else {
            right.push(line);
            continue;
        };
        let wrong = lines.next()?.trim_start().strip_prefix("#= ")?;
        let place = right.len().checked_sub(1)?;
        let (name, wrong, right) = (name.to_owned(), wrong.to_owned(), right[place].trim().to_owned());
        faults.push(Fault { name, right, wrong, line: place });
    }
    Some((right, faults))
}

/// The fault that a seed stands for.
///
/// # Errors
///
/// A layer that is not among [`BROKEN`](crate::BROKEN).
pub fn fault_of(layer: &str, seed: u64) -> Result<Fault, JudgeError> {
    let (_, faults) = parsed(layer).ok_or_else(|| JudgeError::NotBroken(layer.to_owned()))?;
    // Seeds beside each other stand for different faults. Which one comes first differs from layer to layer.
    let [first, ..] = stream_seed(0, &format!("judge break {layer}"), 0, 0);
    let index = seed.wrapping_add(first.into()) % faults.len() as u64;
    Ok(faults[index as usize].clone())
}

/// The code of a layer with this fault.
fn code(layer: &str, fault: &Fault) -> Option<String> {
    let (mut lines, _) = parsed(layer)?;
    let right = lines[fault.line];
    let indent = right.len() - right.trim_start().len();
    let wrong = format!("{}{}", &right[..indent], fault.wrong);
    let before = lines.split_off(fault.line);
    let after = &before[1..];
    let all = lines.into_iter().chain([wrong.as_str()]).chain(after.iter().copied());
    Some(all.collect::<Vec<_>>().join("\n"))
}

/// Writes an exercise with a backward of this layer in Python that has the fault of this seed.
///
/// # Errors
///
/// As of [`write`](crate::write()), and a layer that is not among [`BROKEN`](crate::BROKEN).
pub fn write_broken(layer: &str, seed: u64, folder: &Path, device: &Device) -> Result<Written, JudgeError> {
    let fault = fault_of(layer, seed)?;
    // The manifest says nothing of the fault, nor of its seed.
    let request = Request { subject: layer.to_owned(), config: None, level: Level::Program, seed: 0 };
    let cases = choice::choose(&request, device);
    let functions = code(layer, &fault).ok_or_else(|| JudgeError::NotBroken(layer.to_owned()))?;
    let page = Page::new(&request, &cases).with_functions(functions);
    let others = [("python/broken.py", render("python.py", &page)?), ("BROKEN.md", render("broken.md", &page)?)];
    write_cases(&request, cases, folder, &others)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::BROKEN;

    #[test]
    fn every_layer_has_four_faults_or_more_each_of_which_some_seed_stands_for() {
        assert_eq!(CODE.map(|(name, _)| name), BROKEN);
        for layer in BROKEN {
            let (_, faults) = parsed(layer).unwrap();
            let all: BTreeSet<String> = faults.iter().map(|fault| fault.name.clone()).collect();
            assert!(all.len() == faults.len() && all.len() >= 4, "{layer}: {}", all.len());
            let drawn: BTreeSet<String> =
                (0..all.len() as u64).map(|seed| fault_of(layer, seed).unwrap().name).collect();
            assert_eq!(all, drawn, "{layer}");
        }
    }

    #[test]
    fn a_fault_stands_in_the_place_of_the_right_line() {
        let (right, faults) = parsed("relu").unwrap();
        let broken = code("relu", &faults[0]).unwrap();
        assert!(broken.contains("    dx = g * (x >= 0)\n    return (dx,)") && !broken.contains("g * (x > 0)"));
        assert_eq!(broken.lines().count(), right.len());
        assert!(!broken.contains("#~") && !broken.contains("#="));
    }
}
