//! The gradients of a run's network, checked before its first iteration where its config asks for it.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use backproof::backend::Backend;
use backproof::error::{Failure, code};
use backproof_spec::Experiment;
use backproof_suite::{CheckOutcome, Context, Task, Wanted};
use backproof_train::Setup;
use burn::tensor::DType;

use super::lines::Heading;
use super::{Checked, context, json, lines, perform, summary};
use crate::failures::data_failure;

/// The file of a run folder that its report reads.
pub(crate) const FILE: &str = "gradients.json";

/// What the check found, for [`FILE`].
pub(crate) struct Proof {
    backend: Backend,
    context: Context,
    checked: Checked,
}

/// Checks the network of an experiment on its data, as `compare-gradients -c` does, and says what came of it. Nothing
/// where the config does not ask for it, or the check was interrupted.
///
/// # Errors
///
/// A gradient that is wrong: nothing should be trained by it. Data that cannot be read.
#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn prove(experiment: &Experiment, setup: &Setup, stop: &AtomicBool) -> anyhow::Result<Option<Proof>> {
    if !experiment.check_gradients {
        return Ok(None);
    }
    let backend = Backend::by_name(&setup.backend)?;
    let context = context(backend, setup.device.clone(), DType::F32, 0);
    let prepared =
        backproof_data::prepare(&experiment.data, setup.data_dir.as_deref(), experiment.seed).map_err(data_failure)?;
    let tasks = Task::of_experiment(experiment, &prepared, &context)?;
    let wanted = Wanted { mutants: false, tensors: false, setting: None };
    let checked = perform(&tasks, &context, wanted, backend, stop)?;
    if checked.interrupted {
        return Ok(None);
    }
    let proof = Proof { backend, context, checked };
    let (outcomes, line) = (&proof.checked.outcomes, lines::conclusion(&proof.heading(), &proof.checked.outcomes));
    println!("{}", crate::terminal::wrapped(&format!("gradients    {line}"), crate::terminal::width()));
    if outcomes.iter().any(wrong) {
        println!("\n{}", summary::in_full_of(outcomes));
        let failure = Failure::new(code::CHECK_FAILED, "gradients of this network are wrong: nothing was trained");
        return Err(failure.help("`--set check.gradients=false` trains without this check").into());
    }
    if outcomes.iter().any(CheckOutcome::failed) {
        println!("\n{}", summary::in_full_of(outcomes));
        eprintln!("warning: some gradients are not decided; none is seen to be wrong");
    }
    Ok(Some(proof))
}

fn wrong(outcome: &CheckOutcome) -> bool {
    !outcome.wrong.is_empty()
}

impl Proof {
    fn heading(&self) -> Heading<'_> {
        Heading { backend: self.backend, context: &self.context, seconds: self.checked.seconds, interrupted: false }
    }

    /// Writes it into a run folder.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        json::write(&folder.join(FILE), &self.heading(), &self.checked.outcomes)
    }
}
