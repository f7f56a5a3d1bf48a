// Normalisations: x̂ = (x − mean) / √(variance + ε), y = γ x̂ + β.

/** Which numbers of the input are normalised with number `index`, as indices. */
function peers(node, dims, index) {
  const pixels = dims.length === 3 ? dims[1] * dims[2] : 1;
  let [first, count] = [0, size(dims)];
  if (node.kind === "batch_norm") [first, count] = [Math.floor(index / pixels) * pixels, pixels];
  if (node.kind === "group_norm") {
    count = size(dims) / node.options.groups;
    first = Math.floor(index / count) * count;
  }
  return [first, first + count];
}

/** The place of the scale and the shift of number `index`. */
function affine(node, dims, index) {
  const pixels = dims.length === 3 ? dims[1] * dims[2] : 1;
  return node.kind === "layer_norm" ? index : Math.floor(index / pixels);
}

/** Mean, root of the variance, and whether they depend on this input; of the numbers that `index` is normalised with. */
function statistics(node, dims, x, tensors, index) {
  const running = node.kind === "batch_norm" && !node.batchStatistics;
  if (running) {
    const channel = affine(node, dims, index);
    return { mean: tensors.running_mean[channel], root: Math.sqrt(tensors.running_var[channel] + node.options.epsilon), running };
  }
  const [from, to] = peers(node, dims, index);
  let mean = 0, variance = 0;
  for (let i = from; i < to; i++) mean += x[i] / (to - from);
  for (let i = from; i < to; i++) variance += (x[i] - mean) ** 2 / (to - from);
  return { mean, root: Math.sqrt(variance + node.options.epsilon), running, from, to };
}

const NORMALISATION = {
  forward(node, [x], [dims], tensors) {
    const y = new Float64Array(x.length);
    let known = null, until = 0;
    for (let index = 0; index < x.length; index++) {
      if (index >= until) {
        known = statistics(node, dims, x, tensors, index);
        until = known.to ?? Math.floor(index / (x.length / dims[0]) + 1) * (x.length / dims[0]);
      }
      const place = affine(node, dims, index);
      y[index] = (x[index] - known.mean) / known.root * (tensors.weight?.[place] ?? 1) + (tensors.bias?.[place] ?? 0);
    }
    return y;
  },
  output(model, n, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input];
    const { mean, root } = statistics(node, dims, x, values(node), index), place = affine(node, dims, index);
    const normal = { ...at(model, input, "values", index), value: (x[index] - mean) / root, text: "x̂", of: x[index] };
    const terms = [node.tensors.weight ? [at(model, n, "weight", place), normal] : [normal]];
    if (node.tensors.bias) terms.push([at(model, n, "bias", place)]);
    return { formula: "y = γ x̂ + β, x̂ = (x − mean) / √(variance + ε)", terms, known: [["mean", mean], ["√(variance + ε)", root]] };
  },
  input(model, n, port, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input], g = node.gradient;
    const { mean, root, running, from, to } = statistics(node, dims, x, values(node), index);
    const gamma = (i) => node.tensors.weight?.values[affine(node, dims, i)] ?? 1;
    const own = [constant(1 / root, "1/σ"), at(model, n, "gradient", index)];
    if (node.tensors.weight) own.push(at(model, n, "weight", affine(node, dims, index)));
    const known = [["mean", mean], ["σ = √(variance + ε)", root]];
    if (running) return { formula: "∂L/∂x = γ g / σ, where σ does not depend on x", terms: [own], known };
    let direct = 0, along = 0;
    for (let i = from; i < to; i++) {
      direct += g[i] * gamma(i) / (to - from);
      along += g[i] * gamma(i) * (x[i] - mean) / root / (to - from);
    }
    const normal = (x[index] - mean) / root;
    return {
      formula: "∂L/∂x = (γ g − mean(γ g) − x̂ · mean(γ g x̂)) / σ", known,
      terms: [
        own,
        [constant(-1 / root, "−1/σ"), constant(direct, "mean(γ g), through the mean")],
        [constant(-1 / root, "−1/σ"), { ...at(model, input, "values", index), value: normal, text: "x̂", of: x[index] },
          constant(along, "mean(γ g x̂), through the variance")],
      ],
    };
  },
  tensor(model, n, role, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input];
    const pixels = node.kind === "layer_norm" ? 1 : dims.length === 3 ? dims[1] * dims[2] : 1;
    const places = Array.from({ length: pixels }, (_, q) => index * pixels + q);
    if (role === "bias") {
      return { formula: "∂L/∂β = Σ g", terms: places.map((i) => [at(model, n, "gradient", i)]) };
    }
    const terms = places.map((i) => {
      const { mean, root } = statistics(node, dims, x, values(node), i);
      return [at(model, n, "gradient", i), { ...at(model, input, "values", i), value: (x[i] - mean) / root, text: "x̂", of: x[i] }];
    });
    return { formula: "∂L/∂γ = Σ g · x̂", terms };
  },
  sentences: {
    output: "The mean is taken off and the deviation divided out. Then a learned scale and a learned shift follow.",
    input: "A number moves its own output, and also the mean and the variance that all share: three terms. With running statistics only the first is left.",
    weight: "The scale multiplies x̂ wherever it is used. Each place gives g · x̂.",
    bias: "The shift is added wherever it is used, so its gradient is the sum of all g.",
  },
};
Object.assign(KINDS, { batch_norm: NORMALISATION, group_norm: NORMALISATION, layer_norm: NORMALISATION });
