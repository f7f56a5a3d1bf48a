// Losses: one number of the logits z and the true class t.

/** ln Σ exp(z), with the largest logit taken off first, so that nothing overflows. */
function logSumExp(z) {
  const largest = z.reduce((most, value) => Math.max(most, value), -Infinity);
  return largest + Math.log(z.reduce((total, value) => total + Math.exp(value - largest), 0));
}

/** Training takes the mean over a batch, and this batch is one image. */
const ONE_IMAGE = ["L = l"];

/** A loss that is a mean over the classes. */
function classwise(of, slope, formula, slopeFormula, words) {
  return {
    section: 6,
    forward(node, [z]) {
      return Float64Array.of(z.reduce((total, value, k) => total + of(value, k === node.options.label ? 1 : 0), 0) / z.length);
    },
    output(model, n) {
      const node = model.nodes[n], [input] = node.inputs, z = model.nodes[input].values;
      const terms = Array.from(z, (value, k) => [constant(1 / z.length, `1/${z.length}`),
        { ...at(model, input, "values", k), value: of(value, k === node.options.label ? 1 : 0), text: "of this class", of: value }]);
      return { formulas: [formula, ...ONE_IMAGE], terms };
    },
    input(model, n, port, k) {
      const node = model.nodes[n], [input] = node.inputs, z = at(model, input, "values", k), K = model.nodes[input].values.length;
      return {
        formulas: [slopeFormula, ...ONE_IMAGE],
        terms: [[constant(1 / K, `1/${K}`), { ...z, value: slope(z.value, k === node.options.label ? 1 : 0), text: words, of: z.value }]],
      };
    },
    sentences: { output: "Each class has a loss of its own. The loss of the image is their mean.", input: "Each logit is in the loss of its own class alone." },
  };
}

KINDS["cross-entropy"] = {
  section: 6,
  forward(node, [z]) {
    return Float64Array.of(logSumExp(z) - z[node.options.label]);
  },
  output(model, n) {
    const node = model.nodes[n], [input] = node.inputs, z = Float64Array.from(model.nodes[input].values);
    return {
      formulas: ["l = −ln p_t = ln Σ_o exp(z_o) − z_t", ...ONE_IMAGE],
      terms: [[constant(logSumExp(z), "ln Σ exp(z)")], [constant(-1, "−1"), at(model, input, "values", node.options.label)]],
    };
  },
  input(model, n, port, k) {
    const node = model.nodes[n], [input] = node.inputs, z = Float64Array.from(model.nodes[input].values);
    const share = { ...at(model, input, "values", k), value: Math.exp(z[k] - logSumExp(z)), text: "p", of: z[k] };
    const truth = k === node.options.label;
    return {
      formulas: ["∂l/∂z_o = p_o − e_o", "p_o = exp(z_o) / Σ_o' exp(z_o')", ...ONE_IMAGE],
      terms: [[share], [constant(truth ? -1 : 0, truth ? "−1, the true class" : "0, not the true class")]],
    };
  },
  sentences: {
    output: "The softmax makes probabilities of the logits. The loss is −ln of the true class's probability.",
    input: "The gradient of a logit is the prediction minus the truth: p − e, where e is 1 for the true class and 0 for the others.",
  },
};
KINDS["mean-squared-error"] = classwise(
  (z, y) => (z - y) ** 2, (z, y) => 2 * (z - y), "l = (1/Q) Σ_q (x_q − t_q)²",
  "∂l/∂x_q = (2/Q)(x_q − t_q)", "2 (x − t)",
);
KINDS["binary-cross-entropy"] = classwise(
  (z, y) => Math.max(z, 0) - y * z + Math.log1p(Math.exp(-Math.abs(z))), (z, y) => sigmoid(z) - y,
  "l = (1/Q) Σ_q (max(z_q, 0) − t_q z_q + ln(1 + exp(−|z_q|)))",
  "∂l/∂z_q = (p_q − t_q) / Q", "p − t, with p = σ(z)",
);
