//! Sources as tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens without items that only tests or the fuzzer are built with. An item ends with its braces or a semicolon.
pub(crate) fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    const TESTS: [&str; 4] = ["cfg(test", "cfg(all(test", "cfg(any(fuzzing", "cfg(all(any(fuzzing"];
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let of_tests = found.last().is_some_and(|last| is(last, '#'))
            && matches!(&token, TokenTree::Group(attribute) if {
                let text = attribute.stream().to_string().replace(' ', "");
                TESTS.iter().any(|test| text.starts_with(test))
            });
        if of_tests {
            found.pop();
            let ends = |token: &TokenTree| {
                is(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            };
            tokens.find(ends);
        } else {
            found.push(token);
        }
    }
    found
}

pub(crate) fn name(token: &TokenTree) -> Option<String> {
    if let TokenTree::Ident(name) = token { Some(name.to_string()) } else { None }
}

pub(crate) fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}
