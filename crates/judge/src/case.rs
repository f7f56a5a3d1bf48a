//! A case: the numbers that a student is given, and what the answers are judged by.

use std::rc::Rc;

use backproof_gradcheck::{GradientSource, Options, Problem, Role, Value};
use backproof_suite::{CaseId, exercise};
use burn::tensor::{DType, Device};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::context::{context, random};
use crate::manifest::{DrawnCase, Level, Request};
use crate::shapes::words;
use crate::{network, optimizer};

/// A tensor that is given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) value: Value,
    /// Whether its gradient is asked for.
    pub(crate) differentiated: bool,
}

/// A case of an exercise.
pub(crate) struct Case {
    /// `case1`, …
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) tensors: Vec<Given>,
    /// The options of the layer or the rule.
    pub(crate) options: Vec<(String, Value)>,
    pub(crate) truth: Truth,
}

/// What is asked for, and what is right.
pub(crate) enum Truth {
    Layer(Box<LayerTruth>),
    /// The weights after each step are asked for.
    Optimizer(Box<optimizer::Steps>),
}

pub(crate) struct LayerTruth {
    /// The function of the tensors, and the ways to get its gradient wrong. Without sources.
    pub(crate) problem: Problem<'static>,
    /// Our backward.
    pub(crate) model: GradientSource<'static>,
    pub(crate) conventions: Vec<GradientSource<'static>>,
    /// How much is looked at.
    pub(crate) budget: Options,
    /// The incoming gradient.
    pub(crate) cotangent: Value,
    /// The output of our forward.
    pub(crate) output: Value,
}

impl LayerTruth {
    /// The tensors' values, in the order of the problem.
    pub(crate) fn values(&self) -> Vec<Value> {
        self.problem.tensors.iter().map(|tensor| tensor.value.clone()).collect()
    }

    /// The gradients of our backward, in the order of the problem's tensors.
    pub(crate) fn gradients(&self) -> Vec<Option<Value>> {
        (self.model.backward)(&self.values(), &self.cotangent)
    }
}

impl Case {
    /// What a manifest says of it.
    pub(crate) fn drawn(&self) -> DrawnCase {
        DrawnCase { name: self.name.clone(), number: self.number, sha256: self.sha256() }
    }

    /// The case of this number; none if there is no such subject.
    pub(crate) fn draw(request: &Request, number: u64, device: &Device) -> Option<Self> {
        if let Some(optimizer) = optimizer::by_name(&request.subject) {
            let steps = optimizer::draw(optimizer, request, number);
            let given = |name: &str, value: &Value| Given {
                name: name.to_owned(),
                value: value.clone(),
                differentiated: false,
            };
            let tensors = vec![given("w0", &steps.first), given("gradients", &steps.gradients)];
            let (name, options) = (String::new(), steps.options.clone());
            return Some(Self { name, number, tensors, options, truth: Truth::Optimizer(Box::new(steps)) });
        }
        let id = CaseId::general(number);
        let id = if request.level == Level::Pencil { id.with_whole_numbers() } else { id };
        let mut drawn = match &request.config {
            Some(_) => network::exercise(request, device)?,
            None => exercise(&request.subject, &context(request.seed, device), id)?,
        };
        // A course has one convention at 0.
        if let Some(at) = drawn.options.iter().position(|(name, _)| *name == "passes_zero") {
            let (_, passes) = drawn.options.remove(at);
            if passes.data() != [0.0] {
                return None;
            }
        }
        let mut problem = drawn.problem;
        for tensor in &mut problem.tensors {
            // So that code in single precision computes with the same numbers.
            tensor.value = tensor.value.rounded(DType::F32);
            // `y` is the output of the exercise, whatever goes in.
            if tensor.name == "y" {
                tensor.name = "outputs".to_owned();
            }
        }
        let model = std::mem::take(&mut problem.sources).into_iter().find(|source| source.name == "manual")?;
        let given = |tensor: &backproof_gradcheck::Variable| Given {
            name: tensor.name.clone(),
            value: tensor.value.clone(),
            differentiated: tensor.role != Role::Constant,
        };
        let tensors: Vec<Given> = problem.tensors.iter().map(given).collect();
        let values: Vec<Value> = tensors.iter().map(|tensor| tensor.value.clone()).collect();
        let output = (problem.forward)(&values);
        let cotangent = cotangent(request, number, output.dims());
        let options = drawn.options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // Every element, unless that takes too long.
        let all = || Options { full: 4096, ..Options::default() };
        let budget = Options { cotangent: Some(cotangent.clone()), ..drawn.budget.unwrap_or_else(all) };
        let truth = LayerTruth { problem, model, conventions: drawn.conventions, budget, cotangent, output };
        Some(Self { name: String::new(), number, tensors, options, truth: Truth::Layer(Box::new(truth)) })
    }

    /// Everything that is given, by name, as it is written to a file.
    pub(crate) fn given(&self) -> Vec<(String, Value)> {
        let tensors = self.tensors.iter().map(|tensor| (tensor.name.clone(), tensor.value.clone()));
        let mut all: Vec<_> = tensors.chain(self.options.iter().cloned()).collect();
        if let Truth::Layer(truth) = &self.truth {
            all.push(("g".to_owned(), truth.cotangent.clone()));
        }
        all
    }

    /// Shapes and options, in a line.
    pub(crate) fn about(&self) -> String {
        let tensors = self.tensors.iter().map(|tensor| format!("{} {}", tensor.name, words(tensor.value.dims())));
        // Single numbers and pairs; labels are neither.
        let short = |(name, value): &&(String, Value)| value.dims().len() <= 1 && value.len() <= 2 && name != "labels";
        let options = self.options.iter().filter(short);
        let numbers = |value: &Value| value.data().iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
        let options = options.map(|(name, value)| format!("{name} {}", numbers(value)));
        tensors.chain(options).collect::<Vec<_>>().join(", ")
    }

    /// SHA-256 of everything that is given.
    pub(crate) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in self.given() {
            hash.update(format!("{name} {:?}\n", value.dims()));
            value.data().iter().for_each(|number| hash.update(number.to_le_bytes()));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What is asked for, by name and shape: the output, then the gradients; or the weights.
    pub(crate) fn asked(&self) -> Vec<(String, Vec<usize>)> {
        match &self.truth {
            Truth::Layer(truth) => {
                let gradients = self.tensors.iter().filter(|tensor| tensor.differentiated);
                let gradients = gradients.map(|tensor| (gradient_name(&tensor.name), tensor.value.dims().to_vec()));
                std::iter::once(("y".to_owned(), truth.output.dims().to_vec())).chain(gradients).collect()
            }
            Truth::Optimizer(steps) => vec![(optimizer::WEIGHTS.to_owned(), steps.gradients.dims().to_vec())],
        }
    }

    /// What is right, in the order of [`asked`](Self::asked).
    pub(crate) fn model_answers(&self) -> Vec<(String, Value)> {
        match &self.truth {
            Truth::Layer(truth) => {
                let gradients = self.tensors.iter().zip(truth.gradients());
                let named = gradients
                    .filter(|(tensor, _)| tensor.differentiated)
                    .filter_map(|(tensor, gradient)| Some((gradient_name(&tensor.name), gradient?)));
                std::iter::once(("y".to_owned(), truth.output.clone())).chain(named).collect()
            }
            Truth::Optimizer(steps) => vec![(optimizer::WEIGHTS.to_owned(), steps.weights(steps.optimizer.right))],
        }
    }
}

/// What the gradient of a tensor is called.
pub(crate) fn gradient_name(tensor: &str) -> String {
    format!("d{tensor}")
}

/// The incoming gradient. That of a loss is now and then 1/N of each sample, as under a mean over the batch.
fn cotangent(request: &Request, number: u64, dims: &[usize]) -> Value {
    let mut random = random(request, number);
    let count: usize = dims.iter().product();
    if dims.len() == 1 && number.is_multiple_of(2) {
        return Value::full(dims, 1.0 / count as f64);
    }
    let data = (0..count).map(|_| match request.level {
        Level::Pencil => [-2.0, -1.0, 1.0, 2.0][random.random_range(0..4)],
        Level::Program => {
            let sign = if random.random_ratio(1, 2) { 1.0 } else { -1.0 };
            // Magnitudes differ, so that a backward that takes the sign or clamps is found out.
            f64::from((sign * random.random_range(-4.0..3.0_f64).exp2()) as f32)
        }
    });
    Value::new(dims, data.collect())
}

/// A source that permutes or changes what another gives.
pub(crate) fn changed(
    name: String,
    of: &GradientSource<'static>,
    change: impl Fn(usize, &Value) -> Option<Value> + 'static,
) -> GradientSource<'static> {
    let backward = Rc::clone(&of.backward);
    GradientSource::new(name, of.unit_roundoff, move |values, g| {
        let found = backward(values, g).into_iter().enumerate();
        found.map(|(tensor, gradient)| change(tensor, &gradient?)).collect()
    })
}
