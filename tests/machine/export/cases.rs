//! Run folders of any network, without a training: random weights, and each kind of normalisation.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::{Architecture, DataSets, Experiment, LayerSpec, Loss, Shape, TracedLayer, published, stream_seed};
use backproof_tests::{backproof, root};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

/// The layers of a small network, by the type that it is about. Sizes differ along both axes.
const LAYERS: &[(&str, &str)] = &[
    ("conv2d", "{ type = 'conv2d', out_channels = 4, kernel = 3, padding = 1 }"),
    (
        "conv2d",
        "{ type = 'conv2d', out_channels = 6, kernel = [3, 2], stride = [2, 1], padding = [1, 2], dilation = [1, 2], \
         groups = 3, bias = false }",
    ),
    ("conv2d", "{ type = 'conv2d', out_channels = 2, kernel = [1, 5], stride = 3, padding = [3, 4] }"),
    ("max_pool2d", "{ type = 'max_pool2d', kernel = 2 }"),
    ("max_pool2d", "{ type = 'max_pool2d', kernel = [3, 2], stride = [2, 1], padding = 1, ceil_mode = true }"),
    ("max_pool2d", "{ type = 'max_pool2d', kernel = 2, stride = 3, padding = 1, ceil_mode = true }"),
    ("max_pool2d", "{ type = 'max_pool2d', kernel = 2, stride = 2, padding = 2, dilation = 3, ceil_mode = true }"),
    ("max_pool2d", "{ type = 'max_pool2d', kernel = [2, 4], stride = 4, ceil_mode = true }"),
    ("avg_pool2d", "{ type = 'avg_pool2d', kernel = [2, 3] }"),
    ("avg_pool2d", "{ type = 'avg_pool2d', kernel = 3, stride = 2, padding = 1 }"),
    ("avg_pool2d", "{ type = 'avg_pool2d', kernel = 3, stride = 2, padding = 1, count_include_pad = false }"),
    ("avg_pool2d", "{ type = 'avg_pool2d', kernel = [4, 3], stride = [3, 2], padding = [2, 1], ceil_mode = true }"),
    (
        "avg_pool2d",
        "{ type = 'avg_pool2d', kernel = [4, 3], stride = [3, 2], padding = [2, 1], ceil_mode = true, \
         count_include_pad = false }",
    ),
    ("avg_pool2d", "{ type = 'avg_pool2d', kernel = 2, stride = [4, 3], ceil_mode = true }"),
    ("global_avg_pool", "'global_avg_pool'"),
    ("linear", "'flatten', { type = 'linear', out_features = 7 }, { type = 'linear', out_features = 5, bias = false }"),
    ("flatten", "'flatten'"),
    ("scale", "{ type = 'scale', factor = -0.125 }"),
    ("relu", "'relu'"),
    ("leaky_relu", "{ type = 'leaky_relu', slope = 0.2 }"),
    ("prelu", "'prelu'"),
    ("elu", "{ type = 'elu', alpha = 0.7 }"),
    ("gelu", "'gelu'"),
    ("gelu", "{ type = 'gelu', approximate = 'tanh' }"),
    ("sigmoid", "'sigmoid'"),
    ("tanh", "'tanh'"),
    ("silu", "'silu'"),
    ("softplus", "'softplus'"),
    ("batch_norm", "'batch_norm'"),
    ("batch_norm", "{ type = 'batch_norm', scale = false, epsilon = 1e-3 }, 'flatten', 'batch_norm'"),
    ("batch_norm", "{ type = 'batch_norm', shift = false }, { type = 'batch_norm', scale = false, shift = false }"),
    ("group_norm", "{ type = 'conv2d', out_channels = 6, kernel = 2 }, { type = 'group_norm', groups = 3 }"),
    ("group_norm", "'flatten', { type = 'group_norm', groups = 4, epsilon = 1e-3 }"),
    ("layer_norm", "'layer_norm'"),
    ("layer_norm", "'flatten', { type = 'layer_norm', epsilon = 1e-3 }"),
    ("dropout", "'relu', { type = 'dropout', probability = 0.5 }"),
    (
        "residual",
        "{ type = 'residual', body = [{ type = 'conv2d', out_channels = 3, kernel = 3, padding = 1 }, 'relu'] }, \
         { type = 'residual', body = [{ type = 'dropout', probability = 0.5 }] }",
    ),
    (
        "residual",
        "{ type = 'residual', shortcut = 'zero-padding', body = [{ type = 'conv2d', out_channels = 5, kernel = 3, \
         padding = 1, stride = [2, 3] }, 'batch_norm'] }, \
         { type = 'residual', shortcut = 'zero-padding', body = [{ type = 'conv2d', out_channels = 7, kernel = 1 }] }",
    ),
    (
        "residual",
        "{ type = 'residual', body = [{ type = 'residual', body = ['tanh'] }, { type = 'conv2d', out_channels = 4, \
         kernel = 1 }], shortcut = [{ type = 'conv2d', out_channels = 4, kernel = 1 }, 'batch_norm'] }",
    ),
];

/// A network that is exported, and what it is called.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) network: Architecture,
    /// Black pixels around an image.
    padding: usize,
}

/// Every published network, and every layer.
pub(super) fn cases() -> Vec<Case> {
    let published = published::names().iter().map(|&name| {
        let padding = if name == "lenet-5" { 2 } else { 0 };
        Case { name: name.to_owned(), network: published::by_name(name).unwrap(), padding }
    });
    let layers = LAYERS.iter().enumerate().map(|(number, (kind, layers))| {
        let last = if layers.contains("'flatten'") { "" } else { ", 'flatten'" };
        let text = format!("[model]\ninput = [3, 9, 8]\nlayers = [{layers}{last}]\n");
        let network = experiment(&text).model;
        Case { name: format!("{number:02}-{kind}"), network, padding: number % 2 }
    });
    published.chain(layers).collect()
}

/// An experiment with this `[model]`.
fn experiment(model: &str) -> Experiment {
    let text = format!(
        "name = 'case'\n[data]\ndataset = 'mnist-sample'\n{model}[optimizer]\nlearning_rate = 0.1\n[training]\n\
         iterations = 1\n"
    );
    Experiment::from_toml("case.toml", &text, &[], &DataSets::any()).unwrap()
}

/// That no layer is missing.
pub(super) fn check_that_every_layer_has_a_case() {
    for kind in LayerSpec::TYPES {
        assert!(LAYERS.iter().any(|(of, _)| of == kind), "no case of {kind}");
    }
}

impl Case {
    /// Exports the network into `folder`: `model.onnx`, `pixels.onnx` with the normalisation, and the folder `pytorch`.
    pub(super) fn export(&self, folder: &Path, number: usize) {
        let (run, weights) = (self.run(folder, number), folder.join("weights.safetensors"));
        fs::write(&weights, self.weights()).unwrap();
        let export = |arguments: &[&str]| {
            let mut command = backproof(folder);
            command.arg("export").arg(&run).args(["--weights", "weights.safetensors"]).args(arguments);
            command.assert().success();
        };
        export(&["model.onnx", "--pytorch", "pytorch"]);
        export(&["pixels.onnx", if number.is_multiple_of(2) { "--normalize=u8" } else { "--normalize" }]);
        fs::remove_file(weights).unwrap(); // those of AlexNet are 244 MB
    }

    /// A run folder of the network, as far as an export reads it.
    fn run(&self, folder: &Path, number: usize) -> PathBuf {
        let run = folder.join("run");
        fs::create_dir_all(run.join("evaluation")).unwrap();
        let mut experiment = experiment("[model]\nname = 'mnist-baseline'\n");
        experiment.model = self.network.clone();
        experiment.data.padding = self.padding;
        experiment.training.loss = Loss::CrossEntropy;
        fs::write(run.join("config.toml"), experiment.to_toml()).unwrap();
        fs::copy(root().join("tests/fixtures/runs/schema-3/run.json"), run.join("run.json")).unwrap();
        fs::write(run.join("normalizer.json"), self.normalizer(number).to_string()).unwrap();
        let classes: Vec<Value> = (0..self.network.classes().unwrap())
            .map(|class| {
                json!({ "class": format!("class \"{class}\""), "precision": null, "recall": null,
                        "true_positives": 0, "support": 0 })
            })
            .collect();
        let result = json!({ "schema_version": 1, "split": "test", "iteration": 1, "images": 1, "correct": 0,
                             "accuracy": 0.0, "loss": 1.0, "classes": classes });
        fs::write(run.join("evaluation/result.json"), result.to_string()).unwrap();
        run
    }

    /// Another kind of normaliser for each number of a published network. The inputs of a layer are from about −3 to 4,
    /// where an activation is neither linear nor saturated.
    fn normalizer(&self, number: usize) -> Value {
        let input = self.network.input;
        let channels = input.dimensions()[0];
        let means = |count: usize| -> Vec<f32> { (0..count).map(|index| 0.3 + 0.01 * (index % 31) as f32).collect() };
        let stds: Vec<f32> = (0..channels).map(|channel| 0.12 + 0.02 * channel as f32).collect();
        let kind = if number < published::names().len() { number % 7 } else { 0 };
        let kind = match kind {
            0 => json!({ "kind": "standardize", "mean": means(channels), "std": stds }),
            1 => json!({ "kind": "subtract-mean", "mean": means(channels) }),
            2 => json!({ "kind": "subtract-mean", "mean": means(input.elements()) }),
            3 => json!({ "kind": "subtract-mean", "mean": [120.5], "pixels": "bytes" }),
            4 => json!({ "kind": "unit" }),
            5 => json!({ "kind": "subtract-mean", "mean": means(1) }),
            _ => json!({ "kind": "bytes" }),
        };
        let Value::Object(mut record) = kind else { unreachable!("it is an object") };
        record.insert("schema_version".to_owned(), json!(1));
        Value::Object(record)
    }

    /// Random weights, as large as those of a network that one trains, as a safetensors file.
    fn weights(&self) -> Vec<u8> {
        let traced = self.network.trace().unwrap();
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for layer in traced.iter().flat_map(TracedLayer::single) {
            for (role, shape, [least, most]) in roles(layer) {
                let name = format!("{}.{role}", layer.name);
                let bytes = uniform(&name, shape.iter().product(), least, most);
                tensors.push((name, shape, bytes));
            }
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a number for each place"))
        });
        safetensors::serialize(views, None::<HashMap<String, String>>).unwrap()
    }
}

/// The tensors of a layer: role, shape, and the range of their numbers.
fn roles(layer: &TracedLayer) -> Vec<(&'static str, Vec<usize>, [f32; 2])> {
    let matrix = match &layer.layer {
        LayerSpec::Conv2d(conv) => {
            let Shape::Image { channels, .. } = layer.input else { unreachable!("of images") };
            Some(vec![conv.out_channels, channels / conv.groups, conv.kernel.height, conv.kernel.width])
        }
        LayerSpec::Linear(linear) => Some(vec![linear.out_features, layer.input.elements()]),
        _ => None,
    };
    let weight = match matrix {
        Some(shape) => {
            let bound = (6.0 / shape[1..].iter().product::<usize>() as f32).sqrt();
            (shape, [-bound, bound])
        }
        None => (vec![layer.weights], [0.2, 1.5]),
    };
    let statistics = layer.running_statistics / 2;
    let all = [
        ("weight", weight.0, weight.1),
        ("bias", vec![layer.biases], [-0.5, 0.5]),
        ("running_mean", vec![statistics], [-0.5, 0.5]),
        ("running_var", vec![statistics], [0.3, 2.0]),
    ];
    all.into_iter().filter(|(_, shape, _)| !shape.contains(&0)).collect()
}

/// `count` numbers in a range, as bytes, the same for a name each time.
fn uniform(name: &str, count: usize, least: f32, most: f32) -> Vec<u8> {
    let blocks = (0..).map(|block| stream_seed(0, name, block, 0));
    let draws = blocks.flat_map(|block: [u8; 32]| {
        std::array::from_fn::<f32, 16, _>(|of| f32::from(u16::from_le_bytes([block[2 * of], block[2 * of + 1]])))
    });
    draws.take(count).flat_map(|draw| (least + (most - least) * draw / 65_535.0).to_le_bytes()).collect()
}
