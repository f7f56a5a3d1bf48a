//! Typical values of a type, as cargo-mutants has them: what a function may return instead of what it computes.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

/// The first value of an iterator.
pub(crate) const EMPTY: &str = "::std::iter::empty()";

/// Code for the values that a function of this type returns. `()` for one that returns nothing.
pub(crate) fn values(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".to_owned()],
        ReturnType::Type(_, of) => of_type(of),
    }
}

fn of_type(of: &Type) -> Vec<String> {
    let list = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    match of {
        Type::Paren(inner) => of_type(&inner.elem),
        Type::Group(inner) => of_type(&inner.elem),
        Type::Tuple(tuple) if tuple.elems.is_empty() => list(&["()"]),
        Type::Tuple(tuple) => {
            let each: Vec<_> = tuple.elems.iter().map(of_type).collect();
            product(&each).into_iter().map(|values| format!("({})", values.join(", "))).collect()
        }
        Type::Array(array) => {
            let length = array.len.to_token_stream();
            of_type(&array.elem).into_iter().map(|value| format!("[{value}; {length}]")).collect()
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => list(&["\"\"", "\"xyzzy\""]),
            Type::Slice(slice) => {
                let full = of_type(&slice.elem).into_iter().map(|value| format!("Vec::leak(vec![{value}])"));
                std::iter::once("Vec::leak(Vec::new())".to_owned()).chain(full).collect()
            }
            other => of_type(other).into_iter().map(|value| format!("Box::leak(Box::new({value}))")).collect(),
        },
        Type::ImplTrait(bounds) => bounds.bounds.iter().find_map(of_bound).unwrap_or_default(),
        Type::Path(path) => of_path(&path.path),
        _ => list(&["Default::default()"]),
    }
}

/// Values of `impl Iterator<Item = T>`.
fn of_bound(bound: &TypeParamBound) -> Option<Vec<String>> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let last = bound.path.segments.last().filter(|last| last.ident == "Iterator")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let item = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
        _ => None,
    })?;
    let once = of_type(item).into_iter().map(|value| format!("::std::iter::once({value})"));
    Some(std::iter::once(EMPTY.to_owned()).chain(once).collect())
}

fn of_path(path: &syn::Path) -> Vec<String> {
    let list = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let last = path.segments.last().expect("a path has a name");
    let inner = |wrap: fn(String) -> String| -> Vec<String> {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Vec::new() };
        let first = arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(of) => Some(of),
            _ => None,
        });
        first.map(of_type).unwrap_or_default().into_iter().map(wrap).collect()
    };
    match last.ident.to_string().as_str() {
        "bool" => list(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => list(&["0", "1"]),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => list(&["0", "1", "-1"]),
        "f32" | "f64" => list(&["0.0", "1.0", "-1.0"]),
        "String" => list(&["String::new()", "\"xyzzy\".into()"]),
        "Option" => [list(&["None"]), inner(|value| format!("Some({value})"))].concat(),
        "Result" => inner(|value| format!("Ok({value})")),
        "Vec" => [list(&["vec![]"]), inner(|value| format!("vec![{value}]"))].concat(),
        "Box" => inner(|value| format!("Box::new({value})")),
        "Rc" => inner(|value| format!("::std::rc::Rc::new({value})")),
        "Arc" => inner(|value| format!("::std::sync::Arc::new({value})")),
        _ => list(&["Default::default()"]),
    }
}

/// All ways to take one of each.
fn product(each: &[Vec<String>]) -> Vec<Vec<String>> {
    each.iter().fold(vec![Vec::new()], |ways, values| {
        let longer = |way: &Vec<String>| {
            let way = way.clone();
            values.iter().map(move |value| [way.clone(), vec![value.clone()]].concat())
        };
        ways.iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn a_type_has_typical_values() {
        let of = |output: &str| values(&syn::parse_str(output).unwrap());
        assert_eq!(of(""), ["()"]);
        assert_eq!(of("-> bool"), ["true", "false"]);
        assert_eq!(of("-> i64"), ["0", "1", "-1"]);
        assert_eq!(of("-> Option<f64>"), ["None", "Some(0.0)", "Some(1.0)", "Some(-1.0)"]);
        assert_eq!(of("-> Vec<Report>"), ["vec![]", "vec![Default::default()]"]);
        assert_eq!(of("-> (bool, usize)"), ["(true, 0)", "(true, 1)", "(false, 0)", "(false, 1)"]);
        assert_eq!(of("-> [usize; 2]"), ["[0; 2]", "[1; 2]"]);
        assert_eq!(of("-> &str"), ["\"\"", "\"xyzzy\""]);
        assert_eq!(of("-> Result<(), String>"), ["Ok(())"]);
        assert_eq!(
            of("-> impl Iterator<Item = bool> + '_"),
            ["::std::iter::empty()", "::std::iter::once(true)", "::std::iter::once(false)",]
        );
        assert_eq!(of("-> Self"), ["Default::default()"]);
    }
}
