use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Check, Gradients, Report};
use burn::tensor::DType;

use super::{device, row};

#[track_caller]
fn without_panic(run: impl FnOnce() -> Report) -> Report {
    catch_unwind(AssertUnwindSafe(run)).expect("the check does not panic")
}

#[test]
fn a_panic_in_a_source_is_told_by_its_name() {
    let report = without_panic(|| {
        let check = Check::new("square").input("x", row(&[1.0, 2.0])).forward(&device(), |t| t.get::<2>("x").square());
        let check = check.autodiff(&device());
        check.source("hasty", &device(), |t| -> Gradients { panic!("no kernel for {:?}", t.dtype()) }).run()
    });
    let told = report.to_string();
    assert!(!report.proven && told.contains("hasty") && told.contains("no kernel for"), "{told}");
    assert!(report.verdict("autodiff", "x").unwrap().proven(), "the other source is judged: {told}");
}

#[test]
fn a_panic_in_the_function_is_told() {
    let report = without_panic(|| {
        let check = Check::new("square").input("x", row(&[1.0, 2.0]));
        let check = check.forward(&device(), |t| {
            assert_eq!(t.dtype(), DType::F32, "only in single precision");
            t.get::<2>("x").square()
        });
        check.autodiff(&device()).run()
    });
    assert!(report.to_string().contains("only in single precision"), "{report}");
}

/// Steps reach below zero, where the function panics; nobody asked for it there.
#[test]
fn a_function_that_panics_outside_of_its_domain_is_differentiated_inside() {
    for least in [0.5, 1e-3, 1e-9] {
        let report = without_panic(|| {
            let check = Check::new("logarithm").input("x", row(&[least, 2.0, 1.0]));
            let check = check.forward(&device(), |t| {
                assert!(t.value("x").data().iter().all(|x| *x > 0.0), "a logarithm of what is not positive");
                t.get::<2>("x").log()
            });
            check.autodiff(&device()).run()
        });
        assert!(report.proven, "{report}");
    }
}

/// A source is also run beside the point, where it may refuse.
#[test]
fn a_source_that_panics_outside_of_its_domain_is_judged_inside() {
    let report = without_panic(|| {
        let check = Check::new("square").input("x", row(&[1.0, 0.25, 0.5]));
        let check = check.forward(&device(), |t| t.get::<2>("x").square());
        let check = check.source("of probabilities", &device(), |t| {
            assert!(t.value("x").data().iter().all(|x| (0.0..=1.0).contains(x)), "not a probability");
            Gradients::new().with("x", t.get::<2>("x") * t.cotangent::<2>() * 2)
        });
        check.run()
    });
    assert!(report.proven, "{report}");
}
