// What each kind of layer computes, forward in double precision, and where each of its numbers comes from.
//
// KINDS[kind] has
//   forward(node, inputs, dims of the inputs, tensors by role) -> the output,
//   output(model, n, index) -> how one number of the output comes about,
//   input(model, n, port, index) -> what the gradient of one number of an input gets from this layer,
//   tensor(model, n, role, index) -> how one number of a parameter's gradient comes about,
//   sentences -> the same in words.
//   section -> the number of the section of docs/derivations that derives it.
// "How" is `formulas`, as they stand in that section (`x_q` is an x with the index q), and terms: the number is the sum of the
// terms, and a term the product of its factors.
const KINDS = {};

function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

KINDS.linear = {
  section: 2,
  forward(node, [x], dims, tensors) {
    const inputs = x.length;
    return Float64Array.from({ length: node.dims[0] }, (_, o) => {
      let total = tensors.bias ? tensors.bias[o] : 0;
      for (let i = 0; i < inputs; i++) total += tensors.weight[o * inputs + i] * x[i];
      return total;
    });
  },
  output(model, n, o) {
    const node = model.nodes[n], [input] = node.inputs, inputs = size(model.nodes[input].dims);
    const terms = Array.from({ length: inputs }, (_, i) => [at(model, input, "values", i), at(model, n, "weight", o * inputs + i)]);
    if (node.tensors.bias) terms.push([at(model, n, "bias", o)]);
    return { formulas: ["y_o = Σ_q x_q w_qo + b_o"], terms, known: node.tensors.bias ? [] : [["b_o", 0]] };
  },
  input(model, n, port, i) {
    const node = model.nodes[n], inputs = size(model.nodes[node.inputs[0]].dims);
    const terms = Array.from({ length: node.dims[0] }, (_, o) => [at(model, n, "gradient", o), at(model, n, "weight", o * inputs + i)]);
    return { formulas: ["∂L/∂x_q = Σ_o g_o w_qo"], terms };
  },
  tensor(model, n, role, index) {
    const node = model.nodes[n], [input] = node.inputs, inputs = size(model.nodes[input].dims);
    if (role === "bias") return { formulas: ["∂L/∂b_o = g_o"], terms: [[at(model, n, "gradient", index)]] };
    const o = Math.floor(index / inputs);
    return {
      formulas: ["∂L/∂w_qo = x_q g_o"],
      terms: [[at(model, input, "values", index % inputs), at(model, n, "gradient", o)]],
    };
  },
  sentences: {
    output: "Each input is multiplied by its weight; the products and the bias are added up.",
    input: "The input reaches every output. Each sends its gradient back, multiplied by the weight between the two.",
    weight: "The weight is between one input and one output: its gradient is the product of the input and the output's gradient. "
      + "The array has a row for each output, as in files: [o, q].",
    bias: "The bias is added to its output with the factor 1, so it gets that output's gradient.",
  },
};

/** A function of one number and its derivative: every output depends on one input. */
function elementwise(of, sentences) {
  return {
    section: 4,
    forward(node, [x], dims, tensors) {
      const { f } = of(node, tensors);
      return x.map((value) => f(value));
    },
    output(model, n, index) {
      const node = model.nodes[n], [input] = node.inputs, { f, text, known } = of(node, values(node));
      const x = at(model, input, "values", index);
      return {
        formulas: ["y_q = f(x_q)", `f(x) = ${text}`], known: known?.(x.value),
        terms: [[{ ...x, text: "f(x)", value: f(x.value), of: x.value }]],
      };
    },
    input(model, n, port, index) {
      const node = model.nodes[n], [input] = node.inputs, { slope, slopeText, known } = of(node, values(node));
      const x = at(model, input, "values", index);
      return {
        formulas: ["∂L/∂x = g ⊙ f'(x)", `f'(x) = ${slopeText}`], known: known?.(x.value),
        terms: [[at(model, n, "gradient", index), { ...x, text: "f'(x)", value: slope(x.value), of: x.value }]],
      };
    },
    sentences,
  };
}

/** The numbers of the tensors of a node by role. */
function values(node) {
  return Object.fromEntries(Object.entries(node.tensors).map(([role, tensor]) => [role, tensor.values]));
}

const OF_ACTIVATION = {
  output: "The function is applied to each number by itself.",
  input: "Each output depends on one input, so its gradient is multiplied by the slope of the function there.",
};
const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** The error function: its series for small x, its continued fraction for large ones; 15 digits. */
function erf(x) {
  const size = Math.abs(x);
  if (size < 3) {
    let term = size, total = size;
    for (let n = 1; Math.abs(term) > 1e-17 * total; n++) {
      term *= -size * size / n;
      total += term / (2 * n + 1);
      if (n > 200) break;
    }
    return Math.sign(x) * total * 2 / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

KINDS.relu = elementwise(({ options }) => {
  const passesAtZero = options.gradient_at_zero === 1;
  return {
    f: (x) => (x > 0 ? x : 0), text: "max(0, x)",
    slope: (x) => (x > 0 || (x === 0 && passesAtZero) ? 1 : 0), slopeText: passesAtZero ? "[x ≥ 0]" : "[x > 0]",
  };
}, {
  output: "Positive numbers pass, the others become 0.",
  input: "Where x was positive, the gradient passes as it is. Elsewhere the output does not move, and the gradient is 0.",
});
KINDS.leaky_relu = elementwise(({ options: { slope } }) => ({
  f: (x) => (x > 0 ? x : slope * x), text: "x if x > 0, else a x",
  slope: (x) => (x > 0 ? 1 : slope), slopeText: "[x > 0] + a [x ≤ 0]", known: () => [["a", slope]],
}), OF_ACTIVATION);
KINDS.prelu = {
  ...elementwise((node, { weight }) => ({
    f: (x) => (x > 0 ? x : weight[0] * x), text: "x if x > 0, else a x",
    slope: (x) => (x > 0 ? 1 : weight[0]), slopeText: "[x > 0] + a [x ≤ 0]", known: () => [["a", weight[0]]],
  }), { ...OF_ACTIVATION, weight: "The slope is used wherever x is not positive. Each such place gives g · x." }),
  tensor(model, n) {
    const [input] = model.nodes[n].inputs, x = model.nodes[input].values;
    const terms = [...x.keys()].filter((index) => !(x[index] > 0));
    return {
      formulas: ["∂L/∂a = Σ_q g_q min(x_q, 0)"],
      terms: terms.map((index) => [at(model, n, "gradient", index), at(model, input, "values", index)]),
    };
  },
};
KINDS.elu = elementwise(({ options: { alpha } }) => ({
  f: (x) => (x > 0 ? x : alpha * Math.expm1(x)), text: "x if x > 0, else a (exp(x) − 1)",
  slope: (x) => (x > 0 ? 1 : alpha * Math.exp(x)), slopeText: "[x > 0] + a exp(x) [x ≤ 0]", known: () => [["a", alpha]],
}), OF_ACTIVATION);
KINDS.sigmoid = elementwise(() => ({
  f: sigmoid, text: "1 / (1 + exp(−x))", slope: (x) => sigmoid(x) * sigmoid(-x), slopeText: "y (1 − y)",
}), OF_ACTIVATION);
KINDS.tanh = elementwise(() => ({
  f: Math.tanh, text: "tanh x", slope: (x) => 1 - Math.tanh(x) ** 2, slopeText: "1 − y²",
}), OF_ACTIVATION);
KINDS.silu = elementwise(() => ({
  f: (x) => x * sigmoid(x), text: "x σ(x)", slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)), slopeText: "σ(x) (1 + x (1 − σ(x)))",
}), OF_ACTIVATION);
KINDS.softplus = elementwise(() => ({
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), text: "ln(1 + exp(x))", slope: sigmoid, slopeText: "σ(x)",
}), OF_ACTIVATION);
KINDS.gelu = elementwise(({ options }) => {
  if (options.approximate === "tanh") {
    const a = Math.sqrt(2 / Math.PI), inner = (x) => Math.tanh(a * (x + 0.044715 * x ** 3));
    return {
      f: (x) => x * (1 + inner(x)) / 2, text: "x σ(2u(x))",
      slope: (x) => (1 + inner(x)) / 2 + x * (1 - inner(x) ** 2) * a * (1 + 3 * 0.044715 * x * x) / 2,
      slopeText: "σ(2u) (1 + 2 x u' (1 − σ(2u)))",
      known: (x) => [["u = √(2/π) (x + 0.044715 x³)", a * (x + 0.044715 * x ** 3)], ["u'", a * (1 + 3 * 0.044715 * x * x)]],
    };
  }
  const below = (x) => (1 + erf(x / Math.SQRT2)) / 2;
  return {
    f: (x) => x * below(x), text: "x Φ(x)", slope: (x) => below(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
    slopeText: "Φ(x) + x φ(x)",
  };
}, OF_ACTIVATION);

/** A layer that passes its numbers as they are. */
function identity(section, formulas, sentences) {
  return {
    section,
    forward: (node, [x]) => Float64Array.from(x),
    output: (model, n, index) => ({ formulas: [formulas[0]], terms: [[at(model, model.nodes[n].inputs[0], "values", index)]] }),
    input: (model, n, port, index) => ({ formulas: [formulas[1]], terms: [[at(model, n, "gradient", index)]] }),
    sentences,
  };
}

KINDS.flatten = identity(10, ["y_q = x_c,u,v", "∂L/∂x_c,u,v = g_q"], {
  output: "The same numbers in one row: channel by channel, row by row.",
  input: "The same numbers in the shape of the image again.",
});
KINDS.dropout = identity(10, ["y = x", "∂L/∂x = g"], {
  output: "There is no dropout when one image is looked at: the numbers pass as they are.",
  input: "There is no dropout when one image is looked at: the gradient passes as it is.",
});
KINDS.scale = elementwise(({ options: { factor } }) => ({
  f: (x) => factor * x, text: "factor · x", slope: () => factor, slopeText: "factor", known: () => [["factor", factor]],
}), OF_ACTIVATION);

/** Which number of the input the shortcut of a residual layer gives to a number of the output; none where it is padding. */
function shortcutSource(node, dims, index) {
  const same = dims.length === node.dims.length && dims.every((axis, i) => axis === node.dims[i]);
  if (same) return index;
  const [channel, i, j] = position(node.dims, index), stride = [1, 2].map((axis) => Math.ceil(dims[axis] / node.dims[axis]));
  if (channel >= dims[0]) return null;
  return (channel * dims[1] + stride[0] * i) * dims[2] + stride[1] * j;
}

KINDS.residual = {
  section: 19,
  forward(node, [body, beside], [, dims]) {
    return body.map((value, index) => {
      const source = shortcutSource(node, dims, index);
      return source === null ? value : value + beside[source];
    });
  },
  output(model, n, index) {
    const node = model.nodes[n], [body, beside] = node.inputs, source = shortcutSource(node, model.nodes[beside].dims, index);
    const terms = [[at(model, body, "values", index)]];
    if (source !== null) terms.push([at(model, beside, "values", source)]);
    return { formulas: ["y = f(x) + h(x)"], terms };
  },
  input(model, n, port, index) {
    const node = model.nodes[n];
    if (port === 0) return { formulas: ["∂L/∂f = g"], terms: [[at(model, n, "gradient", index)]] };
    const { dims } = model.nodes[node.inputs[1]];
    // The outputs that this number is copied to: one, or none where the stride passes over it.
    const terms = [];
    for (let output = 0; output < node.gradient.length; output++) {
      if (shortcutSource(node, dims, output) === index) terms.push([at(model, n, "gradient", output)]);
    }
    return { formulas: ["∂L/∂h = g", ...(node.options.shortcut === "zero-padding" ? ["h_c,i,j = x_c,Si,S'j"] : [])], terms };
  },
  sentences: {
    output: "The body f and the shortcut h get the same input. Their outputs are added up.",
    input: "A sum passes its gradient to both of its terms as it is.",
  },
};
