//! Every key of a config, with its kind, its default and what it does. Those of layers stand with the layers.

mod check;
mod evaluation;
pub(super) mod folder;
mod mixing;
mod optimizers;

use super::format::Literal::{Flag, Integer, Number, Toml, Word};
use super::format::Presence::{Default, Either, Optional, Required, Table};
use super::format::{Kind, Range, Section, Variant, Variants, key};
use crate::initialization::INITIALIZATIONS;
use crate::layers::BATCH_NORM_KEYS;
use check::CHECK;
use evaluation::EVALUATION;
use folder::{BACKGROUND, CHANNELS, FOLDER, RESIZE, SIZE, SKIP_UNREADABLE, TEST_FRACTION, VALIDATION_FRACTION};
use mixing::{CUTMIX, MIXUP};
pub(super) use optimizers::{GROUP, OPTIMIZER};

pub(super) static EXPERIMENT: Section = Section {
    path: "",
    doc: "An experiment: everything that determines a run.",
    kinds: None,
    keys: &[
        key(
            "name",
            Kind::Name,
            Optional(Word("mnist-baseline")),
            "The name of the experiment and of its folder under runs/; the name of the file when absent.",
        ),
        key("seed", Kind::Integer { least: 0 }, Default(Integer(1)), "Everything random comes from this number."),
        key(
            "engine",
            Kind::Choice(&["autodiff", "manual", "compiled"]),
            Default(Word("autodiff")),
            "autodiff: by Burn; manual: the derived backward passes, on tensors; compiled: the same, on CPU kernels alone.",
        ),
        key(
            "kernels",
            Kind::Choice(&["auto", "off"]),
            Default(Word("auto")),
            "With autodiff. auto: our own CPU kernels where they exist (backend flex); off: only Burn's operations.",
        ),
        key("data", Kind::Section(&DATA), Table, DATA.doc),
        key("model", Kind::Section(&MODEL), Table, MODEL.doc),
        key("optimizer", Kind::Section(&OPTIMIZER), Table, OPTIMIZER.doc),
        key("training", Kind::Section(&TRAINING), Table, TRAINING.doc),
        key("evaluation", Kind::Section(&EVALUATION), Table, EVALUATION.doc),
        key("check", Kind::Section(&CHECK), Table, CHECK.doc),
        key("expect", Kind::Section(&EXPECT), Optional(Toml("{}")), EXPECT.doc),
    ],
};

pub(super) static DATA: Section = Section {
    path: "data",
    doc: "The images to train on, and how they are prepared.",
    kinds: None,
    keys: &[
        key("dataset", Kind::DataSet, Either("folder", Word("mnist-sample")), "The data set."),
        key(
            "training_images",
            Kind::Integer { least: 1 },
            Optional(Integer(1000)),
            "Number of training images to use, of those that the split leaves; all of them when absent.",
        ),
        key(
            "validation_images",
            Kind::Integer { least: 0 },
            Default(Integer(500)),
            "How many images of the training set are held out for validation; with `folder`, see validation_fraction.",
        ),
        key(
            "padding",
            Kind::Integer { least: 0 },
            Default(Integer(0)),
            "Black pixels put around every image, on each side: 2 makes 28×28 images 32×32.",
        ),
        key(
            "normalization",
            Kind::Variant(&NORMALIZATIONS),
            Default(Word("standardize")),
            "What pixels become: standardize (per channel), subtract-mean, unit ([0, 1]), bytes (0 to 255).",
        ),
        key(
            "order",
            Kind::Choice(&["epochs", "random", "balanced"]),
            Default(Word("epochs")),
            "epochs: every image once an epoch; random: each batch draws different images; balanced: each class as often.",
        ),
        key("augmentation", Kind::Section(&AUGMENTATION), Table, AUGMENTATION.doc),
        FOLDER,
        SIZE,
        CHANNELS,
        RESIZE,
        BACKGROUND,
        VALIDATION_FRACTION,
        TEST_FRACTION,
        SKIP_UNREADABLE,
    ],
};

pub(super) static NORMALIZATIONS: Variants = Variants {
    noun: "normalization",
    variants: &[
        Variant { name: "standardize", doc: "Each channel minus its mean, over its standard deviation.", keys: &[] },
        Variant {
            name: "subtract-mean",
            doc: "Pixels minus their mean over the training images.",
            keys: &[
                key(
                    "of",
                    Kind::Choice(&["image", "channel", "all"]),
                    Default(Word("image")),
                    "image: a mean for each pixel; channel: one for each channel; all: one number.",
                ),
                key(
                    "pixels",
                    Kind::Choice(&["unit", "bytes"]),
                    Default(Word("unit")),
                    "unit: pixels from 0 to 1; bytes: from 0 to 255.",
                ),
            ],
        },
        Variant { name: "unit", doc: "Pixels from 0 to 1.", keys: &[] },
        Variant { name: "bytes", doc: "Pixels as they are, from 0 to 255.", keys: &[] },
    ],
};

pub(super) static AUGMENTATION: Section = Section {
    path: "data.augmentation",
    doc: "Random changes to training images.",
    kinds: None,
    keys: &[
        key("horizontal_flip", Kind::Flag, Default(Flag(false)), "Mirror half of the images left to right."),
        key(
            "alternating_flip",
            Kind::Flag,
            Default(Flag(false)),
            "Mirror half of the images in the first epoch, the other half in the second, and so on.",
        ),
        key(
            "crop_padding",
            Kind::Integer { least: 0 },
            Default(Integer(0)),
            "Pad each side with this many pixels, then cut out the old size at a random position.",
        ),
        key(
            "crop_border",
            Kind::Choice(&["black", "reflect"]),
            Default(Word("black")),
            "black: the padding is 0; reflect: it is the image, mirrored at its edge.",
        ),
        key(
            "cutout",
            Kind::Integer { least: 0 },
            Default(Integer(0)),
            "Set a square of this side to 0, after the normalization, at a random position; 0 for none.",
        ),
        key(
            "brightness",
            Kind::Number(Range::FRACTION),
            Default(Number(0.0)),
            "Multiply the pixels of an image by a factor between 1 − this and 1 + this.",
        ),
        key(
            "contrast",
            Kind::Number(Range::FRACTION),
            Default(Number(0.0)),
            "Multiply their distance from the mean of the image by a factor between 1 − this and 1 + this.",
        ),
        MIXUP,
        CUTMIX,
    ],
};

pub(super) static MODEL: Section = Section {
    path: "model",
    doc: "The network: the `name` of a published one, \"auto\", or `input` and `layers`; and its initial weights.",
    kinds: None,
    keys: &[
        key(
            "name",
            Kind::Name,
            Optional(Word("mnist-baseline")),
            "A published network; auto: the one for the size of the images; with `layers`, any name of your own.",
        ),
        key("input", Kind::Shape, Optional(Toml("[1, 28, 28]")), "The shape of one input, [channels, height, width]."),
        key(
            "layers",
            Kind::Layers,
            Optional(Toml("[\"flatten\", { type = \"linear\", out_features = 10 }]")),
            "The layers in order, each a table with a `type`, or the type alone.",
        ),
        key(
            "initialization",
            Kind::Variant(&INITIALIZATIONS),
            Optional(Word("he-normal")),
            "How the first weights are drawn, unless a layer says it itself; he-normal when absent.",
        ),
        key(
            "conv2d_initialization",
            Kind::Variant(&INITIALIZATIONS),
            Optional(Toml("{ type = \"he-normal\", gain = 0.1 }")),
            "How the first weights of convolutions are drawn, in place of `initialization`.",
        ),
        key(
            "linear_initialization",
            Kind::Variant(&INITIALIZATIONS),
            Optional(Word("glorot-uniform")),
            "How the first weights of linear layers are drawn, in place of `initialization`.",
        ),
        key(
            "relu_gradient_at_zero",
            Kind::OneOf(&[0, 1]),
            Optional(Integer(1)),
            "With the name of a published network: the gradient of its ReLUs at exactly 0; 0 when absent.",
        ),
        key("batch_norm", Kind::Section(&BATCH_NORM), Optional(Toml("{}")), BATCH_NORM.doc),
        key(
            "init_from",
            Kind::Path,
            Optional(Word("runs/cifar-baseline/latest")),
            "A run folder or a weights file. The network begins with its tensors whose name and shape fit.",
        ),
        key("freeze", Kind::Flag, Default(Flag(false)), "With init_from: do not update what was loaded."),
        key(
            "resize",
            Kind::Flag,
            Default(Flag(false)),
            "With init_from: grow or shrink tensors of another shape by copying the overlap.",
        ),
    ],
};

pub(super) static BATCH_NORM: Section = Section {
    path: "model.batch_norm",
    doc: "With the name of a published network: the numbers of its batch normalisations.",
    kinds: None,
    keys: BATCH_NORM_KEYS,
};

pub(super) static TRAINING: Section = Section {
    path: "training",
    doc: "The loss, the length of a run, and how often it reports. All lengths are in iterations.",
    kinds: None,
    keys: &[
        key(
            "loss",
            Kind::Choice(&["cross-entropy", "mean-squared-error", "binary-cross-entropy"]),
            Default(Word("cross-entropy")),
            "cross-entropy: of the softmax; mean-squared-error: of the outputs; binary-cross-entropy: of a sigmoid a class.",
        ),
        key(
            "label_smoothing",
            Kind::Number(Range::BELOW_ONE),
            Default(Number(0.0)),
            "The share of a label that all classes have in equal parts; with loss = \"cross-entropy\".",
        ),
        key(
            "class_weights",
            Kind::ClassWeights,
            Optional(Word("balanced")),
            "How much an image of each class counts, an array or \"balanced\"; with loss = \"cross-entropy\".",
        ),
        key(
            "iterations",
            Kind::Integer { least: 1 },
            Either("epochs", Integer(2000)),
            "Number of updates of the weights. Give this or `epochs`.",
        ),
        key(
            "epochs",
            Kind::Integer { least: 1 },
            Optional(Integer(10)),
            "The length in passes over the training images, in place of `iterations`.",
        ),
        key("batch_size", Kind::Integer { least: 1 }, Default(Integer(16)), "Images in a mini-batch."),
        key(
            "report_every",
            Kind::Integer { least: 1 },
            Default(Integer(50)),
            "Iterations between two reports of the losses.",
        ),
        key(
            "validate_every",
            Kind::Integer { least: 1 },
            Default(Integer(500)),
            "Iterations between two evaluations on the validation images.",
        ),
        key(
            "checkpoint_every",
            Kind::Integer { least: 1 },
            Default(Integer(500)),
            "Iterations between two checkpoints.",
        ),
        key(
            "layers_every",
            Kind::Integer { least: 0 },
            Default(Integer(100)),
            "Iterations between two looks at the layers: gradients and updates, every fourth time dead units. 0: none.",
        ),
        key(
            "keep",
            Kind::Iterations,
            Optional(Toml("[0, 100, 1000]")),
            "Iterations after which the weights are kept for `explain`; 0 is before the first one.",
        ),
        key(
            "averages",
            Kind::Choice(&["plain", "moving"]),
            Default(Word("plain")),
            "What reports say. plain: means since the report before; moving: the course's moving averages.",
        ),
        key("early_stopping", Kind::Section(&EARLY_STOPPING), Optional(Toml("{}")), EARLY_STOPPING.doc),
        key("weight_average", Kind::Section(&WEIGHT_AVERAGE), Optional(Toml("{}")), WEIGHT_AVERAGE.doc),
    ],
};

pub(super) static EARLY_STOPPING: Section = Section {
    path: "training.early_stopping",
    doc: "End the run when what is watched has not improved for some epochs.",
    kinds: None,
    keys: &[
        key(
            "watch",
            Kind::Choice(&["training-loss", "validation-loss", "validation-accuracy"]),
            Default(Word("training-loss")),
            "training-loss: the mean over the epoch; the others: of the validation images at its end.",
        ),
        key(
            "patience",
            Kind::Integer { least: 1 },
            Default(Integer(10)),
            "Epochs without an improvement after which the run ends.",
        ),
        key(
            "least_change",
            Kind::Number(Range::NOT_NEGATIVE),
            Default(Number(0.0)),
            "An improvement is a change for the better by more than this.",
        ),
        key(
            "restore_best",
            Kind::Flag,
            Default(Flag(false)),
            "End with the weights of the best epoch; otherwise with those of the last iteration.",
        ),
    ],
};

pub(super) static WEIGHT_AVERAGE: Section = Section {
    path: "training.weight_average",
    doc: "Evaluate a moving average of the weights in their place.",
    kinds: None,
    keys: &[key(
        "decay",
        Kind::Number(Range::BELOW_ONE),
        Default(Number(0.999)),
        "The share of the average that stays in an iteration; the rest is of the weights.",
    )],
};

pub(super) static EXPECT: Section = Section {
    path: "expect",
    doc: "The expected outcome. A run that misses it exits with code 3.",
    kinds: None,
    keys: &[key(
        "test_accuracy",
        Kind::Number(Range::FRACTION),
        Required(Number(0.95)),
        "The least final accuracy on the test images, in [0, 1].",
    )],
};
