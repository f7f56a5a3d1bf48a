//! Memory that is read before it is written, in a program that has the poisoning allocator.

use std::hint::black_box;

use backproof_gradcheck::{Arguments, Check, Gradients, PoisonAllocator, Report, Value, Verdict};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, activation};

#[global_allocator]
static ALLOCATOR: PoisonAllocator = PoisonAllocator;

/// A mebibyte of f64: the system maps fresh pages for it, which hold zeros, so that nobody notices that it was never
/// written.
const LENGTH: usize = 1 << 17;

/// A vector that nobody has written to.
fn forgotten(length: usize) -> Vec<f64> {
    let mut scratch = Vec::with_capacity(length);
    // SAFETY: there is none to speak of, and that is the fault under test: the elements are not initialised. Every bit
    // pattern is an f64, and the pointer goes through a black box, so that the compiler has to take it that somebody
    // wrote there, as the allocator indeed did.
    unsafe { black_box(&mut scratch).set_len(length) };
    black_box(scratch)
}

/// `x²`, with a backward that adds what `rest` returns: zero, if memory is what it should be.
fn square(rest: impl Fn() -> f64 + 'static) -> Report {
    let backward = move |t: &Arguments<'_>| {
        let rest = rest();
        let pairs = t.value("x").data().iter().zip(t.cotangent_value().data());
        Gradients::new().with("x", Value::new([4, 5], pairs.map(|(x, g)| 2.0 * x * g + rest).collect()))
    };
    let check = Check::new("square").dtype(DType::F64).input("x", Value::normal([4, 5], 1));
    let check = check.forward(&Device::flex(), |t| t.get::<2>("x").square());
    check.source("manual", &Device::flex(), backward).run()
}

fn verdict(rest: impl Fn() -> f64 + 'static) -> Verdict {
    square(rest).verdict("manual", "x").unwrap()
}

fn shows(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::NonFinite | Verdict::NonDeterministic)
}

#[test]
fn memory_that_was_never_written_is_noticed() {
    assert!(shows(verdict(|| forgotten(LENGTH)[12_345])));
    assert!(shows(verdict(|| forgotten(3)[1])));
}

#[test]
fn a_maximum_that_ignores_nan_sees_the_large_numbers() {
    assert!(shows(verdict(|| forgotten(LENGTH).into_iter().fold(0.0, f64::max))));
}

#[test]
fn memory_of_another_thread_is_noticed() {
    assert!(shows(verdict(|| std::thread::spawn(|| forgotten(LENGTH)[777]).join().unwrap())));
}

#[test]
fn the_grown_end_of_a_vector_is_noticed_and_its_beginning_kept() {
    let grown = || {
        let mut scratch = vec![0.0; 10];
        scratch.reserve_exact(LENGTH);
        // SAFETY: as in `forgotten`.
        unsafe { black_box(&mut scratch).set_len(LENGTH) };
        black_box(scratch)
    };
    assert!(shows(verdict(move || grown()[10])));
    assert!(shows(verdict(move || grown()[LENGTH - 1])));
    assert_eq!(verdict(move || grown()[..10].iter().sum()), Verdict::Pass);
}

#[test]
fn zeroed_and_written_memory_is_what_it_should_be() {
    assert_eq!(verdict(|| black_box(vec![0.0; LENGTH]).into_iter().sum()), Verdict::Pass);
    assert_eq!(
        verdict(|| (0..LENGTH).map(|i| black_box(0.0 * i as f64)).collect::<Vec<_>>().iter().sum()),
        Verdict::Pass
    );
}

#[test]
fn checks_in_many_threads_do_not_disturb_each_other() {
    let threads: Vec<_> = (0..8)
        .map(|number| {
            std::thread::spawn(move || match number % 2 {
                0 => assert_eq!(verdict(|| vec![0.0; 100][50]), Verdict::Pass),
                _ => assert!(shows(verdict(|| forgotten(LENGTH)[50]))),
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_source_that_panics_leaves_no_garbage_behind() {
    assert_eq!(verdict(|| panic!("as it should")), Verdict::Panicked);
    assert_eq!(verdict(|| 0.0), Verdict::Pass);
}

#[test]
fn burns_own_operations_read_nothing_that_they_did_not_write() {
    let report = Check::new("network")
        .input("x", Value::normal([2, 2, 7, 6], 1))
        .parameter("v", Value::normal([3, 2, 3, 3], 2))
        .parameter("w", Value::normal([18, 4], 3))
        .forward(&Device::flex(), |t| {
            let z = conv2d(t.get("x"), t.get("v"), None, ConvOptions::new([1, 1], [1, 1], [1, 1], 1));
            let pooled = max_pool2d(activation::tanh(z), MaxPoolOptions::new([3, 2]).with_stride([3, 2]));
            activation::softmax(pooled.flatten::<2>(1, 3).matmul(t.get("w")), 1)
        })
        .autodiff(&Device::flex())
        .run();
    report.assert();
}
