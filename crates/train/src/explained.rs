//! `evaluation/explained.safetensors`: where the network of a run looks in a few test images.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use backproof_data::{Subset, evaluation_selections};
use backproof_models::Network;
use backproof_spec::Shape;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::predict::attribution::{ClassActivation, Gradients, Map};
use crate::predict::explanation::Sample;
use crate::{Prediction, RunFolder, TrainError, files};

/// The version of the file.
const SCHEMA: u32 = 1;
const FILE: &str = "evaluation/explained.safetensors";
/// The key of the facts among the file's metadata.
const FACTS: &str = "explained";
/// No image is begun after this time: a large network takes seconds for each.
const TIME: Duration = Duration::from_secs(10);

/// Where a network looks in test images, for the class that it predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedImages {
    /// The iteration of the weights, as in the evaluation.
    pub iteration: Option<usize>,
    /// The wrong ones first, the most confident of them before all others.
    pub images: Vec<ExplainedImage>,
}

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedImage {
    /// Its index in its data set file.
    pub index: usize,
    /// Its true class.
    pub label: usize,
    /// The class that is explained.
    pub predicted: usize,
    /// The probability of that.
    pub probability: f64,
    /// With the pixels around it that the experiment adds.
    pub shape: Shape,
    /// `[C, H, W]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// As in [`Attribution`](crate::Attribution).
    pub saliency: Map,
    /// Likewise; without one, why there is none.
    pub grad_cam: Result<ClassActivation, String>,
}

/// What the metadata say.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    schema_version: u32,
    iteration: Option<usize>,
    images: Vec<Fact>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Fact {
    index: usize,
    label: usize,
    predicted: usize,
    probability: f64,
    /// The layer of Grad-CAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_grad_cam: Option<String>,
}

impl ExplainedImages {
    /// Of `most` images, or of fewer where there are fewer or the time is over. `predictions` are those of `subset`.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where a logit overflows.
    pub(crate) fn new(
        network: &Network,
        subset: &Subset,
        predictions: &[Prediction],
        most: usize,
        iteration: Option<usize>,
    ) -> Result<Self, TrainError> {
        let began = Instant::now();
        let mut images = Vec::new();
        for chosen in chosen(predictions, most) {
            if began.elapsed() > TIME {
                break;
            }
            let one = subset.with_indices(vec![chosen.index]);
            let selection = evaluation_selections(&one, 1).next().expect("there is one image");
            let pixels = subset.images().pixels(chosen.index).to_vec();
            let sample = Sample { shape: selection.shape(), pixels, input: selection.numbers() };
            let Gradients { saliency, grad_cam, .. } = Gradients::new(network, &sample, Some(chosen.predicted))?;
            images.push(ExplainedImage {
                index: chosen.index,
                label: chosen.label,
                predicted: chosen.predicted,
                probability: chosen.confidence(),
                shape: sample.shape,
                pixels: sample.pixels,
                saliency,
                grad_cam: grad_cam.map_err(str::to_owned),
            });
        }
        Ok(Self { iteration, images })
    }

    fn to_file(&self) -> Result<Vec<u8>, SafeTensorError> {
        let bytes = |map: &Map| map.values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect();
        let mut arrays: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
        for (at, image) in self.images.iter().enumerate() {
            let mut add = |name: &str, dtype, shape, data| arrays.insert(format!("{at}.{name}"), (dtype, shape, data));
            add("pixels", Dtype::U8, image.shape.dimensions().to_vec(), image.pixels.clone());
            let maps = std::iter::once(("saliency", &image.saliency));
            for (name, map) in maps.chain(image.grad_cam.iter().map(|activation| ("grad_cam", &activation.map))) {
                add(name, Dtype::F32, vec![map.height, map.width], bytes(map));
            }
        }
        let facts = Facts {
            schema_version: SCHEMA,
            iteration: self.iteration,
            images: self.images.iter().map(Fact::of).collect(),
        };
        let facts = serde_json::to_string(&facts).expect("our types have string keys only");
        let views = arrays
            .iter()
            .map(|(name, (dtype, shape, data))| Ok((name.clone(), TensorView::new(*dtype, shape.clone(), data)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, Some(HashMap::from([(FACTS.to_owned(), facts)])))
    }

    /// What is wrong with the file, in words, if it is not ours.
    fn from_file(bytes: &[u8]) -> Result<Self, String> {
        let damaged = |error: SafeTensorError| format!("is no safetensors file ({error})");
        let (_, head) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let facts = head.metadata().as_ref().and_then(|metadata| metadata.get(FACTS));
        let facts = facts.ok_or_else(|| format!("has no {FACTS} among its metadata"))?;
        let facts: Facts = serde_json::from_str(facts).map_err(|error| format!("cannot be read ({error})"))?;
        if facts.schema_version != SCHEMA {
            return Err(format!("has schema version {}", facts.schema_version));
        }
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let images = facts.images.into_iter().enumerate().map(|(at, fact)| fact.image(&file, at));
        Ok(Self { iteration: facts.iteration, images: images.collect::<Result<_, String>>()? })
    }
}

impl Fact {
    fn of(image: &ExplainedImage) -> Self {
        Self {
            index: image.index,
            label: image.label,
            predicted: image.predicted,
            probability: image.probability,
            layer: image.grad_cam.as_ref().ok().map(|activation| activation.layer.clone()),
            without_grad_cam: image.grad_cam.as_ref().err().cloned(),
        }
    }

    fn image(self, file: &SafeTensors<'_>, at: usize) -> Result<ExplainedImage, String> {
        let array = |name: &str, dtype| {
            let name = format!("{at}.{name}");
            let tensor = file.tensor(&name).map_err(|_| format!("has no array {name}"))?;
            let is_empty = tensor.shape().contains(&0);
            if tensor.dtype() == dtype && !is_empty { Ok(tensor) } else { Err(format!("has another {name}")) }
        };
        let map = |name: &str| {
            let tensor = array(name, Dtype::F32)?;
            let &[height, width] = tensor.shape() else { return Err(format!("has no map in {at}.{name}")) };
            let numbers = tensor.data().as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
            let values: Vec<f64> = numbers.collect();
            let finite = values.iter().all(|value| value.is_finite());
            if finite { Ok(Map { height, width, values }) } else { Err(format!("has no finite {at}.{name}")) }
        };
        let pixels = array("pixels", Dtype::U8)?;
        let &[channels @ (1 | 3), height, width] = pixels.shape() else {
            return Err(format!("has no image in {at}.pixels"));
        };
        let saliency = map("saliency")?;
        if [saliency.height, saliency.width] != [height, width] {
            return Err(format!("has a saliency of another size than {at}.pixels"));
        }
        let grad_cam = match self.layer {
            Some(layer) => Ok(ClassActivation { layer, map: map("grad_cam")? }),
            None => Err(self.without_grad_cam.unwrap_or_default()),
        };
        Ok(ExplainedImage {
            index: self.index,
            label: self.label,
            predicted: self.predicted,
            probability: self.probability,
            shape: Shape::image(channels, height, width),
            pixels: pixels.data().to_vec(),
            saliency,
            grad_cam,
        })
    }
}

/// Half of them wrong, the most confident ones; the others right, the most confident one of each of some classes. Where
/// one kind has fewer, the other has more.
fn chosen(predictions: &[Prediction], most: usize) -> Vec<&Prediction> {
    let by_confidence = |one: &&Prediction, other: &&Prediction| other.confidence().total_cmp(&one.confidence());
    let (mut right, mut wrong): (Vec<&Prediction>, Vec<&Prediction>) =
        predictions.iter().partition(|prediction| prediction.predicted == prediction.label);
    wrong.sort_by(by_confidence);
    right.sort_by(by_confidence);
    // The most confident one of each class, in the order of the classes.
    let mut of_class: BTreeMap<usize, &Prediction> = BTreeMap::new();
    right.into_iter().for_each(|prediction| {
        of_class.entry(prediction.label).or_insert(prediction);
    });
    let right: Vec<&Prediction> = of_class.into_values().collect();
    wrong.truncate((most - most / 2).max(most.saturating_sub(right.len())));
    let count = (most - wrong.len()).min(right.len());
    let classes = (0..count).map(|at| right[at * right.len() / count]);
    wrong.into_iter().chain(classes).collect()
}

impl RunFolder {
    pub(crate) fn write_explained(&self, explained: &ExplainedImages) -> Result<(), TrainError> {
        let path = self.path().join(FILE);
        let bytes = explained.to_file().map_err(|error| TrainError::write(&path, std::io::Error::other(error)))?;
        std::fs::create_dir_all(path.parent().expect("it is in a folder"))
            .map_err(|error| TrainError::write(&path, error))?;
        files::write_whole(&path, &bytes)
    }

    /// Where the network looks in test images, with the weights of the evaluation; `None` where nobody looked.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is not of this program.
    pub fn explained(&self) -> Result<Option<ExplainedImages>, TrainError> {
        let path = self.path().join(FILE);
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        let expected = "images with where a network looks, as `train` writes them";
        ExplainedImages::from_file(&bytes).map(Some).map_err(|what| TrainError::damaged(&path, what, expected))
    }
}

#[cfg(test)]
mod tests;
