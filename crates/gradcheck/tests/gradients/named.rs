//! Mutants that know the operation: tried as a negative control, and recognised in a wrong source.

use backproof_gradcheck::{Arguments, Check, Gradients, Mutant, Mutants, Value, Verdict};
use burn::tensor::activation;

use crate::common::*;

/// `y_o = Σ_k x_{so + dk} w_k` of 12 inputs and 3 weights, for a stride `s` and a dilation `d`.
#[derive(Clone, Copy)]
struct Convolution {
    stride: usize,
    dilation: usize,
}

impl Convolution {
    fn outputs(self) -> usize {
        (12 - 2 * self.dilation - 1) / self.stride + 1
    }

    fn check(self) -> Check<'static> {
        Check::new("convolution").input("x", Value::normal([12], 1)).parameter("w", Value::normal([3], 2)).forward(
            &device(),
            move |t| {
                let (x, w) = (t.get::<1>("x"), t.get::<1>("w"));
                let at = |k: usize| {
                    let from = self.dilation * k;
                    let until = (from + self.stride * (self.outputs() - 1) + 1).min(12);
                    let every = x.clone().slice(burn::tensor::s![from..until; self.stride as isize]);
                    every * w.clone().narrow(0, k, 1)
                };
                at(0) + at(1) + at(2)
            },
        )
    }

    /// Reads what lies in the tensors if the indices lead out of them, as a kernel would.
    fn backward(self) -> impl Fn(&Arguments<'_>) -> Gradients {
        move |t| {
            let (x, w, g) = (t.value("x").data(), t.value("w").data(), t.cotangent_value().data());
            let (mut dx, mut dw) = (vec![0.0; 12], vec![0.0; 3]);
            for (o, g) in g.iter().enumerate() {
                for k in 0..3 {
                    let i = (self.stride * o + self.dilation * k) % 12;
                    dx[i] += g * w[k];
                    dw[k] += g * x[i];
                }
            }
            Gradients::new().with("x", Value::new([12], dx)).with("w", Value::new([3], dw))
        }
    }
}

fn swapped(it: Convolution) -> Convolution {
    Convolution { stride: it.dilation, dilation: it.stride }
}

#[test]
fn swapped_stride_and_dilation_are_found_out_and_recognised() {
    let it = Convolution { stride: 2, dilation: 3 };
    let with_mutants = |check: Check<'static>| {
        check.mutant("stride and dilation swapped", &device(), swapped(it).backward()).mutant(
            "stride ignored",
            &device(),
            Convolution { stride: 1, ..it }.backward(),
        )
    };
    let (report, mutants) = with_mutants(it.check().autodiff(&device())).run_with_mutants();
    report.assert();
    mutants.assert();
    let named: Vec<&Mutant> = mutants.tried.iter().filter(|mutant| mutant.source == Mutant::NAMED).collect();
    assert_eq!(named.len(), 2, "{mutants}");
    assert_eq!(named[0].to_string(), "formula/x, w: stride and dilation swapped");

    for (wrong, name) in
        [(swapped(it), "stride and dilation swapped"), (Convolution { stride: 1, ..it }, "stride ignored")]
    {
        let report = with_mutants(it.check()).source("manual", &device(), wrong.backward()).run();
        for tensor in ["x", "w"] {
            assert_eq!(report.row("manual", tensor).unwrap().diagnosis.as_deref(), Some(name), "{report}");
        }
    }
}

#[test]
fn a_fault_that_is_no_named_mutant_keeps_its_general_diagnosis() {
    let it = Convolution { stride: 2, dilation: 3 };
    let check = it.check().mutant("stride and dilation swapped", &device(), swapped(it).backward());
    let report = check.source("manual", &device(), move |t| it.backward()(t).with("w", t.value("w").clone())).run();
    let row = report.row("manual", "w").unwrap();
    assert_eq!(row.verdict, Verdict::Mismatch);
    assert!(!row.diagnosis.as_deref().unwrap().contains("swapped"), "{report}");
}

#[test]
fn a_mutant_that_changes_nothing_is_left_out() {
    let it = Convolution { stride: 2, dilation: 2 };
    let check = it.check().autodiff(&device());
    let (_, mutants) =
        check.mutant("stride and dilation swapped", &device(), swapped(it).backward()).run_with_mutants();
    assert!(mutants.tried.iter().all(|mutant| mutant.source != Mutant::NAMED), "{mutants}");
    assert_eq!(mutants.left_out[0].mutation, "stride and dilation swapped");
    mutants.assert();
}

#[test]
fn a_mutant_that_panics_is_left_out_and_says_why() {
    let check = Convolution { stride: 1, dilation: 1 }.check().autodiff(&device());
    let check = check.mutant("misspelt", &device(), |t| Gradients::new().with("v", t.get::<1>("x")));
    let (report, mutants) = check.run_with_mutants();
    report.assert();
    mutants.assert();
    assert!(mutants.to_string().contains("left out: misspelt: it panicked: there is no tensor `v`"), "{mutants}");
}

#[test]
fn the_tensors_that_a_mutant_returns_nothing_for_are_unchanged() {
    let (_, mutants) = linear_manual_check()
        .mutant("the bias is summed over the wrong axis", &device(), |t| {
            let g = t.cotangent::<2>();
            Gradients::new().with("b", g.slice([0..3, 0..3]).sum_dim(1).reshape([3]))
        })
        .run_with_mutants();
    assert_eq!(mutants.tried.last().unwrap().tensor, "b");
    mutants.assert();
}

fn linear_manual_check() -> Check<'static> {
    linear(burn::tensor::DType::F32).source("manual", &device(), linear_manual)
}

#[test]
fn a_mutant_is_judged_as_the_least_exact_source_would_be() {
    let slightly = |t: &Arguments<'_>| Gradients::new().with("x", t.cotangent::<2>() * t.get::<2>("x").exp() * 1.0001);
    let check = || {
        let check = Check::new("exp").input("x", Value::normal([4, 5], 1));
        check.forward(&device(), |t| t.get::<2>("x").exp()).autodiff(&device()).mutant("slightly", &device(), slightly)
    };
    let named = |mutants: Mutants| mutants.tried.last().unwrap().clone();
    assert!(named(check().run_with_mutants().1).killed);
    let coarse = |bits: i32| {
        let check = check().autodiff_as("coarse", &device()).source_roundoff(2f64.powi(-bits));
        let (report, mutants) = check.run_with_mutants();
        (report.verdict("coarse", "x").unwrap(), named(mutants).killed)
    };
    assert_eq!(coarse(16), (Verdict::Pass, false), "a ten-thousandth may be round-off");
    assert_eq!(coarse(4), (Verdict::Unresolved, true), "what cannot prove the truth does not judge");
}

#[test]
fn the_tanh_approximation_in_a_gelu_is_recognised() {
    let approximate = |t: &Arguments<'_>| {
        let (x, root) = (t.get::<2>("x"), (2.0 / std::f64::consts::PI).sqrt());
        let tanh = ((x.clone() + x.clone().powi_scalar(3) * 0.044715) * root).tanh();
        let slope = (-tanh.clone().square() + 1) * (x.clone().square() * (3.0 * 0.044715) + 1) * root;
        Gradients::new().with("x", t.cotangent::<2>() * ((tanh + 1) + x * slope) * 0.5)
    };
    // As a backend would compute it: other operations, other roundings.
    let kernel = |t: &Arguments<'_>| {
        let pairs = t.value("x").data().iter().zip(t.cotangent_value().data());
        let slope = |x: f32| {
            let tanh = (0.797_884_6 * x * (1.0 + 0.044715 * x * x)).tanh();
            0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * 0.797_884_6 * (1.0 + 0.134_145 * x * x)
        };
        Gradients::new().with("x", Value::new([5, 6], pairs.map(|(&x, g)| g * f64::from(slope(x as f32))).collect()))
    };
    let report = Check::new("gelu")
        .input("x", Value::normal([5, 6], 1))
        .forward(&device(), |t| activation::gelu(t.get::<2>("x")))
        .mutant("the tanh approximation is differentiated", &device(), approximate)
        .source("kernel", &device(), kernel)
        .run();
    let diagnosis = report.row("kernel", "x").unwrap().diagnosis.as_deref();
    assert_eq!(diagnosis, Some("the tanh approximation is differentiated"), "{report}");
    assert!(report.to_string().contains("looks like: the tanh approximation is differentiated"), "{report}");
}

#[test]
fn controls_of_many_cases_become_one() {
    let control = |dilation| {
        let it = Convolution { stride: 2, dilation };
        let check = it.check().autodiff(&device()).mutant("swapped", &device(), swapped(it).backward());
        check.run_with_mutants().1
    };
    let (applies, idle) = (control(3), control(2));
    let both: Mutants = [applies.clone(), idle.clone()].into_iter().collect();
    assert_eq!(both.tried.len(), applies.tried.len() + idle.tried.len());
    assert_eq!(both.left_out.len(), 1);
    let named: Mutants = both.tried.iter().filter(|mutant| mutant.source == Mutant::NAMED).cloned().collect();
    assert_eq!(named.tried.len(), 1);
    let json = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<Mutants>(&json).unwrap(), both);
    assert!(json.contains(r#"{"source":"formula","tensor":"x, w","mutation":"swapped","killed":true}"#), "{json}");
}
