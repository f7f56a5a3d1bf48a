//! At a kink more than one gradient is right. The exercise says which it asks for; this tells an answer of another
//! convention, and by its name.

use backproof_gradcheck::{GradientSource, Value};

use crate::case::LayerTruth;

/// An element that does not follow the convention, and what is known of it.
pub(crate) struct OtherConvention {
    pub(crate) index: usize,
    pub(crate) wanted: f64,
    pub(crate) wrong: usize,
    pub(crate) diagnosis: String,
}

/// What is right is this near to ours, of which `largest` is the largest; what another side of a kink gives is not.
fn near(a: f64, b: f64, largest: f64, unit_roundoff: f64) -> bool {
    (a - b).abs() <= 1e-9 * largest + 1e4 * unit_roundoff * largest
}

fn largest(value: &Value) -> f64 {
    value.data().iter().fold(0.0f64, |largest, x| largest.max(x.abs()))
}

/// The elements of an answer for the tensor of this number that are not ours.
pub(crate) fn unlike(truth: &LayerTruth, tensor: usize, answer: &Value, unit_roundoff: f64) -> Vec<usize> {
    let Some(wanted) = truth.gradients().into_iter().nth(tensor).flatten() else { return Vec::new() };
    let most = largest(&wanted);
    let pairs = wanted.data().iter().zip(answer.data()).enumerate();
    pairs.filter(|(_, (a, b))| !near(**a, **b, most, unit_roundoff)).map(|(index, _)| index).collect()
}

/// Whether an answer for the tensor of this number, which is right but for kinks, follows the convention.
pub(crate) fn other(truth: &LayerTruth, tensor: usize, answer: &Value, unit_roundoff: f64) -> Option<OtherConvention> {
    let wanted = truth.gradients().into_iter().nth(tensor)??;
    let most = largest(&wanted);
    let equal = |other: &Value| other.data().iter().zip(answer.data()).all(|(&a, &b)| near(a, b, most, unit_roundoff));
    let wrong = unlike(truth, tensor, answer, unit_roundoff);
    let index = *wrong.first()?;
    let of = |source: &GradientSource<'static>| {
        let gradients = (source.backward)(&truth.values(), &truth.cotangent);
        gradients.into_iter().nth(tensor).flatten().is_some_and(|other| equal(&other)).then(|| source.name.clone())
    };
    let diagnosis = truth.conventions.iter().find_map(of).unwrap_or_else(|| {
        "right as a subgradient, and not the one that the exercise asks for: look at equal values and at zeros".into()
    });
    Some(OtherConvention { index, wanted: wanted.data()[index], wrong: wrong.len(), diagnosis })
}
