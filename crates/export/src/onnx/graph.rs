//! A graph while it is made.

use backproof_spec::{Shape, Size2, TracedLayer};

use super::proto::{
    Attribute, AttributeType, DataType, Dimension, Node, Tensor, TensorShape, TensorType, Value, ValueType,
};
use crate::Tensors;

/// What the axis of the images of a batch is called.
const BATCH: &str = "N";

/// Nodes and constants of a graph, in the order in which they are computed.
///
/// A layer's last node and its output have the name of the layer, `conv1`. Nodes before it are called after it,
/// `gelu1.erf`. Constants have the names of a weights file, `conv1.weight`.
pub(crate) struct Graph<'a> {
    tensors: &'a Tensors,
    pub(crate) nodes: Vec<Node>,
    pub(crate) constants: Vec<Tensor>,
    pub(crate) values: Vec<Value>,
}

impl<'a> Graph<'a> {
    /// An empty graph, whose layers find their weights in `tensors`.
    pub(crate) fn new(tensors: &'a Tensors) -> Self {
        Self { tensors, nodes: Vec::new(), constants: Vec::new(), values: Vec::new() }
    }

    /// Adds a node, and gives its output, which has the same name.
    pub(crate) fn node(&mut self, operator: &str, name: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        self.nodes.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute: attributes,
        });
        name.to_owned()
    }

    /// The weights of a layer that a weights file calls `role`, in the shape that they have there.
    pub(crate) fn weight(&mut self, layer: &TracedLayer, role: &str) -> String {
        let shape = self.tensors.get(layer, role).0.to_vec();
        self.weight_in_shape(layer, role, &shape)
    }

    /// As [`weight`](Self::weight), in another shape.
    pub(crate) fn weight_in_shape(&mut self, layer: &TracedLayer, role: &str, shape: &[usize]) -> String {
        let values = self.tensors.get(layer, role).1;
        self.floats(&format!("{}.{role}", layer.name), shape, values)
    }

    /// A constant; no shape is a single number.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, shape, DataType::Float, bytes)
    }

    /// A constant vector of whole numbers.
    pub(crate) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, &[values.len()], DataType::Int64, bytes)
    }

    fn constant(&mut self, name: &str, shape: &[usize], element: DataType, bytes: Vec<u8>) -> String {
        let dims = shape.iter().map(|&length| length as i64).collect();
        self.constants.push(Tensor { dims, data_type: element.into(), name: name.to_owned(), raw_data: bytes });
        name.to_owned()
    }

    /// Pads the last axes of a value with `constant`: `before` and `after` say by how much, for each axis from the first
    /// on.
    pub(crate) fn pad(&mut self, name: &str, input: &str, [before, after]: [&[i64]; 2], constant: f32) -> String {
        let pads = self.integers(&format!("{name}.pads"), &[before, after].concat());
        let value = self.floats(&format!("{name}.value"), &[], &[constant]);
        self.node("Pad", name, &[input, &pads, &value], vec![])
    }

    /// Says what shape a value has.
    pub(crate) fn describe(&mut self, name: &str, shape: Shape) {
        self.values.push(value(name, DataType::Float, shape, ""));
    }

    /// Gives the last node, and what it computes, another name.
    pub(crate) fn rename_last(&mut self, name: &str) {
        let last = self.nodes.last_mut().expect("a network has a node");
        let old = std::mem::replace(&mut last.output[0], name.to_owned());
        last.name = name.to_owned();
        self.values.retain(|value| value.name != old);
    }
}

/// The type of a batch of samples of that shape.
pub(crate) fn value(name: &str, element: DataType, shape: Shape, words: &str) -> Value {
    let batch = Dimension { value: None, name: Some(BATCH.to_owned()) };
    let lengths = shape.dimensions().into_iter().map(|length| Dimension { value: Some(length as i64), name: None });
    let shape = TensorShape { dim: std::iter::once(batch).chain(lengths).collect() };
    let tensor = TensorType { element: element.into(), shape: Some(shape) };
    let value_type = Some(ValueType { tensor: Some(tensor) });
    Value { name: name.to_owned(), value_type, doc_string: words.to_owned() }
}

/// An attribute that is a whole number.
pub(crate) fn int(name: &str, value: usize) -> Attribute {
    let kind = AttributeType::Int.into();
    Attribute { name: name.to_owned(), i: Some(value as i64), kind, ..Attribute::default() }
}

/// An attribute that is several whole numbers.
pub(crate) fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: AttributeType::Ints.into(), ..Attribute::default() }
}

/// An attribute that is a number.
pub(crate) fn float(name: &str, value: f64) -> Attribute {
    let kind = AttributeType::Float.into();
    Attribute { name: name.to_owned(), f: Some(value as f32), kind, ..Attribute::default() }
}

/// An attribute that is a size, `[height, width]`.
pub(crate) fn size(name: &str, size: Size2) -> Attribute {
    ints(name, &[size.height, size.width])
}
