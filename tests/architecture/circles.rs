//! Circles between the files of a crate: a file uses a second one, and the second uses the first, directly or through
//! others.
//!
//! A file uses another if it names an item that the other defines. A name is followed through re-exports to the file
//! that defines it. So a `lib.rs` or `mod.rs` that only declares modules and re-exports their items uses nothing, and
//! nothing uses it. The enums over all layers are not counted: a layer that has layers inside names the enum that it is
//! in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tokens::{is, name, without_tests};

/// The enums over all layers, of specs and of modules, and over what layers save.
const CONTAIN_THEMSELVES: [&str; 3] = ["LayerSpec", "Layer", "Saved"];

/// A module, or an item in one: names from the root of the crate on.
type Names = Vec<String>;

/// One shortest circle of each group of files that use each other, in words. `sources` has the text of each file, by
/// its path in `src`.
pub(crate) fn circles(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut graph = Graph::default();
    // A `main.rs` in a folder is the root of a program.
    let roots: Vec<&str> = sources.keys().filter_map(|path| path.strip_suffix("/main.rs")).collect();
    for (path, text) in sources {
        let mut names = vec!["lib".to_owned()];
        let mut inside = path.strip_suffix(".rs").unwrap_or(path);
        if let Some(root) = roots.iter().find(|root| inside.starts_with(&format!("{root}/"))) {
            names = vec![(*root).to_owned()];
            inside = &inside[root.len() + 1..];
        }
        names.extend(inside.split('/').map(str::to_owned));
        if ["lib", "main", "mod"].contains(&names[names.len() - 1].as_str()) {
            names.pop();
        }
        graph.read(path, &names, TokenStream::from_str(text).unwrap());
    }
    graph.circles()
}

#[derive(Default)]
struct Graph {
    modules: BTreeMap<Names, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    /// The names of its items.
    items: BTreeSet<String>,
    /// What its `use` lines bind: the name, and the path that it stands for.
    bindings: BTreeMap<String, Names>,
    /// The modules of `use …::*`.
    globs: Vec<Names>,
    /// Paths that it names. A re-export is among them only if the module uses the name itself.
    paths: BTreeSet<Names>,
    /// The re-exports, by name.
    exports: BTreeMap<String, Names>,
    /// Single names outside of `use` lines.
    words: BTreeSet<String>,
}

impl Graph {
    fn read(&mut self, file: &str, names: &[String], tokens: TokenStream) {
        self.modules.entry(names.to_vec()).or_default().file = file.to_owned();
        self.tokens(names, tokens, true);
    }

    /// Notes what the tokens of a module define and name. `outermost` says whether they are its items, and not the
    /// inside of one.
    fn tokens(&mut self, names: &[String], tokens: TokenStream, outermost: bool) {
        const KINDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
        let tokens: Vec<TokenTree> = without_tests(tokens);
        let mut at = 0;
        while at < tokens.len() {
            // An attribute uses nothing.
            if is(&tokens[at], '#') {
                at += if tokens.get(at + 1).is_some_and(|token| is(token, '!')) { 3 } else { 2 };
                continue;
            }
            let word = name(&tokens[at]);
            at += 1;
            match word.as_deref() {
                Some("use") => {
                    let end = at + tokens[at..].iter().position(|token| is(token, ';')).unwrap_or(tokens.len() - at);
                    let public = at >= 2 && is_public(&tokens[..at - 1]);
                    self.import(names, &[], &tokens[at..end], public);
                    at = end;
                }
                Some("mod") if at + 1 < tokens.len() => {
                    if let (Some(inner), TokenTree::Group(group)) = (name(&tokens[at]), &tokens[at + 1]) {
                        let file = self.modules[names].file.clone();
                        self.read(&file, &[names, &[inner]].concat(), group.stream());
                    }
                    at += 2;
                }
                Some(word) => {
                    if let Some(item) = tokens.get(at).and_then(name).filter(|_| outermost && KINDS.contains(&word)) {
                        self.module(names).items.insert(item);
                    }
                    let after_colons = at >= 3 && is(&tokens[at - 2], ':') && is(&tokens[at - 3], ':');
                    let mut path = vec![word.to_owned()];
                    while let Some(next) = segment(&tokens[at..]) {
                        path.push(next);
                        at += 3;
                    }
                    let module = self.module(names);
                    if !after_colons {
                        module.words.insert(word.to_owned());
                        if path.len() > 1 {
                            module.paths.insert(path);
                        }
                    }
                }
                None => {
                    if let TokenTree::Group(group) = &tokens[at - 1] {
                        self.tokens(names, group.stream(), false);
                    }
                }
            }
        }
    }

    /// Notes one branch of a `use` line, below the path `prefix`.
    fn import(&mut self, names: &[String], prefix: &[String], branch: &[TokenTree], public: bool) {
        let (mut path, mut alias) = (prefix.to_vec(), None);
        let mut tokens = branch.iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inner.split(|token| is(token, ',')).filter(|branch| !branch.is_empty()) {
                        self.import(names, &path, branch, public);
                    }
                    return;
                }
                TokenTree::Punct(sign) if sign.as_char() == '*' => return self.module(names).globs.push(path),
                TokenTree::Ident(word) if word == "as" => alias = tokens.next().and_then(name),
                TokenTree::Ident(word) => path.push(word.to_string()),
                _ => {}
            }
        }
        if path.len() > 1 && path[path.len() - 1] == "self" {
            path.pop();
        }
        let Some(last) = path.last().cloned() else { return };
        let module = self.module(names);
        let name = alias.unwrap_or(last);
        module.bindings.insert(name.clone(), path.clone());
        if public {
            module.exports.insert(name, path);
        } else {
            module.paths.insert(path);
        }
    }

    fn module(&mut self, names: &[String]) -> &mut Module {
        self.modules.entry(names.to_vec()).or_default()
    }

    /// The file that defines the item that `path` is in the module `names`; none of a module, and of what another crate
    /// defines. `inside` says whether an earlier part of the path led to this module.
    fn file_of(&self, names: &[String], path: &[String], inside: bool, depth: usize) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let depth = depth.checked_sub(1)?;
        if let Some(from) = beginning(names, first) {
            return self.file_of(from, rest, true, depth);
        }
        let child = [names, std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.file_of(&child, rest, true, depth);
        }
        let module = self.modules.get(names)?;
        if module.items.contains(first) {
            return Some(&module.file);
        }
        if let Some(path) = module.bindings.get(first) {
            return self.file_of(names, &[path, rest].concat(), false, depth);
        }
        let defines = |glob: &Names| self.modules.get(glob).is_some_and(|module| module.items.contains(first));
        let glob = module.globs.iter().filter_map(|glob| self.module_of(names, glob)).find(defines);
        match glob {
            Some(glob) => self.file_of(&glob, path, true, depth),
            // What a macro defines is in the module that it is named by.
            None => inside.then_some(module.file.as_str()),
        }
    }

    /// The module that `path` is in the module `names`.
    fn module_of(&self, names: &[String], path: &[String]) -> Option<Names> {
        let mut module = names.to_vec();
        for (index, word) in path.iter().enumerate() {
            if let Some(from) = beginning(&module, word) {
                module = from.to_vec();
                continue;
            }
            module.push(word.clone());
            if !self.modules.contains_key(&module) {
                let outer = &module[..module.len() - 1];
                let bound = self.modules.get(outer)?.bindings.get(word).filter(|bound| *bound != path)?;
                let rest = path.get(index + 1..).unwrap_or_default();
                return self.module_of(outer, &[bound, rest].concat());
            }
        }
        Some(module)
    }

    /// For each file, the files that it uses, with the first name that it uses of each.
    fn uses(&self) -> BTreeMap<&str, BTreeMap<&str, String>> {
        let mut uses: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for (names, module) in &self.modules {
            let of = uses.entry(&module.file).or_default();
            let mut add = |file: &'_ str, path: &Names| {
                let contains_itself = path.iter().any(|word| CONTAIN_THEMSELVES.contains(&word.as_str()));
                if file != module.file && !contains_itself {
                    let file = self.modules.values().find(|other| other.file == file).map_or("", |other| &other.file);
                    of.entry(file).or_insert_with(|| path.join("::"));
                }
            };
            let exports = module.exports.iter().filter(|(name, _)| module.words.contains(*name));
            for path in module.paths.iter().chain(exports.map(|(_, path)| path)) {
                if let Some(file) = self.file_of(names, path, false, 20) {
                    add(file, path);
                }
            }
        }
        uses
    }

    fn circles(&self) -> Vec<String> {
        let uses = self.uses();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut ways: Vec<Vec<&str>> = uses.keys().filter_map(|file| way(&uses, file)).collect();
        ways.sort_by_key(Vec::len);
        for way in ways {
            // Other circles through these files may vanish with this one.
            if way.iter().any(|file| seen.contains(file)) {
                continue;
            }
            seen.extend(way.iter().copied());
            let next = way.iter().cycle().skip(1);
            let steps: Vec<String> = way
                .iter()
                .zip(next)
                .map(|(file, next)| format!("{file} uses {} of {next}", uses[file][next]))
                .collect();
            found.push(steps.join(", "));
        }
        found
    }
}

/// The shortest way from `file` back to it.
fn way<'a>(uses: &BTreeMap<&'a str, BTreeMap<&'a str, String>>, file: &'a str) -> Option<Vec<&'a str>> {
    let mut ahead = VecDeque::from([vec![file]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ahead.pop_front() {
        for &next in uses[way[way.len() - 1]].keys() {
            if next == file {
                return Some(way);
            }
            if seen.insert(next) {
                ahead.push_back([&way[..], &[next]].concat());
            }
        }
    }
    None
}

/// The module that `crate`, `self` or `super` is in the module `names`.
fn beginning<'a>(names: &'a [String], word: &str) -> Option<&'a [String]> {
    match word {
        "crate" => Some(&names[..1]),
        "self" => Some(names),
        "super" => Some(&names[..names.len().saturating_sub(1)]),
        _ => None,
    }
}

/// The name after `::`, if that is what comes next.
fn segment(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [one, other, word, ..] if is(one, ':') && is(other, ':') => name(word),
        _ => None,
    }
}

/// Whether what comes next is `pub`, or `pub` with a place.
fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., word] if name(word).is_some_and(|word| word == "pub") => true,
        [.., word, TokenTree::Group(_)] => name(word).is_some_and(|word| word == "pub"),
        _ => false,
    }
}

#[test]
fn a_circle_is_found_by_whatever_way_the_files_name_each_other() {
    let found = |files: &[(&str, &str)]| {
        circles(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    };
    let shape = "pub struct Shape; fn f() { crate::area::area() }";
    for area in [
        "use crate::shape::Shape; pub fn area() {}",
        "use crate::{other::X, shape::{self, Shape as S}}; pub fn area() {}",
        "pub fn area() { let _: super::shape::Shape; }",
        "use crate::shape; pub fn area() { run!(shape::Shape) }",
        "pub fn area() {} mod inner { use super::super::shape::Shape; }",
        "use crate::Shape; pub fn area() {}",
    ] {
        let files = [("lib.rs", "mod area; mod shape; pub use shape::Shape;"), ("area.rs", area), ("shape.rs", shape)];
        let circle = found(&files);
        assert_eq!(circle.len(), 1, "{area}: {circle:?}");
        assert!(circle[0].contains("shape.rs uses crate::area::area of area.rs"), "{circle:?}");
    }
    // A parent that uses its child, and the other way round.
    let parent = "mod child; pub use child::Child; pub struct P; fn f(_: Child) {}";
    assert_eq!(found(&[("a/mod.rs", parent), ("a/child.rs", "pub struct Child(super::P);")]).len(), 1);
    // Of three files, and in a program with a root of its own.
    let three = [
        ("program/main.rs", "mod a; mod b; mod c;"),
        ("program/a.rs", "pub fn a() { crate::b::b() }"),
        ("program/b.rs", "use super::c; pub fn b() { c::c() }"),
        ("program/c.rs", "pub fn c() { super::a::a() }"),
    ];
    assert_eq!(found(&three)[0].matches(" uses ").count(), 3);
}

#[test]
fn an_enum_over_all_layers_may_contain_itself_and_nothing_else_may() {
    let found = |inner: &str| {
        let files = [
            ("lib.rs", "mod residual; pub enum Layer { Residual(residual::Residual) } pub struct Other;".to_owned()),
            ("residual.rs", format!("pub struct Residual(Vec<crate::{inner}>);")),
        ];
        circles(&files.map(|(path, text)| (path.to_owned(), text)).into()).len()
    };
    assert_eq!((found("Layer"), found("Other")), (0, 1));
}

#[test]
fn re_exports_tests_and_one_direction_are_no_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::{B, self as again};"),
        ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
        ("b.rs", "//! Of [`crate::A`].\nuse crate::A; use std::fmt; pub struct B(A);"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    assert_eq!(circles(&files), [""; 0]);
}
