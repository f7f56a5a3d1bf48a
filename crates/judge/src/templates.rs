//! The files of an exercise that are filled in.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

/// Name and text of each file of `templates/`.
macro_rules! templates {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../templates/", $name)))),*] };
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Braces are a part of C, Julia and MATLAB.
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("<<", ">>")
        .block_delimiters("<%", "%>")
        .comment_delimiters("<#", "#>")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters differ"));
    for (name, text) in templates![
        "README.md",
        "python.py",
        "forward.m",
        "backward.m",
        "run.m",
        "julia.jl",
        "rust.rs",
        "rust.toml",
        "exercise.c",
        "exercise.h",
        "broken.md",
    ] {
        environment.add_template(name, text).expect("the tests render every template");
    }
    environment
});

/// The template `name` filled in with `context`.
pub(crate) fn render(name: &str, context: impl Serialize) -> Result<String, minijinja::Error> {
    ENVIRONMENT.get_template(name)?.render(Value::from(Serde(context)))
}
