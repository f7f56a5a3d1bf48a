//! Several runs beside each other: a row for each, those that differ in nothing but their seed as one.

mod curves;
mod effects;
mod group;
mod table;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use backproof_spec::counted;
use backproof_train::{RunFolder, write_file};
use serde::Serialize;

use crate::ReportError;
use crate::contents::Contents;
use crate::figure::Figure;
use crate::medium::Medium;
use crate::page::Styles;
use crate::paper::ForPaper;
use crate::scatter::{Dot, Scatter};
use crate::settings::differences;
use crate::statistics::mean_and_deviation;
use crate::templates::render;
use effects::{Effect, effects};
use group::{Group, groups, settings_of, shortened};
use table::{Place, Table};

/// A comparison that was written.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// `comparison.html`.
    pub page: PathBuf,
    /// The files for a paper.
    pub for_paper: Vec<PathBuf>,
    /// What the comparison lacks and why, a sentence each with the name of the run; the page says the same.
    pub missing: Vec<String>,
    table: Table,
}

/// A sweep, for its page.
#[derive(Debug)]
pub struct ComparedSweep {
    /// What it is called.
    pub name: String,
    /// What points are sorted by, and what the notes mean: sentences.
    pub sentences: Vec<String>,
    /// The keys that vary.
    pub keys: Vec<String>,
    /// Best first.
    pub points: Vec<ComparedPoint>,
}

/// A point of a sweep.
#[derive(Debug)]
pub struct ComparedPoint {
    /// What the sweep calls it.
    pub name: String,
    /// How it stands to the best point, in a few words.
    pub note: String,
    /// The value of each key that varies, for a person.
    pub values: Vec<String>,
    /// Those of its runs that have a folder.
    pub runs: Vec<RunFolder>,
}

/// What a page has beside its table and its curves.
struct Words {
    title: String,
    heading: String,
    sentences: Vec<String>,
    /// What the sweep says of each group.
    notes: Vec<String>,
    /// The keys that differ among the groups, and the value of each group.
    settings: Vec<(String, Vec<String>)>,
    effects: Vec<Effect>,
}

#[derive(Serialize)]
struct Page<'a> {
    styles: Styles,
    title: &'a str,
    heading: &'a str,
    sentences: &'a [String],
    table: &'a Table,
    settings: &'a [(String, Vec<String>)],
    effects: &'a [Effect],
    curves: Vec<String>,
    scatters: Vec<String>,
    missing: &'a [String],
}

/// Writes `comparison.html` and `figures/` into the folder `into`, which is made if it is not there. What `for_paper`
/// asks for is in `figures/` too, with the table `comparison.tex`.
///
/// # Errors
///
/// A `run.json` that cannot be read; files that cannot be written.
pub fn compare(folders: &[RunFolder], into: &Path, for_paper: &ForPaper) -> Result<Comparison, ReportError> {
    let folders: Vec<&RunFolder> = folders.iter().collect();
    let contents = read(&folders)?;
    let settings: Vec<BTreeMap<String, String>> = contents.iter().map(settings_of).collect();
    let groups = groups(&contents, &settings);
    let of_groups: Vec<_> = groups.iter().map(|group| settings[group.runs[0]].clone()).collect();
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let runs = counted(contents.len(), "run");
    let heading = match groups.len() < contents.len() {
        true => format!("{runs} of {} compared", counted(groups.len(), "config")),
        false => format!("{runs} compared"),
    };
    let words = Words {
        title: shortened(&names.join(", "), 100),
        heading,
        sentences: Vec::new(),
        notes: Vec::new(),
        settings: differences(&of_groups),
        effects: Vec::new(),
    };
    write(&folders, &contents, &groups, &words, into, for_paper)
}

/// The page of a sweep, as [`compare`]; points without a run are left out.
///
/// # Errors
///
/// As of [`compare`].
pub fn compare_sweep(sweep: &ComparedSweep, into: &Path, for_paper: &ForPaper) -> Result<Comparison, ReportError> {
    let points: Vec<&ComparedPoint> = sweep.points.iter().filter(|point| !point.runs.is_empty()).collect();
    let folders: Vec<&RunFolder> = points.iter().flat_map(|point| &point.runs).collect();
    let contents = read(&folders)?;
    let mut first = 0;
    let mut groups = Vec::new();
    for point in &points {
        groups.push(Group { name: point.name.clone(), runs: (first..first + point.runs.len()).collect() });
        first += point.runs.len();
    }
    let accuracies = groups.iter().map(|group| {
        let of_runs: Vec<f64> = group.runs.iter().filter_map(|&run| table::validation(&contents[run])).collect();
        mean_and_deviation(&of_runs).map(|(mean, _)| mean)
    });
    let of_points: Vec<(&[String], Option<f64>)> =
        points.iter().map(|point| &point.values[..]).zip(accuracies).collect();
    let of_key = |(place, key): (usize, &String)| {
        (key.clone(), points.iter().map(|point| point.values[place].clone()).collect())
    };
    let words = Words {
        title: sweep.name.clone(),
        heading: format!("Sweep {}", sweep.name),
        sentences: sweep.sentences.clone(),
        notes: points.iter().map(|point| point.note.clone()).collect(),
        settings: sweep.keys.iter().enumerate().map(of_key).collect(),
        effects: effects(&sweep.keys, &of_points),
    };
    write(&folders, &contents, &groups, &words, into, for_paper)
}

fn read(folders: &[&RunFolder]) -> Result<Vec<Contents>, ReportError> {
    folders.iter().copied().map(Contents::read).collect()
}

fn write(
    folders: &[&RunFolder],
    contents: &[Contents],
    groups: &[Group],
    words: &Words,
    into: &Path,
    for_paper: &ForPaper,
) -> Result<Comparison, ReportError> {
    // If it cannot be made, the first file says so.
    let _ = std::fs::create_dir_all(into);
    let here = into.canonicalize().unwrap_or_else(|_| into.to_owned());
    let place = |folder: &RunFolder| Place {
        folder: folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
        link: link(&here, &folder.path().join("report.html")),
    };
    let places: Vec<Place> = folders.iter().copied().map(place).collect();
    let table = Table::new(groups, contents, &places, &words.notes);
    let labels = labels(groups, &words.settings);
    let curves = curves::figures(groups, contents, &labels, Medium::Screen)?;
    let scatters = scatters(&table, Medium::Screen)?;
    for figure in curves.iter().chain(&scatters) {
        write_file(&into.join(format!("figures/{}.svg", figure.name)), figure.document()?.as_bytes())?;
        write_file(&into.join(format!("figures/{}.png", figure.name)), &figure.png()?)?;
    }
    let on_paper = for_paper.files(|medium| {
        let curves = curves::figures(groups, contents, &labels, medium)?;
        Ok(curves.into_iter().chain(self::scatters(&table, medium)?).collect())
    })?;
    let lack = on_paper.lack();
    let mut files = on_paper.files;
    if for_paper.is_asked_for() {
        files.push(("comparison.tex".to_owned(), table.latex(&words.heading).file().into_bytes()));
    }
    for (name, content) in &files {
        write_file(&into.join("figures").join(name), content)?;
    }
    let of_run = |group: &Group, run: usize| format!("{} ({})", group.name, places[run].folder);
    let missing: Vec<String> = groups
        .iter()
        .flat_map(|group| group.runs.iter().map(move |&run| (group, run)))
        .flat_map(|(group, run)| {
            contents[run].missing.iter().map(move |sentence| format!("{}: {sentence}", of_run(group, run)))
        })
        .chain(lack)
        .collect();
    let inline = |figures: &[Figure]| figures.iter().map(Figure::inline).collect::<Result<Vec<_>, _>>();
    let page = render(
        "comparison.html",
        Page {
            styles: Styles::new()?,
            title: &words.title,
            heading: &words.heading,
            sentences: &words.sentences,
            table: &table,
            settings: &words.settings,
            effects: &words.effects,
            curves: inline(&curves)?,
            scatters: inline(&scatters)?,
            missing: &missing,
        },
    )?;
    let path = into.join("comparison.html");
    write_file(&path, page.as_bytes())?;
    let for_paper = files.iter().map(|(name, _)| into.join("figures").join(name)).collect();
    Ok(Comparison { page: path, for_paper, missing, table })
}

/// What stands at the end of the curve of each group: its number in the table, and its values or else its name.
fn labels(groups: &[Group], settings: &[(String, Vec<String>)]) -> Vec<String> {
    /// Characters of a label, and of a value in it where there are several.
    const LENGTHS: [usize; 2] = [18, 12];
    let label = |(number, group): (usize, &Group)| {
        let values: Vec<String> = settings.iter().map(|(_, values)| shortened(&values[number], LENGTHS[1])).collect();
        let words = match (groups.len(), &values[..]) {
            (1, _) | (_, []) => group.name.clone(),
            (_, [_]) => settings[0].1[number].clone(),
            _ => values.join(", "),
        };
        // A name of its own says more than values.
        let short = if group.name.chars().count() <= LENGTHS[0] { &group.name } else { &words };
        format!("{} {}", number + 1, shortened(short, LENGTHS[0]))
    };
    groups.iter().enumerate().map(label).collect()
}

/// Accuracy against parameters and against time, where there are several groups and they differ in it.
fn scatters(table: &Table, medium: Medium) -> Result<Vec<Figure>, ReportError> {
    let Some(accuracy) = table.column("validation %").or_else(|| table.column("test %")) else {
        return Ok(Vec::new());
    };
    let mut figures = Vec::new();
    for (head, name, title) in [
        ("parameters", "accuracy-parameters", "Accuracy and parameters"),
        ("time", "accuracy-time", "Accuracy and training time"),
    ] {
        let Some(column) = table.column(head) else { continue };
        let dots = table.groups.iter().enumerate().filter_map(|(number, group)| {
            let [x, y] = [column, accuracy].map(|column| group.cells[column].number);
            let words = format!("{}: {} %, {}", group.name, group.cells[accuracy].text, group.cells[column].text);
            Some(Dot { words, number, place: [x?, 100.0 * y?] })
        });
        let unit = if head == "time" { "seconds" } else { "parameters" };
        let axes = [unit.to_owned(), format!("{} of images", table.heads[accuracy])];
        figures.extend(Scatter { name, title, axes, diagonal: false, dots: dots.collect() }.figure(medium)?);
    }
    Ok(figures)
}

/// The way from a folder to a file, with `/` on every system. Both are absolute.
fn link(from: &Path, to: &Path) -> String {
    let [from, to] = [from, to].map(|path| path.components().collect::<Vec<Component<'_>>>());
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[shared..].iter().map(|_| "..".to_owned());
    let down = to[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

impl Comparison {
    /// The heads of a table for a terminal, and a row for each run, or for each config with its seeds. The first column
    /// is the name.
    #[must_use]
    pub fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut heads = vec!["run".to_owned()];
        heads.extend(self.table.heads.clone());
        if self.table.has_seeds {
            heads.push("seeds".to_owned());
        }
        let row = |group: &table::GroupRows| {
            let mut row = vec![group.name.clone()];
            row.extend(group.cells.iter().map(|cell| cell.text.clone()));
            if self.table.has_seeds {
                row.push(group.runs.len().to_string());
            }
            row
        };
        (heads, self.table.groups.iter().map(row).collect())
    }

    /// What is the same in all runs, with its value.
    #[must_use]
    pub fn same(&self) -> &[(String, String)] {
        &self.table.same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_goes_up_to_what_both_share_and_down_again() {
        let of = |from: &str, to: &str| link(Path::new(from), Path::new(to));
        assert_eq!(of("/a/comparison", "/a/runs/b/report.html"), "../runs/b/report.html");
        assert_eq!(of("/a/sweep", "/a/sweep/runs/0/report.html"), "runs/0/report.html");
    }
}
