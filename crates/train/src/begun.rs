//! What is there before the first iteration: network, data, and what makes steps.

use std::fs;
use std::sync::atomic::AtomicBool;

use backproof_data::Prepared;
use backproof_models::Network;
use backproof_spec::{Experiment, ImageSource};

use crate::computation::{hint, trainer_config};
use crate::data::data;
use crate::setup::class_names;
use crate::whitening::whitened;
use crate::{Computation, Observer, Setup, TrainError, Trainer, TrainingLoss, WarmStartRecord, imbalance, warm_start};

/// An experiment before its first iteration. Nothing is written yet.
pub(crate) struct Begun {
    /// With whole paths: it can go on from wherever it is asked to.
    pub(crate) experiment: Experiment,
    pub(crate) warm_start: Option<WarmStartRecord>,
    pub(crate) trainer: Trainer,
    pub(crate) computation: Computation,
    pub(crate) data: Prepared,
    /// The weight of each class in the loss, if it has one.
    pub(crate) class_weights: Option<Vec<f64>>,
    /// What to know of the sizes of the classes.
    pub(crate) warnings: Vec<String>,
    /// A way to train faster.
    pub(crate) hint: Option<&'static str>,
}

impl Begun {
    /// Makes the network and loads the data. Reading images is broken off when `stop` is true.
    ///
    /// # Errors
    ///
    /// Data or first weights that cannot be loaded, and an engine that cannot run the network.
    pub(crate) fn new(
        experiment: &Experiment,
        setup: &Setup,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<Self, TrainError> {
        let mut experiment = experiment.clone();
        if let ImageSource::Folder(folder) = &mut experiment.data.images
            && let Some(whole) =
                fs::canonicalize(&folder.path).ok().and_then(|path| path.into_os_string().into_string().ok())
        {
            folder.path = whole;
        }
        let mut network = new_network(&experiment, setup)?;
        let mut warm_start = None;
        if let Some(asked) = &mut experiment.warm_start {
            let (begun, record) = warm_start::begin(asked, network, &class_names(&experiment.data, setup))?;
            network = begun;
            // `latest` will be another run tomorrow.
            asked.init_from.clone_from(&record.source);
            warm_start = Some(record);
        }
        let hint = hint(&experiment, setup, &network);
        // An engine that cannot run the network is an error before any data is read.
        let begins = |network| Ok::<_, TrainError>(Trainer::new(trainer_config(&experiment, setup)?, network)?);
        let mut trainer = begins(network.clone())?;
        let computation = Computation::new(&experiment, setup, &trainer, 0)?;
        let mut data = data(&experiment, setup, observer, stop)?;
        if let Some(whitened) = first_kernels(&network, warm_start.as_ref(), &data) {
            trainer = begins(whitened)?;
        }
        let classes = experiment.model.classes()?;
        let trainer = trainer.with_loss(TrainingLoss::new(&experiment.training, classes, &data.training));
        let class_weights = imbalance::class_weights(&experiment.training, classes, &data.training);
        imbalance::note(&experiment, class_weights.as_deref(), &mut data);
        let warnings = imbalance::warnings(&experiment, &data);
        Ok(Self { experiment, warm_start, trainer, computation, data, class_weights, warnings, hint })
    }
}

/// `network`, which has not been trained yet, with the kernels of its first layer that come from the data; `None` where
/// they do not.
pub(crate) fn first_kernels(
    network: &Network,
    warm_start: Option<&WarmStartRecord>,
    data: &Prepared,
) -> Option<Network> {
    let transfer = warm_start.map(|record| &record.transfer);
    let loaded = transfer.into_iter().flat_map(|it| it.loaded.iter().chain(it.resized.iter().map(|it| &it.name)));
    whitened(network, loaded, &data.training)
}

pub(crate) fn new_network(experiment: &Experiment, setup: &Setup) -> Result<Network, TrainError> {
    Ok(Network::new(&experiment.model, experiment.seed, &setup.device.clone().autodiff())?)
}
