//! A source file in which every mutant is there, behind a switch.
//!
//! `a + b` becomes `(if on(1) {(a) - (b)} else if on(2) {(a) * (b)} else {a + b})`, and a body begins with
//! `if on(3) { return true; }`. What is mutated within `a` and `b` is in the last branch alone, so that the code does
//! not double with each operator around it. Comments mark what belongs to which mutant: the compiler tells errors by
//! their bytes.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::points::{Kind, Point};

/// The text of the file, without the mutants in `dropped`.
pub(crate) fn render(source: &str, points: &[Point], dropped: &BTreeSet<u32>) -> String {
    let mut rest = points;
    let mut text = String::with_capacity(4 * source.len());
    render_range(source, 0..source.len(), &mut rest, dropped, &mut text);
    text
}

/// Takes the points within the range off the front of `points`.
fn render_range(source: &str, range: Range<usize>, points: &mut &[Point], dropped: &BTreeSet<u32>, text: &mut String) {
    let mut at = range.start;
    while let Some(point) = points.first().filter(|point| point.range.start < range.end && point.range.end <= range.end)
    {
        *points = &points[1..];
        text.push_str(&source[at..point.range.start]);
        let kept: Vec<_> = point.mutants.iter().filter(|mutant| !dropped.contains(&mutant.id)).collect();
        let first = point.mutants[0].id;
        let expression = point.kind == Kind::Expression;
        if !kept.is_empty() {
            text.push_str(&format!("/*{{P{first}*/"));
            text.push_str(if expression { "(" } else { "" });
        }
        for (number, mutant) in kept.iter().enumerate() {
            let other = if number > 0 && expression { " else " } else { "" };
            let (id, code) = (mutant.id, &mutant.code);
            text.push_str(&format!("{other}if crate::switch::on({id}) {{/*{{M{id}*/{code}/*M{id}}}*/}}"));
        }
        let (before, after) = match point.kind {
            _ if kept.is_empty() => ("", ""),
            Kind::Expression => (" else {", "})"),
            Kind::Body => ("", ""),
            Kind::Iterator => ("crate::switch::Iter::Same({", "})"),
        };
        text.push_str(before);
        render_range(source, point.range.clone(), points, dropped, text);
        text.push_str(after);
        if !kept.is_empty() {
            text.push_str(&format!("/*P{first}}}*/"));
        }
        at = point.range.end;
    }
    text.push_str(&source[at..range.end]);
}

/// To which mutants some bytes of a rendered file belong: to that whose code they are, or else to all of the smallest
/// point around them, by its first mutant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Mutant(u32),
    Point(u32),
    Nobody,
}

/// Who owns these bytes of a rendered file.
pub(crate) fn owner(rendered: &str, bytes: Range<usize>) -> Owner {
    let mut open: Vec<Owner> = Vec::new();
    for (start, _) in rendered[..bytes.start].match_indices("/*") {
        let rest = &rendered[start + 2..bytes.start];
        let Some(mark) = rest.find("*/").map(|end| &rest[..end]) else { continue };
        let number = |name: &str| name.get(1..).and_then(|digits| digits.parse::<u32>().ok());
        if let Some(name) = mark.strip_prefix('{') {
            match number(name) {
                Some(id) if name.starts_with('M') => open.push(Owner::Mutant(id)),
                Some(id) if name.starts_with('P') => open.push(Owner::Point(id)),
                _ => {}
            }
        } else if mark.strip_suffix('}').is_some_and(|name| name.starts_with(['M', 'P']) && number(name).is_some()) {
            open.pop();
        }
    }
    open.pop().unwrap_or(Owner::Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::find;

    fn rendered(source: &str, dropped: &[u32]) -> String {
        let found = find(source, 1).unwrap();
        let text = render(source, &found.points, &dropped.iter().copied().collect());
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        text
    }

    /// Without marks.
    fn plain(source: &str, dropped: &[u32]) -> String {
        let mut text = rendered(source, dropped);
        while let Some(start) = text.find("/*") {
            let end = text[start..].find("*/").unwrap() + start + 2;
            text.replace_range(start..end, "");
        }
        text.replace("crate::switch::", "")
    }

    #[test]
    fn mutants_within_an_operand_are_in_the_last_branch() {
        assert_eq!(
            plain("fn new() { a && b == c }", &[]),
            "fn new() { (if on(1) {(a) || (b == c)} else {a && (if on(2) {(b) != (c)} else {b == c})}) }"
        );
    }

    #[test]
    fn a_body_returns_before_it_begins() {
        assert_eq!(
            plain("fn f() -> bool { !x }", &[]),
            "fn f() -> bool {if on(1) {return true;}if on(2) {return false;} (if on(3) {(x)} else {!x}) }"
        );
    }

    #[test]
    fn an_iterator_is_one_of_two() {
        assert_eq!(
            plain("fn f() -> impl Iterator<Item = u8> { x.iter() }", &[2, 3]),
            "fn f() -> impl Iterator<Item = u8> {if on(1) {return Iter::Other(vec![].into_iter());}\
             Iter::Same({ x.iter() })}"
        );
    }

    #[test]
    fn a_guard_and_its_operator_are_mutated_both() {
        assert_eq!(
            plain("fn new() { match x { y if y == 1 => 2, _ => 3 } }", &[]),
            "fn new() { match x { y if (if on(1) {true} else if on(2) {false} else {(if on(3) {(y) != (1)} \
             else {y == 1})}) => 2, _ => 3 } }"
        );
    }

    #[test]
    fn what_is_dropped_is_not_there() {
        assert_eq!(plain("fn new() { a && b == c }", &[1]), "fn new() { a && (if on(2) {(b) != (c)} else {b == c}) }");
        let all = "fn f() -> bool { a == b }";
        assert_eq!(plain(all, &[1, 2, 3]), all);
    }

    #[test]
    fn bytes_belong_to_the_innermost_mark() {
        let text = rendered("fn new() { a && b == c }", &[]);
        let at = |part: &str| {
            let start = text.find(part).unwrap();
            start..start + part.len()
        };
        assert_eq!(owner(&text, at("(b == c)")), Owner::Mutant(1));
        assert_eq!(owner(&text, at("(b) != (c)")), Owner::Mutant(2));
        assert_eq!(owner(&text, at("a && ")), Owner::Point(1));
        assert_eq!(owner(&text, at("fn new")), Owner::Nobody);
    }
}
