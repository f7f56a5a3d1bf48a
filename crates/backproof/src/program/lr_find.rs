//! `lr-find`: the loss over the learning rate, and a learning rate to train with.

use std::io::IsTerminal;
use std::path::PathBuf;

use backproof::cli;
use backproof::error::{Failure, code};
use backproof::lr_find::{check_range, request};
use backproof::shell;
use backproof_report::{RateRangeFigure, rate_range};
use backproof_spec::{Experiment, counted};
use backproof_train::{
    Observer, RangeEnd, RangeTest, RateRange, Suggestion, learning_rate_range, rate_in_words, two_digits, write_file,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failures::failure;
use crate::reading::ImagesBar;
use crate::setup::setup;
use crate::signals::stop_on_signal;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &cli::LrFindArguments) -> anyhow::Result<()> {
    let experiment = request(arguments)?;
    let rule = &experiment.optimizer.rule;
    let [from, to] = RateRange::usual(rule.kind);
    let range = RateRange {
        from: arguments.from.unwrap_or(from),
        to: arguments.to.unwrap_or(to),
        steps: arguments.steps as usize,
    };
    check_range(range.from, range.to)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let stop = stop_on_signal()?;
    println!(
        "lr-find      {}: {}, engine {}, on {}",
        experiment.name,
        rule.kind.name(),
        experiment.engine.name(),
        setup.device_name
    );
    println!(
        "range        {} of {}, learning rate from {} to {}",
        counted(range.steps, "step"),
        counted(experiment.training.batch_size, "image"),
        rate_in_words(range.from),
        rate_in_words(range.to)
    );
    groups_in_words(&experiment).iter().for_each(|line| println!("{line}"));
    let mut progress = Steps { images: ImagesBar::reading(), bar: bar(range.steps) };
    let test = learning_rate_range(&experiment, &setup, range, &mut progress, &stop);
    progress.bar.finish_and_clear();
    let test = test.map_err(failure)?;
    if test.end == RangeEnd::Stopped {
        return Err(Failure::new(code::INTERRUPTED, "interrupted; nothing is written").into());
    }
    let title = format!("Loss over the learning rate: {}, {}", experiment.name, rule.kind.name());
    let Some(RateRangeFigure { svg, png }) = rate_range(&test, &title)? else {
        let message = "the loss is not finite in the first two steps";
        return Err(Failure::new(code::DIVERGED, message).help("a lower --from may help").into());
    };
    for (name, bytes) in [("svg", svg.as_bytes()), ("png", &png), ("csv", &csv(&test)?)] {
        write_file(&arguments.output.join(format!("lr-find.{name}")), bytes).map_err(failure)?;
    }
    let output = shell::argument(&arguments.output);
    println!("steps        {}", end_in_words(&test, range));
    match test.suggestion() {
        Some(suggestion) => suggest(&experiment, &suggestion, range),
        None => println!(
            "suggestion   none: the smoothed loss does not fall by 10 %; a higher --to or more --steps may help"
        ),
    }
    println!("files        lr-find.svg, lr-find.png and lr-find.csv in {output}");
    Ok(())
}

/// Each mini-batch in a line.
fn csv(test: &RangeTest) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for point in &test.points {
        writer.serialize(point)?;
    }
    Ok(writer.into_inner()?)
}

/// What becomes of the rates of parameter groups.
fn groups_in_words(experiment: &Experiment) -> Vec<String> {
    let rule = &experiment.optimizer.rule;
    let ratio = |rate: f64| two_digits(rate / rule.learning_rate);
    let groups = experiment.optimizer.groups.iter().filter(|group| group.rule.learning_rate != rule.learning_rate);
    let in_words = |group: &backproof_spec::ParameterGroup| {
        let (names, ratio) = (group.parameters.join(", "), ratio(group.rule.learning_rate));
        format!("group        {names}: {}, {ratio} times this rate, as in the config", group.rule.kind.name())
    };
    groups.map(in_words).collect()
}

/// Why the test ended where it did.
fn end_in_words(test: &RangeTest, range: RateRange) -> String {
    let (made, last) = (test.points.len(), test.points.last().map_or(range.from, |point| point.learning_rate));
    let last = rate_in_words(two_digits(last));
    match test.end {
        RangeEnd::Complete | RangeEnd::Stopped => format!("{made}, up to a learning rate of {last}"),
        RangeEnd::Rose => format!("{made}: at {last} the smoothed loss is more than 4 times its least value"),
        RangeEnd::NotFinite => format!("{made}: after the step at {last} the loss is not finite"),
    }
}

/// The suggestion, with what to paste.
#[allow(clippy::print_stdout)] // results go to stdout
fn suggest(experiment: &Experiment, suggestion: &Suggestion, range: RateRange) {
    let Suggestion { learning_rate, first_loss, fallen, least, is_open } = suggestion;
    let [at, of_least, suggested, own] = [
        two_digits(fallen.learning_rate),
        two_digits(least.learning_rate),
        *learning_rate,
        experiment.optimizer.rule.learning_rate,
    ]
    .map(rate_in_words);
    println!(
        "loss         smoothed, from {first_loss:.3} to {:.3} at {of_least}; 95 % of the fall at {at}",
        least.smoothed_loss
    );
    println!("suggestion   a tenth of {at}: {suggested}; the config has {own}");
    println!("to train     {}", settings(experiment, *learning_rate).join(" "));
    if *is_open {
        println!(
            "note         the loss still falls at the last rate: `--to {}` goes on",
            rate_in_words(two_digits(100.0 * range.to))
        );
    }
}

/// The flags that set the rate, and those of the groups in their ratio to it.
fn settings(experiment: &Experiment, learning_rate: f64) -> Vec<String> {
    let optimizer = &experiment.optimizer;
    let of_groups = optimizer.groups.iter().enumerate().filter(|(_, group)| group.frozen_from != Some(0));
    let of_groups = of_groups.filter(|(_, group)| group.rule.learning_rate != optimizer.rule.learning_rate);
    let of_groups = of_groups.map(|(number, group)| {
        let rate = two_digits(learning_rate * group.rule.learning_rate / optimizer.rule.learning_rate);
        format!("--set optimizer.groups.{number}.learning_rate={}", rate_in_words(rate))
    });
    std::iter::once(format!("--set optimizer.learning_rate={}", rate_in_words(learning_rate)))
        .chain(of_groups)
        .collect()
}

/// What a person sees while the images are read, and then while the steps are made.
struct Steps {
    images: ImagesBar,
    bar: ProgressBar,
}

impl Observer for Steps {
    fn reading(&mut self, done: usize, total: usize) {
        self.images.show(done, total);
    }

    fn iteration(&mut self, iteration: usize) {
        self.bar.set_position(iteration as u64);
    }
}

/// A bar on a terminal.
fn bar(steps: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:36} {pos}/{len}  {eta} left").expect("the template is constant");
    ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.progress_chars("━╸─"))
}
