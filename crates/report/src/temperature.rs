//! Temperature scaling: one number by which logits are divided, so that probabilities are what they say.

use backproof_train::{Measures, Prediction};
use serde::Serialize;

/// Temperatures beyond these ends are not looked for.
const RANGE: [f64; 2] = [0.01, 100.0];
/// In place of a probability of 0, whose logarithm is not finite. Softmax in double precision gives 0 to what is less.
const LEAST: f64 = 1e-300;

/// What a temperature does to the probabilities of the test images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Temperature {
    pub(crate) temperature: f64,
    /// How many validation images it was fitted on; `None` where it was fitted on the test images themselves.
    pub(crate) validation_images: Option<usize>,
    /// The mean of −ln p of the true class of the test images, before and after.
    pub(crate) losses: [f64; 2],
    /// The expected calibration error of the test images, before and after.
    pub(crate) errors: [f64; 2],
}

impl Temperature {
    /// The temperature T that minimises the mean of −ln softmax(z/T) on the validation images, or else on the test
    /// images (Guo et al., *On calibration of modern neural networks*, ICML 2017, section 4.2). `None` where no
    /// temperature does, as of images that are all classified correctly.
    ///
    /// `None` too of so many classes that not every probability is kept. The logits are not kept either. Logarithms of
    /// probabilities of a softmax are the logits less one number for each image, which changes no softmax.
    pub(crate) fn fitted(test: &[Prediction], validation: Option<&[Prediction]>) -> Option<Self> {
        if test.iter().chain(validation.unwrap_or_default()).any(|prediction| prediction.every().is_none()) {
            return None;
        }
        let temperature = fit(validation.unwrap_or(test))?;
        let scaled: Vec<Prediction> = test.iter().map(|prediction| scaled(prediction, temperature)).collect();
        let loss = |predictions: &[Prediction]| {
            let each = |it: &Prediction| -it.of_label().max(LEAST).ln();
            predictions.iter().map(each).sum::<f64>() / predictions.len() as f64
        };
        let error = |predictions: &[Prediction]| Measures::of(&[], predictions).expected_calibration_error;
        Some(Self {
            temperature,
            validation_images: validation.map(<[Prediction]>::len),
            losses: [loss(test), loss(&scaled)],
            errors: [error(test)?, error(&scaled)?],
        })
    }
}

/// The probabilities of a prediction that has them all.
fn every(prediction: &Prediction) -> &[f64] {
    prediction.every().unwrap_or_default()
}

/// By Newton's method on β = 1/T, in which the loss is convex; within a bracket, which is halved where a step leaves it.
fn fit(predictions: &[Prediction]) -> Option<f64> {
    let [mut low, mut high] = [1.0 / RANGE[1], 1.0 / RANGE[0]];
    if predictions.is_empty() || slopes(predictions, low)[0] >= 0.0 || slopes(predictions, high)[0] <= 0.0 {
        return None;
    }
    let mut beta = 1.0;
    for _ in 0..100 {
        let [slope, curvature] = slopes(predictions, beta);
        *(if slope > 0.0 { &mut high } else { &mut low }) = beta;
        let newton = beta - slope / curvature;
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        let is_there = (next / beta - 1.0).abs() < 1e-9;
        beta = next;
        if is_there {
            break;
        }
    }
    Some(1.0 / beta)
}

/// The first and the second derivative of the mean of ln Σ exp(β z) − β z_label with respect to β.
fn slopes(predictions: &[Prediction], beta: f64) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for prediction in predictions {
        let logarithms: Vec<f64> = every(prediction).iter().map(|p| p.max(LEAST).ln()).collect();
        let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Σ e^{β(z − z_max)} (z − z_max)^n for n of 0, 1 and 2.
        let mut moments = [0.0; 3];
        for logarithm in &logarithms {
            let below = logarithm - largest;
            let weight = (beta * below).exp();
            moments[0] += weight;
            moments[1] += weight * below;
            moments[2] += weight * below * below;
        }
        let mean = moments[1] / moments[0];
        sums[0] += mean - (logarithms[prediction.label] - largest);
        sums[1] += moments[2] / moments[0] - mean * mean;
    }
    sums.map(|sum| sum / predictions.len() as f64)
}

/// The prediction with its probabilities to the power of 1/T, so that they sum to 1.
fn scaled(prediction: &Prediction, temperature: f64) -> Prediction {
    let largest = every(prediction).iter().copied().fold(0.0, f64::max);
    let powers = every(prediction).iter().map(|p| (p / largest).powf(1.0 / temperature));
    let mut probabilities: Vec<f64> = powers.collect();
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|p| *p /= sum);
    Prediction { probabilities: probabilities.into(), ..prediction.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: usize, probabilities: [f64; 2]) -> Prediction {
        Prediction { index: 0, label, predicted: 0, probabilities: probabilities.to_vec().into(), loss: 0.0 }
    }

    /// Of 4 images with odds of 9 to 1, 3 are right: the probability that fits is 3/4, with odds of 3. So T = ln 9 / ln 3.
    #[test]
    fn the_temperature_makes_confidence_the_share_that_is_right() {
        let of = |label: usize| prediction(label, [0.9, 0.1]);
        let test = [of(0), of(0), of(0), of(1)];
        let found = Temperature::fitted(&test, None).unwrap();
        assert!((found.temperature - 2.0).abs() < 1e-8, "{found:?}");
        assert_eq!(found.validation_images, None);
        let entropy = -(0.75 * 0.75_f64.ln() + 0.25 * 0.25_f64.ln());
        assert!((found.losses[1] - entropy).abs() < 1e-8 && found.losses[1] < found.losses[0], "{found:?}");
        assert!((found.errors[0] - 0.15).abs() < 1e-12 && found.errors[1] < 1e-8, "{found:?}");
        // Fitted on others, it helps these less.
        let validation = [of(0), of(1)];
        assert_eq!(Temperature::fitted(&test, Some(&validation)), None, "odds of 1 take an infinite temperature");
        let validation = [of(0), of(0), of(1)];
        let found = Temperature::fitted(&test, Some(&validation)).unwrap();
        assert!((found.temperature - 9.0_f64.ln() / 2.0_f64.ln()).abs() < 1e-8, "{found:?}");
        assert!(found.validation_images == Some(3) && found.losses[1] > entropy + 1e-3);
    }

    #[test]
    fn without_a_best_temperature_there_is_none() {
        assert_eq!(Temperature::fitted(&[prediction(0, [0.9, 0.1])], None), None);
        assert_eq!(Temperature::fitted(&[], None), None);
        assert_eq!(Temperature::fitted(&[prediction(1, [1.0, 0.0])], None), None);
        let certain = [prediction(0, [1.0, 0.0]), prediction(0, [1.0, 0.0]), prediction(1, [1.0, 0.0])];
        let found = Temperature::fitted(&certain, None);
        assert!(found.is_none_or(|it| it.losses[1].is_finite()), "a probability of 0 is no infinite loss");
    }
}
