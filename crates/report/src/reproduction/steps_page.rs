//! The section on single changes: which of them are more than noise.

use backproof_spec::counted;

use super::measure::signed;
use super::published::Published;
use super::steps::Step;
use super::words::{NOTHING, cell, p_value, row};
use crate::markdown_code;
use crate::paired::Paired;

/// The section; `figure` is the name of its figure's file, where there is one.
pub(super) fn section(published: &Published, steps: &[Step<'_>], figure: Option<&str>) -> String {
    let Some(chain) = &published.file.steps else { return String::new() };
    let source = cell(&chain.source);
    let mut text = format!(
        "\n## Which steps are real?

{source} changed one thing at a time, trained once with each change, and kept what scored higher. A single run also \
depends on its seed: on the initial weights, the split and the batches. Here both sides of each step are trained with the \
same seeds, with the source's settings, and compared seed by seed by their test accuracy.

{}
",
        outcome(steps)
    );
    if let Some(figure) = figure {
        text += &format!(
            "\n![Each step with the differences of single seeds, their mean and its confidence interval, and the \
                          difference that {source} reported; the table below has the numbers]({figure})\n"
        );
    }
    text += "\n| step | reported | ours | 95 % interval | p | seeds | verdict | configs |\n| --- | ---: | ---: | ---: | ---: | \
             ---: | --- | --- |\n";
    for step in steps {
        let nothing = || NOTHING.to_owned();
        let of_paired = |words: &dyn Fn(&Paired) -> String| step.paired.as_ref().map_or_else(nothing, words);
        text += &row(&[
            cell(&step.comparison.name),
            step.reported.map_or_else(nothing, points),
            of_paired(&|it| points(it.mean)),
            of_paired(&interval),
            step.corrected.map_or_else(nothing, p_value),
            step.seeds().to_string(),
            match step.is_real() {
                Some(true) if step.is_opposite() => "**real**, but the other way than reported".to_owned(),
                Some(true) => "**real**".to_owned(),
                Some(false) => format!("noise: not told apart from noise with {}", counted(step.seeds(), "seed")),
                None => "not run".to_owned(),
            },
            format!("{} → {}", markdown_code(&step.comparison.from), markdown_code(&step.comparison.to)),
        ]);
    }
    text += "
Differences are in percentage points. The interval is Student's t interval of the mean difference over the seeds. p is of \
the two-sided paired t test, corrected by Holm's method for all steps of the table; a difference is called real if p is \
below 0.05. “Noise” does not mean that there is no difference: if there is one, these seeds do not show it.
";
    text
}

/// The answer, in sentences.
fn outcome(steps: &[Step<'_>]) -> String {
    let of = |real: bool| -> Vec<String> {
        let those = steps.iter().filter(|step| step.is_real() == Some(real));
        those.map(|step| cell(&step.comparison.name)).collect()
    };
    let (real, noise) = (of(true), of(false));
    let told = real.len() + noise.len();
    if told == 0 {
        return "There are no runs of these steps with common seeds yet.".to_owned();
    }
    let say = |names: &[String], words: &str| match names {
        [] => String::new(),
        names => format!(" {words}: {}.", names.join("; ")),
    };
    let head = match real.len() {
        0 => format!("None of {} differences is told apart from noise.", told),
        count => format!("Of {told} differences, {count} {} real.", if count == 1 { "is" } else { "are" }),
    };
    format!("**{head}**{}{}", say(&real, "Real"), say(&noise, "Not told apart from noise"))
}

/// A share as percentage points.
pub(super) fn points(difference: f64) -> String {
    signed(100.0 * difference, 2)
}

pub(super) fn interval(paired: &Paired) -> String {
    format!("{} to {}", points(paired.interval[0]), points(paired.interval[1]))
}
