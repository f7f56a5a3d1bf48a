//! The first test images of each class, right and wrong, as they are and not chosen.

use backproof_data::Images;
use backproof_train::Prediction;
use serde::Serialize;

use crate::confusion::Confusion;
use crate::mistakes::picture;

/// Images of a class at most, and about how many bytes of a page those of all classes may take.
const OF_CLASS: usize = 10;
const BYTES: usize = 1_500_000;

/// One test image.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    /// Its index in the test set.
    index: usize,
    /// A `data:` address.
    image: String,
    /// The class that is predicted, and its probability.
    predicted: String,
    probability: f64,
    right: bool,
}

/// The images of one class.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SampleRow {
    name: String,
    images: Vec<Sample>,
}

/// A row for each class, in label order; none of more classes than a confusion matrix is drawn of.
pub(crate) fn rows(names: &[String], predictions: &[Prediction], images: &Images) -> Vec<SampleRow> {
    if names.len() > Confusion::MOST_CLASSES {
        return Vec::new();
    }
    let example = predictions.first().map_or(0, |it| picture(images, it.index).data_uri().len());
    let of_class = (BYTES / (names.len().max(1) * (example + 200))).clamp(1, OF_CLASS);
    let sample = |prediction: &Prediction| Sample {
        index: prediction.index,
        image: picture(images, prediction.index).data_uri(),
        predicted: names[prediction.predicted].clone(),
        probability: prediction.confidence(),
        right: prediction.predicted == prediction.label,
    };
    let row = |(label, name): (usize, &String)| SampleRow {
        name: name.clone(),
        images: predictions.iter().filter(|it| it.label == label).take(of_class).map(sample).collect(),
    };
    names.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use backproof_data::load;

    use super::*;

    #[test]
    fn each_class_has_its_first_images_and_a_wrong_one_says_what_it_was_taken_for() {
        let images = load("mnist-sample", None).unwrap().test;
        let names: Vec<String> = (0..10).map(|class| format!("digit {class}")).collect();
        let prediction = |index: usize| {
            let label = images.label(index);
            // Every third digit is taken for the next one.
            let predicted = if index.is_multiple_of(3) { (label + 1) % 10 } else { label };
            let share = |class| if class == predicted { 0.91 } else { 0.01 };
            let probabilities = (0..10).map(share).collect::<Vec<f64>>().into();
            Prediction { index, label, predicted, probabilities, loss: 0.1 }
        };
        let predictions: Vec<Prediction> = (0..images.len()).map(prediction).collect();
        let rows = rows(&names, &predictions, &images);
        assert_eq!(rows.len(), 10);
        for (class, row) in rows.iter().enumerate() {
            let first: Vec<usize> = (0..images.len()).filter(|&index| images.label(index) == class).take(10).collect();
            assert_eq!(row.images.iter().map(|image| image.index).collect::<Vec<_>>(), first);
            for image in &row.images {
                let expected = if image.index.is_multiple_of(3) { (class + 1) % 10 } else { class };
                assert_eq!((&image.predicted, image.right), (&names[expected], expected == class));
                assert_eq!(image.probability, 0.91);
                assert!(image.image.starts_with("data:image/png;base64,"));
            }
        }
        let many = vec!["one".to_owned(); Confusion::MOST_CLASSES + 1];
        assert!(super::rows(&many, &predictions, &images).is_empty());
    }
}
