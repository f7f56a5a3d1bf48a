use serde::Serialize;

/// A network that says of an image what it shows. Several threads may ask it at once.
pub trait Classifier: Send + Sync + 'static {
    /// What it is.
    fn about(&self) -> About;

    /// The classes of an image, the bytes of a file in any format that it knows; the `top` most probable ones first.
    ///
    /// # Errors
    ///
    /// A sentence for the client that says why the file is no image that can be classified.
    fn classify(&self, file: &[u8], top: usize) -> Result<Prediction, String>;
}

/// What a network is, as `GET /model` says it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// The run, in a word or two.
    pub name: String,
    /// The names of the classes, in label order.
    pub classes: Vec<String>,
    /// Channels, height and width of an image of the network; any image is brought to them.
    pub input: [usize; 3],
    /// The iteration of the weights, where they are a checkpoint's.
    pub iteration: Option<usize>,
    /// The accuracy on the test images, from 0 to 1, where it is known.
    pub test_accuracy: Option<f64>,
}

/// What a network says of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The most probable class.
    pub class: String,
    /// Its probability, from 0 to 1.
    pub probability: f64,
    /// The most probable classes first.
    pub top: Vec<Candidate>,
    /// What a person should know of it, in sentences: such as that the image is unlike the training images.
    pub notes: Vec<String>,
}

/// A class with its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The class.
    pub class: String,
    /// From 0 to 1.
    pub probability: f64,
}
