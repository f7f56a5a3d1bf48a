use serde::{Deserialize, Serialize};

/// A network that says of an image what it shows. Several threads may ask it at once.
pub trait Classifier: Send + Sync + 'static {
    /// What it is.
    fn about(&self) -> About;

    /// The classes of an image, the bytes of a file in any format that it knows.
    ///
    /// # Errors
    ///
    /// A sentence for the client that says why the file is no image that can be classified.
    fn classify(&self, file: &[u8], wanted: Wanted) -> Result<Prediction, String>;
}

/// What a client asks of each image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// How many classes, the most probable ones first; at least 1.
    pub top: usize,
    /// Whether to show what the network gets.
    pub input: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { top: 3, input: false }
    }
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
    /// What a person should know of it, in sentences: such as that it looks inverted.
    pub notes: Vec<String>,
    /// In what the image is unlike the training images, a clause each.
    pub warnings: Vec<String>,
    /// What the network gets, as the `data:` address of a PNG, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// A class with its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The class.
    pub class: String,
    /// From 0 to 1.
    pub probability: f64,
}
