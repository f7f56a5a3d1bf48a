//! `data`: list, fetch, verify, path and export.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use backproof::cli::{DataArguments, DataCommand, DataExportArguments, DataNames};
use backproof::error::{Failure, code};
use backproof::shell;
use backproof_data::{
    DataError, FetchOptions, FileState, FileStatus, Progress, Source, complete_in, data_set_directory,
    default_directory, fetch, sources, verify,
};
use backproof_spec::{are, counted};
use comfy_table::Cell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::reading::ImagesBar;
use crate::table::{right, text};

pub(crate) fn run(arguments: &DataArguments) -> anyhow::Result<()> {
    match &arguments.command {
        DataCommand::List(arguments) => list(arguments.places.data_dir.as_deref()),
        DataCommand::Fetch(names) => fetch_all(names),
        DataCommand::Verify(names) => verify_all(names),
        DataCommand::Path(names) => print_paths(names),
        DataCommand::Export(arguments) => export(arguments),
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn list(data_dir: Option<&Path>) -> anyhow::Result<()> {
    let heads = ["data set", "classes", "image", "training", "test", "download", "here"];
    let mut rows = Vec::new();
    for source in sources() {
        let Some(known) = source.known() else { continue };
        let download = source.published().map(|published| published.download_size());
        let here = match download {
            None => "part of the program".to_owned(),
            Some(_) => complete_in(*source, data_dir)
                .map_err(failure)?
                .map_or_else(|| "no".to_owned(), |folder| folder.display().to_string()),
        };
        rows.push(vec![
            Cell::new(source.name()),
            right(known.classes().to_string()),
            right(known.shape.to_string()),
            right(known.training_images.to_string()),
            right(known.test_images.to_string()),
            right(download.flatten().map_or_else(String::new, |bytes| format!("{} MB", bytes.div_ceil(1_000_000)))),
            Cell::new(here),
        ]);
    }
    let heads = heads.map(|head| if ["data set", "here"].contains(&head) { Cell::new(head) } else { right(head) });
    println!("{}", text(heads.to_vec(), rows, &["download", "test", "training"]));
    Ok(())
}

/// The data sets that were named, or all that are files.
fn named(names: &[String]) -> anyhow::Result<Vec<&'static dyn Source>> {
    if names.is_empty() {
        return Ok(sources().iter().copied().filter(|source| source.published().is_some()).collect());
    }
    let all: Vec<&str> = sources().iter().map(|source| source.name()).collect();
    names
        .iter()
        .map(|name| {
            sources().iter().copied().find(|source| source.name() == name).ok_or_else(|| {
                let otherwise = format!("the data sets are {}", all.join(", "));
                Failure::usage(format!("there is no data set `{name}`")).nearest(name, &all, otherwise).into()
            })
        })
        .collect()
}

fn directory(names: &DataNames) -> anyhow::Result<PathBuf> {
    match &names.places.data_dir {
        Some(directory) => Ok(directory.clone()),
        None => Ok(default_directory().map_err(failure)?),
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn fetch_all(names: &DataNames) -> anyhow::Result<()> {
    let options = FetchOptions::new(directory(names)?);
    for source in named(&names.names)? {
        let name = source.name();
        if source.published().is_none() {
            println!("{name}: comes with the program");
            continue;
        }
        let mut display = Display::default();
        let report = fetch(source, &options, &mut |progress| display.show(progress)).map_err(failure)?;
        println!(
            "{name}: {} fetched, {} there already, in {}",
            counted(report.fetched.len(), "file"),
            report.present.len(),
            options.directory.display()
        );
    }
    Ok(())
}

/// A bar on a terminal, lines otherwise, both on stderr.
#[derive(Default)]
struct Display {
    bar: Option<ProgressBar>,
}

impl Display {
    #[allow(clippy::print_stderr)] // progress goes to stderr
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn show(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Waiting { lock } => {
                self.line(&format!("waiting for another process, which holds {}", lock.display()));
            }
            Progress::Present { .. } => {}
            Progress::Started { file, url, done, total } => {
                self.line(&format!("{file} from {url}"));
                if std::io::stderr().is_terminal() {
                    let template = match total {
                        Some(_) => "  {bar:40} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
                        None => "  {spinner} {bytes}  {bytes_per_sec}",
                    };
                    let style =
                        ProgressStyle::with_template(template).expect("the template is constant").progress_chars("━╸─");
                    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style);
                    bar.set_position(done);
                    bar.reset_eta();
                    self.bar = Some(bar);
                }
            }
            Progress::Advanced { done, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(done);
                }
            }
            Progress::Failed { url, reason, .. } => self.line(&format!("  {url}: {reason}")),
            Progress::Checking { .. } | Progress::Finished { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn verify_all(names: &DataNames) -> anyhow::Result<()> {
    let (mut bad, mut unreadable) = (0, 0);
    let (mut here, mut absent) = (false, Vec::new());
    for source in named(&names.names)? {
        let name = source.name();
        if source.published().is_none() {
            println!("{name}: comes with the program");
        }
        let files = verify(source, names.places.data_dir.as_deref()).map_err(failure)?;
        if names.names.is_empty() && is_absent(&files) {
            absent.push(name);
            continue;
        }
        here = true;
        for file in files {
            let word = match &file.state {
                FileState::Published => "ok".to_owned(),
                FileState::Other { sha256, published } => {
                    format!("not as published: SHA-256 {sha256}, published {published}")
                }
                FileState::Unknown { sha256 } => {
                    format!("complete; no checksum is published to compare with, SHA-256 {sha256}")
                }
                FileState::Unreadable { reason } => {
                    unreadable += 1;
                    format!("cannot be read: {reason}")
                }
                FileState::Damaged { reason } => {
                    bad += 1;
                    format!("damaged: {reason}")
                }
                FileState::Missing { url } => {
                    bad += 1;
                    format!("missing; from {url}")
                }
            };
            let part = part(&file);
            println!("{name}: {}{part}: {word}", file.path.display());
        }
    }
    if !absent.is_empty() {
        println!("not here: {}", absent.join(", "));
    }
    if !here {
        let help = "`cargo xtask data fetch NAME` downloads one, and `cargo xtask data list` lists them";
        return Err(Failure::new(code::CHECK_FAILED, "no data set is here").help(help).into());
    }
    let message = match (bad, unreadable) {
        (0, 0) => return Ok(()),
        (0, _) => format!("{} cannot be read", counted(unreadable, "file")),
        (_, 0) => format!("{} {} missing or damaged", counted(bad, "file"), are(bad)),
        _ => format!("{} {} missing or damaged, and {unreadable} cannot be read", counted(bad, "file"), are(bad)),
    };
    let what = if bad == 1 { "it" } else { "them" };
    let help = (bad > 0).then(|| format!("`cargo xtask data fetch` downloads {what}"));
    Err(Failure::new(code::CHECK_FAILED, message).maybe_help(help).into())
}

/// Whether no file of a data set is there.
fn is_absent(files: &[FileStatus]) -> bool {
    !files.is_empty() && files.iter().all(|file| matches!(file.state, FileState::Missing { .. }))
}

/// Which published file a file of another version holds, where that has several.
fn part(file: &FileStatus) -> String {
    match file.path.extension() {
        Some(extension) if extension == "npz" => format!(" ({})", file.name),
        _ => String::new(),
    }
}

#[allow(clippy::print_stdout)] // results go to stdout
fn print_paths(names: &DataNames) -> anyhow::Result<()> {
    if names.names.is_empty() {
        println!("{}", directory(names)?.display());
        return Ok(());
    }
    for source in named(&names.names)? {
        let name = source.name();
        match data_set_directory(source, names.places.data_dir.as_deref()).map_err(failure)? {
            Some(folder) => println!("{}", folder.display()),
            None => println!("{name} comes with the program"),
        }
    }
    Ok(())
}

#[allow(clippy::print_stdout)] // results go to stdout
fn export(arguments: &DataExportArguments) -> anyhow::Result<()> {
    let DataExportArguments { name, folder, places } = arguments;
    let source = named(std::slice::from_ref(name))?.remove(0);
    let data = source.load(places.data_dir.as_deref()).map_err(failure)?;
    let mut bar = ImagesBar::writing();
    let mut watch = |done: usize, total: usize| {
        bar.show(done, total);
        ControlFlow::Continue(())
    };
    let exported = backproof_data::export(&data, folder, &mut watch).map_err(failure)?;
    let [training, validation, test] = exported.images;
    let validation = if validation > 0 { format!(", {validation} validation") } else { String::new() };
    println!("{name}: {training} training{validation} and {test} test images in {}", folder.display());
    println!("`cargo xtask train --images {}` trains on them", shell::argument(folder));
    Ok(())
}

/// An error of the data with its way out.
pub(crate) fn failure(error: DataError) -> Failure {
    let help = error.help();
    Failure::from_error(code::FAILED, error).maybe_help(help)
}

/// In words, whether a data set is here, for `doctor`; nothing where it is not.
pub(crate) fn state(source: &dyn Source, data_dir: Option<&Path>) -> Option<String> {
    if source.published().is_none() {
        return Some("comes with the program".to_owned());
    }
    Some(match verify(source, data_dir) {
        Err(error) => error.to_string(),
        Ok(files) if is_absent(&files) => return None,
        Ok(files) => {
            let folder = files.first().and_then(|file| file.path.parent()).map(|path| path.display().to_string());
            let folder = folder.unwrap_or_default();
            let missing = files.iter().filter(|file| matches!(file.state, FileState::Missing { .. })).count();
            let damaged = files.iter().filter(|file| matches!(file.state, FileState::Damaged { .. })).count();
            let unreadable = files.iter().find_map(|file| match &file.state {
                FileState::Unreadable { reason } => Some((&file.path, reason)),
                _ => None,
            });
            let unknown = files.iter().filter(|file| matches!(file.state, FileState::Unknown { .. })).count();
            let other = files.iter().filter(|file| matches!(file.state, FileState::Other { .. })).count();
            if let Some((path, reason)) = unreadable {
                format!("cannot read {}: {reason}", path.display())
            } else if missing + damaged > 0 {
                format!("in {folder}, {} missing, {damaged} damaged", counted(missing, "file"))
            } else if other > 0 {
                let all = counted(files.len(), "file");
                format!("in {folder}, complete; {other} of {all} {} not as published", are(other))
            } else if unknown > 0 {
                format!("in {folder}, complete; no checksums are published to compare with")
            } else {
                format!("in {folder}, complete, as published")
            }
        }
    })
}
