//! Python as text.

use std::collections::BTreeSet;

use backproof_spec::Size2;

/// What a module's file defines beside the network, where a layer needs it; in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Helper {
    /// `named(conv1=…, relu1=…)`: layers in a row.
    Named,
    /// `fixed(module, "weight")`: parameters that are not trained.
    Fixed,
    /// The class `Scale`.
    Scale,
    /// The class `ZeroPadding`.
    ZeroPadding,
    /// The class `Residual`.
    Residual,
}

impl Helper {
    /// Its definition.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Named => include_str!("../../templates/named.py"),
            Self::Fixed => include_str!("../../templates/fixed.py"),
            Self::Scale => include_str!("../../templates/scale.py"),
            Self::ZeroPadding => include_str!("../../templates/zero_padding.py"),
            Self::Residual => include_str!("../../templates/residual.py"),
        }
    }
}

/// An expression that makes a module.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    /// Its text, of one line or several.
    pub(crate) text: String,
    /// What it uses.
    pub(crate) helpers: BTreeSet<Helper>,
}

impl Expression {
    /// The call of `function` with these arguments, in one line.
    pub(crate) fn call(function: &str, arguments: Arguments) -> Self {
        Self { text: format!("{function}({})", arguments.0.join(", ")), helpers: BTreeSet::new() }
    }

    /// The same, with something that it uses.
    pub(crate) fn with(mut self, helper: Helper) -> Self {
        self.helpers.insert(helper);
        self
    }
}

/// The arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    /// One more, without a name.
    pub(crate) fn value(mut self, value: impl ToString) -> Self {
        self.0.push(value.to_string());
        self
    }

    /// One more with a name.
    pub(crate) fn named(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push(format!("{name}={}", value.to_string()));
        self
    }

    /// One more with a name, unless it has the value that PyTorch gives it.
    pub(crate) fn unless(self, default: impl ToString, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        if value == default.to_string() { self } else { self.named(name, value) }
    }
}

/// `5` for 5×5, and `(5, 3)` for 5×3.
pub(crate) fn pair(size: Size2) -> String {
    if size.height == size.width { size.height.to_string() } else { format!("({}, {})", size.height, size.width) }
}

/// `True` or `False`.
pub(crate) fn flag(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// A number such that Python reads the same one: `1e-5`, `0.1`.
pub(crate) fn number(value: f64) -> String {
    format!("{value:?}")
}

/// A text as a literal. JSON's literals of strings are also Python's.
pub(crate) fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// `[1, 2]`.
pub(crate) fn list(values: impl IntoIterator<Item = impl ToString>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

/// A tuple: `(1, 28, 28)`, `(3,)`.
pub(crate) fn tuple(values: &[usize]) -> String {
    match values {
        [one] => format!("({one},)"),
        values => list(values).replace('[', "(").replace(']', ")"),
    }
}

/// Every line but the first moved to the right by `spaces`.
pub(crate) fn indented(text: &str, spaces: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(spaces)))
}
