use std::rc::Rc;

use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use crate::{Kinks, Value};

/// A function of several tensors in double precision: the values in the order of [`Problem::tensors`] in, the output
/// out.
pub type Forward<'a> = Rc<dyn Fn(&[Value]) -> Value + 'a>;

/// A [`Forward`] that takes down on which side of its kinks it was.
pub type RecordingForward<'a> = Rc<dyn Fn(&[Value], &Kinks) -> Value + 'a>;

/// The gradients of `⟨w, f⟩`: the values in the order of [`Problem::tensors`] and the cotangent `w` in the shape of the
/// output in, a gradient in the shape of each tensor out, or `None` for one that it does not have.
pub type Backward<'a> = Rc<dyn Fn(&[Value], &Value) -> Vec<Option<Value>> + 'a>;

/// The output and the fingerprint of the decisions.
pub(crate) type Evaluation<'a> = Rc<dyn Fn(&[Value]) -> (Value, Option<u64>) + 'a>;

/// What is to be proven: a function, the point at which it is looked at, and who claims to know its gradients there.
///
/// [`Check`](crate::Check) builds one from closures over tensors, [`check_module`](crate::check_module) from a module.
/// Build it by hand for code that knows no tensors.
#[derive(Clone)]
pub struct Problem<'a> {
    /// The function's name in the report.
    pub name: String,
    /// The precision of the code under test. Every value is rounded to it and then taken as exact.
    pub dtype: DType,
    /// The point.
    pub tensors: Vec<Variable>,
    /// The function in double precision.
    pub forward: Forward<'a>,
    /// The same function, which takes down its decisions: then kinks need not be guessed from slopes. Used in place of
    /// `forward` if there is one.
    pub recording: Option<RecordingForward<'a>>,
    /// The function in the precision under test, on the device where the differences are taken: they are taken of it
    /// where `forward` panics, as Burn's layers do that make tensors in the default precision.
    pub single: Option<Forward<'a>>,
    /// Who computes gradients.
    pub sources: Vec<GradientSource<'a>>,
    /// Backward passes that are wrong on purpose, by the name of the fault; see
    /// [`Check::mutant`](crate::Check::mutant).
    pub mutants: Vec<GradientSource<'a>>,
}

/// A tensor that the function depends on.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name in the report, unique in the problem.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Where the gradient is taken.
    pub value: Value,
    /// The function does not depend on it, and that is right: a gradient of zero is a proof and not a sign of a blind
    /// objective.
    pub expect_zero: bool,
}

impl Variable {
    /// Why a gradient of zero is right.
    pub(crate) fn why_zero(&self) -> String {
        format!("zero, as the differences show: the function does not move with `{}`", self.name)
    }
}

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Data.
    Input,
    /// A weight.
    Parameter,
    /// Not differentiated: targets, running statistics, frozen parameters.
    Constant,
}

/// Somebody who computes gradients.
#[derive(Clone)]
pub struct GradientSource<'a> {
    /// Its name in the report, unique in the problem: `manual`, `autodiff`, a kernel's.
    pub name: String,
    /// The relative error of one of its operations: [`unit_roundoff`](crate::unit_roundoff) of its type, or what
    /// [`measure_unit_roundoff`](crate::measure_unit_roundoff) finds.
    pub unit_roundoff: f64,
    /// Its gradients.
    pub backward: Backward<'a>,
    /// Its forward, in its own precision: it must agree with the function.
    pub forward: Option<Forward<'a>>,
    /// The same backward on absolute values: the sum of the magnitudes of everything that it adds up.
    pub magnitudes: Option<Backward<'a>>,
    /// Its gradients are numbers that somebody computed elsewhere: nothing is asked of it at other points or under
    /// other cotangents.
    pub recorded: bool,
    /// Why it did not run, if it did not: then nothing of it is called.
    pub skipped: Option<String>,
}

impl<'a> GradientSource<'a> {
    /// A source without a forward.
    pub fn new(
        name: impl Into<String>,
        unit_roundoff: f64,
        backward: impl Fn(&[Value], &Value) -> Vec<Option<Value>> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            unit_roundoff,
            backward: Rc::new(backward),
            forward: None,
            magnitudes: None,
            recorded: false,
            skipped: None,
        }
    }

    /// Numbers that somebody computed elsewhere, a gradient for each of [`Problem::tensors`], under the one
    /// [cotangent](crate::Options::cotangent) that the options give. Whether they are linear in it, and the same twice,
    /// is not asked.
    pub fn recorded(name: impl Into<String>, unit_roundoff: f64, gradients: Vec<Option<Value>>) -> Self {
        Self { recorded: true, ..Self::new(name, unit_roundoff, move |_, _| gradients.clone()) }
    }

    /// A source that has no device here: its rows say [`Verdict::Skipped`](crate::Verdict::Skipped).
    pub fn skipped(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { skipped: Some(reason.into()), ..Self::new(name, 0.0, |_, _| Vec::new()) }
    }
}

impl<'a> Problem<'a> {
    /// A function of these tensors in double precision, whose gradients nobody claims to know yet.
    pub fn new(
        name: impl Into<String>,
        dtype: DType,
        tensors: Vec<Variable>,
        forward: impl Fn(&[Value]) -> Value + 'a,
    ) -> Self {
        let forward = Rc::new(forward);
        Self {
            name: name.into(),
            dtype,
            tensors,
            forward,
            recording: None,
            single: None,
            sources: Vec::new(),
            mutants: Vec::new(),
        }
    }

    /// The function at a point, and the fingerprint of what it decided there if that was recorded.
    pub(crate) fn evaluation(&self) -> Evaluation<'a> {
        match (&self.recording, &self.forward) {
            (Some(recording), _) => {
                let recording = recording.clone();
                Rc::new(move |values| {
                    let kinks = Kinks::recorder();
                    (recording(values, &kinks), kinks.fingerprint())
                })
            }
            (None, forward) => {
                let forward = forward.clone();
                Rc::new(move |values| (forward(values), None))
            }
        }
    }

    /// The values, rounded to the precision of the code under test.
    pub fn values(&self) -> Vec<Value> {
        self.tensors.iter().map(|tensor| tensor.value.rounded(self.dtype)).collect()
    }
}
