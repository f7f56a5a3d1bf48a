//! The parameter table: what a network is made of, a line a layer.

use crate::{Architecture, LayerSpec, ShapeError, TracedLayer};

/// The parameter table of a network as aligned plain text: layer, what it is, output shape, weights, biases and their
/// total, a line a layer and one for their sums. The layers inside of another stand indented below it, and have its
/// numbers. Running statistics, which are not trained, follow where there are any.
/// Ends in a newline.
///
/// # Errors
///
/// As [`Architecture::trace`].
pub fn parameter_table(architecture: &Architecture) -> Result<String, ShapeError> {
    let layers = architecture.trace()?;
    let head = ["layer", "type", "output", "weights", "biases", "total"].map(str::to_owned);
    let count = |number: usize| if number == 0 { "–".to_owned() } else { thousands(number) };
    let row = |name: &str, kind: String, output: String, weights: usize, biases: usize| {
        [name.to_owned(), kind, output, count(weights), count(biases), count(weights + biases)]
    };
    let input = row("input", String::new(), architecture.input.to_string(), 0, 0);
    let input = input.map(|cell| if cell == "–" { String::new() } else { cell });
    let mut rows = vec![head, input];
    for layer in layers.iter().flat_map(TracedLayer::all) {
        let (weights, biases) = if layer.branches.is_empty() { (layer.weights, layer.biases) } else { (0, 0) };
        rows.push(row(&indented(&layer.name), describe_layer(&layer.layer), layer.output.to_string(), weights, biases));
    }
    let sum = |of: fn(&TracedLayer) -> usize| layers.iter().map(of).sum::<usize>();
    rows.push(row("total", String::new(), String::new(), sum(|it| it.weights), sum(|it| it.biases)));

    let mut out = format!("{}\n\n", architecture.name) + &align(&rows);
    match sum(|it| it.running_statistics) {
        0 => {}
        statistics => out += &format!("\nand {} running statistics, not trained\n", thousands(statistics)),
    }
    Ok(out)
}

/// `residual1.body.conv1` as `  body.conv1`, to stand in a list below `residual1`.
pub fn indented(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let depth = parts.len() / 2;
    "  ".repeat(depth) + &parts[(2 * depth).saturating_sub(1)..].join(".")
}

/// Columns two spaces apart, text to the left and numbers to the right, with a rule under the head and over the sums.
fn align(rows: &[[String; 6]]) -> String {
    const TEXT_COLUMNS: usize = 3;
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1)) + "\n";
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index == 1 || index + 1 == rows.len() {
            out += &rule;
        }
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column < TEXT_COLUMNS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        out += cells.join("  ").trim_end();
        out.push('\n');
    }
    out
}

/// What a layer is, with the hyperparameters that differ from the plain case: `conv 16, 5×5, padding 2`.
pub fn describe_layer(layer: &LayerSpec) -> String {
    layer.describe()
}

/// `1234567` as `1,234,567`, for a person to read.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv2dSpec, FlattenSpec, ResidualSpec, Shape, Shortcut, published};

    #[test]
    fn the_table_of_cifar_baseline_is_the_published_one() {
        let expected = "\
cifar-baseline

layer     type                     output    weights  biases   total
────────────────────────────────────────────────────────────────────
input                              3×32×32
conv1     conv 16, 5×5, padding 2  16×32×32    1,200      16   1,216
relu1     ReLU                     16×32×32        –       –       –
pool1     max pool 2×2, stride 2   16×16×16        –       –       –
conv2     conv 16, 5×5, padding 2  16×16×16    6,400      16   6,416
relu2     ReLU                     16×16×16        –       –       –
flatten1  flatten                  4096            –       –       –
linear1   linear 10                10         40,960      10  40,970
────────────────────────────────────────────────────────────────────
total                                         48,560      42  48,602
";
        let table = parameter_table(&published::cifar_baseline()).unwrap();
        assert_eq!(table, expected, "\n{table}");
    }

    #[test]
    fn layers_inside_of_others_stand_below_them_and_count_once() {
        let conv = |name| LayerSpec::Conv2d(Conv2dSpec::new(name, 1).without_bias());
        let inner = LayerSpec::Residual(ResidualSpec::new(vec![conv(2)]));
        let outer = ResidualSpec::new(vec![inner, conv(3)]).shortcut(Shortcut::Layers(vec![conv(3)]));
        let layers = vec![LayerSpec::Residual(outer), LayerSpec::Flatten(FlattenSpec)];
        let network = Architecture { name: "nested".to_owned(), input: Shape::image(2, 1, 1), layers };
        let expected = "\
nested

layer             type                           output  weights  biases  total
───────────────────────────────────────────────────────────────────────────────
input                                            2×1×1
residual1         residual, shortcut of 1 layer  3×1×1         –       –      –
  body.residual1  residual, identity             2×1×1         –       –      –
    body.conv1    conv 2, 1×1, no bias           2×1×1         4       –      4
  body.conv1      conv 3, 1×1, no bias           3×1×1         6       –      6
  shortcut.conv1  conv 3, 1×1, no bias           3×1×1         6       –      6
flatten1          flatten                        3             –       –      –
───────────────────────────────────────────────────────────────────────────────
total                                                         16       –     16
";
        let table = parameter_table(&network).unwrap();
        assert_eq!(table, expected, "\n{table}");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!([0, 12, 999, 1_000, 60_965_224].map(thousands), ["0", "12", "999", "1,000", "60,965,224"]);
    }
}
