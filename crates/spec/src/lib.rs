//! Experiments and architectures as plain, validated data.
//!
//! This crate says what to do and does none of it. An [`Experiment`] names the data, the network, the optimizer and the
//! length of a run; it is read from TOML, with every default filled in and every value checked, before anything is
//! compiled or loaded. The crate knows no tensors, so that a program that only wants to look at a config, or to print a
//! network's [`parameter_table`], is built in seconds.
//!
//! # Networks
//!
//! An [`Architecture`] is an input [`Shape`] and a list of [`LayerSpec`]s, and nothing else. The modules, the backward
//! passes, the kernels, the parameter table and the shape check all read that one list. [`Architecture::trace`] goes
//! through the list, and gives the name, the shapes and the parameters of each layer. A layer that does not fit is a
//! [`ShapeError`], which names the layer, its input, and what was expected. The networks from the literature are
//! functions in [`published`]:
//!
//! ```
//! use backproof_spec::published;
//!
//! let network = published::cifar_baseline();
//! assert_eq!(network.trainable_parameters()?, 48_602);
//! assert_eq!(network.trace()?[3].output.to_string(), "16×16×16"); // conv2
//! # Ok::<(), backproof_spec::ShapeError>(())
//! ```
//!
//! # Configs
//!
//! [`Experiment::from_toml`] reads a config, and overrides as `--set` takes them:
//!
//! ```
//! use backproof_spec::{DataSets, Experiment};
//!
//! let text = r#"
//!     [data]
//!     dataset = "mnist"
//!     [model]
//!     name = "mnist-baseline"
//!     [optimizer]
//!     learning_rate = 0.05
//!     schedule = "cosine"
//!     [training]
//!     iterations = 3_000
//! "#;
//! let (overrides, any) = (["training.batch_size=32".to_owned()], DataSets::any());
//! let experiment = Experiment::from_toml("mnist.toml", text, &overrides, &any)?;
//! assert_eq!((experiment.name.as_str(), experiment.training.batch_size), ("mnist", 32));
//!
//! let error = Experiment::from_toml("mnist.toml", &text.replace("learning", "leaning"), &[], &any).unwrap_err();
//! assert!(error.to_string().ends_with("help: did you mean `learning_rate`?"));
//! # Ok::<(), backproof_spec::ConfigError>(())
//! ```
//!
//! A [`ConfigError`] shows each fault with its line and a caret, and a way out. [`Experiment::to_toml`] writes
//! everything out, including the defaults, and reading it gives an equal experiment. A run keeps its config in this
//! form. [`defaults`] explains every key to a person, and [`schema`] to an editor. [`sweep_schema`] is the schema of
//! sweeps.
//!
//! This crate has no list of data sets. A program passes its [`DataSets`], and the config is checked against them: the
//! name, the images and the classes.
//!
//! A [`Sweep`] consists of many runs. It is read from a TOML file and checked in the same way.
//!
//! # Randomness
//!
//! All randomness of a run comes from the experiment's seed by named streams; [`stream_seed`] is their one definition.

mod architecture;
mod config;
mod data;
mod data_set;
mod experiment;
mod fitted;
mod flops;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod image_folder;
mod inference;
mod initialization;
mod layers;
mod loss;
mod optimizer;
mod parameter_names;
pub mod published;
mod random;
mod settings;
mod shape;
mod shape_error;
mod sweep;
mod table;
mod unset;
mod views;
mod without_kernels;
mod words;

pub use architecture::{Architecture, TracedBranch, TracedLayer};
pub use config::{ConfigError, Diagnostic, Excerpt, Location, defaults, nearest, schema, sweep_schema};
pub use data::{Augmentation, CropBorder, Data, MeanOf, Normalization, Order, Pixels};
pub use data_set::{DataSet, DataSets, FolderFault, Look};
pub use experiment::{
    Averages, ClassWeights, EarlyStopping, Engine, Expect, Experiment, Kernels, Training, WarmStart, Watch,
    WeightAverage,
};
pub use flops::Flops;
pub use image_folder::{Color, ImageFolder, ImageSource, Resize};
pub use initialization::{Initialization, InitializationKind, Whitening};
pub use layers::*; // `LayerSpec`, and the struct of each
pub use loss::Loss;
pub use optimizer::{
    Adam, Clipping, Lookahead, Optimizer, OptimizerKind, ParameterGroup, Schedule, Update, UpdateRule,
};
pub use parameter_names::ParameterName;
pub use random::stream_seed;
pub use shape::{Shape, Size2};
pub use shape_error::{LayerPlace, ShapeError};
pub use sweep::{Sweep, SweepPoint};
pub use table::{describe_layer, indented, parameter_table, thousands};
pub use views::{View, Views};
pub use without_kernels::WithoutKernel;
pub use words::{are, counted, plural};
