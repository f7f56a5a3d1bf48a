//! Residual connections.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, LayerSpec, Misfit, checks};
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};
use crate::{Shape, Size2, counted};

/// A body of layers, and beside it a shortcut: both get the input, and their outputs are added up (He et al. 2015,
/// arXiv:1512.03385, equations 1 and 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResidualSpec {
    /// The layers whose output is added to that of the shortcut; one or more.
    pub body: Vec<LayerSpec>,
    /// The way beside the body.
    pub shortcut: Shortcut,
}

/// The way beside the body of a residual layer. In section 3.3 of He et al., `ZeroPadding` is option A.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortcut {
    /// The input as it is.
    Identity,
    /// The pixels of the input at a stride, with channels of zeros after its own, as many as the body has more.
    ZeroPadding,
    /// Layers of its own, one or more: a projection.
    #[serde(untagged)]
    Layers(Vec<LayerSpec>),
}

impl Shortcut {
    /// The names of those that are no layers.
    pub(crate) const NAMES: &'static [&'static str] = &["identity", "zero-padding"];
}

impl ResidualSpec {
    /// The body with the identity beside it.
    pub fn new(body: Vec<LayerSpec>) -> Self {
        Self { body, shortcut: Shortcut::Identity }
    }

    /// The same with another shortcut.
    #[must_use]
    pub fn shortcut(mut self, shortcut: Shortcut) -> Self {
        self.shortcut = shortcut;
        self
    }
}

/// The step from a pixel that [`Shortcut::ZeroPadding`] takes to the next, ⌈H / H′⌉ and ⌈W / W′⌉: the smallest with
/// which it takes no more than H′ rows of H and W′ columns of W. Vectors have a step of 1.
pub fn zero_padding_stride(input: Shape, output: Shape) -> Size2 {
    match (input, output) {
        (Shape::Image { height, width, .. }, Shape::Image { height: rows, width: columns, .. }) => {
            Size2::new(height.div_ceil(rows), width.div_ceil(columns))
        }
        _ => Size2::square(1),
    }
}

impl Definition for ResidualSpec {
    const DOC: &'static str = "A body of layers, and a shortcut beside it; the sum of both.";

    const KEYS: &'static [Key] = &[
        key("body", Kind::Layers, Presence::Required(Literal::Toml("[\"relu\"]")), "The layers of the body, in order."),
        key(
            "shortcut",
            Kind::LayersOr(Shortcut::NAMES),
            Presence::Default(Literal::Word("identity")),
            "identity; zero-padding: pixels at a stride, and channels of zeros; or an array of layers.",
        ),
    ];

    fn read(record: &Record) -> Self {
        let shortcut = match record.word_or_layers("shortcut") {
            Err(layers) => Shortcut::Layers(layers),
            Ok("zero-padding") => Shortcut::ZeroPadding,
            Ok(_) => Shortcut::Identity,
        };
        Self { body: record.layers("body"), shortcut }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("body", &self.body[..]);
        match &self.shortcut {
            Shortcut::Identity => entries.push("shortcut", "identity"),
            Shortcut::ZeroPadding => entries.push("shortcut", "zero-padding"),
            Shortcut::Layers(layers) => entries.push("shortcut", &layers[..]),
        }
    }

    fn branches(&self) -> Vec<(&'static str, &[LayerSpec])> {
        let body = ("body", &self.body[..]);
        match &self.shortcut {
            Shortcut::Layers(layers) => vec![body, ("shortcut", layers)],
            _ => vec![body],
        }
    }

    fn branches_mut(&mut self) -> Vec<&mut Vec<LayerSpec>> {
        match &mut self.shortcut {
            Shortcut::Layers(layers) => vec![&mut self.body, layers],
            _ => vec![&mut self.body],
        }
    }

    fn infer(&self, input: Shape, branches: &[Shape]) -> Result<Inferred, Misfit> {
        if self.body.is_empty() {
            return Err(Misfit::new("its body has no layers").help("put layers into `body`, or leave out the layer"));
        }
        let body = branches[0];
        let shortcut = match &self.shortcut {
            Shortcut::Layers(layers) if layers.is_empty() => {
                return Err(Misfit::new("its shortcut has no layers").help("`shortcut = \"identity\"` has none"));
            }
            Shortcut::Layers(_) => branches[1],
            Shortcut::Identity => input,
            Shortcut::ZeroPadding => zero_padded(input, body)?,
        };
        if body != shortcut {
            let misfit = Misfit::new(format!("its body gives {body}, and its shortcut gives {shortcut}"));
            return Err(match self.shortcut {
                Shortcut::Identity => misfit.help(
                    "use `shortcut = \"zero-padding\"`, or layers that give the same shape as the body: \
                     `shortcut = [{ type = \"conv2d\", … }]`",
                ),
                _ => misfit.help("both have to give the same shape"),
            });
        }
        Ok(Inferred::without_parameters(body))
    }

    fn describe(&self) -> String {
        match &self.shortcut {
            Shortcut::Identity => "residual, identity".to_owned(),
            Shortcut::ZeroPadding => "residual, zero-padding".to_owned(),
            Shortcut::Layers(layers) => format!("residual, shortcut of {}", counted(layers.len(), "layer")),
        }
    }
}

/// What zero padding makes of an image beside a body that gives `body`.
fn zero_padded(input: Shape, body: Shape) -> Result<Shape, Misfit> {
    let (channels, height, width) = checks::image(input)?;
    let Shape::Image { channels: wanted, .. } = body else {
        return Err(Misfit::new(format!("its body gives a vector, {body}, and zero-padding an image"))
            .help("use layers in `shortcut`"));
    };
    if wanted < channels {
        return Err(Misfit::new(format!(
            "zero-padding adds channels and takes none away: {channels} come in, and the body gives {wanted}"
        ))
        .help("use layers in `shortcut`, such as a convolution with a kernel of 1"));
    }
    let Size2 { height: down, width: across } = zero_padding_stride(input, body);
    Ok(Shape::image(wanted, height.div_ceil(down), width.div_ceil(across)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Conv2dSpec, FlattenSpec, LinearSpec, ReluSpec, ShapeError, TracedLayer};

    const INPUT: Shape = Shape::image(4, 7, 6);

    fn conv(channels: usize, stride: usize) -> LayerSpec {
        LayerSpec::Conv2d(Conv2dSpec::new(channels, 3).padding(1).stride(stride))
    }

    fn trace(residual: ResidualSpec) -> Result<TracedLayer, ShapeError> {
        let layers = vec![LayerSpec::Residual(residual)];
        let network = Architecture { name: "one".to_owned(), input: INPUT, layers };
        Ok(network.trace()?.remove(0))
    }

    #[test]
    fn each_shortcut_gives_the_shape_of_its_body() {
        let relu = || LayerSpec::Relu(ReluSpec::default());
        let cases = [
            (ResidualSpec::new(vec![conv(4, 1), relu()]), INPUT),
            (ResidualSpec::new(vec![conv(9, 2)]).shortcut(Shortcut::ZeroPadding), Shape::image(9, 4, 3)),
            (
                ResidualSpec::new(vec![conv(2, 2)]).shortcut(Shortcut::Layers(vec![conv(2, 2), relu()])),
                Shape::image(2, 4, 3),
            ),
            (ResidualSpec::new(vec![LayerSpec::Residual(ResidualSpec::new(vec![relu()]))]), INPUT),
        ];
        for (residual, output) in cases {
            let words = residual.describe();
            assert_eq!(trace(residual).map(|traced| traced.output), Ok(output), "{words}");
        }
    }

    #[test]
    fn its_numbers_are_those_of_all_layers_inside_and_their_names_tell_where_they_are() {
        let inner = LayerSpec::Residual(ResidualSpec::new(vec![conv(4, 1)]));
        let shortcut = Shortcut::Layers(vec![conv(4, 1)]);
        let traced = trace(ResidualSpec::new(vec![conv(4, 1), inner, conv(4, 1)]).shortcut(shortcut)).unwrap();
        assert_eq!((traced.weights, traced.biases), (4 * 4 * 4 * 9, 4 * 4));
        let inside: Vec<_> = traced.all().iter().map(|layer| (layer.number, layer.name.as_str())).collect();
        let expected = [
            (0, "residual1"),
            (1, "residual1.body.conv1"),
            (2, "residual1.body.residual1"),
            (3, "residual1.body.residual1.body.conv1"),
            (4, "residual1.body.conv2"),
            (5, "residual1.shortcut.conv1"),
        ];
        assert_eq!(inside, expected);
    }

    #[test]
    fn branches_that_do_not_fit_are_told_with_both_shapes() {
        let flat = || LayerSpec::Flatten(FlattenSpec);
        let cases = [
            (ResidualSpec::new(vec![]), "residual1 (layer 1 of 1): its body has no layers"),
            (
                ResidualSpec::new(vec![conv(4, 1)]).shortcut(Shortcut::Layers(vec![])),
                "residual1 (layer 1 of 1): its shortcut has no layers",
            ),
            (
                ResidualSpec::new(vec![conv(8, 2)]),
                "residual1 (layer 1 of 1): its body gives 8×4×3, and its shortcut gives 4×7×6",
            ),
            (
                ResidualSpec::new(vec![conv(3, 2)]).shortcut(Shortcut::ZeroPadding),
                "residual1 (layer 1 of 1): zero-padding adds channels and takes none away: \
                 4 come in, and the body gives 3",
            ),
            (
                // ⌈7/5⌉ = 2, and every second row of 7 makes 4.
                ResidualSpec::new(vec![LayerSpec::Conv2d(Conv2dSpec::new(4, 3))]).shortcut(Shortcut::ZeroPadding),
                "residual1 (layer 1 of 1): its body gives 4×5×4, and its shortcut gives 4×4×3",
            ),
            (
                ResidualSpec::new(vec![flat()]).shortcut(Shortcut::ZeroPadding),
                "residual1 (layer 1 of 1): its body gives a vector, 168, and zero-padding an image",
            ),
            (
                ResidualSpec::new(vec![conv(4, 1), LayerSpec::Linear(LinearSpec::new(3))]),
                "residual1.body.linear1 (layer 2 of 2 in the body of residual1): \
                 expected a vector, got an image 4×7×6",
            ),
        ];
        for (residual, expected) in cases {
            assert_eq!(trace(residual).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_stride_of_zero_padding_is_the_smallest_that_gives_so_few_pixels() {
        let stride =
            |size: usize, of: usize| zero_padding_stride(Shape::image(1, size, 1), Shape::image(1, of, 1)).height;
        assert_eq!([(32, 16), (32, 32), (7, 4), (5, 2), (5, 1)].map(|(size, of)| stride(size, of)), [2, 1, 2, 3, 5]);
    }
}
