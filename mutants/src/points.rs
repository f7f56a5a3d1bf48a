//! Where a source file can be mutated, and into what.

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ReturnType, UnOp};

use crate::values::{EMPTY, values};

/// A change of the program.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// From 1 on, in the order of the files and of the places in them.
    pub(crate) id: u32,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The function that it changes, such as `Levels::decide`.
    pub(crate) function: String,
    /// As cargo-mutants words it.
    pub(crate) what: String,
    /// The code that takes the place of what is there.
    pub(crate) code: String,
}

/// A place in a file, with all its mutants.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) kind: Kind,
    /// The bytes of the expression or of the statements; empty for a body.
    pub(crate) range: Range<usize>,
    pub(crate) mutants: Vec<Mutant>,
}

/// How mutants take the place of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As branches of an `if` around the expression.
    Expression,
    /// As returns at the beginning of a body.
    Body,
    /// The same in a function that returns `impl Iterator`, which is then one of two iterators.
    Iterator,
}

/// What is not mutated, and how often it was met.
#[derive(Debug, Default, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct LeftOut {
    /// Functions and values that the compiler evaluates: it knows no switch.
    pub(crate) constants: usize,
    /// Arms beside a `_`, which cargo-mutants deletes.
    pub(crate) arms: usize,
    /// Fields beside a `..base`, which cargo-mutants deletes.
    pub(crate) fields: usize,
    /// `unsafe` functions.
    pub(crate) unsafe_functions: usize,
    /// Functions of `Display` and `Debug`.
    pub(crate) words: usize,
    /// `&&` between a `let` and something else: it has no other operator.
    pub(crate) chains: usize,
}

/// What [`find`] has found in a file.
pub(crate) struct Found {
    /// The outer ones before those within them.
    pub(crate) points: Vec<Point>,
    pub(crate) left_out: LeftOut,
    /// Names of modules in other files, with the path of the inline modules around them.
    pub(crate) modules: Vec<String>,
}

/// All places of one file. The first mutant has the number `first`.
pub(crate) fn find(source: &str, first: u32) -> syn::Result<Found> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        source,
        found: Found { points: Vec::new(), left_out: LeftOut::default(), modules: Vec::new() },
        next: first,
        names: Vec::new(),
    };
    finder.visit_file(&file);
    let order = |point: &Point| (point.range.start, !point.range.is_empty(), std::cmp::Reverse(point.range.end));
    finder.found.points.sort_by_key(order);
    Ok(finder.found)
}

struct Finder<'s> {
    source: &'s str,
    found: Found,
    next: u32,
    /// The types and functions around the place.
    names: Vec<String>,
}

impl Finder<'_> {
    fn text(&self, span: Span) -> &str {
        &self.source[span.byte_range()]
    }

    fn add(&mut self, at: Span, kind: Kind, range: Range<usize>, mutants: Vec<(String, String)>) {
        let (line, column) = (at.start().line, at.start().column + 1);
        let function = self.names.join("::");
        let mutants = mutants.into_iter().map(|(what, code)| {
            self.next += 1;
            Mutant { id: self.next - 1, line, column, function: function.clone(), what, code }
        });
        let mutants: Vec<_> = mutants.collect();
        if !mutants.is_empty() {
            self.found.points.push(Point { kind, range, mutants });
        }
    }

    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, body: &syn::Block) {
        if is_test(attributes) {
            return;
        }
        if signature.constness.is_some() {
            self.found.left_out.constants += 1;
            return;
        }
        if signature.unsafety.is_some() {
            self.found.left_out.unsafe_functions += 1;
            return;
        }
        self.names.push(signature.ident.to_string());
        // A constructor has no typical value; a body without a statement stays what it is.
        let never = matches!(&signature.output, ReturnType::Type(_, of) if matches!(**of, syn::Type::Never(_)));
        if signature.ident != "new" && !body.stmts.is_empty() && !never {
            let name = self.names.join("::");
            let values = values(&signature.output);
            let braces = body.brace_token.span;
            let [start, end] = [braces.open().byte_range().end, braces.close().byte_range().start];
            let iterator = values.first().is_some_and(|first| first == EMPTY);
            let (kind, range) = if iterator { (Kind::Iterator, start..end) } else { (Kind::Body, start..start) };
            let of = |value: String| {
                let code = match value.strip_prefix("::std::iter::once(") {
                    _ if value == "()" => "return;".to_owned(),
                    _ if value == EMPTY => "return crate::switch::Iter::Other(vec![].into_iter());".to_owned(),
                    Some(once) if iterator => {
                        format!("return crate::switch::Iter::Other(vec![{}].into_iter());", &once[..once.len() - 1])
                    }
                    _ => format!("return {value};"),
                };
                (format!("replace {name} with {value}"), code)
            };
            self.add(signature.ident.span(), kind, range, values.into_iter().map(of).collect());
        }
        visit::visit_block(self, body);
        self.names.pop();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_test(&module.attrs) {
            return;
        }
        if module.content.is_none() {
            self.found.modules.push(module.ident.to_string());
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.function(&function.attrs, &function.sig, body);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if is_test(&item.attrs) {
            return;
        }
        let of_words = |path: &syn::Path| {
            path.segments.last().is_some_and(|last| last.ident == "Display" || last.ident == "Debug")
        };
        if item.trait_.as_ref().is_some_and(|(_, path, _)| of_words(path)) {
            self.found.left_out.words += item.items.len();
            return;
        }
        let name = self.text(item.self_ty.span());
        let name = name.split(['<', ' ']).next().unwrap_or(name).to_owned();
        self.names.push(name);
        visit::visit_item_impl(self, item);
        self.names.pop();
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.names.push(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.names.pop();
    }

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {
        self.found.left_out.constants += 1;
    }

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {
        self.found.left_out.constants += 1;
    }

    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {
        self.found.left_out.constants += 1;
    }

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {
        self.found.left_out.constants += 1;
    }

    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {
        self.found.left_out.constants += 1;
    }

    // Numbers in patterns, lengths of arrays and generic arguments are constants too.
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        let wild = |arm: &&syn::Arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none();
        if expression.arms.iter().any(|arm| wild(&arm)) {
            self.found.left_out.arms += expression.arms.iter().filter(|arm| !wild(arm)).count();
        }
        visit::visit_expr_match(self, expression);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        if expression.rest.is_some() {
            self.found.left_out.fields += expression.fields.len();
        }
        visit::visit_expr_struct(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            let text = self.text(guard.span()).to_owned();
            let of = |value: &str| (format!("replace match guard {text} with {value}"), value.to_owned());
            self.add(guard.span(), Kind::Expression, guard.span().byte_range(), vec![of("true"), of("false")]);
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        let others = others(&expression.op);
        if !others.is_empty() && (has_let(&expression.left) || has_let(&expression.right)) {
            self.found.left_out.chains += 1;
        } else {
            let old = self.text(expression.op.span());
            let [left, right] = [&expression.left, &expression.right].map(|side| self.text(side.span()));
            let of = |&new: &&str| (format!("replace {old} with {new}"), format!("({left}) {new} ({right})"));
            let mutants = others.iter().map(of).collect();
            self.add(expression.op.span(), Kind::Expression, expression.span().byte_range(), mutants);
        }
        visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_unary(&mut self, expression: &'ast syn::ExprUnary) {
        let operand = format!("({})", self.text(expression.expr.span()));
        let mutants = match expression.op {
            UnOp::Not(_) => vec![("delete !".to_owned(), operand)],
            UnOp::Neg(_) => vec![("delete -".to_owned(), operand)],
            _ => Vec::new(),
        };
        self.add(expression.span(), Kind::Expression, expression.span().byte_range(), mutants);
        visit::visit_expr_unary(self, expression);
    }
}

/// The operators that cargo-mutants 27.1 tries in its place.
fn others(operator: &BinOp) -> &'static [&'static str] {
    match operator {
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::Lt(_) => &["==", ">", "<="],
        BinOp::Gt(_) => &["==", "<", ">="],
        BinOp::Le(_) => &[">"],
        BinOp::Ge(_) => &["<"],
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["+", "/"],
        BinOp::Div(_) => &["%", "*"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::BitAnd(_) => &["|", "^"],
        BinOp::BitOr(_) => &["&", "^"],
        BinOp::BitXor(_) => &["|", "&"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+=", "/="],
        BinOp::MulAssign(_) => &["+=", "/="],
        BinOp::DivAssign(_) => &["%=", "*="],
        BinOp::RemAssign(_) => &["/=", "+="],
        BinOp::ShlAssign(_) => &[">>="],
        BinOp::ShrAssign(_) => &["<<="],
        BinOp::BitAndAssign(_) => &["|="],
        BinOp::BitOrAssign(_) => &["&="],
        BinOp::BitXorAssign(_) => &["|=", "&="],
        _ => &[],
    }
}

/// Whether it is a `let` or a chain with one.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(doctest)]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let of_tests = |list: &syn::MetaList| {
            let text = list.tokens.to_string();
            text == "test" || text == "doctest"
        };
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(of_tests))
    })
}

#[cfg(test)]
mod tests;
