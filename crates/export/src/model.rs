//! What is exported.

use backproof_data::{Images, Normalizer, Subset, evaluation_selections};
use backproof_models::{Network, PassMode};
use backproof_spec::{Loss, Shape, Views, stream_seed};
use backproof_train::{Predictor, RunFolder, TrainError};
use burn::Tensor;
use burn::tensor::Device;

/// A trained network, and what others have to know to use it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// The device that it is on.
    pub device: Device,
    /// From pixels to the numbers that it was trained on; for images with the padding around them.
    pub normalizer: Normalizer,
    /// Black pixels that come around an image of the data set, on each side, before anything else.
    pub padding: usize,
    /// The shape of an image of the data set.
    pub image: Shape,
    /// The classes, in the order of the logits.
    pub classes: Vec<String>,
    /// What it was trained with, from which the probabilities follow.
    pub loss: Loss,
    /// How many views of an image the run's own evaluation averages. Exported is the network, for one view.
    pub views: Views,
    /// The experiment and the folder of the run, `quickstart/20261201T093000Z-1a2b3c4d`.
    pub run: String,
    /// Iterations that the weights were trained for, where that is known.
    pub iteration: Option<usize>,
    /// The share of the test images that these weights classify right, where they were evaluated.
    pub test_accuracy: Option<f64>,
}

impl Model {
    /// The network of `predictor`, which was opened on the run in `folder`.
    ///
    /// # Errors
    ///
    /// A record or an evaluation of the run that cannot be read; weights that are so large that logits overflow.
    pub fn new(predictor: &Predictor, folder: &RunFolder) -> Result<Self, TrainError> {
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
        let run = format!("{}/{name}", folder.record()?.experiment);
        let iteration = predictor.iteration();
        // An evaluation is of one checkpoint, and a weights file has no iteration.
        let evaluated = folder.result()?.filter(|result| iteration.is_some() && result.iteration == iteration);
        let model = Self {
            network: predictor.network().clone(),
            device: predictor.device().clone(),
            normalizer: predictor.normalizer().clone(),
            padding: predictor.padding(),
            image: predictor.shape(),
            classes: predictor.class_names().to_vec(),
            loss: predictor.loss(),
            views: predictor.views(),
            run,
            iteration,
            test_accuracy: evaluated.filter(|result| result.split == "test").map(|result| result.accuracy),
        };
        let (_, logits) = model.run(&model.noise(1), 1);
        if logits.iter().all(|logit| logit.is_finite()) { Ok(model) } else { Err(TrainError::NotFinite) }
    }

    /// The pixels of `count` images of noise, the same each time. No two are alike, so that no axis can be taken for
    /// another unnoticed.
    pub(crate) fn noise(&self, count: usize) -> Vec<u8> {
        let blocks = (0..).flat_map(|block| stream_seed(0, "test vector", block, 0));
        blocks.take(count * self.image.elements()).collect()
    }

    /// The shape of what the network takes: an image with the padding around it.
    pub(crate) fn input(&self) -> Shape {
        self.network.architecture().input
    }

    /// What is computed of `count` images, whose `pixels` are `[N, C, H, W]`, 0 to 255: the input of the network and its
    /// logits, each row after row.
    pub(crate) fn run(&self, pixels: &[u8], count: usize) -> (Vec<f32>, Vec<f32>) {
        let images = Images::new(pixels.to_vec(), vec![0; count], self.image).padded(self.padding);
        let subset = Subset::new(images, (0..count).collect(), &self.normalizer);
        let batch = evaluation_selections(&subset, count).next().expect("there are images");
        let input = batch.batch(&self.device).images;
        let logits = self.network.forward(input.clone(), PassMode::Inference);
        (host(input), host(logits))
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
