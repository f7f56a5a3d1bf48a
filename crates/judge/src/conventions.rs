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

/// Whether an answer for the tensor of this number, which is right but for kinks, follows the convention.
pub(crate) fn other(truth: &LayerTruth, tensor: usize, answer: &Value, unit_roundoff: f64) -> Option<OtherConvention> {
    let wanted = truth.gradients().into_iter().nth(tensor)??;
    let largest = wanted.data().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    // What is right is this near; what another side of a kink gives is not.
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * largest + 1e4 * unit_roundoff * largest;
    let equal = |other: &Value| other.data().iter().zip(answer.data()).all(|(&a, &b)| near(a, b));
    let pairs = || wanted.data().iter().zip(answer.data()).enumerate();
    let wrong: Vec<usize> = pairs().filter(|(_, (a, b))| !near(**a, **b)).map(|(index, _)| index).collect();
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
