use super::*;
use crate::testing::*;

fn check<const D: usize>(case: &Case<'_>) {
    let mode = if case.number("training") != 0.0 { TRAINING } else { Mode::Inference };
    let layer = |engine: Engine| {
        let [gamma, beta] = ["gamma", "beta"].map(|name| case.optional::<1>(name));
        let affine = [gamma.is_some(), beta.is_some()];
        let [gamma, beta] = [gamma, beta]
            .map(|given| engine.on_device(given.unwrap_or_else(|| case.tensor("running_mean").ones_like())));
        BatchNorm::new(gamma, beta, case.number("epsilon"), case.number("momentum"))
            .with_affine(affine[0], affine[1])
            .with_running_statistics(
                engine.on_device(case.tensor("running_mean")),
                engine.on_device(case.tensor("running_variance")),
            )
    };
    let manual = layer(Engine::Manual);
    let (output, saved) = manual.forward_saving(case.tensor::<D>("input"), mode);
    let gradients = manual.backward(saved, case.tensor("cotangent"));
    case.assert("output", output);
    case.assert("input_gradient", gradients.input);
    for (name, gradient) in [("gamma", gradients.gamma), ("beta", gradients.beta)] {
        if case.optional::<1>(name).is_some() {
            case.assert(&format!("{name}_gradient"), gradient);
        }
    }
    case.assert("new_running_mean", manual.running_mean.value_sync());
    case.assert("new_running_variance", manual.running_variance.value_sync());

    let autodiff = layer(Engine::Autodiff);
    let (output, input, gradients) =
        differentiate(case.tensor::<D>("input"), case.tensor("cotangent"), |input| autodiff.forward(input, mode));
    case.assert("output", output);
    case.assert("input_gradient", input);
    for (name, parameter) in [("gamma", autodiff.gamma), ("beta", autodiff.beta)] {
        assert_eq!(parameter.is_some(), case.optional::<1>(name).is_some());
        if let Some(parameter) = parameter {
            case.assert(&format!("{name}_gradient"), parameter.val().grad(&gradients).unwrap());
        }
    }
    case.assert("new_running_mean", autodiff.running_mean.value_sync().without_autodiff());
    case.assert("new_running_variance", autodiff.running_variance.value_sync().without_autodiff());
}

#[test]
fn agrees_with_pytorch() {
    for case in Fixture::load("batch_norm").cases() {
        match case.rank("input") {
            2 => check::<2>(&case),
            3 => check::<3>(&case),
            4 => check::<4>(&case),
            rank => panic!("{}: rank {rank}", case.name),
        }
    }
}

proptest::proptest! {
    #![proptest_config(generated())]
    #[test]
    fn agrees_with_autodiff(seed: u64, shape in [2..6usize, 1..5usize, 1..4usize, 1..4usize], training: bool) {
        let mode = if training { TRAINING } else { Mode::Inference };
        let channels = [shape[1]];
        let (gamma, beta) = (random::<1>(seed ^ 2, channels), random::<1>(seed ^ 3, channels));
        let (mean, variance) = (random::<1>(seed ^ 4, channels), random::<1>(seed ^ 5, channels).abs());
        let input = random::<4>(seed, shape);
        let cotangent = random::<4>(seed ^ 1, shape);

        // An ε that keeps the problem well conditioned when a channel has two elements that nearly agree.
        let manual = BatchNorm::new(gamma.clone(), beta.clone(), 1e-2, 0.1)
            .with_running_statistics(mean.clone(), variance.clone());
        let (output, saved) = manual.forward_saving(input.clone(), mode);
        let gradients = manual.backward(saved, cotangent.clone());
        let autodiff = BatchNorm::new(gamma.autodiff(), beta.autodiff(), 1e-2, 0.1)
            .with_running_statistics(mean.autodiff(), variance.autodiff());
        let (expected_output, expected, all) =
            differentiate(input, cotangent, |input| autodiff.forward(input, mode));
        assert_close("output", output, expected_output, AUTODIFF);
        assert_close("input", gradients.input, expected, AUTODIFF);
        assert_close("gamma", gradients.gamma, autodiff.gamma.unwrap().val().grad(&all).unwrap(), AUTODIFF);
        assert_close("beta", gradients.beta, autodiff.beta.unwrap().val().grad(&all).unwrap(), AUTODIFF);
    }
}

fn layer(channels: usize) -> BatchNorm {
    BatchNorm::new(random(1, [channels]), random(2, [channels]), 1e-5, 0.1)
}

#[test]
fn inference_changes_nothing_and_training_does() {
    let layer = layer(2);
    let input = random::<2>(3, [4, 2]);
    layer.forward(input.clone(), Mode::Inference);
    assert_eq!(values(layer.running_mean.value_sync()), [0.0, 0.0]);
    assert_eq!(values(layer.running_variance.value_sync()), [1.0, 1.0]);
    let inference = layer.forward(input.clone(), Mode::Inference);
    let training = layer.forward(input, TRAINING);
    assert!(difference(training, inference, 1e-3).is_some());
    assert!(values(layer.running_mean.value_sync()).iter().all(|&mean| mean != 0.0));
}

#[test]
fn a_channel_with_one_element_becomes_beta_and_passes_no_gradient() {
    let layer = layer(3);
    let (output, saved) = layer.forward_saving(random::<2>(3, [1, 3]), TRAINING);
    let gradients = layer.backward(saved, random(4, [1, 3]));
    assert_eq!(values(output), values(layer.beta.as_ref().unwrap().val()));
    assert_eq!(values(gradients.input), [0.0; 3]);
    assert_eq!(values(gradients.gamma), [0.0; 3]);
    assert_eq!(values(layer.running_variance.value_sync()), [1.0; 3]);
}

#[test]
fn the_gradient_is_orthogonal_to_shifts_and_nearly_so_to_scalings() {
    let layer = layer(1);
    let input = random::<2>(3, [6, 1]);
    let (_, saved) = layer.forward_saving(input.clone(), TRAINING);
    let gradient = layer.backward(saved, random(4, [6, 1])).input;
    assert!(values(gradient.clone().sum())[0].abs() < 1e-14);
    // Not exactly: ε does not scale with the input.
    assert!(values((gradient * input).sum())[0].abs() < 1e-4);
}

#[test]
fn statistics_taken_for_constants_are_noticed() {
    let layer = layer(2);
    let (_, saved) = layer.forward_saving(random::<2>(3, [4, 2]), TRAINING);
    let right = layer.backward(saved.clone(), random(4, [4, 2])).input;
    let wrong = layer.backward(BatchNormSaved { batch_statistics: false, ..saved }, random(4, [4, 2])).input;
    assert!(difference(wrong, right, AUTODIFF).is_some());
}
