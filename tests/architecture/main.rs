//! The invariants that ARCHITECTURE.md promises, by the names that it gives them. Each is held against manifests and
//! sources, and each is seen to fail once, on a violation that is made up.

mod circles;
mod features;
mod published;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use backproof_tests::root;
use proc_macro2::{TokenStream, TokenTree};

use tokens::{is, without_tests};

/// Crates in the order of their dependencies: each may know those before it.
const ORDER: [&str; 17] = [
    "spec",
    "arrays",
    "kernels",
    "compiled",
    "gradcheck",
    "data",
    "layers",
    "models",
    "train",
    "export",
    "serve",
    "report",
    "bench",
    "suite",
    "judge",
    "backproof",
    "xtask",
];

/// The crates whose files use each other in one direction.
const WITHOUT_CIRCLES: &[&str] = &ORDER;

/// What a check found, a sentence each.
type Violations = Vec<String>;

struct Invariant {
    /// As ARCHITECTURE.md has it.
    name: &'static str,
    check: fn(&Tree) -> Violations,
    /// A crate with a manifest and a source that violate it.
    violation: (&'static str, &'static str, &'static str),
}

const INVARIANTS: [Invariant; 12] = [
    Invariant {
        name: "Dependencies point one way",
        check: one_way,
        violation: ("data", "[dependencies]\nbackproof-train.workspace = true", ""),
    },
    Invariant {
        name: "`data` knows no models, `layers` no data, `kernels` and `gradcheck` nothing of ours",
        check: |tree| tree.forbidden(&[("layers", "data")]),
        violation: ("layers", "[dependencies]\nbackproof-data = { path = \"../data\" }", ""),
    },
    Invariant {
        name: "No circles between the files of a crate",
        check: |tree| {
            let of = |name: &&str| circles::circles(&tree.packages[*name].texts);
            WITHOUT_CIRCLES
                .iter()
                .flat_map(|name| of(name).into_iter().map(move |it| format!("{name}: {it}")))
                .collect()
        },
        violation: ("spec", "", "pub struct Size; fn sum(_: crate::Size, _: crate::twin::Size) {}"),
    },
    Invariant {
        name: "`cargo xtask` is built without Burn",
        check: without_burn,
        violation: ("spec", "[dependencies]\nburn = \"0.22\"", ""),
    },
    Invariant {
        name: "Only `backproof` names a backend",
        check: |tree| {
            let mut found = tree.words(&["NdArray", "Wgpu", "Cuda"], &["backproof", "xtask"]);
            found.extend(tree.words(&["Flex"], &["backproof", "xtask", "compiled"]));
            for backend in ["flex", "ndarray", "wgpu", "cuda"] {
                found.extend(tree.sequences(&["Device", ":", ":", backend], &["backproof"]));
            }
            found
        },
        violation: ("train", "", "fn device() -> Device { Device::ndarray() }"),
    },
    Invariant {
        name: "Only `compiled`, `train` and `bench` use threads of Rayon",
        check: |tree| {
            let with = ["compiled", "train", "bench"];
            let mut found = tree.words(&["rayon"], &with);
            found.extend(tree.dependencies("rayon", &with));
            found
        },
        violation: ("models", "", "use rayon::prelude::*;"),
    },
    Invariant {
        name: "`kernels` has no threads and no Burn",
        check: |tree| {
            let others: Vec<&str> = ORDER.into_iter().filter(|name| *name != "kernels").collect();
            let mut found = tree.words(&["thread", "rayon", "burn"], &others);
            found.extend(["rayon", "burn"].iter().flat_map(|library| tree.dependencies(library, &others)));
            found
        },
        violation: ("kernels", "", "fn run() { std::thread::scope(|_| ()); }"),
    },
    Invariant {
        name: "Only `report` draws",
        check: |tree| {
            let drawing = ["resvg", "krilla", "krilla-svg"];
            let mut found: Vec<String> =
                drawing.iter().flat_map(|library| tree.dependencies(library, &["report"])).collect();
            found.extend(tree.literals("<svg", &["report"]));
            found
        },
        violation: ("train", "", "const CHART: &str = \"<svg width='3'>\";"),
    },
    Invariant {
        name: "Only `train` knows the files of a checkpoint",
        check: |tree| {
            let names = ["state.json", "optimizer.bpk"];
            names.iter().flat_map(|name| tree.literals(name, &["train"])).collect()
        },
        violation: ("report", "", "fn read() { open(\"state.json\"); }"),
    },
    Invariant {
        name: "Only the command line prints",
        check: |tree| {
            let macros = ["print", "println", "eprint", "eprintln", "dbg"];
            macros.iter().flat_map(|name| tree.sequences(&[name, "!"], &["backproof", "xtask"])).collect()
        },
        violation: ("train", "", "fn step() { println!(\"a step\"); }"),
    },
    Invariant {
        name: "Only `kernels` computes with vector instructions, but for the peak that `bench` measures",
        check: |tree| tree.words(&["target_feature"], &["kernels", "bench"]),
        violation: ("models", "", "#[target_feature(enable = \"avx2\")] fn sum() {}"),
    },
    Invariant {
        name: "Only `kernels`, the allocator of `gradcheck`, the peak of `bench` and the map of `data` have `unsafe` code",
        check: |tree| tree.words(&["unsafe"], &["kernels", "gradcheck", "bench", "data"]),
        violation: ("layers", "", "fn first(of: &[f32]) -> f32 { unsafe { *of.get_unchecked(0) } }"),
    },
];

fn one_way(tree: &Tree) -> Violations {
    let mut found = Vec::new();
    for (name, package) in &tree.packages {
        let Some(own) = ORDER.iter().position(|other| other == name) else {
            found.push(format!("{name} has no place in the order of dependencies"));
            continue;
        };
        let ours = package.dependencies.keys().filter_map(|other| short(other));
        found.extend(
            ours.filter(|other| !ORDER[..own].contains(other)).map(|other| format!("{name} depends on {other}")),
        );
    }
    found.extend(tree.forbidden(&[
        ("gradcheck", "spec"),
        ("gradcheck", "kernels"),
        ("gradcheck", "compiled"),
        ("kernels", "spec"),
        ("compiled", "spec"),
    ]));
    found
}

/// Whatever `xtask` links, without what only a feature brings.
fn without_burn(tree: &Tree) -> Violations {
    let (mut seen, mut ahead) = (BTreeSet::new(), vec!["xtask"]);
    let mut found = Vec::new();
    while let Some(name) = ahead.pop() {
        let Some(package) = tree.packages.get(name).filter(|_| seen.insert(name)) else { continue };
        for (other, _) in package.dependencies.iter().filter(|(_, optional)| !**optional) {
            match short(other) {
                Some(ours) => ahead.push(ours),
                None if other.starts_with("burn") => found.push(format!("{name} depends on {other}")),
                None => {}
            }
        }
    }
    found
}

/// The folder of one of our packages.
fn short(package: &str) -> Option<&str> {
    if package == "backproof" { Some(package) } else { package.strip_prefix("backproof-") }
}

/// Every package but the tests.
#[derive(Default)]
struct Tree {
    packages: BTreeMap<String, Package>,
}

#[derive(Default)]
struct Package {
    /// By name, and whether only a feature brings it.
    dependencies: BTreeMap<String, bool>,
    /// The words of each source file, without comments and tests.
    sources: BTreeMap<String, Vec<Word>>,
    /// The text of each source file, by its path in `src`.
    texts: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq)]
enum Word {
    Name(String),
    Sign(char),
    Literal(String),
}

impl Tree {
    fn read() -> Self {
        let mut tree = Self::default();
        let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
        for folder in crates.chain([root().join("xtask")]) {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let mut package = Package::new(&manifest);
            let src = folder.join("src");
            package.read_sources(&src, &src);
            tree.packages.insert(folder.file_name().unwrap().to_str().unwrap().to_owned(), package);
        }
        tree
    }

    /// Every occurrence of a sequence of names and signs outside of the packages `allowed`.
    fn sequences(&self, sequence: &[&str], allowed: &[&str]) -> Violations {
        let is = |word: &Word, text: &str| match word {
            Word::Name(name) => name == text,
            Word::Sign(sign) => text.chars().eq([*sign]),
            Word::Literal(_) => false,
        };
        self.files(allowed, |words| {
            words.windows(sequence.len()).any(|window| window.iter().zip(sequence).all(|(word, text)| is(word, text)))
        })
        .map(|file| format!("{file} has `{}`", sequence.concat()))
        .collect()
    }

    fn words(&self, names: &[&str], allowed: &[&str]) -> Violations {
        names.iter().flat_map(|name| self.sequences(&[name], allowed)).collect()
    }

    fn literals(&self, part: &str, allowed: &[&str]) -> Violations {
        self.files(allowed, |words| words.iter().any(|word| matches!(word, Word::Literal(text) if text.contains(part))))
            .map(|file| format!("{file} has \"{part}\""))
            .collect()
    }

    fn files(&self, allowed: &[&str], found: impl Fn(&[Word]) -> bool) -> impl Iterator<Item = &str> {
        let others = self.packages.iter().filter(|(name, _)| !allowed.contains(&name.as_str()));
        let files = others.flat_map(|(_, package)| &package.sources);
        files.filter(move |(_, words)| found(words)).map(|(file, _)| file.as_str())
    }

    /// Packages other than `allowed` that depend on `library`.
    fn dependencies(&self, library: &str, allowed: &[&str]) -> Violations {
        let others = self.packages.iter().filter(|(name, _)| !allowed.contains(&name.as_str()));
        others
            .filter(|(_, package)| package.dependencies.contains_key(library))
            .map(|(name, _)| format!("{name} depends on {library}"))
            .collect()
    }

    /// Those of the pairs (who, on what) that are there.
    fn forbidden(&self, pairs: &[(&str, &str)]) -> Violations {
        let there = |(who, on): &&(&str, &str)| {
            let package = self.packages.get(*who);
            package.is_some_and(|package| package.dependencies.keys().any(|other| short(other) == Some(on)))
        };
        pairs.iter().filter(there).map(|(who, on)| format!("{who} depends on {on}")).collect()
    }
}

impl Package {
    fn new(manifest: &str) -> Self {
        let manifest: toml::Table = manifest.parse().unwrap();
        let table = manifest.get("dependencies").and_then(toml::Value::as_table);
        let optional = |value: &toml::Value| value.get("optional").and_then(toml::Value::as_bool).unwrap_or(false);
        let dependencies = table.into_iter().flatten().map(|(name, value)| (name.clone(), optional(value))).collect();
        Self { dependencies, ..Self::default() }
    }

    fn read_sources(&mut self, src: &Path, folder: &Path) {
        // What only tests and the fuzzer are built with.
        const TESTS: [&str; 5] = ["tests", "tests.rs", "testing.rs", "fuzzing.rs", "server.rs"];
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if TESTS.contains(&path.file_name().unwrap().to_str().unwrap()) {
                continue;
            }
            if path.is_dir() {
                self.read_sources(src, &path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let within = |folder: &Path| path.strip_prefix(folder).unwrap().display().to_string();
                let text = fs::read_to_string(&path).unwrap();
                self.sources.insert(within(root()), words(&text));
                self.texts.insert(within(src), text);
            }
        }
    }
}

/// The words of a source, without comments, and without items for tests alone.
fn words(source: &str) -> Vec<Word> {
    let mut found = Vec::new();
    collect(TokenStream::from_str(source).unwrap(), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Word>) {
    let tokens = without_tests(tokens);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let of_attribute = at > 0 && is(&tokens[at - 1], '#');
                // A comment for rustdoc is an attribute too.
                if !(of_attribute && group.stream().to_string().starts_with("doc")) {
                    collect(group.stream(), found);
                }
            }
            TokenTree::Ident(name) => found.push(Word::Name(name.to_string())),
            TokenTree::Punct(sign) => found.push(Word::Sign(sign.as_char())),
            TokenTree::Literal(literal) => found.push(Word::Literal(literal.to_string())),
        }
    }
}

#[test]
fn every_invariant_holds() {
    let tree = Tree::read();
    assert!(tree.packages.values().map(|package| package.sources.len()).sum::<usize>() > 200);
    let broken: Vec<String> = INVARIANTS
        .iter()
        .flat_map(|invariant| (invariant.check)(&tree).into_iter().map(|what| format!("{}: {what}", invariant.name)))
        .collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_invariant_is_one_of_the_architecture() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for invariant in &INVARIANTS {
        // A name in bold, over one line or more.
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        assert!(words(&text).contains(&format!("**{}**", invariant.name)), "{}", invariant.name);
    }
}

#[test]
fn every_invariant_is_seen_to_fail() {
    for invariant in &INVARIANTS {
        let (name, manifest, source) = invariant.violation;
        let mut tree = Tree::default();
        for other in ORDER {
            tree.packages.insert(other.to_owned(), Package::default());
        }
        tree.packages.insert("xtask".to_owned(), Package::new("[dependencies]\nbackproof-spec = \"*\""));
        assert_eq!((invariant.check)(&tree), [""; 0], "{}: a sound tree", invariant.name);
        let mut package = Package::new(manifest);
        package.sources.insert("src/lib.rs".to_owned(), words(source));
        // In two files, for circles.
        package.texts = ["lib.rs", "twin.rs"].map(|file| (file.to_owned(), source.to_owned())).into();
        tree.packages.insert(name.to_owned(), package);
        assert!(!(invariant.check)(&tree).is_empty(), "{}: its violation is not found", invariant.name);
    }
}

#[test]
fn comments_and_tests_violate_nothing() {
    let source = "//! println!()\n/// println!()\n#[cfg(test)]\nmod tests { fn f() { println!() } }\n\
                  #[cfg(test)]\nuse std::println;\nfn f() { /* println!() */ }";
    assert_eq!(words(source).iter().filter(|word| **word == Word::Name("println".to_owned())).count(), 0);
    assert!(words("fn f() { println!() }").contains(&Word::Name("println".to_owned())));
}

#[test]
fn every_path_of_the_code_map_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let paths: Vec<&str> = rows.filter_map(|line| line.split('`').nth(1)).filter(|path| path.contains('/')).collect();
    assert!(paths.len() > 8, "the code map was not found");
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}
