//! An experiment as TOML, every default written out.

use std::fmt::Display;

use crate::{Architecture, Experiment, Layer, OptimizerKind, Schedule, Size2};

pub(crate) fn experiment(experiment: &Experiment) -> String {
    let mut out = Writer(String::new());
    out.entry("name", quoted(&experiment.name));
    out.entry("seed", experiment.seed);
    out.entry("engine", quoted(experiment.engine.name()));
    out.entry("kernels", quoted(experiment.kernels.name()));

    let data = &experiment.data;
    out.header("data");
    out.entry("dataset", quoted(&data.dataset));
    if let Some(images) = data.training_images {
        out.entry("training_images", images);
    }
    out.entry("validation_images", data.validation_images);
    out.entry("padding", data.padding);
    out.entry("normalization", quoted(data.normalization.name()));
    out.header("data.augmentation");
    out.entry("horizontal_flip", data.augmentation.horizontal_flip);
    out.entry("crop_padding", data.augmentation.crop_padding);

    model(&mut out, &experiment.model);
    if let Some(warm_start) = &experiment.warm_start {
        out.entry("init_from", quoted(&warm_start.init_from));
        out.entry("freeze", warm_start.freeze);
        out.entry("resize", warm_start.resize);
    }

    let optimizer = &experiment.optimizer;
    out.header("optimizer");
    optimizer_kind(&mut out, &optimizer.kind);
    out.entry("weight_decay", float(optimizer.weight_decay));
    out.entry("learning_rate", float(optimizer.learning_rate));
    out.entry("warmup", optimizer.warmup);
    out.entry("schedule", schedule(optimizer.schedule));

    let training = &experiment.training;
    out.header("training");
    out.entry("loss", quoted(training.loss.name()));
    out.entry("iterations", training.iterations);
    out.entry("batch_size", training.batch_size);
    out.entry("report_every", training.report_every);
    out.entry("validate_every", training.validate_every);
    out.entry("checkpoint_every", training.checkpoint_every);

    if let Some(expect) = &experiment.expect {
        out.header("expect");
        out.entry("test_accuracy", float(expect.test_accuracy));
    }
    out.0
}

struct Writer(String);

impl Writer {
    fn header(&mut self, path: &str) {
        self.0 += &format!("\n[{path}]\n");
    }

    fn entry(&mut self, key: &str, value: impl Display) {
        self.0 += &format!("{key} = {value}\n");
    }
}

fn model(out: &mut Writer, model: &Architecture) {
    out.header("model");
    out.entry("name", quoted(&model.name));
    out.entry("input", format!("{:?}", model.input.dimensions()));
    out.0 += "layers = [\n";
    for it in &model.layers {
        out.0 += &format!("    {{ {} }},\n", layer(it));
    }
    out.0 += "]\n";
}

fn optimizer_kind(out: &mut Writer, kind: &OptimizerKind) {
    out.entry("kind", quoted(kind.name()));
    match *kind {
        OptimizerKind::Momentum { momentum } => out.entry("momentum", float(momentum)),
        OptimizerKind::Sgd { momentum, dampening, nesterov } => {
            out.entry("momentum", float(momentum));
            out.entry("dampening", float(dampening));
            out.entry("nesterov", nesterov);
        }
        OptimizerKind::AdaGrad { learning_rate_decay, epsilon } => {
            out.entry("learning_rate_decay", float(learning_rate_decay));
            out.entry("epsilon", float(epsilon));
        }
        OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered } => {
            out.entry("smoothing", float(smoothing));
            out.entry("momentum", float(momentum));
            out.entry("epsilon", float(epsilon));
            out.entry("centered", centered);
        }
        OptimizerKind::Adam(adam) | OptimizerKind::AdamW(adam) => {
            out.entry("beta_1", float(adam.beta_1));
            out.entry("beta_2", float(adam.beta_2));
            out.entry("epsilon", float(adam.epsilon));
            out.entry("amsgrad", adam.amsgrad);
        }
    }
}

fn schedule(schedule: Schedule) -> String {
    match schedule {
        Schedule::Constant => "{ type = \"constant\" }".to_owned(),
        Schedule::Step { every, factor } => {
            format!("{{ type = \"step\", every = {every}, factor = {factor:?} }}")
        }
        Schedule::Cosine { final_fraction } => {
            format!("{{ type = \"cosine\", final_fraction = {final_fraction:?} }}")
        }
    }
}

/// The entries of a layer's table.
fn layer(layer: &Layer) -> String {
    let (kind, options) = match layer {
        Layer::Conv2d(it) => (
            "conv2d",
            format!(
                "out_channels = {}, kernel = {}, stride = {}, padding = {}, dilation = {}, groups = {}, bias = {}",
                it.out_channels,
                size(it.kernel),
                size(it.stride),
                size(it.padding),
                size(it.dilation),
                it.groups,
                it.bias
            ),
        ),
        Layer::MaxPool2d(it) => (
            "max_pool2d",
            format!(
                "kernel = {},{} padding = {}, dilation = {}, ceil_mode = {}",
                size(it.kernel),
                stride(it.stride),
                size(it.padding),
                size(it.dilation),
                it.ceil_mode
            ),
        ),
        Layer::AvgPool2d(it) => (
            "avg_pool2d",
            format!(
                "kernel = {},{} padding = {}, ceil_mode = {}, count_include_pad = {}",
                size(it.kernel),
                stride(it.stride),
                size(it.padding),
                it.ceil_mode,
                it.count_include_pad
            ),
        ),
        Layer::Linear(it) => ("linear", format!("out_features = {}, bias = {}", it.out_features, it.bias)),
        Layer::Flatten => ("flatten", String::new()),
        Layer::Relu => ("relu", String::new()),
        Layer::LeakyRelu { slope } => ("leaky_relu", format!("slope = {slope:?}")),
        Layer::Prelu { initial_slope } => ("prelu", format!("initial_slope = {initial_slope:?}")),
        Layer::Elu { alpha } => ("elu", format!("alpha = {alpha:?}")),
        Layer::Gelu => ("gelu", String::new()),
        Layer::Sigmoid => ("sigmoid", String::new()),
        Layer::Tanh => ("tanh", String::new()),
        Layer::BatchNorm(it) => ("batch_norm", format!("epsilon = {:?}, momentum = {:?}", it.epsilon, it.momentum)),
        Layer::Dropout(it) => ("dropout", format!("probability = {:?}", it.probability)),
    };
    if options.is_empty() { format!("type = \"{kind}\"") } else { format!("type = \"{kind}\", {options}") }
}

/// `5` where both sides are equal.
fn size(size: Size2) -> String {
    if size.height == size.width { size.height.to_string() } else { format!("[{}, {}]", size.height, size.width) }
}

fn stride(stride: Option<Size2>) -> String {
    stride.map_or(String::new(), |stride| format!(" stride = {},", size(stride)))
}

/// The shortest digits that give the same number back, always with a point or an exponent.
fn float(number: f64) -> String {
    format!("{number:?}")
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04X}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}
