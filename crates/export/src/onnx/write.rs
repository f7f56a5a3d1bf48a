//! The file.

use prost::Message;

use super::graph::{Graph, int, value};
use super::normalization::normalize;
use super::probabilities::probabilities;
use super::proto::{self, DataType, Entry, GraphProto, IR_VERSION, OPSET, OperatorSet};
use crate::layers::chain;
use crate::{ExportError, Model, Tensors};

/// The most bytes that a protocol buffer may have.
const LARGEST: usize = i32::MAX as usize;

/// What a file takes and gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// The type of the pixels, where padding and normalisation are part of the file; else it takes what the network
    /// takes.
    pub normalize: Option<PixelType>,
    /// Whether it gives probabilities in the place of logits.
    pub probabilities: bool,
}

/// The type of pixels from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelType {
    /// Numbers in single precision.
    F32,
    /// Bytes.
    U8,
}

/// An ONNX file.
#[derive(Debug, Clone)]
pub struct Onnx {
    /// Its content.
    pub bytes: Vec<u8>,
    /// What it takes and gives, in words: `input f32 [N, 1, 28, 28] → logits f32 [N, 10]`.
    pub words: String,
}

/// The model as an ONNX file of opset 17 with a batch axis of any length.
///
/// Without [`OnnxOptions::normalize`], the input is `input`, f32 `[N, C, H, W]`, as the trainer gives it to the network.
/// With it, the input is `pixels`, 0 to 255, `[N, C, H, W]`, as the data set has them. The output is `logits` or
/// `probabilities`, f32 `[N, K]`. The same model and the same options give the same bytes.
///
/// # Errors
///
/// [`ExportError::TooLarge`].
pub fn onnx(model: &Model, options: &OnnxOptions) -> Result<Onnx, ExportError> {
    let tensors = Tensors::of(&model.network);
    if tensors.count().saturating_mul(4) > LARGEST - (1 << 24) {
        return Err(ExportError::TooLarge { parameters: tensors.count() });
    }
    let architecture = model.network.architecture();
    let layers = architecture.trace().map_err(ExportError::Shape)?;
    let output = layers.last().map_or(architecture.input, |last| last.output);

    let mut graph = Graph::new(&tensors);
    let (shape, element, name) = match options.normalize {
        None => (model.input(), DataType::Float, "input"),
        Some(PixelType::F32) => (model.image, DataType::Float, "pixels"),
        Some(PixelType::U8) => (model.image, DataType::Uint8, "pixels"),
    };
    let mut first = name.to_owned();
    if element == DataType::Uint8 {
        let to = DataType::Float as usize;
        first = graph.node("Cast", "pixels.float", &[&first], vec![int("to", to)]);
    }
    if options.normalize.is_some() {
        first = normalize(model, first, &mut graph);
    }
    chain(&layers, &first, &mut graph);
    graph.rename_last("logits");
    let result = if options.probabilities { "probabilities" } else { "logits" };
    if options.probabilities {
        graph.describe("logits", output);
        probabilities(model.loss, "logits", output.elements(), &mut graph);
    }

    let Graph { nodes, constants, values, .. } = graph;
    let graph = GraphProto {
        node: nodes,
        name: architecture.name.clone(),
        initializer: constants,
        input: vec![value(name, element, shape, &input_words(model, options))],
        output: vec![value(result, DataType::Float, output, "One number a class, in the order of `classes`.")],
        value_info: values,
    };
    let file = proto::Model {
        ir_version: IR_VERSION,
        producer_name: "backproof".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("The network {} of the run {}.", architecture.name, model.run),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: metadata(model, options),
    };
    let element = if element == DataType::Uint8 { "u8" } else { "f32" };
    let axes = |shape: backproof_spec::Shape| {
        shape.dimensions().iter().fold("N".to_owned(), |text, length| format!("{text}, {length}"))
    };
    let words = format!("{name} {element} [{}] → {result} f32 [{}]", axes(shape), axes(output));
    Ok(Onnx { bytes: file.encode_to_vec(), words })
}

fn input_words(model: &Model, options: &OnnxOptions) -> String {
    match (options.normalize, model.padding) {
        (Some(_), _) => "Pixels from 0 to 255: batch, channel, row, column.".to_owned(),
        (None, 0) => "Normalised pixels, as `normalization` says: batch, channel, row, column.".to_owned(),
        (None, padding) => format!(
            "Pixels with {padding} black ones on each side, then normalised, as `normalization` says: batch, channel, \
             row, column."
        ),
    }
}

/// What others have to know, by name; arrays and objects are JSON.
fn metadata(model: &Model, options: &OnnxOptions) -> Vec<Entry> {
    let json = |value: serde_json::Result<String>| value.expect("it has keys of text alone");
    let entries = [
        ("run", Some(model.run.clone())),
        ("network", Some(model.network.architecture().name.clone())),
        ("iteration", model.iteration.map(|iteration| iteration.to_string())),
        ("test_accuracy", model.test_accuracy.map(|accuracy| accuracy.to_string())),
        // Of how many views of an image the accuracy is; this file has one.
        ("test_views", model.test_accuracy.map(|_| model.views.name().to_owned())),
        ("classes", Some(json(serde_json::to_string(&model.classes)))),
        ("image_shape", Some(json(serde_json::to_string(&model.image)))),
        ("padding", Some(model.padding.to_string())),
        ("normalization", Some(json(serde_json::to_string(&model.normalizer)))),
        ("normalization_in_graph", Some(options.normalize.is_some().to_string())),
    ];
    let entry = |(key, value): (&str, Option<String>)| Some(Entry { key: key.to_owned(), value: value? });
    entries.into_iter().filter_map(entry).collect()
}
