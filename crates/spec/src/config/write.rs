//! An experiment as TOML, every default written out, but for the defaults of keys that came later: a run folder from
//! before them has the same text.

use crate::{
    Architecture, Augmentation, Averages, ClassWeights, Clipping, CropBorder, Experiment, ImageFolder, ImageSource,
    LayerSpec, Normalization, Optimizer, OptimizerKind, Schedule, Shape, Size2, Training, Update, UpdateRule, Views,
};

pub(crate) fn experiment(experiment: &Experiment) -> String {
    let mut out = Writer(String::new());
    out.entry("name", experiment.name.as_str());
    out.entry("seed", experiment.seed);
    out.entry("engine", experiment.engine.name());
    out.entry("kernels", experiment.kernels.name());

    let data = &experiment.data;
    out.header("data");
    match &data.images {
        ImageSource::DataSet(name) => out.entry("dataset", name.as_str()),
        ImageSource::Folder(of_user) => folder(&mut out, of_user),
    }
    if let Some(images) = data.training_images {
        out.entry("training_images", images);
    }
    out.entry("validation_images", data.validation_images);
    out.entry("padding", data.padding);
    normalization(&mut out, data.normalization);
    out.entry("order", data.order.name());
    out.header("data.augmentation");
    out.entry("horizontal_flip", data.augmentation.horizontal_flip);
    out.entry("crop_padding", data.augmentation.crop_padding);
    further_augmentation(&mut out, data.augmentation);

    model(&mut out, &experiment.model);
    if let Some(warm_start) = &experiment.warm_start {
        out.entry("init_from", warm_start.init_from.as_str());
        out.entry("freeze", warm_start.freeze);
        out.entry("resize", warm_start.resize);
    }

    optimizer(&mut out, &experiment.optimizer);

    let training = &experiment.training;
    out.header("training");
    out.entry("loss", training.loss.name());
    if training.label_smoothing != 0.0 {
        out.entry("label_smoothing", training.label_smoothing);
    }
    match &training.class_weights {
        Some(ClassWeights::Balanced) => out.entry("class_weights", "balanced"),
        Some(ClassWeights::Each(weights)) => out.entry("class_weights", &weights[..]),
        None => {}
    }
    out.entry("iterations", training.iterations);
    out.entry("batch_size", training.batch_size);
    out.entry("report_every", training.report_every);
    out.entry("validate_every", training.validate_every);
    out.entry("checkpoint_every", training.checkpoint_every);
    if training.layers_every != Training::LAYERS_EVERY {
        out.entry("layers_every", training.layers_every);
    }
    if !training.keep.is_empty() {
        out.entry("keep", &training.keep[..]);
    }
    if training.averages != Averages::default() {
        out.entry("averages", training.averages.name());
    }
    if let Some(rule) = &training.early_stopping {
        out.header("training.early_stopping");
        out.entry("watch", rule.watch.name());
        out.entry("patience", rule.patience);
        out.entry("least_change", rule.least_change);
        if rule.restore_best {
            out.entry("restore_best", true);
        }
    }

    if let Some(average) = &training.weight_average {
        out.header("training.weight_average");
        out.entry("decay", average.decay);
    }

    let explains = experiment.explained_images != Experiment::EXPLAINED_IMAGES;
    if experiment.views != Views::default() || explains {
        out.header("evaluation");
    }
    if experiment.views != Views::default() {
        out.entry("views", experiment.views.name());
    }
    if explains {
        out.entry("explained_images", experiment.explained_images);
    }

    if experiment.check_gradients {
        out.header("check");
        out.entry("gradients", true);
    }

    if let Some(expect) = &experiment.expect {
        out.header("expect");
        out.entry("test_accuracy", expect.test_accuracy);
    }
    out.0
}

fn folder(out: &mut Writer, folder: &ImageFolder) {
    out.entry("folder", folder.path.as_str());
    out.entry("size", folder.size);
    out.entry("channels", folder.channels);
    out.entry("resize", folder.resize.name());
    out.entry("background", folder.background.to_string().as_str());
    out.entry("test_fraction", folder.test_fraction);
    out.entry("skip_unreadable", folder.skip_unreadable);
}

/// Tables with a line a key.
struct Writer(String);

impl Writer {
    fn header(&mut self, path: &str) {
        self.0 += &format!("\n[{path}]\n");
    }

    fn entry(&mut self, key: &str, value: impl ToToml) {
        self.0 += &format!("{key} = {}\n", value.toml());
    }
}

/// A table on one line: `{ type = "linear", out_features = 10, bias = true }`.
#[derive(Debug, Default)]
pub(crate) struct Entries(Vec<String>);

impl Entries {
    pub(crate) fn push(&mut self, key: &str, value: impl ToToml) {
        self.0.push(format!("{key} = {}", value.toml()));
    }

    /// A key whose absence means something of its own.
    pub(crate) fn push_some(&mut self, key: &str, value: Option<impl ToToml>) {
        if let Some(value) = value {
            self.push(key, value);
        }
    }
}

/// Keys that not every version has are left out where they do nothing.
fn further_augmentation(out: &mut Writer, augmentation: Augmentation) {
    let Augmentation { alternating_flip, crop_border, cutout, brightness, contrast, mixup, cutmix, .. } = augmentation;
    if alternating_flip {
        out.entry("alternating_flip", true);
    }
    if crop_border != CropBorder::default() {
        out.entry("crop_border", crop_border.name());
    }
    if cutout > 0 {
        out.entry("cutout", cutout);
    }
    for (key, most) in [("brightness", brightness), ("contrast", contrast), ("mixup", mixup), ("cutmix", cutmix)] {
        if most > 0.0 {
            out.entry(key, most);
        }
    }
}

fn normalization(out: &mut Writer, normalization: Normalization) {
    let word = match normalization {
        Normalization::Standardize => "standardize",
        Normalization::Unit => "unit",
        Normalization::Bytes => "bytes",
        Normalization::SubtractMean { of, pixels } => {
            let mut entries = Entries::default();
            entries.push("type", "subtract-mean");
            entries.push("of", of.name());
            entries.push("pixels", pixels.name());
            return out.entry("normalization", entries);
        }
    };
    out.entry("normalization", word);
}

fn model(out: &mut Writer, model: &Architecture) {
    out.header("model");
    out.entry("name", model.name.as_str());
    out.entry("input", model.input);
    out.0 += "layers = [\n";
    for layer in &model.layers {
        out.0 += &item(layer);
    }
    out.0 += "]\n";
}

/// A layer in an array of layers, on a line of its own; with layers inside of it, on several.
fn item(layer: &LayerSpec) -> String {
    format!("    {},\n", layer.entries().toml().replace('\n', "\n    "))
}

fn optimizer(out: &mut Writer, optimizer: &Optimizer) {
    out.header("optimizer");
    update_rule(out, &optimizer.rule, Update::default());
    if let Some(clipping) = optimizer.clipping {
        let (kind, most) = match clipping {
            Clipping::Norm { most } => ("norm", most),
            Clipping::Value { most } => ("value", most),
        };
        let mut entries = Entries::default();
        entries.push("type", kind);
        entries.push("most", most);
        out.entry("clipping", entries);
    }
    if let Some(lookahead) = optimizer.lookahead {
        out.header("optimizer.lookahead");
        out.entry("every", lookahead.every);
        out.entry("share", lookahead.share);
    }
    for group in &optimizer.groups {
        out.header("[optimizer.groups]");
        out.entry("parameters", &group.parameters[..]);
        // Left out is what [optimizer] has.
        let inherited = match optimizer.rule.kind {
            OptimizerKind::Momentum { update, .. } => update,
            _ => Update::default(),
        };
        update_rule(out, &group.rule, inherited);
        for (key, iteration) in [("frozen_from", group.frozen_from), ("frozen_until", group.frozen_until)] {
            if let Some(iteration) = iteration {
                out.entry(key, iteration);
            }
        }
    }
}

/// `absent` is what it means to leave `update` out.
fn update_rule(out: &mut Writer, rule: &UpdateRule, absent: Update) {
    optimizer_kind(out, &rule.kind, absent);
    out.entry("weight_decay", rule.weight_decay);
    out.entry("learning_rate", rule.learning_rate);
    out.entry("warmup", rule.warmup);
    out.entry("schedule", schedule(rule.schedule));
}

fn optimizer_kind(out: &mut Writer, kind: &OptimizerKind, absent: Update) {
    out.entry("kind", kind.name());
    match *kind {
        OptimizerKind::Momentum { momentum, update } => {
            out.entry("momentum", momentum);
            if update != absent {
                out.entry("update", update.name());
            }
        }
        OptimizerKind::Sgd { momentum, dampening, nesterov } => {
            out.entry("momentum", momentum);
            out.entry("dampening", dampening);
            out.entry("nesterov", nesterov);
        }
        OptimizerKind::AdaGrad { learning_rate_decay, epsilon } => {
            out.entry("learning_rate_decay", learning_rate_decay);
            out.entry("epsilon", epsilon);
        }
        OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered } => {
            out.entry("smoothing", smoothing);
            out.entry("momentum", momentum);
            out.entry("epsilon", epsilon);
            out.entry("centered", centered);
        }
        OptimizerKind::Adam(adam) | OptimizerKind::AdamW(adam) => {
            out.entry("beta_1", adam.beta_1);
            out.entry("beta_2", adam.beta_2);
            out.entry("epsilon", adam.epsilon);
            out.entry("amsgrad", adam.amsgrad);
        }
        OptimizerKind::Muon { momentum, nesterov, newton_schulz_steps, rescale } => {
            out.entry("momentum", momentum);
            out.entry("nesterov", nesterov);
            out.entry("newton_schulz_steps", newton_schulz_steps);
            out.entry("rescale", rescale);
        }
    }
}

fn schedule(schedule: Schedule) -> Entries {
    let mut entries = Entries::default();
    match schedule {
        Schedule::Constant => entries.push("type", "constant"),
        Schedule::Step { every, factor } => {
            entries.push("type", "step");
            entries.push("every", every);
            entries.push("factor", factor);
        }
        Schedule::Cosine { final_fraction } => {
            entries.push("type", "cosine");
            entries.push("final_fraction", final_fraction);
        }
        Schedule::Linear { final_fraction } => {
            entries.push("type", "linear");
            entries.push("final_fraction", final_fraction);
        }
        Schedule::OneCycle { rise, initial_fraction, final_fraction } => {
            entries.push("type", "one-cycle");
            entries.push("rise", rise);
            entries.push("initial_fraction", initial_fraction);
            entries.push("final_fraction", final_fraction);
        }
    }
    entries
}

/// What a config holds, as TOML.
pub(crate) trait ToToml {
    fn toml(&self) -> String;
}

impl ToToml for u64 {
    fn toml(&self) -> String {
        self.to_string()
    }
}

impl ToToml for usize {
    fn toml(&self) -> String {
        self.to_string()
    }
}

impl ToToml for bool {
    fn toml(&self) -> String {
        self.to_string()
    }
}

/// The shortest digits that give the same number back, always with a point or an exponent.
impl ToToml for f64 {
    fn toml(&self) -> String {
        format!("{self:?}")
    }
}

impl ToToml for &[String] {
    fn toml(&self) -> String {
        format!("[{}]", self.iter().map(|text| text.as_str().toml()).collect::<Vec<_>>().join(", "))
    }
}

impl ToToml for &[usize] {
    fn toml(&self) -> String {
        format!("{self:?}")
    }
}

impl ToToml for &[f64] {
    fn toml(&self) -> String {
        format!("[{}]", self.iter().map(|number| number.toml()).collect::<Vec<_>>().join(", "))
    }
}

/// `5` where both sides are equal.
impl ToToml for Size2 {
    fn toml(&self) -> String {
        if self.height == self.width { self.height.to_string() } else { format!("[{}, {}]", self.height, self.width) }
    }
}

impl ToToml for Shape {
    fn toml(&self) -> String {
        format!("{:?}", self.dimensions())
    }
}

impl ToToml for &[LayerSpec] {
    fn toml(&self) -> String {
        format!("[\n{}]", self.iter().map(item).collect::<String>())
    }
}

impl ToToml for Entries {
    fn toml(&self) -> String {
        format!("{{ {} }}", self.0.join(", "))
    }
}

/// A basic string.
impl ToToml for &str {
    fn toml(&self) -> String {
        let mut out = String::from("\"");
        for c in self.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => out += &format!("\\u{:04X}", c as u32),
                c => out.push(c),
            }
        }
        out + "\""
    }
}
