//! Stops in a validation or in the final evaluation.

use super::*;

/// Raises the flag when the final evaluation begins.
struct StopEvaluating<'a>(&'a AtomicBool);

impl Observer for StopEvaluating<'_> {
    fn evaluating(&mut self, _: usize) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_run_that_is_stopped_in_its_final_evaluation_is_evaluated_when_it_goes_on() {
    let experiment = small(LINEAR, "compiled", &[]);
    let runs = tempfile::tempdir().unwrap();
    let whole = run(&experiment, &runs.path().join("whole")).unwrap();
    let stop = AtomicBool::new(false);
    let ending = crate::train(&experiment, &setup(runs.path()), &mut StopEvaluating(&stop), &stop).unwrap();
    let Ending::Interrupted { folder, iteration: 23 } = ending else { panic!("{ending:?}") };
    assert!(!folder.join("evaluation").exists());
    let path = folder.clone();
    let folder = RunFolder::open(&folder).unwrap();
    resume(folder, None, None, &setup(runs.path()), &mut crate::Silent, &AtomicBool::new(false)).unwrap();
    assert_same(&whole, &RunFolder::open(&path).unwrap(), "stopped while evaluated");
}

/// A run that is stopped after `iteration`, and what its last checkpoint says.
pub(super) fn stopped_at(experiment: &Experiment, iteration: usize, setup: &Setup) -> (RunFolder, Position) {
    let stop = AtomicBool::new(false);
    let ending = crate::train(experiment, setup, &mut StopAt(Some(iteration), &stop), &stop).unwrap();
    let Ending::Interrupted { folder, iteration: at } = ending else { panic!("{ending:?}") };
    assert_eq!(at, iteration);
    let folder = RunFolder::open(&folder).unwrap();
    let position = folder.last().position().unwrap();
    (folder, position)
}

fn go_on(folder: RunFolder, iterations: Option<usize>, setup: &Setup) -> RunFolder {
    let ending = resume(folder, iterations, None, setup, &mut crate::Silent, &AtomicBool::new(false));
    let Ending::Finished(finished) = ending.unwrap() else { panic!("interrupted") };
    RunFolder::open(&finished.folder).unwrap()
}

/// Validations are due at 6, 12, 18 and at the end, 23; reports alone at 4, 8, 16 and 20.
#[test]
fn a_validation_is_broken_off_and_made_when_the_run_goes_on() {
    for engine in ON_TENSORS {
        let experiment = small(EVERY_LAYER, engine, &[]);
        let runs = tempfile::tempdir().unwrap();
        let setup = setup(runs.path());
        let whole = run(&experiment, runs.path()).unwrap();
        for (iteration, reported) in [(6, 4), (12, 8), (18, 16), (23, 20)] {
            let (folder, position) = stopped_at(&experiment, iteration, &setup);
            assert_eq!((position.iteration, position.reported()), (iteration, iteration - 1));
            assert_eq!(folder.reports().unwrap().last().unwrap().iteration, reported);
            assert!(position.best.is_none_or(|best| best.iteration < iteration));
            let resumed = go_on(folder, None, &setup);
            assert_same(&whole, &resumed, &format!("{engine}, stopped in the validation of {iteration}"));
            for report in resumed.reports().unwrap() {
                assert!(report.images_per_second.is_finite() && report.images_per_second < 1e8, "{report:?}");
            }
        }
    }
}

#[test]
fn a_kill_after_the_report_of_a_validation_that_was_broken_off_doubles_no_line() {
    let experiment = small(LINEAR, "compiled", &[]);
    let runs = tempfile::tempdir().unwrap();
    let mut setup = setup(runs.path());
    setup.tensorboard = true;
    let whole = run(&experiment, runs.path()).unwrap();
    let (folder, _) = stopped_at(&experiment, 12, &setup);
    let (path, record) = (folder.path().to_owned(), folder.record().unwrap());
    let checkpoint = fs::read(folder.last().folder().join("state.json")).unwrap();
    let saved = path.join("checkpoints/saved");
    copy(folder.last().folder(), &saved);
    // It goes on, and is killed before it saves a checkpoint: what it wrote is there, and the checkpoint is the one
    // before.
    let folder = go_on(folder, None, &setup);
    fs::remove_dir_all(folder.last().folder()).unwrap();
    fs::rename(&saved, folder.last().folder()).unwrap();
    assert_eq!(fs::read(folder.last().folder().join("state.json")).unwrap(), checkpoint);
    folder.write_record(&record).unwrap();
    let folder = go_on(folder, None, &setup);
    let reports: Vec<i64> = folder.reports().unwrap().iter().map(|report| report.iteration as i64).collect();
    assert_eq!(reports, [4, 6, 8, 12, 16, 18, 20, 23]);
    assert_eq!(tensorboard::tests::steps(&path), reports);
    fs::remove_dir_all(path.join("tensorboard")).unwrap();
    assert_same(&whole, &folder, "killed after the report");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Whether a validation is due may depend on the end, and the end may be moved.
#[test]
fn a_run_that_was_stopped_in_the_validation_of_its_end_can_have_another_end() {
    let runs = tempfile::tempdir().unwrap();
    let setup = setup(runs.path());
    // The layers are seen while an iteration is done: an end that comes later cannot look at them.
    let length = |iterations: usize| {
        small(LINEAR, "compiled", &[&format!("training.iterations={iterations}"), "training.layers_every=0"])
    };
    let longer = run(&length(23), runs.path()).unwrap();
    let (folder, position) = stopped_at(&length(13), 13, &setup);
    assert!(position.window.images > 0);
    assert_same(&longer, &go_on(folder, Some(23), &setup), "13 became 23");

    let shorter = run(&length(13), runs.path()).unwrap();
    let (folder, _) = stopped_at(&length(23), 13, &setup);
    assert_same(&shorter, &go_on(folder, Some(13), &setup), "23 became 13");
}
