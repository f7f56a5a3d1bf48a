// The network as a graph: the image, the layers, the loss. What flows along an edge is an array in row-major order.

/** Numbers from base64, as they are in the memory of the program. */
function decode(text) {
  const bytes = atob(text);
  const array = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) array[i] = bytes.charCodeAt(i);
  return new Float32Array(array.buffer);
}

/** How many numbers an array of these dimensions has. */
function size(dims) {
  return dims.reduce((product, axis) => product * axis, 1);
}

/** Where a number is in an array of these dimensions: 17 of [2, 3, 4] is [1, 1, 1]. */
function position(dims, at) {
  const found = [];
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    found.unshift(at % dims[axis]);
    at = Math.floor(at / dims[axis]);
  }
  return found;
}

/**
 * The nodes of the graph from what the program wrote: the image first, then each layer in the order of its number, the
 * loss last. A node has `kind`, `name`, `words`, `options`, `dims` of its output, `values`, `gradient`, its `inputs` (indices of
 * nodes), and `tensors` by their role: `weight`, `bias` and so on, each with `dims`, `values` and perhaps `gradient`.
 */
function readModel(data) {
  const nodes = [{
    kind: "image", name: "image", words: "the image, normalised", options: {}, dims: data.shape, inputs: [], tensors: {},
    values: decode(data.input), gradient: decode(data.input_gradient),
  }];
  for (const layer of data.layers) {
    nodes.push({
      kind: layer.options.type, name: layer.name, words: layer.words, options: layer.options, dims: layer.output,
      inputs: layer.inputs.map((input) => input + 1), tensors: {}, batchStatistics: layer.batch_statistics,
      values: decode(layer.values), gradient: decode(layer.gradient),
    });
  }
  for (const tensor of data.tensors) {
    const dot = tensor.name.lastIndexOf(".");
    const node = nodes.find((node) => node.name === tensor.name.slice(0, dot));
    node.tensors[tensor.name.slice(dot + 1)] = {
      dims: tensor.dims, values: decode(tensor.values), gradient: tensor.gradient && decode(tensor.gradient),
    };
  }
  const end = nodes.findIndex((_, index) => index > 0 && !nodes.some((node) => node.inputs.includes(index)));
  nodes.push({
    kind: data.loss, name: "loss", words: data.loss.replaceAll("-", " "), options: { label: data.label }, dims: [1],
    inputs: [end], tensors: {}, values: Float32Array.of(data.loss_value), gradient: Float32Array.of(1),
  });
  const model = { nodes, classes: data.classes, label: data.label, probabilities: data.probabilities };
  model.consumers = nodes.map((_, index) =>
    nodes.flatMap((node, consumer) => node.inputs.flatMap((input, port) => (input === index ? [{ consumer, port }] : []))));
  model.order = topological(nodes);
  return model;
}

/** The indices of the nodes, each after its inputs. A residual layer has a smaller number than the layers inside of it. */
function topological(nodes) {
  const order = [];
  const seen = new Set();
  const visit = (index) => {
    if (seen.has(index)) return;
    seen.add(index);
    nodes[index].inputs.forEach(visit);
    order.push(index);
  };
  nodes.forEach((_, index) => visit(index));
  return order;
}

/** The array of a part of a node: `values`, `gradient`, `weight`, `weight.gradient`. */
function part(node, name) {
  if (name === "values" || name === "gradient") return { dims: node.dims, values: node[name] };
  const [role, gradient] = name.split(".");
  const tensor = node.tensors[role];
  return { dims: tensor.dims, values: gradient ? tensor.gradient : tensor.values };
}

/** The parts of a node that there are. */
function parts(node) {
  const roles = Object.keys(node.tensors);
  return ["values", "gradient", ...roles.flatMap((role) => (node.tensors[role].gradient ? [role, `${role}.gradient`] : [role]))];
}

/** A number that takes part: where it is, and its value. */
function at(model, node, name, index) {
  return { ref: { node, part: name, at: index }, value: part(model.nodes[node], name).values[index] };
}

/** A number that is not one of an array, with what it is called. */
function constant(value, text) {
  return { value, text };
}
