//! Both passes of one image through a trained network, as numbers to look at.

use std::collections::BTreeMap;

use backproof_data::{Images, Subset, evaluation_selections};
use backproof_layers::{Features, Mode, Ranked};
use backproof_models::Network;
use backproof_spec::{LayerSpec, Loss, Shape, TracedLayer};
use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use serde::Serialize;

use super::Predictor;
use crate::TrainError;
use crate::evaluation::{argmax, host_rows};
use crate::loss::{TrainingLoss, mean_and_gradient, score};

/// What a network makes of one image, forward and back: the gradients are those of the loss of this image.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The name of the network.
    pub network: String,
    /// The iteration of the weights, where they are a checkpoint's.
    pub iteration: Option<usize>,
    /// The names of the classes, in label order.
    pub classes: Vec<String>,
    /// The class that the loss takes for the true one.
    pub label: usize,
    /// The shape of the image, with the pixels around it that the experiment adds.
    pub shape: Shape,
    /// `[C, H, W]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// What the first layer gets: the normalised pixels, `[C, H, W]`.
    pub input: Vec<f32>,
    /// The gradient of the loss with respect to that.
    pub input_gradient: Vec<f32>,
    /// The loss; smoothed labels and weighted classes do not count, as in an evaluation.
    pub loss: Loss,
    /// The loss of this image.
    pub loss_value: f64,
    /// The class of the largest output.
    pub predicted: usize,
    /// A probability for each class, as the loss defines them.
    pub probabilities: Vec<f64>,
    /// The layers in the order of their numbers: a layer comes before those inside of it.
    pub layers: Vec<ExplainedLayer>,
    /// The tensors of the network, with the names and the layouts of PyTorch.
    pub tensors: Vec<ExplainedTensor>,
}

/// One layer of an [`Explanation`].
#[derive(Debug, Clone)]
pub struct ExplainedLayer {
    /// `conv1`, `residual1.body.conv1`.
    pub name: String,
    /// The layer, with its options.
    pub layer: LayerSpec,
    /// The shape of what comes in.
    pub input: Shape,
    /// The shape of what goes out.
    pub output: Shape,
    /// Where its input comes from. A residual layer adds up two: the end of its body and that of its shortcut.
    pub inputs: Vec<LayerInput>,
    /// Whether a batch normalisation takes its statistics from this image, as training does.
    pub batch_statistics: bool,
    /// The output, in row-major order.
    pub values: Vec<f32>,
    /// The gradient of the loss with respect to the output.
    pub gradient: Vec<f32>,
}

/// Where the input of a layer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerInput {
    /// The image.
    Image,
    /// The layer with this number.
    Layer(usize),
}

/// One tensor of an [`Explanation`].
#[derive(Debug, Clone)]
pub struct ExplainedTensor {
    /// `conv1.weight`.
    pub name: String,
    /// Its dimensions.
    pub dimensions: Vec<usize>,
    /// Its numbers, in row-major order.
    pub values: Vec<f32>,
    /// The gradient of the loss with respect to it; none of a running statistic.
    pub gradient: Option<Vec<f32>>,
}

impl Explanation {
    /// How many numbers it holds.
    #[must_use]
    pub fn count(&self) -> usize {
        let layers: usize = self.layers.iter().map(|layer| layer.values.len() + layer.gradient.len()).sum();
        let of_tensor = |tensor: &ExplainedTensor| tensor.values.len() + tensor.gradient.as_ref().map_or(0, Vec::len);
        layers + self.input.len() + self.input_gradient.len() + self.tensors.iter().map(of_tensor).sum::<usize>()
    }
}

/// An image as a network gets it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its shape.
    pub shape: Shape,
    /// `[C, H, W]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// The normalised pixels.
    pub input: Vec<f32>,
}

impl Predictor {
    /// Both passes of the image `pixels`, `[C, H, W]` in row-major order, 0 to 255. The loss takes `label` for its class,
    /// or the predicted one. There is no dropout. A batch normalisation takes its running statistics, or with
    /// `batch_statistics` those of the image, if a channel has more than one number.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    ///
    /// # Panics
    ///
    /// If there are not as many pixels as [`shape`](Self::shape) has elements, or `label` is no class.
    pub fn explain(
        &self,
        pixels: Vec<u8>,
        label: Option<usize>,
        batch_statistics: bool,
    ) -> Result<Explanation, TrainError> {
        let explanation = Explanation::new(&self.network, self.sample(pixels), self.loss, label, batch_statistics)?;
        Ok(Explanation { classes: self.class_names.clone(), iteration: self.iteration, ..explanation })
    }

    /// The image `pixels`, `[C, H, W]`, with its padding and as the network gets it.
    pub(super) fn sample(&self, pixels: Vec<u8>) -> Sample {
        let image = Images::new(pixels, vec![0], self.shape).padded(self.padding);
        let (shape, pixels) = (image.shape(), image.pixels(0).to_vec());
        let subset = Subset::new(image, vec![0], &self.normalizer);
        let selection = evaluation_selections(&subset, 1).next().expect("there is one image");
        Sample { shape, pixels, input: selection.numbers() }
    }
}

impl Explanation {
    /// As [`Predictor::explain`], of a network by itself, whose classes are called by their numbers.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    ///
    /// # Panics
    ///
    /// If the image is of another shape than the network takes, or `label` is no class.
    pub fn new(
        network: &Network,
        sample: Sample,
        loss: Loss,
        label: Option<usize>,
        batch_statistics: bool,
    ) -> Result<Self, TrainError> {
        let architecture = network.architecture();
        let traced = architecture.trace()?;
        let layers: Vec<&TracedLayer> = traced.iter().flat_map(TracedLayer::all).collect();
        let by_batch = |number: usize| batch_statistics && normalizes_the_batch(layers[number]);
        let mode = |number| match by_batch(number) {
            // A normalisation draws nothing.
            true => Mode::Training { dropout_seed: [0; 32] },
            false => Mode::Inference,
        };
        let dims = [&[1], &sample.shape.dimensions()[..]].concat();
        let device = network.devices().swap_remove(0);
        let images = Tensor::<4>::from_data(TensorData::new(sample.input.clone(), dims), &device);
        let mut scored = None;
        let passes = network.passes(images, mode, |logits| {
            let row = host_rows(logits.clone()).swap_remove(0);
            let label = label.unwrap_or_else(|| argmax(&row));
            let labels = Tensor::<1, Int>::from_data(TensorData::new(vec![label as i64], [1]), &device);
            let (_, gradient) = mean_and_gradient(&TrainingLoss::from(loss), logits, labels);
            scored = Some((label, row));
            gradient
        });
        let (label, row) = scored.expect("the loss was asked for");
        if !row.iter().all(|logit| logit.is_finite()) {
            return Err(TrainError::NotFinite);
        }
        let score = score(loss, &row, label);
        let mut inputs = vec![Vec::new(); layers.len()];
        connect(&traced, LayerInput::Image, &mut inputs);
        let explained = layers.iter().zip(&passes.layers).zip(inputs).map(|((traced, pass), inputs)| ExplainedLayer {
            name: traced.name.clone(),
            layer: traced.layer.clone(),
            input: traced.input,
            output: traced.output,
            inputs,
            batch_statistics: by_batch(traced.number),
            values: numbers(&pass.output),
            gradient: numbers(&pass.gradient),
        });
        let gradients: BTreeMap<String, TensorData> = network.named_gradients(&passes.parameters).into_iter().collect();
        let tensors = network.tensors().into_iter().map(|tensor| ExplainedTensor {
            dimensions: tensor.data.shape().to_vec(),
            values: tensor.data.iter().collect(),
            gradient: gradients.get(&tensor.name).map(|gradient| gradient.iter().collect()),
            name: tensor.name,
        });
        Ok(Self {
            network: architecture.name.clone(),
            iteration: None,
            classes: (0..row.len()).map(|class| class.to_string()).collect(),
            label,
            shape: sample.shape,
            pixels: sample.pixels,
            input: sample.input,
            input_gradient: passes.images.to_data().iter().collect(),
            loss,
            loss_value: score.loss,
            predicted: argmax(&row),
            probabilities: score.probabilities,
            layers: explained.collect(),
            tensors: tensors.collect(),
        })
    }
}

/// Whether it is a batch normalisation whose statistics one image has: of a channel with more than one number.
fn normalizes_the_batch(traced: &TracedLayer) -> bool {
    matches!(traced.layer, LayerSpec::BatchNorm(_))
        && matches!(traced.input, Shape::Image { height, width, .. } if height * width > 1)
}

/// Notes where the inputs of layers that follow one another come from, and says where their output does.
fn connect(layers: &[TracedLayer], input: LayerInput, inputs: &mut [Vec<LayerInput>]) -> LayerInput {
    layers.iter().fold(input, |input, layer| {
        inputs[layer.number] = match layer.layer {
            LayerSpec::Residual(_) => {
                let ends = layer.branches.iter().map(|branch| connect(&branch.layers, input, inputs));
                let ends: Vec<LayerInput> = ends.collect();
                // A shortcut without layers takes the input itself.
                ends.into_iter().chain([input]).take(2).collect()
            }
            _ => vec![input],
        };
        LayerInput::Layer(layer.number)
    })
}

/// The numbers of what flows between layers, in row-major order.
pub(super) fn numbers(features: &Features) -> Vec<f32> {
    match features {
        Ranked::Images(images) => images.to_data(),
        Ranked::Vectors(vectors) => vectors.to_data(),
    }
    .iter()
    .collect()
}
