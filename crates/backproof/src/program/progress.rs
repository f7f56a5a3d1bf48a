//! What a person sees while a run trains: a bar on a terminal, lines in a pipe.

use std::fmt::Write;
use std::io::IsTerminal;

use backproof::error::colour;
use backproof_spec::{counted, thousands};
use backproof_train::{
    ClassResult, EndedEarly, EvaluationResult, Measures, Observer, REPORT_WIDTH, Started, TrainingReport,
    WarmStartRecord, restored_in_words,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::reading::ImagesBar;
use crate::terminal::{BOLD, GREEN, RESET, width, wrapped};

/// Report lines on stdout and, on a terminal, a bar under them on stderr.
pub(crate) struct Progress {
    images: ImagesBar,
    bar: ProgressBar,
    /// Columns of the terminal, if there is one.
    width: Option<usize>,
    /// The best accuracy on the validation images that was reported.
    best: Option<f64>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { images: ImagesBar::reading(), bar: ProgressBar::hidden(), width: width(), best: None }
    }

    /// One line on stdout, above the bar.
    fn line(&self, text: &str) {
        self.print(&wrapped(text, self.width));
    }

    #[allow(clippy::print_stdout)] // results go to stdout
    fn print(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }
}

impl Observer for Progress {
    fn reading(&mut self, done: usize, total: usize) {
        self.images.show(done, total);
    }

    fn started(&mut self, started: &Started<'_>) {
        let experiment = started.experiment;
        let [training, validation, test] = started.images;
        self.line(&format!("run folder   {}", started.folder.display()));
        self.line(&format!(
            "data         {}: {training} training, {validation} validation, {test} test images",
            experiment.data.images.name()
        ));
        started.notes.iter().for_each(|note| self.line(&format!("             {note}")));
        let parameters = experiment.model.trainable_parameters().unwrap_or_default();
        self.line(&format!("network      {}: {}", experiment.model.name, counted(parameters, "trainable parameter")));
        if let Some(warm_start) = started.warm_start.filter(|_| started.iteration == 0) {
            let mut lines = warm_start_in_words(warm_start);
            lines[0] += "; log.txt names them";
            lines.iter().for_each(|line| self.line(line));
        }
        started.computation.lines().iter().for_each(|line| self.line(line));
        if let Some(hint) = started.hint {
            self.line(&format!("hint         {hint}"));
        }
        self.line(&format!(
            "training     {} of {}, engine {}, on {}",
            counted(experiment.training.iterations, "iteration"),
            counted(experiment.training.batch_size, "image"),
            experiment.engine.name(),
            started.device
        ));
        if started.iteration > 0 {
            self.line(&format!("resumed      at iteration {}", started.iteration));
        }
        started.warnings.iter().for_each(|warning| warn(warning));
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:36} {pos}/{len}  {rate}  {eta} left")
                .expect("the template is constant")
                .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
                    // There is nobody to tell that a line of a terminal cannot be written.
                    let _ = write!(text, "{:.0} it/s", state.per_sec());
                })
                .progress_chars("━╸─");
            self.bar = ProgressBar::with_draw_target(
                Some(experiment.training.iterations as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            )
            .with_style(style)
            .with_position(started.iteration as u64);
            self.bar.reset_eta();
        }
    }

    fn iteration(&mut self, iteration: usize) {
        self.bar.set_position(iteration as u64);
    }

    fn report(&mut self, report: &TrainingReport) {
        let short = self.width.is_some_and(|width| width < REPORT_WIDTH);
        let line = if short { report.short() } else { report.to_string() };
        let is_better = report.validation_accuracy > self.best;
        if is_better {
            self.best = report.validation_accuracy;
        }
        match line.find("val").filter(|_| is_better && colour(std::io::stdout().is_terminal())) {
            // The accuracy is the first thing after the word, up to its unit.
            Some(from) => {
                let to = line[from..].find('%').map_or(line.len(), |unit| from + unit + 1);
                let (before, rest) = line.split_at(from);
                let (accuracy, after) = rest.split_at(to - from);
                // Not through `line`: escapes have no width.
                self.print(&format!("{before}{GREEN}{accuracy}{RESET}{after}"));
            }
            None => self.line(&line),
        }
    }

    fn ended_early(&mut self, ended_early: &EndedEarly) {
        self.line(&ended_early.to_string());
    }

    fn restored(&mut self, iteration: usize) {
        self.line(&restored_in_words(iteration));
    }

    fn evaluating(&mut self, _images: usize) {
        self.bar.finish_and_clear();
    }

    fn evaluated(&mut self, result: &EvaluationResult) {
        self.print(&summary(result));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Tensors that a warm start does not load and that are all named.
const MOST_SKIPPED: usize = 4;

/// What a run takes of the weights that it begins with, and what starts anew.
pub(crate) fn warm_start_in_words(warm_start: &WarmStartRecord) -> Vec<String> {
    let transfer = &warm_start.transfer;
    let mut lines = vec![format!(
        "warm start   {} loaded, {} resized, {} not loaded, {} frozen, from {}",
        counted(transfer.loaded.len(), "tensor"),
        transfer.resized.len(),
        transfer.skipped.len(),
        warm_start.frozen.len(),
        warm_start.source
    )];
    let skipped = transfer.skipped.iter().take(MOST_SKIPPED);
    lines.extend(skipped.map(|it| format!("             starts anew: {}, {}", it.name, it.reason)));
    if let Some(others @ 1..) = transfer.skipped.len().checked_sub(MOST_SKIPPED) {
        lines.push(format!("             and {others} more"));
    }
    lines
}

#[allow(clippy::print_stderr)] // what is not the result goes to stderr
pub(crate) fn warn(text: &str) {
    eprintln!("warning: {text}");
}

/// Rows of classes; of more classes, so many with the lowest recall are shown.
const CLASS_ROWS: usize = 30;
/// Characters of a name; what is longer is cut.
const NAME: usize = 40;

/// Accuracy and loss with the figures that say what they do not, then precision and recall per class.
pub(crate) fn summary(result: &EvaluationResult) -> String {
    let percent =
        |share: Option<f64>| share.map_or_else(|| "      –".to_owned(), |share| format!("{:>6.2} %", 100.0 * share));
    let longest = result.classes.iter().map(|class| class.class.chars().count()).max().unwrap_or(0);
    let width = longest.clamp(5, NAME);
    let name = |class: &ClassResult| match class.class.chars().count() {
        count if count > NAME => class.class.chars().take(NAME - 1).chain(['…']).collect(),
        _ => class.class.clone(),
    };
    let [bold, reset] = if colour(std::io::stdout().is_terminal()) { [BOLD, RESET] } else { ["", ""] };
    let mut text = format!(
        "\n{bold}{} accuracy {:.2} %{reset} ({} of {}), loss {:.4}{}{}\n{}\n\n{:<width$}  precision    recall  images",
        result.split,
        100.0 * result.accuracy,
        result.correct,
        counted(result.images, "image"),
        result.loss,
        result.views.in_words().map_or(String::new(), |views| format!(", {views}")),
        result.iteration.map_or(String::new(), |iteration| format!(", at iteration {iteration}")),
        in_words(&result.measures),
        "class",
    );
    let mut classes: Vec<&ClassResult> = result.classes.iter().collect();
    if classes.len() > CLASS_ROWS {
        classes.sort_by(|a, b| a.recall.unwrap_or(2.0).total_cmp(&b.recall.unwrap_or(2.0)));
        classes.truncate(CLASS_ROWS);
    }
    for class in &classes {
        text += &format!(
            "\n{:<width$}   {}  {}  {:>6}",
            name(class),
            percent(class.precision),
            percent(class.recall),
            class.support
        );
    }
    let hidden = result.classes.len() - classes.len();
    if hidden > 0 {
        text += &format!("\nThese have the lowest recall; {} more are in result.json.", thousands(hidden));
    }
    text
}

/// `balanced 96.55 %, macro F1 96.60 %, top-5 99.90 %, calibration error 1.20 %`: below 80 columns.
fn in_words(measures: &Measures) -> String {
    let figures = [
        ("balanced", measures.balanced_accuracy),
        ("macro F1", measures.macro_f1),
        ("top-5", measures.top_5_accuracy),
        ("calibration error", measures.expected_calibration_error),
    ];
    let words = |(name, share): (&str, Option<f64>)| Some(format!("{name} {:.2} %", 100.0 * share?));
    figures.into_iter().filter_map(words).collect::<Vec<_>>().join(", ")
}
