use std::rc::Rc;

use burn::tensor::{DType, Device, Tensor};

use crate::poison::poison_device;
use crate::tensors::{Outcome, TensorForward, evaluate};
use crate::{
    Arguments, Examination, Forward, GradientSource, Gradients, Kinks, Mutants, Options, Problem, RecordingForward,
    Report, Role, Value, Variable, unit_roundoff,
};

/// A check of closures over tensors, put together step by step.
///
/// ```
/// use backproof_gradcheck::{Check, Gradients, Value};
/// use burn::tensor::Device;
///
/// let device = Device::flex();
/// Check::new("square")
///     .input("x", Value::normal([3, 2], 1))
///     .forward(&device, |t| t.get::<2>("x").square())
///     .source("manual", &device, |t| Gradients::new().with("x", t.get::<2>("x") * t.cotangent::<2>() * 2))
///     .autodiff(&device)
///     .run()
///     .assert();
/// ```
///
/// Tensors come first, then the forward, then the sources.
#[derive(Clone)]
pub struct Check<'a> {
    name: String,
    dtype: DType,
    options: Options,
    variables: Vec<Variable>,
    forward: Option<TensorForward<'a>>,
    reference: Option<Forward<'a>>,
    recording: Option<RecordingForward<'a>>,
    /// Where the differences are taken.
    place: Option<Device>,
    sources: Vec<GradientSource<'a>>,
    mutants: Vec<GradientSource<'a>>,
}

impl<'a> Check<'a> {
    /// A check of this name, of code in single precision, with the default options.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dtype: DType::F32,
            options: Options::default(),
            variables: Vec::new(),
            forward: None,
            reference: None,
            recording: None,
            place: None,
            sources: Vec::new(),
            mutants: Vec::new(),
        }
    }

    /// The precision of the code under test; [`DType::F32`] unless said otherwise. Say it before any source.
    pub fn dtype(self, dtype: DType) -> Self {
        let none = self.sources.is_empty() && self.mutants.is_empty();
        assert!(none, "the precision comes before the sources");
        Self { dtype, ..self }
    }

    /// How much is checked.
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// What the cotangents and the choice of elements are drawn from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Data that is differentiated.
    pub fn input(self, name: impl Into<String>, value: Value) -> Self {
        self.variable(name, Role::Input, value)
    }

    /// A weight.
    pub fn parameter(self, name: impl Into<String>, value: Value) -> Self {
        self.variable(name, Role::Parameter, value)
    }

    /// Data that is not differentiated.
    pub fn constant(self, name: impl Into<String>, value: Value) -> Self {
        self.variable(name, Role::Constant, value)
    }

    /// The function does not depend on the tensor added last, and that is right: zero is then a pass.
    ///
    /// # Panics
    ///
    /// Panics if there is no tensor yet.
    pub fn expect_zero(mut self) -> Self {
        self.variables.last_mut().expect("a tensor comes first").expect_zero = true;
        self
    }

    /// Changes the tensors that were added so far: their values, shapes and roles. The check of one point is made into
    /// that of another by it.
    ///
    /// ```
    /// # use backproof_gradcheck::{Check, Value};
    /// # use burn::tensor::{Device, activation};
    /// # let device = Device::flex();
    /// let check = Check::new("tanh").input("x", Value::normal([3], 1));
    /// let check = check.map_tensors(|tensors| tensors[0].value = Value::new([2], vec![0.0, 0.5]));
    /// check.forward(&device, |t| activation::tanh(t.get::<1>("x"))).autodiff(&device).run().assert();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is a forward or a source already, which would not see the change.
    pub fn map_tensors(mut self, change: impl FnOnce(&mut [Variable])) -> Self {
        self.assert_no_sources();
        change(&mut self.variables);
        self
    }

    fn assert_no_sources(&self) {
        let none = self.sources.is_empty() && self.mutants.is_empty() && self.forward.is_none();
        assert!(none, "the tensors come before the forward");
    }

    fn variable(mut self, name: impl Into<String>, role: Role, value: Value) -> Self {
        let name = name.into();
        self.assert_no_sources();
        assert!(self.variables.iter().all(|other| other.name != name), "there are two tensors `{name}`");
        self.variables.push(Variable { name, role, value, expect_zero: false });
        self
    }

    /// The function. It is evaluated in double precision on this device, which must be able to, with tensors of f64;
    /// constants that it creates must take their precision from [`Arguments::dtype`].
    ///
    /// The device is taken as it is: if it is one of autodiff, Burn's own layers behave as in training.
    pub fn forward<const D: usize>(
        mut self,
        device: &Device,
        forward: impl Fn(&Arguments<'_>) -> Tensor<D> + 'a,
    ) -> Self {
        let forward: TensorForward<'a> = Rc::new(move |arguments| Outcome::of(forward(arguments)));
        self.reference = Some(evaluate(&self.variables, device, &forward, DType::F64));
        (self.forward, self.recording, self.place) = (Some(forward), None, Some(device.clone()));
        self
    }

    /// [`forward`](Self::forward) of a function with kinks, which takes down what it decides: the signs at a ReLU, the
    /// argmax indices of a maximum.
    ///
    /// Without it, kinks are told from the slopes on both sides, which does not see one that is much nearer than the
    /// smallest step.
    ///
    /// ```
    /// # use backproof_gradcheck::{Check, Value};
    /// # use burn::tensor::{DType, Device, activation};
    /// # let device = Device::flex();
    /// // The second element lies 10⁻⁷ from the kink of the ReLU.
    /// let check = Check::new("relu").dtype(DType::F64).input("x", Value::new([3], vec![1.0, 1e-7, -1.0]));
    /// let check = check.forward_recording(&device, |t, kinks| {
    ///     let x = t.get::<1>("x");
    ///     kinks.signs(&x);
    ///     activation::relu(x)
    /// });
    /// assert_eq!(check.autodiff(&device).run().row("autodiff", "x").unwrap().kinks, 0);
    /// ```
    pub fn forward_recording<const D: usize>(
        self,
        device: &Device,
        forward: impl Fn(&Arguments<'_>, &Kinks) -> Tensor<D> + 'a,
    ) -> Self {
        let forward = Rc::new(forward);
        let (variables, place, f) = (self.variables.clone(), device.clone(), forward.clone());
        let mut check = self.forward(device, move |t| f(t, &Kinks::ignored()));
        check.recording = Some(Rc::new(move |values, kinks| {
            forward(&Arguments::new(&variables, values, None, &place, DType::F64), kinks).into()
        }));
        check
    }

    /// Burn's autodiff of the forward on this device as a source named `autodiff`. Its forward is held against the one
    /// in double precision.
    ///
    /// # Panics
    ///
    /// Panics if there is no forward yet.
    pub fn autodiff(self, device: &Device) -> Self {
        self.autodiff_as("autodiff", device)
    }

    /// [`autodiff`](Self::autodiff) under another name: one source for each backend.
    ///
    /// # Panics
    ///
    /// Panics if there is no forward yet.
    pub fn autodiff_as(self, name: &str, device: &Device) -> Self {
        let forward = self.forward.clone().expect("the forward comes before autodiff");
        let (variables, dtype) = (self.variables.clone(), self.dtype);
        let (first, f, place) = (variables.clone(), forward.clone(), device.clone());
        let mut source = GradientSource::new(name, unit_roundoff(dtype), move |values, cotangent| {
            let arguments = Arguments::new(&variables, values, Some(cotangent), &place, dtype).tracked();
            poison_device(&place, values, dtype);
            (f(&arguments).backward)(&arguments, cotangent)
        });
        let place = device.clone();
        source.forward = Some(Rc::new(move |values| {
            let arguments = Arguments::new(&first, values, None, &place, dtype).tracked();
            (forward(&arguments).output)()
        }));
        self.add(source)
    }

    /// A backward on tensors as a source: it gets the tensors and the cotangent on this device, in the precision under
    /// test and not tracked, and returns the gradients.
    pub fn source(self, name: &str, device: &Device, backward: impl Fn(&Arguments<'_>) -> Gradients + 'a) -> Self {
        let (variables, dtype, device) = (self.variables.clone(), self.dtype, device.clone());
        self.add(GradientSource::new(name, unit_roundoff(dtype), move |values, cotangent| {
            poison_device(&device, values, dtype);
            let arguments = Arguments::new(&variables, values, Some(cotangent), &device, dtype);
            backward(&arguments).in_order(&variables)
        }))
    }

    /// The forward of the source added last, if it has one of its own: it must agree with the check's.
    ///
    /// # Panics
    ///
    /// Panics if there is no source yet.
    pub fn source_forward<const D: usize>(
        mut self,
        device: &Device,
        forward: impl Fn(&Arguments<'_>) -> Tensor<D> + 'a,
    ) -> Self {
        let (variables, dtype, device) = (self.variables.clone(), self.dtype, device.clone());
        let source = self.sources.last_mut().expect("a source comes first");
        source.forward =
            Some(Rc::new(move |values| forward(&Arguments::new(&variables, values, None, &device, dtype)).into()));
        self
    }

    /// The unit round-off of the source added last, where it is not that of the precision: what
    /// [`measure_unit_roundoff`](crate::measure_unit_roundoff) finds.
    ///
    /// # Panics
    ///
    /// Panics if there is no source yet.
    pub fn source_roundoff(mut self, unit_roundoff: f64) -> Self {
        self.sources.last_mut().expect("a source comes first").unit_roundoff = unit_roundoff;
        self
    }

    /// Any other source. Its gradients are in the order in which the tensors were added.
    ///
    /// # Panics
    ///
    /// Panics if there is another one of this name.
    #[allow(clippy::should_implement_trait, reason = "a step of a builder, not a sum")]
    pub fn add(mut self, source: GradientSource<'a>) -> Self {
        assert!(self.sources.iter().all(|other| other.name != source.name), "two sources are named {}", source.name);
        self.sources.push(source);
        self
    }

    /// A backward that is wrong on purpose: a fault of this operation that was seen before or that is easy to make. It
    /// gets what a [`source`](Self::source) gets; tensors of which it returns no gradient are not changed by it.
    ///
    /// [`run_with_mutants`](Self::run_with_mutants) must find it out, and a source that is wrong in the same way is
    /// recognised by this name.
    ///
    /// ```
    /// # use backproof_gradcheck::{Check, Gradients, Value};
    /// # use burn::tensor::{Device, activation};
    /// # let device = Device::flex();
    /// let (report, mutants) = Check::new("tanh")
    ///     .input("x", Value::normal([4, 3], 7))
    ///     .forward(&device, |t| activation::tanh(t.get::<2>("x")))
    ///     .autodiff(&device)
    ///     .mutant("x in place of y = tanh(x)", &device, |t| {
    ///         Gradients::new().with("x", t.cotangent::<2>() * (-t.get::<2>("x").square() + 1))
    ///     })
    ///     .run_with_mutants();
    /// report.assert();
    /// mutants.assert();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is another one of this name.
    pub fn mutant(mut self, name: &str, device: &Device, backward: impl Fn(&Arguments<'_>) -> Gradients + 'a) -> Self {
        assert!(self.mutants.iter().all(|other| other.name != name), "two mutants are named {name}");
        let (variables, dtype, device) = (self.variables.clone(), self.dtype, device.clone());
        self.mutants.push(GradientSource::new(name, unit_roundoff(dtype), move |values, cotangent| {
            let arguments = Arguments::new(&variables, values, Some(cotangent), &device, dtype);
            backward(&arguments).in_order(&variables)
        }));
        self
    }

    /// How much is checked, as [`options`](Self::options) and [`seed`](Self::seed) said.
    pub fn own_options(&self) -> &Options {
        &self.options
    }

    /// The problem that this describes.
    ///
    /// # Panics
    ///
    /// Panics if there is no forward.
    pub fn problem(&self) -> Problem<'a> {
        let forward = self.reference.clone().expect("a check needs a forward");
        let single = self.forward.as_ref().zip(self.place.as_ref()).filter(|_| self.dtype != DType::F64);
        Problem {
            name: self.name.clone(),
            dtype: self.dtype,
            tensors: self.variables.clone(),
            forward,
            recording: self.recording.clone(),
            single: single.map(|(forward, place)| evaluate(&self.variables, place, forward, self.dtype)),
            sources: self.sources.clone(),
            mutants: self.mutants.clone(),
        }
    }

    /// Looks at everything.
    ///
    /// # Panics
    ///
    /// Panics if there is no forward.
    pub fn run(&self) -> Report {
        self.examine(|examination| examination.report().clone())
    }

    /// [`run`](Self::run), and the negative control.
    ///
    /// # Panics
    ///
    /// See [`run`](Self::run).
    pub fn run_with_mutants(&self) -> (Report, Mutants) {
        self.examine(|examination| (examination.report().clone(), examination.mutants()))
    }

    fn examine<T>(&self, then: impl FnOnce(&Examination<'_, 'a>) -> T) -> T {
        then(&self.problem().examine(&self.options))
    }
}

#[cfg(test)]
mod tests;
