use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

fn check() -> Check<'static> {
    Check::new("check").input("x", Value::full([1], 1.0))
}

fn panics<T>(step: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(step)).is_err()
}

#[test]
fn options_seed_and_precision_are_those_given() {
    let options = Options { quota: 7, ..Options::default() };
    let check = check().options(options.clone()).seed(5);
    assert_eq!(*check.own_options(), Options { seed: 5, ..options });
    assert_eq!(check.dtype(DType::F64).forward(&Device::flex(), |t| t.get::<1>("x")).problem().dtype, DType::F64);
}

#[test]
fn tensors_and_precision_come_before_what_needs_them() {
    let source = || GradientSource::new("source", 0.0, |_, _| vec![None]);
    let with_mutant = || check().mutant("mutant", &Device::flex(), |_| Gradients::new());
    let with_forward = || check().forward(&Device::flex(), |t| t.get::<1>("x"));
    assert!(!panics(|| check().dtype(DType::F64).input("y", Value::full([1], 1.0))));
    for late in [check().add(source()), with_mutant(), with_forward()] {
        assert!(panics(|| late.clone().input("y", Value::full([1], 1.0))));
        assert!(panics(|| late.clone().map_tensors(|_| {})));
    }
    assert!(panics(|| check().add(source()).dtype(DType::F64)) && panics(|| with_mutant().dtype(DType::F64)));
}

#[test]
fn names_are_unique() {
    let source = || GradientSource::new("source", 0.0, |_, _| vec![None]);
    assert!(panics(|| check().input("x", Value::full([1], 1.0))));
    assert!(panics(|| check().add(source()).add(source())));
    let mutant = |check: Check<'static>| check.mutant("mutant", &Device::flex(), |_| Gradients::new());
    assert!(panics(|| mutant(mutant(check()))));
}
