//! Proves gradients.
//!
//! A backward pass is a claim: *these numbers are the derivatives of that function*. This crate holds such claims, as
//! many as there are for one function (a formula derived by hand, Burn's autodiff, a kernel), against finite
//! differences, and says of each whether it is proven, wrong, or not decided. It works for any Burn module, for
//! closures over tensors, and for code that knows no tensors.
//!
//! ```
//! use backproof_gradcheck::{Check, Gradients, Value};
//! use burn::tensor::{Device, activation};
//!
//! let device = Device::flex();
//! let report = Check::new("tanh")
//!     .input("x", Value::normal([4, 3], 7))
//!     .forward(&device, |t| activation::tanh(t.get::<2>("x")))
//!     .autodiff(&device)
//!     .source("manual", &device, |t| {
//!         let y = activation::tanh(t.get::<2>("x"));
//!         Gradients::new().with("x", t.cotangent::<2>() * (-y.square() + 1))
//!     })
//!     .run();
//! println!("{report}");
//! report.assert();
//! ```
//!
//! [`check`] and [`assert_gradients!`] do this for a module. [`Check::run_with_mutants`] also shows that wrong
//! gradients would have been noticed.
//!
//! # The differences are taken in double precision
//!
//! A central difference in single precision is off by 10⁻⁴ of the gradient at its best step: too much to tell a right
//! f32 gradient from a wrong one. So the inputs are rounded to the precision under test, those numbers are taken as
//! exact, and the function is differentiated in f64 at them. Two steps, `h` and `h/2`, give the central differences
//! `D_h` and `D_{h/2}` with errors of order `h²`; `D_R = (4 D_{h/2} − D_h) / 3` has one of order `h⁴`.
//!
//! Steps belong to the element: they are relative to its own magnitude (`levels.rs`, `difference.rs`). A difference is
//! believed if `D_R` and `D_h` agree to a millionth of its terms or to the noise, and no shorter step contradicts it.
//! Where none is, other scales are tried, and then the verdict is [`Unresolved`](Verdict::Unresolved). What looks wrong
//! is looked at again with every step before it is called so.
//!
//! The caller names the device on which this is done, whatever the device under test is.
//!
//! Differences are taken in the same process. Burn's default precision is process-wide, which could be a reason for
//! another process; but every tensor of a check is made with its precision named, and a function that computed in less
//! would make differences too noisy to prove anything.
//!
//! A function that panics in f64, since it makes tensors in the default precision, is differentiated in [the precision
//! under test](Problem::single).
//!
//! # Every element has its own tolerance
//!
//! ```text
//! tol = |D_R − D_h|  +  noise of the outputs / h  +  c · u · A
//! ```
//!
//! The first term bounds the truncation error, the second the round-off of the differences (the noise is measured, see
//! `noise.rs`), the third that of the code under test: `u` is its unit round-off, `A` the magnitude of what the element
//! adds up, `Σ_o |w_o ∂f_o/∂x_i|`, which the differences yield on the way. Only outputs that the element moves count,
//! so that a large neighbour excuses nothing. A gradient that is what is left of a cancellation carries errors that `A`
//! does not show; so what would be a mismatch is judged again, allowing for what the source's own gradient changes by
//! when the tensors are scaled by a few units in the last place. `judge.rs` has the formula in full.
//!
//! Where `tol` is more than a tenth of the gradient, the verdict is never a pass, unless it is small beside what the
//! outputs do otherwise: then the gradient is zero as far as anybody can say. A tensor that the function is seen not to
//! move with has a gradient of zero, and that is proven; if nothing moves at all it is
//! [`Unobservable`](Verdict::Unobservable), unless [`Check::expect_zero`] says that it is right.
//!
//! # The objective is `⟨w, f⟩` with random `w`
//!
//! Under `Σf` the gradients of a softmax and of a batch norm vanish, and any backward that returns zeros passes. Random
//! signs see everything with probability one half each, and magnitudes between 2⁻¹⁰ and 2⁶ see a backward that takes
//! the sign of the incoming gradient, clamps it or forgets it. Several are used, and every output by itself where that
//! is cheap. Beside that, every source must be linear in `w` (`linear.rs`).
//!
//! # Kinks
//!
//! At a kink (`relu` at 0, a tie in a maximum) the derivatives from the left and from the right differ and a central
//! difference is their mean, however small the step. There a gradient between the two is accepted and counted; one
//! outside is a mismatch, unless the function has it at smooth points nearby (`subgradients.rs`). Elements that share a
//! kink are also moved together: in the direction in which the function is smooth, one difference says what their
//! gradients must add up to (`ties.rs`).
//!
//! Kinks are told from the slopes on both sides with the shortest steps, or, if the forward [records what it
//! decided](Check::forward_recording), by comparing decisions: then a step that crosses a kink is seen for certain, and
//! the gradient is proven down to a distance of about 10⁻⁸ from one.
//!
//! # Large tensors
//!
//! Of more than 256 elements some are chosen; a line through all of them must have the slope that the whole gradient
//! says, and leads to an element that is wrong if it has not (`whole.rs`).
//!
//! # What is checked first
//!
//! That the forwards agree, since a right gradient of another function is wrong; that every source gives the same bits
//! twice, over memory that was filled with garbage and freed in between, and once more after it was at other points;
//! that everything is finite; that the function is still the same after the sources have run. A program with the
//! [`PoisonAllocator`] runs every source over garbage for certain. A closure that panics is told by the name of its
//! source.
//!
//! # When it fails
//!
//! The report shows the worst element with every source's value, the terms of the tolerance, the error against the step
//! (an error that stays is a bug), which side is the odd one out, and what the mismatch looks like: a known fault of
//! this operation by its name ([`Check::mutant`]), or a lost `1/N`, a flipped sign, a transposed matrix, a wrong
//! channel.
#![warn(missing_docs)]

mod allocator;
mod arguments;
mod branches;
mod caught;
mod check;
mod combined;
mod control;
mod cotangent;
mod diagnosis;
mod difference;
mod display;
mod examination;
mod examine;
mod excuses;
mod forwards;
mod judge;
mod judgement;
mod kinks;
mod levels;
mod line;
mod linear;
mod measure;
mod module;
mod mutants;
mod mutation;
mod named;
mod noise;
mod options;
mod patterns;
mod place;
mod poison;
mod precision;
mod problem;
mod random;
mod report;
mod roundoff;
mod rows;
mod runs;
mod select;
mod spread;
mod subgradients;
mod sweep;
mod symptoms;
mod tensors;
mod ties;
mod value;
mod verdict;
mod whole;
mod words;

pub use allocator::PoisonAllocator;
pub use arguments::{Arguments, Gradients};
pub use check::Check;
pub use examination::Examination;
pub use kinks::Kinks;
pub use module::{check, check_module, module_at};
pub use mutants::{LeftOut, Mutant, Mutants};
pub use mutation::Mutation;
pub use options::Options;
pub use poison::poison_device;
pub use problem::{Backward, Forward, GradientSource, Problem, RecordingForward, Role, Variable};
pub use report::{ErrorCurve, ForwardRow, Report, Row, Tolerance, Worst};
pub use roundoff::{measure_unit_roundoff, unit_roundoff};
pub use value::Value;
pub use verdict::Verdict;

/// The code in the guide is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/check-your-own.md")]
struct Guide;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
