//! Worked examples of a page: fenced blocks of MATLAB whose first line is `% example: NAME`. Each other line is
//! `name = value % remark`, with a number, a vector or a matrix.
//!
//! A value is `3`, `[1 2]` (a row) or `[1 2; 3 4]` (two rows, which may stand on two lines). A whole number or a
//! fraction such as `-1/3` is exact. A number with a decimal point, also with an exponent, is rounded to its last digit.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// What a computation in f64 may add to the rounding of a printed number, relative to the number if that is above 1.
const ROUND_OFF: f64 = 1e-12;

#[derive(Debug, Clone)]
struct Matrix {
    rows: usize,
    columns: usize,
    numbers: Vec<f64>,
    /// Half a unit of the last digit that is printed.
    rounding: Vec<f64>,
}

/// A worked example.
#[derive(Debug)]
pub(crate) struct Block {
    /// The file and the line of its name.
    pub(crate) place: String,
    pub(crate) name: String,
    values: BTreeMap<String, Matrix>,
    read: RefCell<BTreeSet<String>>,
    stated: RefCell<BTreeSet<String>>,
    wrong: RefCell<Vec<String>>,
}

/// The blocks of `docs/derivations.md` and of `docs/derivations/*.md`, as they stand there.
pub(crate) fn blocks() -> Vec<Block> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut pages: Vec<PathBuf> = fs::read_dir(docs.join("derivations"))
        .expect("the folder of the pages")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.insert(0, docs.join("derivations.md"));
    let found: Vec<Block> = pages.iter().flat_map(|page| blocks_of(page)).collect();
    assert!(found.len() > 40, "only {} blocks were found", found.len());
    found
}

fn blocks_of(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let file = page.file_name().unwrap_or_default().to_string_lossy();
    let mut found = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if line != "```matlab" {
            continue;
        }
        let place = format!("{file}:{}", number + 1);
        let name = lines.next().and_then(|(line, _)| line.strip_prefix("% example: "));
        let name = name.unwrap_or_else(|| panic!("{place}: a block of MATLAB begins with `% example: NAME`"));
        let inside: Vec<&str> = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect();
        found.push(Block::parse(&place, name, &inside.join("\n")).unwrap_or_else(|problem| panic!("{problem}")));
    }
    found
}

impl Block {
    /// The block of these lines, whose name is at `place`, a file and a line.
    ///
    /// # Errors
    ///
    /// What is no line of an example, and where.
    pub(crate) fn parse(place: &str, name: &str, lines: &str) -> Result<Self, String> {
        let (file, first) = place.rsplit_once(':').expect("a file and a line");
        let first: usize = first.parse().expect("the number of a line");
        let mut values = BTreeMap::new();
        let mut lines = lines.lines().map(|line| line.split('%').next().unwrap_or_default().trim()).zip(first + 1..);
        while let Some((line, number)) = lines.next() {
            let at = |problem: String| format!("{file}:{number}: {problem}");
            let mut code = line.to_owned();
            while code.contains('[') && !code.contains(']') {
                let Some((row, _)) = lines.next() else { break };
                code = format!("{code}; {row}");
            }
            let Some((key, value)) = code.split_once('=') else {
                return Err(at(format!("`{code}` is not `name = value`")));
            };
            let key = key.trim();
            if values.insert(key.to_owned(), matrix(key, value.trim()).map_err(at)?).is_some() {
                return Err(at(format!("{key} stands there twice")));
            }
        }
        let (read, stated, wrong) = Default::default();
        Ok(Self { place: place.to_owned(), name: name.to_owned(), values, read, stated, wrong })
    }

    fn value(&self, name: &str) -> &Matrix {
        self.values.get(name).unwrap_or_else(|| panic!("{}: `{}` has no {name}", self.place, self.name))
    }

    fn given(&self, name: &str) -> &Matrix {
        self.read.borrow_mut().insert(name.to_owned());
        self.value(name)
    }

    /// All numbers of a value that is given, row by row.
    pub(crate) fn row(&self, name: &str) -> Vec<f64> {
        self.given(name).numbers.clone()
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.given(name).numbers[0]
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    /// A value that is given, in f64, in this shape.
    pub(crate) fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        tensor(self.row(name), shape)
    }

    /// `[rows, columns]`.
    pub(crate) fn matrix(&self, name: &str) -> Tensor<2> {
        let Matrix { rows, columns, .. } = *self.value(name);
        self.tensor(name, [rows, columns])
    }

    /// `[columns]`.
    pub(crate) fn vector(&self, name: &str) -> Tensor<1> {
        self.tensor(name, [self.value(name).numbers.len()])
    }

    /// An image of one channel, `[1, 1, rows, columns]`.
    pub(crate) fn image(&self, name: &str) -> Tensor<4> {
        let Matrix { rows, columns, .. } = *self.value(name);
        self.tensor(name, [1, 1, rows, columns])
    }

    pub(crate) fn classes(&self, name: &str) -> Tensor<1, Int> {
        let classes: Vec<i64> = self.row(name).iter().map(|&class| class as i64).collect();
        Tensor::from_data(classes.as_slice(), &Device::flex())
    }

    /// Compares what the page states with what was computed, row by row.
    pub(crate) fn states(&self, name: &str, computed: &[f64]) {
        self.stated.borrow_mut().insert(name.to_owned());
        let Matrix { numbers, rounding, .. } = self.value(name);
        let right = |((number, rounding), computed): ((&f64, &f64), &f64)| {
            // A little more than half a unit: what lies in the middle may be rounded either way.
            (number - computed).abs() <= rounding * (1.0 + 1e-9) + ROUND_OFF * computed.abs().max(1.0)
        };
        if numbers.len() != computed.len() || !numbers.iter().zip(rounding).zip(computed).all(right) {
            let problem = format!("{name} is {} and should be {}", shown(numbers), shown(computed));
            self.wrong.borrow_mut().push(problem);
        }
    }

    pub(crate) fn states_tensor<const D: usize>(&self, name: &str, computed: Tensor<D>) {
        self.states(name, &values(computed));
    }

    /// What is wrong, and the lines that were neither read nor compared.
    pub(crate) fn problems(&self) -> Vec<String> {
        let unseen = |name: &&String| !self.read.borrow().contains(*name) && !self.stated.borrow().contains(*name);
        let unseen = self.values.keys().filter(unseen).map(|name| format!("nothing reads or computes {name}"));
        let problems = self.wrong.borrow().iter().cloned().chain(unseen).collect::<Vec<_>>();
        problems.iter().map(|problem| format!("{}: in `{}`, {problem}", self.place, self.name)).collect()
    }

    /// The numbers that were compared, each as the name of its value and its place in it.
    pub(crate) fn stated(&self) -> Vec<(String, usize)> {
        let stated = self.stated.borrow();
        stated.iter().flat_map(|name| (0..self.value(name).numbers.len()).map(|at| (name.clone(), at))).collect()
    }

    /// The same block, of which nothing has been read, with one number off by two units of its last digit.
    pub(crate) fn falsified(&self, name: &str, at: usize) -> Self {
        let mut values = self.values.clone();
        let matrix = values.get_mut(name).expect("a value of the block");
        matrix.numbers[at] += 4.0 * matrix.rounding[at] + 1e-9 * matrix.numbers[at].abs().max(1.0);
        let (read, stated, wrong) = Default::default();
        Self { place: self.place.clone(), name: self.name.clone(), values, read, stated, wrong }
    }
}

fn matrix(name: &str, text: &str) -> Result<Matrix, String> {
    let inside = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(|| format!("`{text}` has no closing bracket"))?,
        None => text,
    };
    let rows: Vec<Vec<&str>> = inside.split(';').map(|row| row.split_whitespace().collect()).collect();
    let columns = rows[0].len();
    if rows.iter().any(|row| row.len() != columns) {
        return Err(format!("the rows of {name} differ in length"));
    }
    let read = rows.concat().into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let (numbers, rounding) = read.into_iter().unzip();
    Ok(Matrix { rows: rows.len(), columns, numbers, rounding })
}

/// A number, and half a unit of its last digit.
fn number(text: &str) -> Result<(f64, f64), String> {
    let parse = |text: &str| text.parse::<f64>().map_err(|_| format!("`{text}` is no number"));
    if let Some((numerator, denominator)) = text.split_once('/') {
        return Ok((parse(numerator)? / parse(denominator)?, 0.0));
    }
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let Some((_, decimals)) = digits.split_once('.') else { return Ok((parse(text)?, 0.0)) };
    let exponent = parse(exponent)? as i32 - decimals.len() as i32;
    Ok((parse(text)?, 0.5 * 10f64.powi(exponent)))
}

fn shown(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
    format!("[{}]", numbers.join(" "))
}

/// A tensor in f64.
pub(crate) fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (&Device::flex(), DType::F64))
}

/// The same number everywhere.
pub(crate) fn full<const D: usize>(value: f64, shape: [usize; D]) -> Tensor<D> {
    tensor(vec![value; shape.iter().product()], shape)
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.without_autodiff().into_data().try_into_vec().expect("f64")
}

/// The derivatives of a function of these numbers by central differences, good to nine digits or so.
pub(crate) fn differences(at: &[f64], function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let moved = |element: usize, by: f64| {
        let mut at = at.to_vec();
        at[element] += by;
        function(&at)
    };
    (0..at.len()).map(|element| (moved(element, step) - moved(element, -step)) / (2.0 * step)).collect()
}
