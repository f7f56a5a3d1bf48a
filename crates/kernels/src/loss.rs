//! Losses of one image, with their gradient.

/// `−ln softmax(z)[label]`, and in `gradient` its gradient times `weight`: `weight · (softmax(z) − [k = label])`.
///
/// # Panics
///
/// If the slices differ in length or the label is outside of them.
pub fn softmax_cross_entropy(logits: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
    assert!(logits.len() == gradient.len() && label < logits.len(), "label {label} of {} logits", logits.len());
    // The maximum is subtracted, so that no exponential overflows.
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0f32;
    for (gradient, logit) in gradient.iter_mut().zip(logits) {
        *gradient = (logit - largest).exp();
        sum += *gradient;
    }
    let scale = weight / sum;
    gradient.iter_mut().for_each(|gradient| *gradient *= scale);
    gradient[label] -= weight;
    f64::from(sum.ln()) + f64::from(largest) - f64::from(logits[label])
}

/// `−Σ_k a_k ln softmax(logits)[k]` with the shares `a_k = everywhere[k]`, but `at_label` more for the label, and in
/// `gradient` its gradient times `weight`: `A softmax(logits) − a` with `A = Σ_k a_k`.
///
/// # Panics
///
/// If the slices differ in length or the label is outside of them.
pub fn soft_cross_entropy(
    logits: &[f32],
    label: usize,
    everywhere: &[f32],
    at_label: f32,
    weight: f32,
    gradient: &mut [f32],
) -> f64 {
    assert!(logits.len() == gradient.len() && label < logits.len(), "label {label} of {} logits", logits.len());
    assert_eq!(everywhere.len(), logits.len(), "a share a logit");
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0f32;
    for (gradient, logit) in gradient.iter_mut().zip(logits) {
        *gradient = (logit - largest).exp();
        sum += *gradient;
    }
    let total = everywhere.iter().sum::<f32>() + at_label;
    let logarithm = f64::from(sum.ln());
    let mut loss = 0.0;
    for (class, ((gradient, &logit), &everywhere)) in gradient.iter_mut().zip(logits).zip(everywhere).enumerate() {
        let share = if class == label { everywhere + at_label } else { everywhere };
        *gradient = weight * (total * (*gradient / sum) - share);
        // A share of 0 leaves out a class whose probability is 0.
        if share != 0.0 {
            loss += f64::from(share) * (logarithm + f64::from(largest) - f64::from(logit));
        }
    }
    loss
}

/// `1/K Σ_k (z_k − [k = label])²`, and in `gradient` its gradient times `weight`.
///
/// # Panics
///
/// If the slices differ in length or the label is outside of them.
pub fn mean_squared_error(outputs: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
    assert!(outputs.len() == gradient.len() && label < outputs.len(), "label {label} of {} outputs", outputs.len());
    let share = 1.0 / outputs.len() as f32;
    let mut sum = 0.0;
    for (class, (gradient, output)) in gradient.iter_mut().zip(outputs).enumerate() {
        let error = output - f32::from(u8::from(class == label));
        *gradient = 2.0 * share * weight * error;
        sum += f64::from(error * error);
    }
    sum * f64::from(share)
}

/// `1/K Σ_k −ln σ(±z_k)`, plus for the label, and in `gradient` its gradient times `weight`:
/// `(σ(z_k) − [k = label]) / K`.
///
/// # Panics
///
/// If the slices differ in length or the label is outside of them.
pub fn binary_cross_entropy(outputs: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
    assert!(outputs.len() == gradient.len() && label < outputs.len(), "label {label} of {} outputs", outputs.len());
    let share = 1.0 / outputs.len() as f32;
    let mut sum = 0.0;
    for (class, (gradient, &output)) in gradient.iter_mut().zip(outputs).enumerate() {
        let target = f32::from(u8::from(class == label));
        *gradient = share * weight * (1.0 / (1.0 + (-output).exp()) - target);
        sum += f64::from(output.max(0.0) - target * output + (-output.abs()).exp().ln_1p());
    }
    sum * f64::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Losses and gradients against central differences of the definitions in double precision.
    #[test]
    fn losses_and_gradients_agree_with_the_definitions() {
        let outputs = [0.3f32, -1.2, 2.5, 0.0];
        let label = 1;
        type Loss = fn(&[f32], usize, f32, &mut [f32]) -> f64;
        type Definition = fn(&[f64], usize) -> f64;
        let cases: [(Loss, Definition); 3] = [
            (softmax_cross_entropy, |z, label| z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[label]),
            (mean_squared_error, |z, label| {
                let error = |(k, z): (usize, &f64)| (z - f64::from(u8::from(k == label))).powi(2);
                z.iter().enumerate().map(error).sum::<f64>() / z.len() as f64
            }),
            (binary_cross_entropy, |z, label| {
                let loss = |(k, z): (usize, &f64)| (1.0 + (if k == label { -z } else { *z }).exp()).ln();
                z.iter().enumerate().map(loss).sum::<f64>() / z.len() as f64
            }),
        ];
        for (loss, definition) in cases {
            let exact = outputs.map(f64::from);
            let mut gradient = [0.0; 4];
            let found = loss(&outputs, label, 0.25, &mut gradient);
            assert!((found - definition(&exact, label)).abs() < 1e-6, "{found}");
            for k in 0..4 {
                let at = |step: f64| {
                    let mut z = exact;
                    z[k] += step;
                    definition(&z, label)
                };
                let slope = 0.25 * (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((f64::from(gradient[k]) - slope).abs() < 1e-6, "{} {slope}", gradient[k]);
            }
        }
    }

    /// The shares of weighted classes with a smoothed label.
    #[test]
    fn the_soft_cross_entropy_agrees_with_its_definition() {
        let (logits, everywhere, at_label) = ([0.3f32, -1.2, 2.5, 0.0], [0.05f32, 0.15, 0.0, 0.1], 2.4f32);
        let definition = |z: [f64; 4]| {
            let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
            let share = |k: usize| f64::from(everywhere[k]) + if k == 1 { f64::from(at_label) } else { 0.0 };
            (0..4).map(|k| share(k) * (log_sum - z[k])).sum::<f64>()
        };
        let exact = logits.map(f64::from);
        let mut gradient = [0.0; 4];
        let found = soft_cross_entropy(&logits, 1, &everywhere, at_label, 0.25, &mut gradient);
        assert!((found - definition(exact)).abs() < 1e-6, "{found}");
        for k in 0..4 {
            let at = |step: f64| definition(std::array::from_fn(|j| exact[j] + if j == k { step } else { 0.0 }));
            let slope = 0.25 * (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((f64::from(gradient[k]) - slope).abs() < 1e-6, "{} {slope}", gradient[k]);
        }
    }

    #[test]
    fn logits_far_apart_do_not_overflow() {
        let mut gradient = [0.0; 2];
        assert_eq!(soft_cross_entropy(&[1e4, -1e4], 1, &[0.0, 0.0], 1.0, 1.0, &mut gradient), 2e4);
        assert_eq!(gradient, [1.0, -1.0]);
        assert_eq!(softmax_cross_entropy(&[1e4, -1e4], 1, 1.0, &mut gradient), 2e4);
        assert_eq!(gradient, [1.0, -1.0]);
    }
}
