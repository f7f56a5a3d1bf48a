//! The networks of the course FMAN45 (Lund) as MATLAB keeps them: a struct with a cell `layers`, a struct a layer.
//!
//! The weights of a convolution are `[row, column, channel in, channel out]`, and it is a correlation, as ours is. Those
//! of a fully connected layer are `[out, in]`, and `in` counts `[row, column, channel]` of an image with the row the
//! fastest, as MATLAB lays out its arrays. Max pooling has no parameters: its windows are 2×2, side by side.
//!
//! MATLAB counts from 1, so the labels of ten digits are 1 to 10, and the 10 is the digit 0.

use std::borrow::Cow;
use std::collections::BTreeMap;

use backproof_arrays::matlab::{Array, Content, Variables};
use backproof_arrays::{Axis, Budget, FormatError, Numbers, StoredTensor, shown};
use backproof_spec::{
    Architecture, Conv2dSpec, FlattenSpec, LayerSpec, LinearSpec, MaxPool2dSpec, ReluSpec, Shape, Size2, TracedLayer,
};

const TYPES: &str = "input, convolution, relu, maxpooling, fully_connected or softmaxloss";
const EXPECTED: &str = "a struct `net` with a cell `layers` of structs, each with a `type`";

/// A network of a MATLAB file.
pub(crate) struct MatlabNetwork {
    /// Its layers, each with its place in the cell `layers`, from 1 on. A `flatten` is in front of the first fully
    /// connected layer, and has its place.
    pub(crate) layers: Vec<(usize, TracedLayer)>,
    /// What the file says of the shape that comes in, with its place.
    pub(crate) input: Option<(usize, Shape)>,
    /// The tensors by the names that they have in a network of ours.
    pub(crate) tensors: BTreeMap<String, StoredTensor<'static>>,
    /// Whether the last output of the file is the first one here.
    pub(crate) moved_zero: bool,
}

/// The parameters of a layer.
struct Parameters<'a> {
    /// The place of the layer in the cell.
    place: usize,
    kind: String,
    weights: &'a Array<'a>,
    biases: &'a Array<'a>,
}

impl MatlabNetwork {
    /// The network of a file.
    ///
    /// `input` is the shape that comes in, where the file does not say it. `digits` is the number of classes, where the
    /// classes are the digits from 0 on; then the last output is of the 0.
    ///
    /// # Errors
    ///
    /// A damaged file, or one that has no such network.
    pub(crate) fn read(
        bytes: &[u8],
        budget: &mut Budget,
        input: Shape,
        digits: Option<usize>,
    ) -> Result<Self, FormatError> {
        let Variables { contents, big_endian, .. } = Variables::of(bytes, budget)?;
        let variables =
            contents.iter().map(|content| Array::read(content, big_endian)).collect::<Result<Vec<_>, _>>()?;
        let layers = find_layers(&variables)?;
        let mut read = Read::default();
        for (index, layer) in layers.iter().enumerate() {
            read.layer(index + 1, layer, index + 1 == layers.len())?;
        }
        read.network(input, digits)
    }
}

/// The layers of the one variable that is a network.
fn find_layers<'a, 'b>(variables: &'b [Array<'a>]) -> Result<&'b [Array<'a>], FormatError> {
    let networks = variables.iter().filter_map(|variable| match &variable.field("layers")?.content {
        Content::Cells(layers) => Some((variable.name.as_str(), layers)),
        _ => None,
    });
    let networks: Vec<_> = networks.collect();
    match networks[..] {
        [(_, layers)] => Ok(layers),
        [] => {
            let described = variables.iter().filter(|variable| !variable.name.is_empty()).take(10);
            let described: Vec<String> =
                described.map(|variable| format!("`{}`, {}", shown(&variable.name), variable.describe())).collect();
            let has = if described.is_empty() { "nothing".to_owned() } else { described.join("; ") };
            Err(FormatError::new(format!("is a MATLAB file without a network: it has {has}"), EXPECTED))
        }
        _ => {
            let names: Vec<String> = networks.iter().take(10).map(|(name, _)| shown(name)).collect();
            let found = format!("is a MATLAB file with several networks: {}", names.join(", "));
            Err(FormatError::new(found, format!("one: `save('FILE.mat', '{}', '-v7')`", names[0])))
        }
    }
}

/// What was read of the layers so far.
#[derive(Default)]
struct Read<'a> {
    input: Option<(usize, Shape)>,
    layers: Vec<(usize, LayerSpec)>,
    /// Of each layer that has weights, in order.
    parameters: Vec<Parameters<'a>>,
}

impl<'a> Read<'a> {
    fn layer(&mut self, place: usize, layer: &'a Array<'a>, is_last: bool) -> Result<(), FormatError> {
        let Some(Content::Text(kind)) = layer.field("type").map(|kind| &kind.content) else {
            let found = format!("is a MATLAB file whose layer {place} is {} without a text `type`", layer.describe());
            return Err(FormatError::new(found, EXPECTED));
        };
        let within = Within { place, kind, layer };
        match kind.as_str() {
            "input" if place == 1 => {
                let params = layer.field("params").and_then(|params| params.field("size"));
                let size = params.map(|size| within.counts("params.size", size, 1)).transpose()?;
                self.input = match size.as_deref() {
                    Some([height, width, channels]) => Some((place, Shape::image(*channels, *height, *width))),
                    Some([height, width]) => Some((place, Shape::image(1, *height, *width))),
                    Some(other) => {
                        return Err(within.wrong(format!("has the size {other:?}"), "[rows, columns, channels]"));
                    }
                    None => None,
                };
            }
            "convolution" => {
                let (weights, biases) = within.parameters()?;
                let [rows, columns, _, out] = four(&weights.dims).ok_or_else(|| {
                    let found = format!("has weights of the size {:?}", weights.dims);
                    within.wrong(found, "[rows, columns, channels in, channels out]")
                })?;
                let spec = Conv2dSpec::new(out, [rows, columns]);
                let spec = spec.padding(within.two("padding", 0)?).stride(within.two("stride", 1)?);
                self.layers.push((place, LayerSpec::Conv2d(spec)));
                self.parameters.push(Parameters { place, kind: kind.clone(), weights, biases });
            }
            "fully_connected" => {
                let (weights, biases) = within.parameters()?;
                let [out, _] = weights.dims[..] else {
                    return Err(within.wrong(format!("has weights of the size {:?}", weights.dims), "[out, in]"));
                };
                self.layers.push((place, LayerSpec::Linear(LinearSpec::new(out))));
                self.parameters.push(Parameters { place, kind: kind.clone(), weights, biases });
            }
            "relu" => self.layers.push((place, LayerSpec::Relu(ReluSpec::default()))),
            "maxpooling" => self.layers.push((place, LayerSpec::MaxPool2d(MaxPool2dSpec::new(2)))),
            "softmaxloss" if is_last => {}
            "input" => return Err(within.wrong("is not the first", "the input in front of all others")),
            "softmaxloss" => return Err(within.wrong("is not the last", "the loss after all others")),
            _ => return Err(within.wrong("is of a type that is not read", TYPES)),
        }
        Ok(())
    }

    /// The layers with their shapes, and the tensors with their names.
    fn network(self, input: Shape, digits: Option<usize>) -> Result<MatlabNetwork, FormatError> {
        let input = self.input.map_or(input, |(_, input)| input);
        let mut layers = self.layers;
        let is_image = matches!(input, Shape::Image { .. });
        let linear = layers.iter().position(|(_, layer)| matches!(layer, LayerSpec::Linear(_)));
        if let Some(index) = linear.filter(|_| is_image) {
            layers.insert(index, (layers[index].0, LayerSpec::Flatten(FlattenSpec)));
        }
        let (places, layers): (Vec<usize>, Vec<LayerSpec>) = layers.into_iter().unzip();
        let architecture = Architecture { name: "MATLAB".to_owned(), input, layers };
        let traced = architecture.trace().map_err(|error| {
            let place = error.place.position.checked_sub(1).and_then(|index| places.get(index)).copied().unwrap_or(1);
            let found = format!("is a MATLAB file whose layer {place} does not fit: {}", error.problem);
            FormatError::new(found, "layers of which each takes what the one before gives")
        })?;
        let last = self.parameters.len().saturating_sub(1);
        let mut tensors = BTreeMap::new();
        let mut parameters = self.parameters.into_iter().enumerate();
        // The image that a flatten makes a vector of.
        let (mut image, mut moved_zero) = (None, false);
        for layer in &traced {
            match &layer.layer {
                LayerSpec::Flatten(_) => image = Some(layer.input),
                LayerSpec::Conv2d(_) | LayerSpec::Linear(_) => {
                    let (index, parameters) = parameters.next().expect("each of these layers has parameters");
                    let (weights, biases) = parameters.tensors(layer, image.take())?;
                    let zero_is_last = index == last && digits == Some(biases.shape[0]);
                    moved_zero |= zero_is_last;
                    for (role, tensor) in [("weight", weights), ("bias", biases)] {
                        let tensor = if zero_is_last { tensor.last_first() } else { tensor };
                        tensors.insert(format!("{}.{role}", layer.name), tensor);
                    }
                }
                _ => {}
            }
        }
        let layers = places.into_iter().zip(traced).collect();
        Ok(MatlabNetwork { layers, input: self.input, tensors, moved_zero })
    }
}

impl Parameters<'_> {
    /// The weights and biases of `layer`; `image` is what comes into a fully connected layer, if it is one.
    fn tensors(
        &self,
        layer: &TracedLayer,
        image: Option<Shape>,
    ) -> Result<(StoredTensor<'static>, StoredTensor<'static>), FormatError> {
        let (inputs, shape, axes) = match (&layer.layer, layer.input) {
            (LayerSpec::Conv2d(conv), Shape::Image { channels, .. }) => {
                let Size2 { height, width } = conv.kernel;
                let window = height * width;
                let axes =
                    vec![(conv.out_channels, window * channels), (channels, window), (height, 1), (width, height)];
                (
                    four(&self.weights.dims).map_or(0, |dims| dims[2]),
                    vec![conv.out_channels, channels, height, width],
                    axes,
                )
            }
            (LayerSpec::Linear(linear), input) => {
                let out = linear.out_features;
                let mut axes = vec![(out, 1)];
                match image {
                    Some(Shape::Image { channels, height, width }) => {
                        axes.extend([(channels, out * height * width), (height, out), (width, out * height)]);
                    }
                    _ => axes.push((input.elements(), out)),
                }
                (self.weights.dims[1], vec![out, input.elements()], axes)
            }
            _ => unreachable!("only these layers have parameters"),
        };
        let expected = shape[1];
        if inputs != expected {
            let found = format!("takes {inputs} inputs, and gets {expected} from the layer before");
            return Err(wrong(self.place, &self.kind, found, format!("weights for {expected}")));
        }
        let out = shape[0];
        let weights = StoredTensor::with_axes(shape, axes.into_iter().map(axis).collect(), owned(self.weights));
        if self.biases.dims.iter().product::<usize>() != out {
            let found = format!("has biases of the size {:?}", self.biases.dims);
            return Err(wrong(self.place, &self.kind, found, format!("{out}, one for each output")));
        }
        Ok((weights, StoredTensor::column_major(vec![out], owned(self.biases))))
    }
}

fn axis((length, stride): (usize, usize)) -> Axis {
    Axis { length, stride }
}

/// The numbers of an array that is known to have them, in memory of their own.
fn owned(array: &Array<'_>) -> Numbers<'static> {
    let Content::Numbers(Numbers { element, big_endian, bytes }) = &array.content else {
        unreachable!("parameters are looked at when they are found")
    };
    Numbers { element: *element, big_endian: *big_endian, bytes: Cow::Owned(bytes.to_vec()) }
}

/// A layer of the cell, and what can be wrong in it.
struct Within<'a> {
    place: usize,
    kind: &'a str,
    layer: &'a Array<'a>,
}

impl<'a> Within<'a> {
    fn wrong(&self, found: impl std::fmt::Display, expected: impl Into<String>) -> FormatError {
        wrong(self.place, self.kind, found, expected)
    }

    /// `params.weights` and `params.biases`, which are numbers.
    fn parameters(&self) -> Result<(&'a Array<'a>, &'a Array<'a>), FormatError> {
        let params = self.layer.field("params");
        let find = |name: &str| {
            let array = params.and_then(|params| params.field(name));
            let array = array.ok_or_else(|| self.wrong(format!("has no `params.{name}`"), "an array of numbers"))?;
            match &array.content {
                Content::Numbers(_) => Ok(array),
                _ => {
                    Err(self.wrong(format!("has as `params.{name}` {}", array.describe()), "an array of real numbers"))
                }
            }
        };
        Ok((find("weights")?, find("biases")?))
    }

    /// One or two whole numbers, rows and columns; both are `default` if the field is not there.
    fn two(&self, name: &str, default: usize) -> Result<Size2, FormatError> {
        let Some(array) = self.layer.field(name) else { return Ok(Size2::square(default)) };
        match self.counts(name, array, default)?[..] {
            [both] => Ok(Size2::square(both)),
            [height, width] => Ok(Size2 { height, width }),
            _ => Err(self.wrong(format!("has a `{name}` of the size {:?}", array.dims), "two numbers")),
        }
    }

    /// A few whole numbers, from `least` on.
    fn counts(&self, name: &str, array: &Array<'_>, least: usize) -> Result<Vec<usize>, FormatError> {
        let count = |number: f64| {
            let is_count = number.fract() == 0.0 && (least as f64..=f64::from(u16::MAX)).contains(&number);
            is_count.then_some(number as usize)
        };
        let counts = match &array.content {
            Content::Numbers(numbers) if numbers.len() <= 8 => {
                (0..numbers.len()).map(|n| count(numbers.get(n))).collect()
            }
            _ => None,
        };
        counts.ok_or_else(|| {
            let expected = format!("whole numbers from {least} to {}", u16::MAX);
            self.wrong(format!("has as `{name}` something else than a few whole numbers"), expected)
        })
    }
}

fn wrong(place: usize, kind: &str, found: impl std::fmt::Display, expected: impl Into<String>) -> FormatError {
    FormatError::new(format!("is a MATLAB file whose layer {place}, `{}`, {found}", shown(kind)), expected)
}

/// A size with four axes: MATLAB leaves out the last ones where they have the length 1.
fn four(dims: &[usize]) -> Option<[usize; 4]> {
    let mut four = [1; 4];
    four.get_mut(..dims.len())?.copy_from_slice(dims);
    Some(four)
}
