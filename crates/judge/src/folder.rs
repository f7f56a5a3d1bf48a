//! Writes an exercise: the manifest, the cases in each format, the task, and a skeleton for each language.

use std::fs;
use std::path::Path;

use backproof_arrays::write::{self as files, Named};
use backproof_gradcheck::Value;
use backproof_suite::layer_task;
use burn::tensor::Device;
use serde::Serialize;

use crate::case::{Case, Truth, gradient_name};
use crate::manifest::{self, Level, Manifest, Request};
use crate::shapes::words;
use crate::templates::render;
use crate::{JudgeError, choice, judge, network, optimizer};

/// An exercise that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// How many cases it has.
    pub cases: usize,
    /// What is asked for in each.
    pub asked: Vec<String>,
}

/// Writes the exercise into a folder that is not there yet, or is empty.
///
/// # Errors
///
/// A subject that there is no exercise of; a folder with something in it; files that cannot be written.
pub fn write(request: &Request, folder: &Path, device: &Device) -> Result<Written, JudgeError> {
    judge::known(request)?;
    let cases = choice::choose(request, device);
    write_cases(request, cases, folder, &[])
}

/// Writes these cases, and further files by their path in the folder.
pub(crate) fn write_cases(
    request: &Request,
    cases: Vec<Case>,
    folder: &Path,
    others: &[(&str, String)],
) -> Result<Written, JudgeError> {
    free(folder)?;
    let manifest = Manifest::new(request, cases.iter().map(Case::drawn).collect());
    let page = Page::new(request, &cases);
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for case in &cases {
        let given = case.given();
        let named: Vec<Named<'_>> = given.iter().map(|(name, value)| named(name, value)).collect();
        let name = &case.name;
        all.push((format!("cases/{name}.npz"), files::npz(&named)));
        all.push((format!("cases/{name}.mat"), files::matlab(&named)));
        all.push((format!("cases/{name}.safetensors"), files::safetensors(&named)));
        all.extend(named.iter().map(|array| (format!("cases/{name}/{}.f64", array.name), files::raw(array))));
    }
    for (path, template) in [
        ("README.md", "README.md"),
        ("python/solution.py", "python.py"),
        ("matlab/forward.m", "forward.m"),
        ("matlab/backward.m", "backward.m"),
        ("matlab/run_cases.m", "run.m"),
        ("julia/solution.jl", "julia.jl"),
        ("rust/src/main.rs", "rust.rs"),
        ("rust/Cargo.toml", "rust.toml"),
        ("c/solution.c", "exercise.c"),
        ("c/exercise.h", "exercise.h"),
    ] {
        // An optimizer has one function alone.
        if !(page.optimizer && template == "backward.m") {
            all.push((path.to_owned(), render(template, &page)?.into_bytes()));
        }
    }
    all.extend(others.iter().map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes())));
    // The manifest comes last: a folder with one is whole.
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest has string keys") + "\n";
    all.push((manifest::FILE.to_owned(), text.into_bytes()));
    for (path, bytes) in all {
        write_file(&folder.join(path), &bytes)?;
    }
    make(&folder.join("answers"))?;
    Ok(Written { cases: cases.len(), asked: page.asked.clone() })
}

/// Writes what is right for each case of an exercise into another folder, that is not there yet or is empty: for the
/// teacher.
///
/// # Errors
///
/// As of [`judge`](crate::judge()); a folder with something in it; files that cannot be written.
pub fn write_model_answers(exercise: &Path, folder: &Path, device: &Device) -> Result<usize, JudgeError> {
    let manifest = Manifest::read(exercise)?;
    free(folder)?;
    let cases = judge::cases(exercise, &manifest, device)?;
    for case in &cases {
        let answers = case.model_answers();
        let named: Vec<Named<'_>> = answers.iter().map(|(name, value)| named(name, value)).collect();
        write_file(&folder.join(format!("{}.npz", case.name)), &files::npz(&named))?;
        write_file(&folder.join(format!("{}.mat", case.name)), &files::matlab(&named))?;
    }
    Ok(cases.len())
}

fn free(folder: &Path) -> Result<(), JudgeError> {
    match folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        true => Err(JudgeError::NotEmpty(folder.to_owned())),
        false => Ok(()),
    }
}

fn named<'v>(name: &'v str, value: &'v Value) -> Named<'v> {
    Named { name, shape: value.dims(), values: value.data() }
}

fn make(folder: &Path) -> Result<(), JudgeError> {
    fs::create_dir_all(folder).map_err(|source| JudgeError::File { what: "write", path: folder.to_owned(), source })
}

/// Written whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), JudgeError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make(folder)?;
    let failed = |source| JudgeError::File { what: "write", path: path.to_owned(), source };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    readable_by_all(file.path());
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A file that vanishes when it is not finished is made for its owner alone, and a student is somebody else.
fn readable_by_all(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// What the templates know of an exercise.
#[derive(Serialize)]
pub(crate) struct Page {
    subject: String,
    title: String,
    forward: String,
    conventions: Vec<String>,
    optimizer: bool,
    pencil: bool,
    /// Whether all numbers are whole.
    whole: bool,
    seed: u64,
    tensors: Vec<Tensor>,
    options: Vec<Opt>,
    gradients: Vec<String>,
    asked: Vec<String>,
    /// Arguments of the forward.
    arguments: Vec<String>,
    cases: Vec<CaseOf>,
    /// Lists of strings, as Python, Julia and Rust write them.
    gradients_literal: String,
    differentiated_literal: String,
    /// Where `backproof-gradcheck` lies, for the crate in Rust.
    gradcheck: String,
    /// Python functions in the place of those to be written.
    functions: String,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    gradient: Option<String>,
    shape: String,
}

#[derive(Serialize)]
struct Opt {
    name: String,
    /// `pair`, `whole`, `flag`, `real` or `tensor`.
    kind: &'static str,
}

#[derive(Serialize)]
struct CaseOf {
    name: String,
    about: String,
    given: Vec<Shape>,
    asked: Vec<Shape>,
}

#[derive(Serialize)]
struct Shape {
    /// The numbers, for a pencil.
    text: String,
    name: String,
    dims: Vec<usize>,
    count: usize,
}

impl Shape {
    fn asked((name, dims): (String, Vec<usize>)) -> Self {
        Self { text: String::new(), name, count: dims.iter().product(), dims }
    }

    fn given((name, value): (String, Value)) -> Self {
        Self { text: nested(value.dims(), value.data()), ..Self::asked((name, value.dims().to_vec())) }
    }
}

/// Lists in lists, as Python and JSON write them.
fn nested(dims: &[usize], data: &[f64]) -> String {
    let Some((&length, inner)) = dims.split_first() else {
        return data.first().map(ToString::to_string).unwrap_or_default();
    };
    let parts = data.chunks((data.len() / length.max(1)).max(1)).map(|part| nested(inner, part));
    format!("[{}]", parts.collect::<Vec<_>>().join(", "))
}

impl Page {
    /// The same with these functions in Python.
    pub(crate) fn with_functions(self, functions: String) -> Self {
        Self { functions, ..self }
    }

    pub(crate) fn new(request: &Request, cases: &[Case]) -> Self {
        let of_network =
            network::table(request).map(|table| format!("{NETWORK_TASK}\n\n```text\n{}\n```", table.trim_end()));
        let (title, forward, conventions) = match (&of_network, layer_task(&request.subject)) {
            (Some(forward), _) => ("A whole network", forward.as_str(), NETWORK_CONVENTIONS),
            (None, Some(task)) => (task.title, task.forward, task.conventions),
            (None, None) => {
                let formula = optimizer::by_name(&request.subject).map_or("", |optimizer| optimizer.formula);
                ("Steps of an optimizer", formula, OPTIMIZER)
            }
        };
        let first = cases.first();
        let tensors = || first.into_iter().flat_map(|case| &case.tensors);
        let names = |of: &mut dyn Iterator<Item = &str>| of.map(str::to_owned).collect::<Vec<_>>();
        let options: Vec<Opt> = first.into_iter().flat_map(|case| &case.options).map(|it| option(it, cases)).collect();
        Self {
            subject: request.subject.clone(),
            title: title.to_owned(),
            forward: forward.to_owned(),
            conventions: conventions.iter().map(|&sentence| sentence.to_owned()).collect(),
            optimizer: cases.iter().any(|case| matches!(case.truth, Truth::Optimizer(_))),
            pencil: request.level == Level::Pencil,
            whole: cases.iter().flat_map(Case::given).all(|(_, value)| value.data().iter().all(|x| x.fract() == 0.0)),
            seed: request.seed,
            gradients: tensors().filter(|it| it.differentiated).map(|it| gradient_name(&it.name)).collect(),
            asked: first.map(Case::asked).unwrap_or_default().into_iter().map(|(name, _)| name).collect(),
            arguments: names(
                &mut tensors().map(|it| it.name.as_str()).chain(options.iter().map(|it| it.name.as_str())),
            ),
            tensors: tensors()
                .map(|it| Tensor {
                    name: it.name.clone(),
                    gradient: it.differentiated.then(|| gradient_name(&it.name)),
                    shape: words(it.value.dims()),
                })
                .collect(),
            options,
            cases: cases
                .iter()
                .map(|case| CaseOf {
                    name: case.name.clone(),
                    about: case.about(),
                    given: case.given().into_iter().map(Shape::given).collect(),
                    asked: case.asked().into_iter().map(Shape::asked).collect(),
                })
                .collect(),
            gradients_literal: literal(tensors().filter(|it| it.differentiated).map(|it| gradient_name(&it.name))),
            differentiated_literal: literal(tensors().filter(|it| it.differentiated).map(|it| it.name.clone())),
            gradcheck: format!("{:?}", Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("gradcheck")),
            functions: String::new(),
        }
    }
}

fn literal(names: impl Iterator<Item = String>) -> String {
    format!("{:?}", names.collect::<Vec<_>>())
}

/// The kind of an option: what its values are in all cases.
fn option((name, value): &(String, Value), cases: &[Case]) -> Opt {
    let all = || cases.iter().flat_map(|case| &case.options).filter(|(other, _)| other == name);
    let whole = || all().all(|(_, value)| value.data().iter().all(|x| x.fract() == 0.0));
    let flag = ["training", "ceil_mode", "count_include_pad", "tanh"].contains(&name.as_str());
    let kind = match value.dims() {
        _ if flag => "flag",
        [] if name == "groups" => "whole",
        [] => "real",
        [2] if whole() && ["kernel", "stride", "padding", "dilation"].contains(&name.as_str()) => "pair",
        _ => "tensor",
    };
    Opt { name: name.clone(), kind }
}

const OPTIMIZER: &[&str] = &[
    "`w0` are the weights before the first step, and `gradients[t]` is the gradient of step t + 1. The answer \
     `weights[t]` are the weights after that step.",
    "All of it holds for each weight by itself.",
    "The gradients are given, and do not depend on your weights.",
];

const NETWORK_TASK: &str = "The network below, from the images to the loss of each image: y[n] = −ln p[n, labels[n]], \
                            where p is the softmax of the last layer's outputs.";

const NETWORK_CONVENTIONS: &[&str] = &[
    "A weight of a linear layer is in × out: y = x weight + bias.",
    "A convolution is a correlation: the kernel is not flipped. A weight is outputs × inputs × rows × columns.",
    "Flatten takes channel by channel, row by row; the column is the fastest index.",
    "Batch normalisation takes the statistics of the batch, unless the network has dropout: then everything infers.",
    "Classes count from 0: add 1 in MATLAB and in Julia.",
    "The output is one number an image, not their mean: the incoming gradient g has the 1/N already.",
    "At x = 0 a ReLU has the gradient 0.",
];
