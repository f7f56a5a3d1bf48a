//! What the judge says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is known of an answer for one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every number is within its tolerance.
    Right,
    /// The answer is too inexact to be told from a wrong one.
    NotDecided,
    /// There is none.
    Missing,
    /// It cannot be read, or has another shape.
    Unreadable,
    /// It is wrong.
    Wrong,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Right => "right",
            Self::NotDecided => "not decided",
            Self::Missing => "missing",
            Self::Unreadable => "not readable",
            Self::Wrong => "wrong",
        })
    }
}

/// What came of an exercise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Of this structure as JSON; 1.
    pub schema: u32,
    /// The folder.
    pub folder: String,
    /// The layer or the optimizer.
    pub subject: String,
    /// How hard its numbers are.
    pub level: u8,
    /// What they were drawn from.
    pub seed: u64,
    /// Whether every tensor of every case is right.
    pub right: bool,
    /// Tensors that are right, and all.
    pub tensors_right: usize,
    /// See `tensors_right`.
    pub tensors: usize,
    /// The cases.
    pub cases: Vec<JudgedCase>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedCase {
    /// Its name.
    pub case: String,
    /// Shapes and options.
    pub about: String,
    /// The file with the answers.
    pub file: Option<String>,
    /// What is wrong with the file, a sentence each.
    pub notes: Vec<String>,
    /// The output first, then the gradients.
    pub tensors: Vec<JudgedTensor>,
}

/// What came of one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedTensor {
    /// Its name: `y`, `dx`.
    pub tensor: String,
    /// Its shape.
    pub dims: Vec<usize>,
    /// What is known.
    pub verdict: Verdict,
    /// What is wrong, or what it looks like, in a sentence.
    pub diagnosis: Option<String>,
    /// The worst element.
    pub worst: Option<WorstElement>,
    /// Elements that are wrong, and all.
    pub wrong: usize,
    /// See `wrong`.
    pub elements: usize,
    /// What else should be known.
    pub note: Option<String>,
    /// It is right at every smooth point, and follows another convention at kinks.
    pub other_convention: bool,
}

/// The element with the largest error beside its tolerance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstElement {
    /// The index along every axis, from 0.
    pub position: Vec<usize>,
    /// The answer.
    pub answer: f64,
    /// What is right.
    pub truth: f64,
    /// How far they may be apart.
    pub tolerance: f64,
}

impl JudgedTensor {
    /// A tensor without an answer that could be judged.
    pub(crate) fn without(tensor: &str, dims: &[usize], verdict: Verdict, diagnosis: impl Into<String>) -> Self {
        let (tensor, dims) = (tensor.to_owned(), dims.to_vec());
        let elements = dims.iter().product();
        Self {
            tensor,
            dims,
            verdict,
            diagnosis: Some(diagnosis.into()),
            worst: None,
            wrong: 0,
            elements,
            note: None,
            other_convention: false,
        }
    }
}

impl Judged {
    pub(crate) fn new(folder: String, subject: String, level: u8, seed: u64, cases: Vec<JudgedCase>) -> Self {
        let all = || cases.iter().flat_map(|case| &case.tensors);
        let tensors_right = all().filter(|tensor| tensor.verdict == Verdict::Right).count();
        let tensors = all().count();
        Self { schema: 1, folder, subject, level, seed, right: tensors_right == tensors, tensors_right, tensors, cases }
    }

    /// Takes answers that follow another convention at kinks for right.
    pub fn accept_other_conventions(&mut self) {
        let all = self.cases.iter_mut().flat_map(|case| &mut case.tensors);
        for tensor in all.filter(|tensor| tensor.other_convention) {
            (tensor.verdict, tensor.wrong) = (Verdict::Right, 0);
            self.tensors_right += 1;
        }
        self.right = self.tensors_right == self.tensors;
    }

    /// Tensors that are not right, with the name of their case.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &JudgedTensor)> {
        let all = self.cases.iter().flat_map(|case| case.tensors.iter().map(|tensor| (case.case.as_str(), tensor)));
        all.filter(|(_, tensor)| tensor.verdict != Verdict::Right)
    }
}
