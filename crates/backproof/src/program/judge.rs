//! `judge`: exercises, and verdicts on the answers of others.

use std::path::Path;

use backproof::cli::{JudgeArguments, JudgeCommand};
use backproof::error::{Failure, code};
use backproof::{judging, shell};
use backproof_data::data_sets;
use backproof_judge::{JudgeError, Judged, JudgedTensor, Level, NETWORK, Request, Verdict, fault_of};
use backproof_report::{class_page, judged_page};
use backproof_spec::{Experiment, counted};
use burn::tensor::Device;
use comfy_table::{Table, presets};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failures::with_causes;

pub(crate) fn run(arguments: &JudgeArguments) -> anyhow::Result<()> {
    judging::check(arguments)?;
    let device = Device::flex();
    match &arguments.command {
        Some(JudgeCommand::New { subject, config, output, level, seed }) => {
            let level = Level::try_from(*level).map_err(Failure::usage)?;
            let config = config.as_ref().map(|path| Experiment::load(path, &[], &data_sets())).transpose()?;
            let config = config.map(|experiment| experiment.to_toml());
            let subject = subject.clone().unwrap_or_else(|| NETWORK.to_owned());
            let request = Request { subject, config, level, seed: *seed };
            made(&backproof_judge::write(&request, output, &device)?, output);
            Ok(())
        }
        Some(JudgeCommand::Break { subject, output, seed }) => {
            made(&backproof_judge::write_broken(subject, *seed, output, &device)?, output);
            Ok(())
        }
        Some(JudgeCommand::Key { subject, output: Some(output), .. }) => {
            let cases = backproof_judge::write_model_answers(Path::new(subject), output, &device)?;
            say(&format!("answers      {} of {}", output.display(), counted(cases, "case")));
            Ok(())
        }
        Some(JudgeCommand::Key { subject, seed, .. }) => {
            let fault = fault_of(subject, seed.unwrap_or_default())?;
            say(&format!("{}\n  right  {}\n  wrong  {}", fault.name, fault.right, fault.wrong));
            Ok(())
        }
        None => judge(arguments, &device),
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn say(text: &str) {
    println!("{text}");
}

fn made(written: &backproof_judge::Written, folder: &Path) {
    let (cases, asked) = (counted(written.cases, "case"), written.asked.join(", "));
    say(&format!("exercise     {}: {cases}, each asks for {asked}", folder.display()));
    say(&format!("task         {}", folder.join("README.md").display()));
    say(&format!("judge it     cargo xtask judge {}", shell::argument(folder)));
}

/// What came of one folder.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Judged(Box<Judged>),
    /// It could not be judged.
    Failed {
        folder: String,
        error: String,
    },
}

/// Whether there is a table: of several exercises, and of one where its page is asked for.
fn of_a_class(arguments: &JudgeArguments) -> bool {
    arguments.folders.len() > 1 || arguments.page.is_some()
}

#[allow(clippy::print_stderr)] // warnings go to stderr
fn judge(arguments: &JudgeArguments, device: &Device) -> anyhow::Result<()> {
    let mut outcomes = Vec::new();
    for folder in &arguments.folders {
        let mut judged = match backproof_judge::judge(folder, device) {
            Ok(judged) => judged,
            Err(error) if of_a_class(arguments) => {
                outcomes.push(Outcome::Failed { folder: folder.display().to_string(), error: error.to_string() });
                continue;
            }
            Err(error) => return Err(failure(error)),
        };
        if arguments.any_subgradient {
            judged.accept_other_conventions();
        }
        if !of_a_class(arguments) {
            details(&judged);
        }
        let page = folder.join("judge.html");
        let text = judged_page(&format!("{}: {}", judged.subject, judged.folder), in_words(&judged))?;
        match write_page(&page, &text) {
            Ok(()) if of_a_class(arguments) => {}
            Ok(()) => say(&format!("page         {}", page.display())),
            // The verdicts hold without it.
            Err(error) => eprintln!("warning: there is no page of {}: {}", folder.display(), with_causes(&*error)),
        }
        outcomes.push(Outcome::Judged(Box::new(judged)));
    }
    if of_a_class(arguments) {
        say(&table(&outcomes).to_string());
        let all: Vec<Value> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Judged(judged) => in_words(judged),
                Outcome::Failed { folder, error } => json!({ "folder": folder, "error": error }),
            })
            .collect();
        let page = arguments.page.as_deref().unwrap_or(Path::new("class.html"));
        write_page(page, &class_page("Exercises", all)?)?;
        say(&format!("page         {}", page.display()));
    }
    if let Some(path) = &arguments.json {
        let json = json!({ "schema": 1, "exercises": outcomes });
        backproof_train::write_json(path, &json)?;
    }
    let failed = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Failed { .. })).count();
    let wrong = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Judged(judged) if !judged.right)).count();
    match (failed, wrong) {
        (0, 0) => Ok(()),
        (failed, 0) => {
            let all = counted(outcomes.len(), "folder");
            Err(Failure::new(code::FAILED, format!("{failed} of {all} could not be judged")).into())
        }
        (_, wrong) if outcomes.len() > 1 => {
            let all = counted(outcomes.len(), "exercise");
            Err(Failure::new(code::CHECK_FAILED, format!("{wrong} of {all} are not right")).into())
        }
        _ => Err(Failure::new(code::CHECK_FAILED, "not every answer is right").into()),
    }
}

fn failure(error: JudgeError) -> anyhow::Error {
    match error {
        JudgeError::OtherVersion { .. } | JudgeError::OtherCases(_) => Failure::from_error(code::FAILED, error)
            .help("make the exercise anew with `judge new`, and copy the answers into it")
            .into(),
        error => error.into(),
    }
}

fn write_page(path: &Path, page: &str) -> anyhow::Result<()> {
    Ok(backproof_train::write_whole(path, page.as_bytes())?)
}

/// The verdicts in words, and numbers as a person reads them: what a page shows.
fn in_words(judged: &Judged) -> Value {
    let mut all = serde_json::to_value(judged).expect("verdicts have string keys");
    all["error"] = Value::Null;
    let tensors = all["cases"].as_array_mut().into_iter().flatten();
    for tensor in tensors.flat_map(|case| case["tensors"].as_array_mut().into_iter().flatten()) {
        let verdict: Option<Verdict> = serde_json::from_value(tensor["verdict"].clone()).ok();
        tensor["verdict"] = verdict.map_or_else(String::new, |verdict| verdict.to_string()).into();
        for name in ["answer", "truth", "tolerance"] {
            if let Some(number) = tensor["worst"][name].as_f64() {
                let digits = if name == "tolerance" { format!("{number:.1e}") } else { format!("{number:.9e}") };
                tensor["worst"][name] = digits.into();
            }
        }
    }
    all
}

/// Each case with its answers, and what is wrong with them.
fn details(judged: &Judged) {
    let Judged { subject, level, seed, tensors, tensors_right, .. } = judged;
    say(&format!("{subject} · level {level} · seed {seed}"));
    let names = judged.cases.iter().flat_map(|case| &case.tensors);
    let width = names.map(|tensor| tensor.tensor.chars().count()).max().unwrap_or(0).max(7);
    for case in &judged.cases {
        say(&format!("\n{}  {}", case.case, case.about));
        case.notes.iter().for_each(|note| say(&format!("  note: {note}")));
        for tensor in &case.tensors {
            let wrong = if tensor.wrong > 0 {
                format!("  {} of {} wrong", tensor.wrong, counted(tensor.elements, "element"))
            } else {
                String::new()
            };
            say(&format!("  {:<width$}    {}{wrong}", tensor.tensor, tensor.verdict));
            explain(tensor, width + 6);
        }
    }
    say(&match judged.right {
        true => format!("\nall right: {}", counted(*tensors, "answer")),
        false => format!("\n{tensors_right} of {} right", counted(*tensors, "answer")),
    });
}

/// Why an answer is not right, that far from the left.
fn explain(tensor: &JudgedTensor, indent: usize) {
    let say = |text: &str| say(&format!("{:indent$}{text}", ""));
    if tensor.verdict == Verdict::Right {
        return;
    }
    if let Some(diagnosis) = &tensor.diagnosis {
        let looks_like = if tensor.verdict == Verdict::Wrong { "looks like: " } else { "" };
        say(&format!("{looks_like}{diagnosis}"));
    }
    if let Some(note) = &tensor.note {
        say(note);
    }
    if let (Some(worst), Verdict::Wrong | Verdict::NotDecided) = (&tensor.worst, tensor.verdict) {
        say(&format!(
            "at {:?} (from 0): {:+.6e}, right is {:+.6e}, tolerance {:.1e}",
            worst.position, worst.answer, worst.truth, worst.tolerance
        ));
    }
}

/// A row for each exercise.
fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_row(["folder", "exercise", "level", "seed", "right", "first fault"]);
    for outcome in outcomes {
        match outcome {
            Outcome::Judged(judged) => {
                let fault = judged.faults().next().map(|(case, tensor)| {
                    let diagnosis = tensor.diagnosis.clone().unwrap_or_else(|| tensor.verdict.to_string());
                    format!("{case}, {}: {diagnosis}", tensor.tensor)
                });
                let right = format!("{} of {}", judged.tensors_right, judged.tensors);
                let (level, seed) = (judged.level.to_string(), judged.seed.to_string());
                table.add_row([
                    judged.folder.clone(),
                    judged.subject.clone(),
                    level,
                    seed,
                    right,
                    fault.unwrap_or_default(),
                ]);
            }
            Outcome::Failed { folder, error } => {
                let nothing = String::new;
                table.add_row([
                    folder.clone(),
                    nothing(),
                    nothing(),
                    nothing(),
                    "not judged".to_owned(),
                    error.clone(),
                ]);
            }
        }
    }
    table
}
