use std::fs;

use super::*;
use crate::testing::{experiment, run};

fn prediction(index: usize, label: usize, predicted: usize, confidence: f64) -> Prediction {
    let mut probabilities = vec![0.0; 4];
    probabilities[predicted] = confidence;
    Prediction { index, label, predicted, probabilities: probabilities.into(), loss: 0.0 }
}

#[test]
fn half_of_the_images_are_the_most_confident_mistakes_and_the_others_are_of_several_classes() {
    let predictions = [
        prediction(0, 0, 0, 0.9),
        prediction(1, 0, 1, 0.5),
        prediction(2, 1, 1, 0.6),
        prediction(3, 1, 1, 0.7),
        prediction(4, 2, 2, 0.9),
        prediction(5, 3, 0, 0.8),
        prediction(6, 3, 3, 0.8),
        prediction(7, 3, 1, 0.7),
    ];
    let found = |most| chosen(&predictions, most).iter().map(|prediction| prediction.index).collect::<Vec<_>>();
    assert_eq!(found(4), [5, 7, 0, 4]);
    assert_eq!(found(6), [5, 7, 1, 0, 3, 4]);
    // All there are.
    assert_eq!(found(20), [5, 7, 1, 0, 3, 4, 6]);
    assert!(found(0).is_empty());
}

#[test]
fn a_run_keeps_where_its_network_looks_and_what_the_attribution_of_the_same_image_says() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&[]), runs.path()).unwrap();
    let explained = folder.explained().unwrap().unwrap();
    let result = folder.result().unwrap().unwrap();
    assert_eq!((explained.iteration, explained.images.len()), (result.iteration, 6));
    let predictor =
        crate::Predictor::open(&folder, &crate::Weights::Last, &crate::testing::setup(runs.path()), &mut crate::Silent)
            .unwrap();
    let predictions = folder.predictions(&result).unwrap();
    for image in &explained.images {
        let told = predictions.iter().find(|it| it.index == image.index).unwrap();
        assert_eq!((image.label, image.predicted), (told.label, told.predicted));
        assert!((image.probability - told.confidence()).abs() < 1e-6);
        let attribution = predictor.attribute(image.pixels.clone(), Some(image.predicted)).unwrap();
        let close = |one: &Map, other: &Map| one.values.iter().zip(&other.values).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(&image.saliency, &attribution.saliency));
        let (ours, theirs) = (image.grad_cam.as_ref().unwrap(), attribution.grad_cam.unwrap());
        assert!(ours.layer == theirs.layer && close(&ours.map, &theirs.map));
    }
    assert!(explained.images[0].label != explained.images[0].predicted);

    let path = folder.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let error = folder.explained().unwrap_err().to_string();
    assert!(error.contains("explained.safetensors is no safetensors file"), "{error}");
    fs::write(&path, folder.weights(false).unwrap().0).unwrap();
    let error = folder.explained().unwrap_err().to_string();
    assert!(error.contains("has no explained among its metadata"), "{error}");
}

#[test]
fn nobody_looks_where_nobody_asks() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(&experiment(&["evaluation.explained_images=0"]), runs.path()).unwrap();
    assert_eq!(folder.explained().unwrap(), None);
}
