//! Where a network looks in one image: saliency, Grad-CAM and occlusion.
//!
//! All three are of one view, with the running statistics and without dropout. The gradients are those of our own
//! backward pass, and finite differences of the logit check them.

pub(crate) mod differences;
pub(crate) mod grad_cam;
pub(crate) mod map;
pub(crate) mod occlusion;

use backproof_layers::Mode;
use backproof_models::Network;
use backproof_spec::{Loss, Shape};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

pub use differences::GradientCheck;
pub use grad_cam::ClassActivation;
pub use map::Map;
pub use occlusion::Occlusion;

use super::Predictor;
use super::explanation::Sample;
use crate::TrainError;
use crate::evaluation::{argmax, host_rows};
use crate::loss::score;

/// Where a network looks in one image, for one class.
#[derive(Debug, Clone)]
pub struct Attribution {
    /// The name of the network.
    pub network: String,
    /// The iteration of the weights, where they are a checkpoint's.
    pub iteration: Option<usize>,
    /// The names of the classes, in label order.
    pub classes: Vec<String>,
    /// The shape of the image, with the pixels around it that the experiment adds.
    pub shape: Shape,
    /// `[C, H, W]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// The class of the largest output.
    pub predicted: usize,
    /// The class that is explained.
    pub class: usize,
    /// A probability for each class, as the loss defines them.
    pub probabilities: Vec<f64>,
    /// |∂ logit of the class / ∂ input|, the largest over the channels, `[H, W]`.
    ///
    /// K. Simonyan, A. Vedaldi, A. Zisserman, *Deep inside convolutional networks: visualising image classification
    /// models and saliency maps*, 2014.
    pub saliency: Map,
    /// Which places of a layer's output speak for the class; or why there is none, in a sentence.
    pub grad_cam: Result<ClassActivation, &'static str>,
    /// How the probability of the class falls where the image is covered.
    pub occlusion: Occlusion,
    /// The saliency against finite differences; `None` on a device without double precision.
    pub check: Option<GradientCheck>,
}

impl Predictor {
    /// Where the network looks in the image `pixels`, `[C, H, W]` in row-major order, 0 to 255, for `class` or else the
    /// predicted class.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    ///
    /// # Panics
    ///
    /// If there are not as many pixels as [`shape`](Self::shape) has elements, or `class` is none.
    pub fn attribute(&self, pixels: Vec<u8>, class: Option<usize>) -> Result<Attribution, TrainError> {
        let attribution = Attribution::new(&self.network, self.sample(pixels), self.loss, class)?;
        Ok(Attribution { classes: self.class_names.clone(), iteration: self.iteration, ..attribution })
    }
}

impl Attribution {
    /// As [`Predictor::attribute`], of a network by itself, whose classes are called by their numbers.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    ///
    /// # Panics
    ///
    /// If the image is of another shape than the network takes, or `class` is none.
    pub fn new(network: &Network, sample: Sample, loss: Loss, class: Option<usize>) -> Result<Self, TrainError> {
        let device = network.devices().swap_remove(0);
        let Gradients { dims, class, row, gradient, saliency, grad_cam } = Gradients::new(network, &sample, class)?;
        let [channels, height, width] = dims;
        let probabilities = score(loss, &row, class).probabilities;
        Ok(Self {
            network: network.architecture().name.clone(),
            iteration: None,
            classes: (0..row.len()).map(|class| class.to_string()).collect(),
            shape: sample.shape,
            predicted: argmax(&row),
            class,
            saliency,
            grad_cam,
            occlusion: occlusion::occlusion(&sample.input, dims, probabilities[class], |images, count| {
                let images = Tensor::from_data(TensorData::new(images, [count, channels, height, width]), &device);
                let logits = network.forward(images, backproof_models::PassMode::Inference);
                host_rows(logits).iter().map(|row| score(loss, row, class).probabilities[class]).collect()
            }),
            check: differences::check(network, &sample.input, dims, class, &gradient),
            pixels: sample.pixels,
            probabilities,
        })
    }
}

/// What one forward and one backward pass say of an image.
pub(crate) struct Gradients {
    dims: [usize; 3],
    class: usize,
    /// The logits.
    row: Vec<f64>,
    /// ∂ logit of the class / ∂ input, `[C, H, W]`.
    gradient: Vec<f32>,
    pub(crate) saliency: Map,
    pub(crate) grad_cam: Result<ClassActivation, &'static str>,
}

impl Gradients {
    /// For `class`, or else for the predicted one.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    pub(crate) fn new(network: &Network, sample: &Sample, class: Option<usize>) -> Result<Self, TrainError> {
        let Shape::Image { channels, height, width } = sample.shape else {
            unreachable!("a network of images gets an image")
        };
        let device = network.devices().swap_remove(0);
        let data = TensorData::new(sample.input.clone(), [1, channels, height, width]);
        let mut asked = None;
        let passes = network.passes(
            Tensor::<4>::from_data(data, &device),
            |_| Mode::Inference,
            |logits| {
                let row = host_rows(logits.clone()).swap_remove(0);
                let class = class.unwrap_or_else(|| argmax(&row));
                let mut one = vec![0.0_f32; row.len()];
                one[class] = 1.0;
                let gradient = Tensor::<2>::from_data(TensorData::new(one, [1, row.len()]), &device);
                asked = Some((class, row));
                gradient
            },
        );
        let (class, row) = asked.expect("the gradient of the logits was asked for");
        if !row.iter().all(|logit| logit.is_finite()) {
            return Err(TrainError::NotFinite);
        }
        let dims = [channels, height, width];
        let gradient: Vec<f32> = passes.images.to_data().iter().collect();
        let saliency = Map::largest(&gradient, dims);
        let grad_cam = grad_cam::grad_cam(network.architecture(), &passes)?;
        Ok(Self { dims, class, row, gradient, saliency, grad_cam })
    }
}
