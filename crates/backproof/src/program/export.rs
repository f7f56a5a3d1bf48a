//! `export`: the network of a run for other programs.

use std::path::PathBuf;

use backproof::cli::{self, PixelsOf};
use backproof::error::{Failure, code};
use backproof::exporting;
use backproof_export::{ExportError, Model, OnnxOptions, PixelType, check_folder, onnx, write_folder};
use backproof_spec::Views;
use backproof_train::{RunStatus, write_file};

use crate::failures::failure;
use crate::setup::{open, predictor, setup, weights};

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, notes to stderr
pub(crate) fn run(arguments: &cli::ExportArguments) -> anyhow::Result<()> {
    exporting::check(arguments)?;
    // Before the ONNX file is written, so that both are there or none.
    arguments.pytorch.iter().try_for_each(|folder| check_folder(folder)).map_err(failed)?;
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let weights = weights(&arguments.weights);
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    let model = Model::new(&predictor, &folder).map_err(failure)?;
    let diverged = folder.record().is_ok_and(|record| record.status == RunStatus::Diverged);
    if let (true, Some(iteration)) = (diverged, model.iteration) {
        eprintln!(
            "note: the training of this run diverged; exported is its last good checkpoint, of iteration {iteration}"
        );
    }
    if let Some(file) = &arguments.file {
        let normalize = arguments.normalize.map(|pixels| match pixels {
            PixelsOf::F32 => PixelType::F32,
            PixelsOf::U8 => PixelType::U8,
        });
        let onnx = onnx(&model, &OnnxOptions { normalize, probabilities: arguments.probabilities });
        let onnx = onnx.map_err(failed)?;
        write_file(file, &onnx.bytes).map_err(failure)?;
        println!("onnx         {}: {}", file.display(), onnx.words);
    }
    if let Some(folder) = &arguments.pytorch {
        write_folder(&model, folder).map_err(failed)?;
        println!("pytorch      {}: `python check.py` there compares it with Backproof", folder.display());
    }
    if model.views != Views::One {
        let (views, count) = (model.views.name(), model.views.list().len());
        eprintln!(
            "note: the run has `evaluation.views = \"{views}\"`, the mean over {count} views of an image; exported is \
             the network, which sees one"
        );
    }
    Ok(())
}

fn failed(error: ExportError) -> Failure {
    match error {
        ExportError::OtherFiles { .. } => Failure::from_error(code::USAGE, error)
            .help("give a folder that is empty, that is not there yet, or that `export --pytorch` made"),
        ExportError::TooLarge { .. } => {
            Failure::from_error(code::FAILED, error).help("`export RUN --pytorch DIR` has no such limit")
        }
        error => Failure::from_error(code::FAILED, error),
    }
}
