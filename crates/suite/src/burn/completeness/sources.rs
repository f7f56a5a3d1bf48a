//! The public functions of a crate that take a float tensor and return one, read from its sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{
    FnArg, GenericArgument, GenericParam, Item, ItemImpl, PathArguments, ReturnType, Signature, Type, TypeParamBound,
    UseTree, Visibility,
};

/// The root file of a crate that this test is compiled with. The compiler writes its name beside every library, so that
/// it is there even where the registry is elsewhere or the crates are vendored.
pub(super) fn root(krate: &str, version: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its file");
    let beside = test.parent().expect("it is in a folder");
    let library = format!("{}-", krate.replace('-', "_"));
    let mut tried = Vec::new();
    for entry in fs::read_dir(beside).expect("its folder can be read").flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if !name.starts_with(&library) || !name.ends_with(".d") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let root = text.split_whitespace().find(|word| word.ends_with("src/lib.rs")).map(PathBuf::from);
        if let Some(root) = root.filter(|root| root.is_file() && version_of(root).as_deref() == Some(version)) {
            return root;
        }
        tried.push(name);
    }
    panic!("{krate} {version} has no sources; dependency files tried beside {}: {tried:?}", test.display());
}

/// What the crate's manifest says.
fn version_of(root: &Path) -> Option<String> {
    let manifest = fs::read_to_string(root.parent()?.parent()?.join("Cargo.toml")).ok()?;
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \""))?;
    Some(version.trim_end_matches('"').to_owned())
}

/// The version that the lock file pins.
pub(super) fn pinned(krate: &str) -> String {
    let lock = include_str!("../../../../../Cargo.lock");
    let package = lock.split("[[package]]").find(|package| package.contains(&format!("\nname = \"{krate}\"\n")));
    let version = package.and_then(|package| package.lines().find_map(|line| line.strip_prefix("version = \"")));
    version.unwrap_or_else(|| panic!("{krate} is not in the lock file")).trim_end_matches('"').to_owned()
}

/// The names of a crate's functions on float tensors: `Tensor::exp`, `activation::relu`, or `linalg::det` of the crate
/// that is called so.
pub(super) fn operations(root: &Path, krate: Option<&str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let path = krate.map(str::to_owned).into_iter().collect();
    let module = Module { folder: root.parent().expect("a file is in a folder").to_owned(), path, shown: Shown::All };
    walk(&read(root), &module, &mut found);
    found
}

fn read(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items
}

/// Where the walk is.
struct Module {
    /// Where the files of its modules are.
    folder: PathBuf,
    /// By which path a user calls its functions, from the crate on.
    path: Vec<String>,
    /// Which of its public functions a user can call.
    shown: Shown,
}

#[derive(Clone)]
enum Shown {
    All,
    /// A private module of which these are exported again.
    These(BTreeSet<String>),
}

fn walk(items: &[Item], module: &Module, found: &mut BTreeSet<String>) {
    let mut exported: Vec<Vec<String>> = Vec::new();
    for item in items {
        if let Item::Use(item) = item
            && matches!(item.vis, Visibility::Public(_))
        {
            flatten(&item.tree, &mut Vec::new(), &mut exported);
        }
    }
    for item in items {
        match item {
            Item::Mod(item) if !is_test_or_hidden(&item.attrs) => {
                let name = item.ident.to_string();
                let mut inner =
                    Module { folder: module.folder.join(&name), path: module.path.clone(), shown: Shown::All };
                if matches!(item.vis, Visibility::Public(_)) {
                    inner.path.push(name.clone());
                } else {
                    inner.shown = what_is_exported(&exported, &name);
                }
                match &item.content {
                    Some((_, items)) => walk(items, &inner, found),
                    None => {
                        let beside = module.folder.join(format!("{name}.rs"));
                        let file = if beside.is_file() { beside } else { inner.folder.join("mod.rs") };
                        walk(&read(&file), &inner, found);
                    }
                }
            }
            Item::Fn(item) if matches!(item.vis, Visibility::Public(_)) => {
                let name = item.sig.ident.to_string();
                let shown = match &module.shown {
                    Shown::All => true,
                    Shown::These(names) => names.contains(&name),
                };
                if shown && maps_floats(&item.sig, false) {
                    let last = module.path.last().map_or(String::new(), |module| format!("{module}::"));
                    found.insert(format!("{last}{name}"));
                }
            }
            Item::Impl(item) => methods(item, found),
            _ => {}
        }
    }
}

/// Methods of the float tensor and of every tensor. They are public wherever they are written.
fn methods(item: &ItemImpl, found: &mut BTreeSet<String>) {
    if item.trait_.is_some() || !is_tensor(&item.self_ty) || !is_float(&item.self_ty, false) {
        return;
    }
    for item in &item.items {
        if let syn::ImplItem::Fn(item) = item
            && matches!(item.vis, Visibility::Public(_))
            && maps_floats(&item.sig, true)
        {
            found.insert(format!("Tensor::{}", item.sig.ident));
        }
    }
}

/// `a::{b, c::*}` as `[a, b]` and `[a, c, *]`.
fn flatten(tree: &UseTree, before: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    let end = |name: String, before: &[String]| before.iter().cloned().chain([name]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, all);
            before.pop();
        }
        UseTree::Name(name) => all.push(end(name.ident.to_string(), before)),
        UseTree::Rename(rename) => all.push(end(rename.ident.to_string(), before)),
        UseTree::Glob(_) => all.push(end("*".to_owned(), before)),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, all)),
    }
}

/// What a `pub use` shows of the private module of this name.
fn what_is_exported(exported: &[Vec<String>], module: &str) -> Shown {
    let mut names = BTreeSet::new();
    for path in exported {
        let path: Vec<&str> = path.iter().map(String::as_str).skip_while(|part| *part == "self").collect();
        match path[..] {
            [first, "*"] if first == module => return Shown::All,
            [first, .., last] if first == module => {
                names.insert(last.to_owned());
            }
            _ => {}
        }
    }
    Shown::These(names)
}

fn is_test_or_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            let words: Vec<String> = list.tokens.clone().into_iter().map(|token| token.to_string()).collect();
            (list.path.is_ident("cfg") && words.first().is_some_and(|word| word == "test"))
                || (list.path.is_ident("doc") && words.first().is_some_and(|word| word == "hidden"))
        }
        _ => false,
    })
}

/// It takes a float tensor and returns one. `method`: `Self` is a tensor.
fn maps_floats(signature: &Signature, method: bool) -> bool {
    let bounds: Vec<&TypeParamBound> = signature
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.bounds),
            _ => None,
        })
        .flatten()
        .collect();
    let takes = signature.inputs.iter().any(|argument| match argument {
        FnArg::Receiver(_) => method,
        FnArg::Typed(argument) => is_float(&argument.ty, method),
    }) || bounds.iter().any(|bound| bound_is_float(bound, method));
    let returns = match &signature.output {
        ReturnType::Default => false,
        ReturnType::Type(_, output) => is_float(output, method),
    };
    takes && returns
}

/// What holds a tensor without saying so in its name's arguments.
const HOLDERS: &[&str] =
    &["DimIter", "EinsumOperand", "CollectiveTensor", "CalibrationRange", "QuantizationParameters"];

fn is_tensor(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "Tensor"))
}

/// There is a float tensor somewhere in the type; one of any kind counts.
fn is_float(ty: &Type, method: bool) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.iter().any(|segment| {
            let name = segment.ident.to_string();
            if name == "Self" {
                return method;
            }
            if HOLDERS.contains(&name.as_str()) {
                return true;
            }
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
            let mut arguments = arguments.args.iter();
            if name == "Tensor" {
                // The rank, then the kind: floats, if it is not given.
                let kind = arguments.nth(1);
                let named = |kind: &GenericArgument, names: [&str; 2]| match kind {
                    GenericArgument::Type(Type::Path(path)) => names.iter().any(|name| path.path.is_ident(name)),
                    _ => false,
                };
                return kind.is_none_or(|kind| !named(kind, ["Int", "Bool"]));
            }
            arguments.any(|argument| match argument {
                GenericArgument::Type(ty) => is_float(ty, method),
                GenericArgument::AssocType(assigned) => is_float(&assigned.ty, method),
                _ => false,
            })
        }),
        Type::Tuple(tuple) => tuple.elems.iter().any(|ty| is_float(ty, method)),
        Type::Array(array) => is_float(&array.elem, method),
        Type::Slice(slice) => is_float(&slice.elem, method),
        Type::Reference(reference) => is_float(&reference.elem, method),
        Type::Paren(paren) => is_float(&paren.elem, method),
        Type::ImplTrait(bounds) => bounds.bounds.iter().any(|bound| bound_is_float(bound, method)),
        _ => false,
    }
}

/// `IntoIterator<Item = Tensor<2>>`, `Fn(Self) -> Self`.
fn bound_is_float(bound: &TypeParamBound, method: bool) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.iter().any(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| match argument {
            GenericArgument::Type(ty) => is_float(ty, method),
            GenericArgument::AssocType(assigned) => is_float(&assigned.ty, method),
            _ => false,
        }),
        PathArguments::Parenthesized(arguments) => arguments.inputs.iter().any(|ty| is_float(ty, method)),
        PathArguments::None => false,
    })
}

#[cfg(test)]
mod tests;
