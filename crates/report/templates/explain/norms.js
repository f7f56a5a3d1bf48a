// Normalisations: x̂ = (x − x̄) r with r = 1/√(var + ε), y = γ x̂ + β.

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

/** The mean x̄, the factor r, and whether they depend on this input; of the numbers that `index` is normalised with. */
function statistics(node, dims, x, tensors, index) {
  const running = node.kind === "batch_norm" && !node.batchStatistics;
  if (running) {
    const channel = affine(node, dims, index);
    return { mean: tensors.running_mean[channel], r: 1 / Math.sqrt(tensors.running_var[channel] + node.options.epsilon), running };
  }
  const [from, to] = peers(node, dims, index);
  let mean = 0, variance = 0;
  for (let i = from; i < to; i++) mean += x[i] / (to - from);
  for (let i = from; i < to; i++) variance += (x[i] - mean) ** 2 / (to - from);
  return { mean, r: 1 / Math.sqrt(variance + node.options.epsilon), running, from, to };
}

const X_HAT = "x̂_q = (x_q − x̄) r";

/** What the formulas take as known. */
function knownOf({ mean, r }) {
  return [["x̄", mean], ["r = 1/√(var + ε)", r]];
}

const NORMALISATION = {
  section: 9,
  forward(node, [x], [dims], tensors) {
    const y = new Float64Array(x.length);
    let known = null, until = 0;
    for (let index = 0; index < x.length; index++) {
      if (index >= until) {
        known = statistics(node, dims, x, tensors, index);
        until = known.to ?? Math.floor(index / (x.length / dims[0]) + 1) * (x.length / dims[0]);
      }
      const place = affine(node, dims, index);
      y[index] = (x[index] - known.mean) * known.r * (tensors.weight?.[place] ?? 1) + (tensors.bias?.[place] ?? 0);
    }
    return y;
  },
  output(model, n, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input];
    const { mean, r } = statistics(node, dims, x, values(node), index), place = affine(node, dims, index);
    const normal = { ...at(model, input, "values", index), value: (x[index] - mean) * r, text: "x̂", of: x[index] };
    const terms = [node.tensors.weight ? [at(model, n, "weight", place), normal] : [normal]];
    if (node.tensors.bias) terms.push([at(model, n, "bias", place)]);
    return { formulas: ["y_q = γ x̂_q + β", X_HAT], terms, known: knownOf({ mean, r }) };
  },
  input(model, n, port, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input], g = node.gradient;
    const { mean, r, running, from, to } = statistics(node, dims, x, values(node), index);
    const gamma = (i) => node.tensors.weight?.values[affine(node, dims, i)] ?? 1;
    const own = [constant(r, "r"), at(model, n, "gradient", index)];
    if (node.tensors.weight) own.push(at(model, n, "weight", affine(node, dims, index)));
    const known = knownOf({ mean, r });
    if (running) return { formulas: ["∂L/∂x_q = γ r g_q"], terms: [own], known };
    let direct = 0, along = 0;
    for (let i = from; i < to; i++) {
      direct += g[i] * gamma(i) / (to - from);
      along += g[i] * gamma(i) * (x[i] - mean) * r / (to - from);
    }
    const normal = (x[index] - mean) * r;
    return {
      formulas: ["∂L/∂x_q = r (ĝ_q − (1/M) Σ_q' ĝ_q' − x̂_q (1/M) Σ_q' ĝ_q' x̂_q')", "ĝ_q = ∂L/∂x̂_q = γ g_q", X_HAT], known,
      terms: [
        own,
        [constant(-r, "−r"), constant(direct, "the mean of ĝ, through x̄")],
        [constant(-r, "−r"), { ...at(model, input, "values", index), value: normal, text: "x̂", of: x[index] },
          constant(along, "the mean of ĝ x̂, through var")],
      ],
    };
  },
  tensor(model, n, role, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values: x } = model.nodes[input];
    const pixels = node.kind === "layer_norm" ? 1 : dims.length === 3 ? dims[1] * dims[2] : 1;
    const places = Array.from({ length: pixels }, (_, q) => index * pixels + q);
    if (role === "bias") {
      return { formulas: ["∂L/∂β = Σ_q g_q"], terms: places.map((i) => [at(model, n, "gradient", i)]) };
    }
    const terms = places.map((i) => {
      const { mean, r } = statistics(node, dims, x, values(node), i);
      return [at(model, n, "gradient", i), { ...at(model, input, "values", i), value: (x[i] - mean) * r, text: "x̂", of: x[i] }];
    });
    return { formulas: ["∂L/∂γ = Σ_q g_q x̂_q", X_HAT], terms };
  },
  sentences: {
    output: "The mean is taken off and the deviation divided out. Then a learned scale and a learned shift follow.",
    input: "A number moves its own output, and also the mean and the variance that all share: three terms. With running statistics only the first is left.",
    weight: "The scale multiplies x̂ wherever it is used. Each place gives g · x̂.",
    bias: "The shift is added wherever it is used, so its gradient is the sum of all g.",
  },
};
Object.assign(KINDS, { batch_norm: NORMALISATION, group_norm: NORMALISATION, layer_norm: NORMALISATION });
