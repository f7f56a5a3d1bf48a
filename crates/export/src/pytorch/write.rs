//! The text of `model.py` and of `README.md`.

use std::collections::BTreeSet;

use backproof_data::Normalizer;
use backproof_spec::{Pixels, Shape, TracedLayer, counted, thousands};

use super::python::{Expression, Helper, indented, list, text, tuple};
use crate::Model;
use crate::layers::modules;

/// `model.py`: the network as a module, its classes, and the normalisation.
pub(super) fn module(model: &Model, layers: &[TracedLayer], mean_is_a_file: bool) -> String {
    let modules = modules(layers);
    let helpers: BTreeSet<Helper> = modules.iter().flat_map(|(_, module)| &module.helpers).copied().collect();
    let definitions = helpers.iter().map(|helper| format!("{}\n\n", helper.text()));
    [
        head(model, layers, helpers.contains(&Helper::Named), mean_is_a_file),
        definitions.collect(),
        network(model, layers, &modules),
        normalize(model, mean_is_a_file),
        include_str!("../../templates/load.py").to_owned(),
    ]
    .concat()
}

/// The documentation, the imports and the constants.
fn head(model: &Model, layers: &[TracedLayer], named: bool, mean_is_a_file: bool) -> String {
    let architecture = model.network.architecture();
    let parameters: usize = layers.iter().map(|layer| layer.weights + layer.biases).sum();
    let collections = if named { "from collections import OrderedDict\n" } else { "" };
    let constants = match &model.normalizer {
        Normalizer::Standardize { mean, std } => format!("MEAN = {}\nSTD = {}\n", list(mean), list(std)),
        Normalizer::SubtractMean { .. } if mean_is_a_file => {
            "MEAN = load_file(Path(__file__).with_name(\"mean.safetensors\"))[\"mean\"]\n".to_owned()
        }
        Normalizer::SubtractMean { mean, .. } => format!("MEAN = {}\n", list(mean)),
        Normalizer::Unit | Normalizer::Bytes => String::new(),
    };
    format!(
        "\"\"\"The network of a run of Backproof: {parameters} parameters.\n\n    \
             from model import CLASSES, load, normalize\n    \
             logits = load()(normalize(pixels))\n\
         \"\"\"\n\n\
         {collections}from pathlib import Path\n\n\
         import torch\n\
         from safetensors.torch import load_file\n\
         from torch import nn\n\n\
         NAME = {name}\n\
         RUN = {run}\n\
         IMAGE_SHAPE = {image}  # channels, rows, columns\n\
         CLASSES = {classes}\n\
         {constants}\n\n",
        parameters = thousands(parameters),
        name = text(&architecture.name),
        run = text(&model.run),
        image = tuple(&model.image.dimensions()),
        classes = wrapped(&model.classes),
    )
}

/// A list of texts, on lines of their own where there are many.
fn wrapped(texts: &[String]) -> String {
    let literals: Vec<String> = texts.iter().map(|it| text(it)).collect();
    let line = list(&literals);
    if line.len() <= 100 {
        return line;
    }
    literals.iter().fold("[\n".to_owned(), |lines, literal| lines + &format!("    {literal},\n")) + "]"
}

/// `[N, 16, 32, 32]`.
fn axes(shape: Shape) -> String {
    shape.dimensions().iter().fold("[N".to_owned(), |axes, length| axes + &format!(", {length}")) + "]"
}

/// The class.
fn network(model: &Model, layers: &[TracedLayer], modules: &[(&str, Expression)]) -> String {
    let input = model.input();
    let output = layers.last().map_or(input, |last| last.output);
    let made = modules.iter().map(|(name, module)| format!("        self.{name} = {}\n", indented(&module.text, 8)));
    let called = layers.iter().zip(modules).map(|(layer, (name, _))| {
        let comment = if layer.output == layer.input { String::new() } else { format!("  # {}", axes(layer.output)) };
        format!("        x = self.{name}(x){comment}\n")
    });
    format!(
        "class Network(nn.Module):\n    \
             \"\"\"Logits {output} of normalised images {input}.\"\"\"\n\n    \
             def __init__(self):\n        \
                 super().__init__()\n{made}\n    \
             def forward(self, x):\n{called}        \
                 return x\n\n\n",
        output = axes(output),
        input = axes(input),
        made = made.collect::<String>(),
        called = called.collect::<String>(),
    )
}

/// A list of one number, or of one a channel, as a tensor.
fn along_channels(name: &str) -> String {
    format!("{name} = torch.tensor({}, device=x.device).view(-1, 1, 1)", name.to_uppercase())
}

/// The function `normalize`.
fn normalize(model: &Model, mean_is_a_file: bool) -> String {
    let mut lines = vec!["x = pixels.float()".to_owned()];
    if model.padding > 0 {
        let side = model.padding;
        lines.push(format!("x = nn.functional.pad(x, ({side}, {side}, {side}, {side}))  # black pixels"));
    }
    match &model.normalizer {
        Normalizer::Standardize { .. } => {
            lines.extend(["mean", "std"].map(along_channels));
            lines.push("return (x / 255 - mean) / std".to_owned());
        }
        Normalizer::SubtractMean { pixels, .. } => {
            lines.push(match mean_is_a_file {
                true => "mean = MEAN.to(x.device)".to_owned(),
                false => along_channels("mean"),
            });
            lines.push(format!("return {} - mean", if *pixels == Pixels::Unit { "x / 255" } else { "x" }));
        }
        Normalizer::Unit => lines.push("return x / 255".to_owned()),
        Normalizer::Bytes => lines.push("return x".to_owned()),
    }
    let body: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "def normalize(pixels):\n    \
             \"\"\"Pixels {}, 0 to 255, as the network was trained on them.\"\"\"\n{body}\n\n",
        axes(model.image)
    )
}

/// `README.md`.
pub(super) fn readme(model: &Model) -> String {
    let name = &model.network.architecture().name;
    let classes = counted(model.classes.len(), "class");
    let accuracy = model.test_accuracy.map_or_else(String::new, |accuracy| {
        let views = match model.views.list().len() {
            1 => String::new(),
            views => format!(", as the mean over {views} views of each"),
        };
        format!(" It classifies {:.2} % of the test images right{views}.", 100.0 * accuracy)
    });
    format!(
        "The network `{name}` of the run `{run}`: images {image} in {classes}.{accuracy}\n\n\
         - `model.py` has the network as a PyTorch module, and `normalize`, which makes its input of pixels.\n\
         - `weights.safetensors` is its state dict.\n\
         - `pip install torch safetensors`, then `python check.py`: it compares this with the logits of Backproof.\n",
        run = model.run,
        image = model.image,
    )
}
