//! `image-statistics.json`: what the images are like that a run was trained on.

use std::io::ErrorKind;
use std::sync::atomic::AtomicBool;

use backproof_data::{ImageStatistics, Prepared};
use backproof_spec::Experiment;
use serde::{Deserialize, Serialize};

use super::RunFolder;
use crate::data::data;
use crate::files::{self, check_version, write_json};
use crate::predict::without_padding;
use crate::{Setup, Silent, TrainError};

/// The version of `image-statistics.json`.
const SCHEMA: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    schema_version: u32,
    #[serde(flatten)]
    statistics: ImageStatistics,
}

impl RunFolder {
    /// What the images are like that the run was trained on, from `image-statistics.json`. In a folder of a version that
    /// wrote none they are measured anew, if the data set is there.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is for images of another shape; where there is none, [`TrainError::Data`] for a data
    /// set that is not there.
    pub fn image_statistics(&self, setup: &Setup) -> Result<ImageStatistics, TrainError> {
        let experiment = self.experiment()?;
        let path = self.path.join("image-statistics.json");
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(measured(&data(&experiment, setup, &mut Silent, &AtomicBool::new(false))?, &experiment));
            }
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        check_version(&path, &text, SCHEMA)?;
        let shape = without_padding(experiment.model.input, experiment.data.padding);
        let expected = || format!("statistics of images {shape}");
        let record: Record = serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), expected()))?;
        if !record.statistics.fits(shape) {
            return Err(TrainError::damaged(&path, "does not fit the network", expected()));
        }
        Ok(record.statistics)
    }

    pub(crate) fn write_image_statistics(&self, data: &Prepared, experiment: &Experiment) -> Result<(), TrainError> {
        let record = Record { schema_version: SCHEMA, statistics: measured(data, experiment) };
        write_json(&self.path.join("image-statistics.json"), &record)
    }
}

fn measured(data: &Prepared, experiment: &Experiment) -> ImageStatistics {
    ImageStatistics::of(data.training.images(), data.training.indices(), experiment.data.padding)
}
