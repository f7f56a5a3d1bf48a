//! The data of an experiment, while somebody watches.

use std::ops::ControlFlow::{Break, Continue};
use std::sync::atomic::{AtomicBool, Ordering};

use backproof_data::{Prepared, prepare_watched};
use backproof_spec::Experiment;

use crate::{Observer, Setup, TrainError};

/// The data of the experiment, which goes with it. Reading images is broken off when `stop` is true.
pub(crate) fn data(
    experiment: &Experiment,
    setup: &Setup,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Prepared, TrainError> {
    let mut watch = |done, total| {
        observer.reading(done, total);
        if stop.load(Ordering::Relaxed) { Break(()) } else { Continue(()) }
    };
    let data = prepare_watched(&experiment.data, setup.data_dir.as_deref(), experiment.seed, &mut watch)?;
    experiment.check_data_set(&data.data_set)?;
    Ok(data)
}
