//! The program with all mutants: a workspace beside ours that has one crate, and how it is compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::points::{Found, LeftOut, find};
use crate::schema::{Owner, owner, render};

/// The crate that is mutated.
const CRATE: &str = "crates/gradcheck";
/// Of `main.rs`, `lib.rs`: lints that refuse what a mutant does, such as to divide by zero.
const ALLOWED: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic, clippy::all)] ";
/// It compiles in half of the time, and the tests spend theirs in Burn.
const PROFILE: &str = "\n[profile.release.package.backproof-gradcheck]\nopt-level = 1\n";
/// So often what does not compile is dropped.
const ROUNDS: usize = 30;

/// What is known of a program: written beside it as `program.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) mutants: BTreeMap<u32, About>,
    pub(crate) left_out: LeftOut,
    /// Programs with tests, by the name of the target: `lib`, `gradients`, …
    pub(crate) tests: BTreeMap<String, PathBuf>,
}

/// A mutant, for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) function: String,
    pub(crate) what: String,
    pub(crate) state: State,
}

/// Whether a mutant is in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Compiled,
    /// Its code does not compile.
    Unviable,
    /// The code around it does not compile with a switch.
    NotSwitched,
}

impl About {
    /// In one line, such as `judge.rs:40:12: replace < with > in Limits::near`.
    pub(crate) fn text(&self) -> String {
        format!("{}:{}:{}: {} in {}", self.file, self.line, self.column, self.what, self.function)
    }
}

/// A source file.
struct File {
    /// In `src`.
    name: String,
    source: String,
    found: Found,
}

/// Copies the crate, puts all mutants into it, compiles it and its tests, and says what is in it.
///
/// `root` is our repository, `work` the folder for everything that is made.
pub(crate) fn make(root: &Path, work: &Path) -> Result<Program, String> {
    let tree = work.join("tree");
    copy(root, &tree)?;
    let source = root.join(CRATE).join("src");
    let mut files = Vec::new();
    let mut next = 1;
    read(&source, "", "lib", &mut next, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut program = Program::default();
    for file in &files {
        let sum = &mut program.left_out;
        let of = &file.found.left_out;
        sum.constants += of.constants;
        sum.arms += of.arms;
        sum.fields += of.fields;
        sum.unsafe_functions += of.unsafe_functions;
        sum.words += of.words;
        sum.chains += of.chains;
        for mutant in file.found.points.iter().flat_map(|point| &point.mutants) {
            let (function, what) = (mutant.function.clone(), mutant.what.clone());
            let (line, column, state) = (mutant.line, mutant.column, State::Compiled);
            let about = About { file: file.name.clone(), line, column, function, what, state };
            program.mutants.insert(mutant.id, about);
        }
    }
    println!("{} mutants in {} files", program.mutants.len(), files.len());
    fs::write(tree.join(CRATE).join("src/switch.rs"), switch(next)).map_err(|error| error.to_string())?;
    for _ in 0..ROUNDS {
        let dropped = program.mutants.iter().filter(|(_, about)| about.state != State::Compiled).map(|(id, _)| *id);
        let dropped: BTreeSet<u32> = dropped.collect();
        let mut rendered = BTreeMap::new();
        for file in &files {
            let mut text = render(&file.source, &file.found.points, &dropped);
            if file.name == "lib.rs" {
                text = format!("{ALLOWED}{text}\nmod switch;\n");
            }
            let path = Path::new("src").join(&file.name);
            let written = tree.join(CRATE).join(&path);
            // A file that stays the same is not compiled again.
            if fs::read_to_string(&written).ok().as_ref() != Some(&text) {
                fs::write(&written, &text).map_err(|error| format!("{}: {error}", written.display()))?;
            }
            rendered.insert(Path::new(CRATE).join(path), text);
        }
        match compile(work)? {
            Compiled::Tests(tests) => {
                program.tests = tests;
                let text = serde_json::to_string_pretty(&program).expect("the program is plain data");
                fs::write(work.join("program.json"), text).map_err(|error| error.to_string())?;
                return Ok(program);
            }
            Compiled::Errors(errors) => {
                let before = dropped.len();
                for error in &errors {
                    drop_owner(error, &rendered, &files, &mut program);
                }
                let now = program.mutants.values().filter(|about| about.state != State::Compiled).count();
                println!("{} errors: {} mutants are dropped", errors.len(), now - before);
                let text = serde_json::to_string_pretty(&errors).expect("errors are plain data");
                fs::write(work.join("errors.json"), text).map_err(|error| error.to_string())?;
                if now == before {
                    return Err(format!("no mutant is to blame for this error:\n{}", errors[0]["rendered"]));
                }
            }
        }
    }
    Err(format!("it does not compile after {ROUNDS} rounds"))
}

/// Copies what the crate needs: itself, the workspace's settings, and the guide that its documentation includes.
fn copy(root: &Path, tree: &Path) -> Result<(), String> {
    let told = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let manifest = root.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(told(&manifest))?;
    // The crate itself has another profile here.
    let own = format!("{} = {{ opt-level", CRATE.replace("crates/", "backproof-"));
    let lines = text.lines().filter(|line| !line.starts_with("default-members") && !line.starts_with(&own));
    let lines = lines.map(|line| match line.starts_with("members = ") {
        true => format!("members = [\"{CRATE}\", \"features\"]"),
        false => line.to_owned(),
    });
    let old = tree.join(CRATE);
    if old.exists() {
        fs::remove_dir_all(&old).map_err(told(&old))?;
    }
    copy_folder(&root.join(CRATE), &old)?;
    copy_folder(&root.join("docs"), &tree.join("docs"))?;
    let text = lines.collect::<Vec<_>>().join("\n") + PROFILE;
    fs::write(tree.join("Cargo.toml"), text).map_err(told(tree))?;
    fs::copy(root.join("Cargo.lock"), tree.join("Cargo.lock")).map_err(told(tree))?;
    let features = tree.join("features");
    fs::create_dir_all(features.join("src")).map_err(told(&features))?;
    fs::write(features.join("src/lib.rs"), "").map_err(told(&features))?;
    fs::write(features.join("Cargo.toml"), dependencies(root)?).map_err(told(&features))
}

/// The manifest of a crate that depends on all that our workspace depends on. So each dependency has the features that
/// it has there, and what was built there serves here: `target/release`, copied to `target/mutants/build`.
fn dependencies(root: &Path) -> Result<String, String> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--offline"]).current_dir(root);
    let output = cargo.output().map_err(|error| format!("cargo does not start: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut all: BTreeMap<String, (Value, bool, BTreeSet<String>)> = BTreeMap::new();
    for dependency in list(&metadata["packages"]).iter().flat_map(|package| list(&package["dependencies"])) {
        if dependency["path"].is_string() {
            continue;
        }
        let name = dependency["name"].as_str().unwrap_or_default().to_owned();
        let (version, default, features) = all.entry(name).or_default();
        *version = dependency["req"].clone();
        *default |= dependency["uses_default_features"] == true;
        features.extend(list(&dependency["features"]).iter().filter_map(|name| name.as_str().map(str::to_owned)));
    }
    let lines = all.into_iter().map(|(name, (version, default, features))| {
        let features = Vec::from_iter(features);
        format!("{name} = {{ version = {version}, default-features = {default}, features = {features:?} }}\n")
    });
    let lines = String::from_iter(lines);
    Ok(format!("[package]\nname = \"features\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{lines}"))
}

fn cargo() -> Command {
    Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(told)?;
    for entry in fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else if !path.ends_with("proptest-regressions") {
            fs::copy(&path, &to).map_err(told)?;
        }
    }
    Ok(())
}

/// Reads a module and those in it. `folder` ends with a slash, unless it is the first.
fn read(source: &Path, folder: &str, module: &str, next: &mut u32, files: &mut Vec<File>) -> Result<(), String> {
    let flat = format!("{folder}{module}.rs");
    let name = if source.join(&flat).exists() { flat } else { format!("{folder}{module}/mod.rs") };
    let path = source.join(&name);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found = find(&text, *next).map_err(|error| format!("{}: {error}", path.display()))?;
    *next += found.points.iter().map(|point| point.mutants.len() as u32).sum::<u32>();
    let inner = if module == "lib" { String::new() } else { format!("{folder}{module}/") };
    let modules = found.modules.clone();
    files.push(File { name, source: text, found });
    modules.iter().try_for_each(|module| read(source, &inner, module, next, files))
}

enum Compiled {
    Tests(BTreeMap<String, PathBuf>),
    Errors(Vec<Value>),
}

fn compile(work: &Path) -> Result<Compiled, String> {
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--lib", "--tests", "--no-run", "--message-format=json", "--offline"]);
    cargo.current_dir(work.join("tree")).env("CARGO_TARGET_DIR", work.join("build")).stderr(Stdio::piped());
    let output = cargo.output().map_err(|error| format!("cargo does not start: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (mut tests, mut errors) = (BTreeMap::new(), Vec::new());
    for mut message in messages {
        let target = &message["target"];
        let kind = target["kind"][0].as_str().unwrap_or_default();
        match (message["reason"].as_str(), message["executable"].as_str()) {
            (Some("compiler-message"), _) if message["message"]["level"] == "error" => {
                errors.push(message["message"].take());
            }
            (Some("compiler-artifact"), Some(path)) if target["src_path"].to_string().contains(CRATE) => {
                let name = if kind == "lib" { "lib" } else { target["name"].as_str().unwrap_or_default() };
                tests.insert(name.to_owned(), PathBuf::from(path));
            }
            _ => {}
        }
    }
    errors.retain(|error| error["spans"].as_array().is_some_and(|spans| !spans.is_empty()));
    match (output.status.success(), errors.is_empty()) {
        (true, _) => Ok(Compiled::Tests(tests)),
        (false, false) => Ok(Compiled::Errors(errors)),
        (false, true) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Drops the mutant whose code an error points to, or all mutants of the place around it.
fn drop_owner(error: &Value, rendered: &BTreeMap<PathBuf, String>, files: &[File], program: &mut Program) {
    let spans = error["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let owners = |primary: bool| {
        spans.iter().filter(move |span| span["is_primary"] == primary).filter_map(|span| {
            let text = rendered.get(Path::new(span["file_name"].as_str()?))?;
            let [start, end] = ["byte_start", "byte_end"].map(|name| span[name].as_u64());
            Some(owner(text, start? as usize..end? as usize))
        })
    };
    let all: Vec<Owner> = owners(true).chain(owners(false)).collect();
    let mutants = |primary: bool| -> Vec<u32> {
        owners(primary).filter_map(|owner| if let Owner::Mutant(id) = owner { Some(id) } else { None }).collect()
    };
    let blamed = Some(mutants(true)).filter(|ids| !ids.is_empty()).unwrap_or_else(|| mutants(false));
    if !blamed.is_empty() {
        for id in blamed {
            program.mutants.get_mut(&id).expect("it was found").state = State::Unviable;
        }
        return;
    }
    let Some(first) = all.iter().find_map(|owner| if let Owner::Point(id) = owner { Some(*id) } else { None }) else {
        return;
    };
    let points = files.iter().flat_map(|file| &file.found.points);
    for mutant in points.filter(|point| point.mutants[0].id == first).flat_map(|point| &point.mutants) {
        let about = program.mutants.get_mut(&mutant.id).expect("it was found");
        if about.state == State::Compiled {
            about.state = State::NotSwitched;
        }
    }
}

/// The module that says which mutant is on.
fn switch(mutants: u32) -> String {
    include_str!("switch.rs.txt").replace("COUNT", &mutants.to_string())
}
