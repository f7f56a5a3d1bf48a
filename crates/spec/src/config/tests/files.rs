//! The defaults, the schema, and the configs that come with the program.

use std::path::Path;

use super::{SPELLED_OUT, read};
use crate::data_set::four;
use crate::layers::LAYERS;
use crate::{
    Architecture, Augmentation, Engine, Experiment, Initialization, InitializationKind, LayerSpec, Loss, Normalization,
    OptimizerKind, Order, Schedule, Shape, Update, defaults, published, schema,
};

#[test]
fn the_defaults_load_and_are_the_defaults() {
    let text = defaults(&four());
    let experiment = read(&text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let bare = "[data]\ndataset = \"mnist-sample\"\n[model]\nname = \"mnist-baseline\"\n\
                [optimizer]\nlearning_rate = 0.05\n[training]\niterations = 2000\n";
    assert_eq!(experiment, read(bare, &[]).unwrap());
    assert_eq!((experiment.name.as_str(), experiment.seed, experiment.engine), ("a", 1, Engine::Autodiff));
    assert_eq!((experiment.data.validation_images, experiment.data.training_images), (500, None));
    assert_eq!(experiment.data.normalization, Normalization::Standardize);
    assert_eq!(experiment.data.augmentation, Augmentation::default());
    let optimizer = &experiment.optimizer.rule;
    assert_eq!(optimizer.kind, OptimizerKind::Momentum { momentum: 0.95, update: Update::AfterMomentum });
    assert_eq!((optimizer.weight_decay, optimizer.warmup), (0.001, 0));
    assert_eq!(optimizer.schedule, Schedule::Constant);
    let training = &experiment.training;
    assert_eq!((training.loss, training.batch_size, training.report_every), (Loss::CrossEntropy, 16, 50));
    assert_eq!((training.validate_every, training.checkpoint_every), (500, 500));
    assert_eq!(experiment.expect, None);
    assert!(!experiment.check_gradients);
}

/// Every line that is commented out is valid once it is not.
#[test]
fn the_optional_keys_of_the_defaults_load_too() {
    let text = defaults(&four())
        .replace("# training_images", "training_images")
        .replace("# name", "name")
        .replace("# init_from", "init_from")
        .replace("name = \"mnist-baseline\"\n# The shape", "# The shape")
        .replace("# input", "input")
        .replace("# layers", "layers")
        .replace("# [expect]", "[expect]")
        .replace("# test_accuracy", "test_accuracy");
    let experiment = read(&text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(experiment.data.training_images, Some(1_000));
    assert_eq!(experiment.model.layers.len(), 2);
    assert!(experiment.expect.is_some() && experiment.warm_start.is_some());
}

/// Each optimizer of the commented list is one that is read, with the keys and the defaults that it is listed with.
#[test]
fn the_optimizers_of_the_defaults_are_those_that_are_read() {
    let text = defaults(&four());
    let listed: Vec<&str> = text.split("#   kind = ").skip(1).collect();
    assert_eq!(listed.len(), 6);
    // Muon is for networks without vectors among their parameters.
    let layers = "model.layers=[\"flatten\", { type = \"linear\", out_features = 10, bias = false }]";
    for listed in listed {
        let kind = listed.split('"').nth(1).unwrap();
        let lines = listed.lines().skip(1).map_while(|line| line.strip_prefix("#       "));
        let keys: Vec<String> = lines.map(|line| line.split("    ").next().unwrap().replace(" = ", "=")).collect();
        assert!(keys.iter().any(|key| key.starts_with("weight_decay=")), "{listed}");
        let kind = format!("optimizer.kind={kind}");
        let all: Vec<String> = keys.iter().map(|key| format!("optimizer.{key}")).collect();
        let all: Vec<&str> = [layers, &kind].into_iter().chain(all.iter().map(String::as_str)).collect();
        assert_eq!(read(SPELLED_OUT, &all).unwrap().optimizer, read(SPELLED_OUT, &all[..2]).unwrap().optimizer);
    }
}

#[test]
fn the_layers_of_the_defaults_are_the_defaults_of_layers() {
    for line in defaults(&four()).lines().filter_map(|line| line.strip_prefix("#   { type = ")) {
        let kind = line.split('"').nth(1).unwrap();
        assert!(schema(&four()).contains(&format!("\"const\": \"{kind}\"")), "{kind}");
    }
}

#[test]
fn the_schema_is_json_that_describes_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&schema(&four())).unwrap();
    let properties = |path: &str| {
        let object = schema.pointer(path).and_then(|it| it.as_object());
        object.unwrap_or_else(|| panic!("{path}")).keys().cloned().collect::<Vec<_>>()
    };
    let mut top = properties("/properties");
    top.sort();
    assert_eq!(
        top,
        [
            "check",
            "data",
            "engine",
            "evaluation",
            "expect",
            "kernels",
            "model",
            "name",
            "optimizer",
            "seed",
            "training"
        ]
    );
    let optimizers = schema["properties"]["optimizer"]["oneOf"].as_array().unwrap();
    assert_eq!(optimizers.len(), 7);
    for optimizer in optimizers {
        let (kind, properties) = (&optimizer["properties"]["kind"]["const"], &optimizer["properties"]);
        assert_eq!(properties["learning_rate"]["exclusiveMinimum"], 0, "{kind}");
        assert_eq!(optimizer["additionalProperties"], false, "{kind}");
        assert_eq!(properties.get("beta_1").is_some(), kind == "adam" || kind == "adamw", "{kind}");
        assert_eq!(optimizer["required"].as_array().unwrap().contains(&"kind".into()), kind != "momentum", "{kind}");
    }
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
    assert_eq!(required, ["data", "optimizer", "training"]);
    let layers = schema["$defs"]["layer"]["oneOf"].as_array().unwrap();
    let (_types_alone, with_keys) = layers.split_first().unwrap();
    let types: Vec<_> = with_keys.iter().map(|layer| layer["properties"]["type"]["const"].as_str().unwrap()).collect();
    assert_eq!(types, LAYERS.variants.iter().map(|layer| layer.name).collect::<Vec<_>>());
}

fn config(name: &str) -> (String, Experiment) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs").join(name).with_extension("toml");
    let experiment = Experiment::load(&path, &[], &four()).unwrap_or_else(|error| panic!("{error}"));
    (std::fs::read_to_string(path).unwrap(), experiment)
}

/// Name, network, iterations, batch size, learning rate. A config as published has the source's settings; the others
/// have our learning rate and a cosine.
const CONFIGS: [(&str, &str, usize, usize, f64); 45] = [
    ("quickstart", "mnist-baseline", 2_000, 16, 0.05),
    ("mnist-baseline", "mnist-baseline", 3_000, 16, 0.05),
    ("mnist-baseline-as-published", "mnist-baseline", 3_000, 16, 0.1),
    ("mnist-baseline-delayed-as-published", "mnist-baseline", 3_000, 16, 0.1),
    ("fashion-mnist-baseline", "mnist-baseline", 3_000, 16, 0.05),
    ("cifar-baseline", "cifar-baseline", 5_000, 16, 0.02),
    ("cifar-baseline-as-published", "cifar-baseline", 5_000, 16, 0.001),
    ("mohamad-cifar-baseline-as-published", "cifar-baseline", 12_000, 16, 0.001),
    ("willis-step-1", "cifar-baseline", 5_000, 16, 0.02),
    ("willis-step-1-as-published", "cifar-baseline", 5_000, 16, 0.001),
    ("willis-step-2", "cifar-baseline", 7_000, 16, 0.02),
    ("willis-step-2-as-published", "cifar-baseline", 7_000, 16, 0.001),
    ("willis-step-3", "cifar-baseline", 7_000, 16, 0.02),
    ("willis-step-3-as-published", "cifar-baseline", 7_000, 16, 0.001),
    ("willis-step-4", "cifar-baseline", 7_000, 16, 0.02),
    ("willis-step-4-as-published", "cifar-baseline", 7_000, 16, 0.001),
    ("willis-step-5", "cifar-baseline", 7_000, 16, 0.04),
    ("willis-step-5-as-published", "cifar-baseline", 7_000, 16, 0.002),
    ("willis-step-6", "cifar-baseline", 7_000, 16, 0.01),
    ("willis-step-6-as-published", "cifar-baseline", 7_000, 16, 0.0005),
    ("willis-improved", "willis-improved", 7_000, 16, 0.02),
    ("willis-improved-as-published", "willis-improved", 7_000, 16, 0.001),
    ("bai-improved", "bai-improved", 5_000, 16, 0.02),
    ("bai-improved-as-published", "bai-improved", 5_000, 16, 0.001),
    ("timurtas-improved", "timurtas-improved", 20_000, 16, 0.01),
    ("timurtas-improved-as-published", "timurtas-improved", 5_000, 16, 0.001),
    ("timurtas-mnist-baseline-as-published", "mnist-baseline", 3_000, 16, 0.1),
    ("timurtas-cifar-baseline-as-published", "cifar-baseline", 5_000, 16, 0.001),
    ("timurtas-64-32-16", "timurtas-64-32-16", 5_000, 16, 0.01),
    ("timurtas-64-32-16-as-published", "timurtas-64-32-16", 5_000, 16, 0.001),
    ("timurtas-32-16-8", "timurtas-32-16-8", 5_000, 16, 0.01),
    ("timurtas-32-16-8-as-published", "timurtas-32-16-8", 5_000, 16, 0.001),
    ("timurtas-warm-start", "timurtas-improved", 5_000, 16, 0.01),
    ("petre-mlp", "petre-mlp", 15_000, 64, 0.001),
    ("petre-mlp-as-published", "petre-mlp", 93_900, 128, 0.001),
    ("petre-mlp-fashion", "petre-mlp-fashion", 9_000, 64, 0.001),
    ("petre-mlp-fashion-as-published", "petre-mlp-fashion", 112_500, 128, 0.001),
    ("petre-cnn", "petre-cnn", 15_000, 64, 0.001),
    ("petre-cnn-as-published", "petre-cnn", 8_000, 500, 0.001),
    ("petre-cnn-fashion", "petre-cnn-fashion", 9_000, 64, 0.001),
    ("petre-cnn-fashion-as-published", "petre-cnn-fashion", 9_600, 500, 0.001),
    ("lenet-5", "lenet-5", 4_500, 64, 0.001),
    ("resnet-20", "resnet-20", 15_000, 128, 0.1),
    ("resnet-9", "resnet-9", 2_250, 512, 0.1),
    ("airbench94", "airbench94", 200, 2_000, 106.0),
];

/// Name, output and number of parameters of each layer.
fn shapes(model: &Architecture) -> Vec<(String, Shape, usize)> {
    let trace = model.trace().unwrap_or_else(|error| panic!("{error}"));
    trace.into_iter().map(|layer| (layer.name, layer.output, layer.weights + layer.biases)).collect()
}

#[test]
fn each_config_is_what_it_says() {
    for (name, network, iterations, batch_size, learning_rate) in CONFIGS {
        let (text, experiment) = config(name);
        assert_eq!(experiment.name, name);
        let published = published::by_name(network).expect("it is published");
        assert_eq!(shapes(&experiment.model), shapes(&published), "{name}");
        assert_eq!(
            (experiment.training.iterations, experiment.training.batch_size),
            (iterations, batch_size),
            "{name}"
        );
        assert_eq!(experiment.optimizer.rule.learning_rate, learning_rate, "{name}");
        let as_in_the_source = name.ends_with("-as-published");
        let schedule = match (as_in_the_source, name) {
            (true, _) => Schedule::Constant,
            (false, "airbench94") => Schedule::Linear { final_fraction: 0.0 },
            (false, _) => Schedule::Cosine { final_fraction: 0.0 },
        };
        assert_eq!(experiment.optimizer.rule.schedule, schedule, "{name}");
        for head in ["# command:  cargo xtask train", "# time:     ", "# result:   "] {
            assert!(text.lines().any(|line| line.starts_with(head)), "{name} has no `{head}`");
        }
    }
}

/// AlexNet has no data set of its size here, and `auto` chooses the small ones.
#[test]
fn every_network_of_the_literature_but_alexnet_has_a_config() {
    let is_small = |name: &str| name.starts_with("small-cnn-");
    for network in published::names().iter().filter(|name| **name != "alexnet" && !is_small(name)) {
        assert!(CONFIGS.iter().any(|config| config.1 == *network), "{network}");
    }
}

#[test]
fn a_config_as_published_is_prepared_and_drawn_as_in_the_source() {
    for (name, network, ..) in CONFIGS.iter().filter(|config| config.0.ends_with("-as-published")) {
        let (text, experiment) = config(name);
        let of_thesis = network.starts_with("petre");
        assert_ne!(experiment.data.normalization, Normalization::Standardize, "{name}");
        assert_eq!(experiment.data.order == Order::Random, !of_thesis, "{name}");
        assert_eq!(experiment.training.early_stopping.is_some(), of_thesis, "{name}");
        assert!(text.contains("initialization = "), "{name}");
    }
}

#[test]
fn an_initialization_of_layers_that_a_network_does_not_have_is_an_error() {
    let text = "[data]\ndataset = \"cifar-10\"\n[model]\nname = \"petre-mlp\"\nconv2d_initialization = \"he-normal\"\n\
                [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n";
    let error = read(text, &[]).unwrap_err().to_string();
    assert!(error.starts_with("`conv2d_initialization` has no effect: `petre-mlp` has no convolution"), "{error}");
}

#[test]
fn every_config_is_tested_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(CONFIGS.iter().any(|config| config.0 == stem), "{stem}");
        }
    }
}

#[test]
fn the_quickstart_expects_95_percent() {
    assert_eq!(config("quickstart").1.expect.unwrap().test_accuracy, 0.95);
}

#[test]
fn the_weights_of_a_published_network_are_drawn_as_the_config_says() {
    let text = "[data]\ndataset = \"mnist\"\n[model]\nname = \"mnist-baseline\"\ninitialization = \"glorot-uniform\"\n\
                conv2d_initialization = { type = \"he-normal\", gain = 0.1, fan_in = 75 }\n\
                [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n";
    let experiment = super::read(text, &[]).unwrap();
    let glorot = Initialization { kind: InitializationKind::GlorotUniform, ..Initialization::default() };
    let he = Initialization { gain: 0.1, fan_in: Some(75), ..Initialization::default() };
    for layer in &experiment.model.layers {
        match layer {
            LayerSpec::Conv2d(conv) => assert_eq!(conv.initialization, Some(he)),
            LayerSpec::Linear(linear) => assert_eq!(linear.initialization, Some(glorot)),
            _ => {}
        }
    }
    assert_eq!(Some(experiment.model.without_initialization()), published::by_name("mnist-baseline"));
    // A run folder has the layers, under the published name.
    assert_eq!(super::read(&experiment.to_toml(), &[]).unwrap(), experiment);
    // What a layer says comes first.
    let own =
        super::changed("out_features = 10", "out_features = 10, initialization = { type = \"he-uniform\", gain = 2 }")
            .replace("[model]", "[model]\ninitialization = \"glorot-normal\"");
    let layers = super::read(&own, &[]).unwrap().model.layers;
    let LayerSpec::Linear(linear) = &layers[3] else { panic!("{layers:?}") };
    let uniform = Initialization { kind: InitializationKind::HeUniform, gain: 2.0, ..Initialization::default() };
    assert_eq!(linear.initialization, Some(uniform));
    let LayerSpec::Conv2d(conv) = &layers[0] else { panic!("{layers:?}") };
    assert_eq!(conv.initialization.map(|it| it.kind), Some(InitializationKind::GlorotNormal));
}

/// The text of a config with a published network of CIFAR-10 or MNIST and these lines in `[model]`.
fn published_with(network: &str, dataset: &str, lines: &str) -> String {
    format!(
        "[data]\ndataset = \"{dataset}\"\n[model]\nname = \"{network}\"\n{lines}\n[optimizer]\nlearning_rate = 0.1\n\
         [training]\niterations = 10\n"
    )
}

#[test]
fn relus_and_batch_normalisations_of_a_published_network_are_as_the_config_says() {
    let lines = "relu_gradient_at_zero = 1\nbatch_norm = { momentum = 0.01, epsilon = 1e-3 }";
    let experiment = super::read(&published_with("petre-cnn-fashion", "fashion-mnist", lines), &[]).unwrap();
    let [mut relus, mut norms] = [0; 2];
    for layer in &experiment.model.layers {
        match layer {
            LayerSpec::Relu(relu) => {
                relus += 1;
                assert_eq!(relu.gradient_at_zero, 1);
            }
            LayerSpec::BatchNorm(norm) => {
                norms += 1;
                assert_eq!((norm.momentum, norm.epsilon), (0.01, 1e-3));
            }
            _ => {}
        }
    }
    assert!(relus > 1 && norms > 1);
    assert_eq!(Some(experiment.model.without_settings()), published::by_name("petre-cnn-fashion"));
    // A run folder has the layers, under the published name.
    let text = experiment.to_toml();
    assert!(text.contains("{ type = \"relu\", gradient_at_zero = 1 }"), "{text}");
    assert_eq!(super::read(&text, &[]).unwrap(), experiment);
    // One key alone leaves the other what it is.
    let one =
        super::read(&published_with("petre-cnn-fashion", "fashion-mnist", "batch_norm = { momentum = 0.01 }"), &[]);
    let layers = one.unwrap().model.layers;
    let norm = |layer: &LayerSpec| matches!(layer, LayerSpec::BatchNorm(norm) if norm.epsilon == 1e-5);
    assert!(layers.iter().any(norm), "{layers:?}");
}

#[test]
fn a_key_of_layers_that_a_published_network_does_not_have_is_an_error() {
    let error = super::read(&published_with("mnist-baseline", "mnist", "batch_norm = { momentum = 0.01 }"), &[]);
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("`batch_norm` has no effect: `mnist-baseline` has no batch normalisation\n"), "{error}");
}

/// The text of a config, and so its hash and those of older run folders, is what it was before there were these keys.
#[test]
fn keys_that_came_later_are_not_written_where_they_are_the_default() {
    let written = |overrides: &[&str]| read(SPELLED_OUT, overrides).unwrap().to_toml();
    let defaults = [
        "optimizer.update=after-momentum",
        "training.averages=plain",
        "evaluation.views=one",
        "check.gradients=false",
        "training.early_stopping.restore_best=false",
        "model.layers.1={ type = \"relu\", gradient_at_zero = 0 }",
    ];
    let text = written(&defaults);
    assert_eq!(text, written(&["training.early_stopping={}"]));
    for key in [
        "update",
        "averages",
        "restore_best",
        "gradient_at_zero",
        "clipping",
        "lookahead",
        "optimizer.groups",
        "evaluation",
        "[check]",
    ] {
        assert!(!text.contains(key), "{text}");
    }
    let others = ["optimizer.update=before-momentum", "training.averages=moving", "check.gradients=true"];
    let text = written(&others);
    assert!(text.contains("\n[check]\ngradients = true\n"), "{text}");
    assert!(text.contains("update = \"before-momentum\"\n") && text.contains("averages = \"moving\"\n"), "{text}");
}
