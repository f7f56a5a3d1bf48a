//! What is checked: subjects, each with as many cases as one asks for.

use crate::point::Point;
use backproof_gradcheck::{Arguments, Check, Gradients, Options, Value};
use backproof_kernels::Isa;
use backproof_spec::stream_seed;
use burn::tensor::{DType, Device, Tensor};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::case_id::CaseId;

/// Where the code under test runs, and in which precision.
#[derive(Debug, Clone)]
pub struct Context {
    /// The device under test, without autodiff.
    pub device: Device,
    /// Where differences are taken, in double precision.
    pub reference: Device,
    /// The precision under test.
    pub dtype: DType,
    /// The unit round-off of the device in that precision, measured.
    pub unit_roundoff: f64,
    /// What all cases are drawn from.
    pub seed: u64,
    /// The instruction sets on which the CPU kernels are under test too; none on another backend or in another
    /// precision than theirs.
    pub kernels: Vec<Isa>,
    /// The point at which the case is looked at that is being made.
    pub case: CaseId,
}

/// A function with gradients: a layer, an operation of Burn.
pub(crate) struct Subject {
    /// Its name in the table and on the command line.
    pub(crate) name: &'static str,
    /// Makes a case from random numbers.
    pub(crate) generate: fn(&Context, &mut Draw) -> Case,
}

/// One point at which a subject is looked at.
pub(crate) struct Case {
    /// Shapes and options, for a person who wants to build the same.
    pub(crate) about: String,
    /// The check.
    pub(crate) check: Check<'static>,
}

impl Subject {
    /// The general case of this number.
    #[cfg(test)]
    pub(crate) fn case(&self, context: &Context, number: u64) -> Case {
        self.case_at(context, CaseId::general(number))
    }

    /// The case of this number at this point. It is a function of both, the name and the context alone. So a case by
    /// itself is the case among others, and the command that a failure prints replays it. A hard case draws what the
    /// general case of its number draws, and is changed then.
    pub(crate) fn case_at(&self, context: &Context, case: CaseId) -> Case {
        self.drawn_at(context, case).0
    }

    /// The same, with what it has taken down.
    pub(crate) fn drawn_at(&self, context: &Context, case: CaseId) -> (Case, Draw) {
        let context = Context { case, ..context.clone() };
        let mut draw = Draw { quarters: case.whole, ..Draw::new(context.seed, self.name, case.number) };
        let case = (self.generate)(&context, &mut draw);
        (case, draw)
    }
}

impl Context {
    /// A check in the precision under test. Its cotangents are the same for every case; the numbers of a case are not.
    pub(crate) fn check(&self, name: &str) -> Check<'static> {
        Check::new(name).dtype(self.dtype).options(self.options())
    }

    /// How much is checked unless a case says otherwise. At hard points every number is looked at, but fewer are
    /// differentiated.
    pub(crate) fn options(&self) -> Options {
        let options = Options { seed: self.seed, ..Options::default() };
        match self.case.point {
            Point::General => options,
            _ => Options { full: 12, quota: 12, cotangents: 2, jacobian: 128, ..options },
        }
    }

    /// With the tensors of the point in place of the general ones. The forward comes after it.
    pub(crate) fn at_point(&self, check: Check<'static>) -> Check<'static> {
        check.map_tensors(|tensors| self.case.apply(tensors, self.dtype))
    }

    /// Where Burn's autodiff runs.
    pub(crate) fn autodiff_device(&self) -> Device {
        match self.case.point {
            Point::Checkpointed => self.device.clone().autodiff().gradient_checkpointing(),
            _ => self.device.clone(),
        }
    }

    /// With the function, its differences in double precision, and Burn's autodiff of it on the device under test.
    pub(crate) fn autodiff<const E: usize>(
        &self,
        check: Check<'static>,
        forward: impl Fn(&Arguments<'_>) -> Tensor<E> + 'static,
    ) -> Check<'static> {
        let check = self.at_point(check).forward(&self.reference, forward);
        check.autodiff(&self.autodiff_device()).source_roundoff(self.unit_roundoff)
    }

    /// With a backward by hand on the device under test, and the forward that goes with it.
    pub(crate) fn manual<const E: usize>(
        &self,
        check: Check<'static>,
        forward: impl Fn(&Arguments<'_>) -> Tensor<E> + 'static,
        backward: impl Fn(&Arguments<'_>) -> Gradients + 'static,
    ) -> Check<'static> {
        check
            .source("manual", &self.device, backward)
            .source_forward(&self.device, forward)
            .source_roundoff(self.unit_roundoff)
    }

    /// With a backward that is wrong on purpose. It runs where the differences are taken.
    pub(crate) fn mutant(
        &self,
        check: Check<'static>,
        name: &str,
        backward: impl Fn(&Arguments<'_>) -> Gradients + 'static,
    ) -> Check<'static> {
        check.mutant(name, &self.reference, backward)
    }
}

/// The random numbers of one case, and what else an exercise must know of it.
pub(crate) struct Draw {
    random: ChaCha8Rng,
    /// Real numbers are quarters, for a pencil.
    quarters: bool,
    /// The options of the case by name: what a person who computes the same is told beside the tensors.
    pub(crate) options: Vec<(&'static str, Value)>,
    /// Backward passes that are right at smooth points, and follow another convention at kinks.
    pub(crate) conventions: Vec<(&'static str, OtherConvention)>,
}

/// The gradients of another convention.
pub(crate) type OtherConvention = Box<dyn Fn(&Arguments<'_>) -> Gradients>;

impl Draw {
    pub(crate) fn new(seed: u64, name: &str, number: u64) -> Self {
        let seed = stream_seed(seed, &format!("compare-gradients {name}"), number, 0);
        Self { random: ChaCha8Rng::from_seed(seed), quarters: false, options: Vec::new(), conventions: Vec::new() }
    }

    /// Takes down an option of the case.
    pub(crate) fn option(&mut self, name: &'static str, numbers: &[f64]) {
        let dims = if numbers.len() == 1 { vec![] } else { vec![numbers.len()] };
        self.options.push((name, Value::new(dims, numbers.to_vec())));
    }

    /// Takes down a pair, `[height, width]`.
    pub(crate) fn pair_option(&mut self, name: &'static str, pair: [usize; 2]) {
        self.option(name, &pair.map(|size| size as f64));
    }

    /// Takes down whether something holds, as 1 or 0.
    pub(crate) fn flag(&mut self, name: &'static str, holds: bool) {
        self.option(name, &[f64::from(u8::from(holds))]);
    }

    /// Takes down a backward that is right but at kinks, where it does not what the layer does.
    pub(crate) fn convention(&mut self, name: &'static str, backward: impl Fn(&Arguments<'_>) -> Gradients + 'static) {
        self.conventions.push((name, Box::new(backward)));
    }

    /// A whole number in the range.
    pub(crate) fn size(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        self.random.random_range(range)
    }

    /// Two of them, for height and width.
    pub(crate) fn pair(&mut self, range: std::ops::RangeInclusive<usize>) -> [usize; 2] {
        [self.size(range.clone()), self.size(range)]
    }

    /// Channels of an image: a few, and once in six more than the 16 that a kernel takes at once.
    pub(crate) fn channels(&mut self, few: std::ops::RangeInclusive<usize>) -> usize {
        if self.once_in(6) { self.size(17..=20) } else { self.size(few) }
    }

    /// A real number in the range.
    pub(crate) fn real(&mut self, range: std::ops::Range<f64>) -> f64 {
        let drawn = self.random.random_range(range.clone());
        let quarter = (4.0 * drawn).round() / 4.0;
        match self.quarters {
            false => drawn,
            true if range.start >= 0.0 => quarter.max(0.25),
            true => quarter,
        }
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: u32) -> bool {
        self.random.random_ratio(1, n)
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(&mut self.random).expect("there is something to pick from")
    }

    /// Seeds something else.
    pub(crate) fn seed(&mut self) -> u64 {
        self.random.random()
    }

    /// Normal numbers of deviation `scale`.
    pub(crate) fn normal(&mut self, dims: impl Into<Vec<usize>>, scale: f64) -> Value {
        let value = Value::normal(dims, self.seed());
        Value::new(value.dims(), value.data().iter().map(|x| scale * x).collect())
    }

    /// As [`normal`](Self::normal), but once in four whole numbers from −2 to 2: full of zeros and ties.
    pub(crate) fn values(&mut self, dims: impl Into<Vec<usize>>, scale: f64) -> Value {
        if !self.once_in(4) {
            return self.normal(dims, scale);
        }
        let dims = dims.into();
        let data = (0..dims.iter().product()).map(|_| f64::from(self.random.random_range(-2i32..=2))).collect();
        Value::new(dims, data)
    }

    /// How a tensor of rank 4 lies in memory.
    pub(crate) fn layout(&mut self) -> Layout {
        self.pick(&[Layout::Contiguous, Layout::Contiguous, Layout::Transposed, Layout::Sliced])
    }
}

/// How a tensor lies in memory: a kernel that assumes rows without gaps is right for the first only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row after row.
    Contiguous,
    /// With the axes exchanged.
    Transposed,
    /// A part of a larger tensor.
    Sliced,
}

impl Layout {
    /// The same values, lying so.
    pub(crate) fn arrange<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        let dims = tensor.dims();
        let (a, b) = (D.saturating_sub(2), D - 1);
        match self {
            Self::Contiguous => tensor,
            Self::Transposed => {
                // A tensor that is filled in with its axes exchanged, and then seen as before.
                let mut exchanged = dims;
                exchanged.swap(a, b);
                let empty = Tensor::zeros(exchanged, (&tensor.device(), tensor.dtype()));
                let all: [std::ops::Range<usize>; D] = exchanged.map(|size| 0..size);
                empty.slice_assign(all, tensor.swap_dims(a, b)).swap_dims(a, b)
            }
            Self::Sliced => {
                let wide = dims.map(|size| size + 2);
                let around = Tensor::full(wide, 7.0, (&tensor.device(), tensor.dtype()));
                let inside: [std::ops::Range<usize>; D] = dims.map(|size| 1..size + 1);
                around.slice_assign(inside.clone(), tensor).slice(inside)
            }
        }
    }

    /// For the description of a case.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Contiguous => "",
            Self::Transposed => ", transposed in memory",
            Self::Sliced => ", a slice of a larger tensor",
        }
    }
}

/// `2×3×8×8`.
pub(crate) fn shape(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// `3×2`, or `3` if both are.
pub(crate) fn extent([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { format!("{height}×{width}") }
}
