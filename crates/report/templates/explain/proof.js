// Where a number comes from, and what finite differences in double precision say of it.

/** The root of the mean square of the numbers of a part. */
function typical(node, name) {
  node.typical ??= {};
  node.typical[name] ??= (() => {
    const { values } = part(node, name);
    return Math.sqrt(values.reduce((total, value) => total + value * value, 0) / values.length);
  })();
  return node.typical[name];
}

/** How the number at `ref` comes about: ways with formulas and terms, their sum, and the sum of the terms' sizes. */
function explain(model, ref) {
  const node = model.nodes[ref.node];
  let found;
  if (ref.part === "values") {
    found = node.kind === "image" ? [] : [{ by: ref.node, role: "output", ...KINDS[node.kind].output(model, ref.node, ref.at) }];
  } else if (ref.part === "gradient") {
    found = model.consumers[ref.node].map(({ consumer, port }) =>
      ({ by: consumer, role: "input", ...KINDS[model.nodes[consumer].kind].input(model, consumer, port, ref.at) }));
    if (ref.node === model.nodes.length - 1) found = [{ by: ref.node, role: "loss", formulas: ["∂L/∂L = 1"], terms: [[constant(1, "1")]] }];
  } else {
    const [role, gradient] = ref.part.split(".");
    found = gradient ? [{ by: ref.node, role, ...KINDS[node.kind].tensor(model, ref.node, role, ref.at) }] : [];
  }
  let total = 0, sizes = 0;
  for (const { terms } of found) {
    for (const term of terms) {
      const product = term.reduce((value, factor) => value * factor.value, 1);
      total += product;
      sizes += Math.abs(product);
    }
  }
  return { ways: found, sum: total, sizes, scale: sizes + typical(node, ref.part), engine: part(node, ref.part).values[ref.at] };
}

/** Whether the sum of the terms is the number of the engine: to 1e-5 of their sizes and of the array's typical number. */
function equalsEngine({ sum, scale, engine }) {
  return Math.abs(sum - engine) <= 1e-5 * scale + 1e-30;
}

/** All outputs in double precision, from the image on. */
function outputs(model) {
  model.outputs ??= (() => {
    const all = [];
    for (const n of model.order) all[n] = output(model, n, all, tensors(model.nodes[n]));
    return all;
  })();
  return model.outputs;
}

function tensors(node) {
  return Object.fromEntries(Object.entries(node.tensors).map(([role, { values }]) => [role, Float64Array.from(values)]));
}

function output(model, n, all, ofNode) {
  const node = model.nodes[n];
  if (node.kind === "image") return Float64Array.from(node.values);
  return KINDS[node.kind].forward(node, node.inputs.map((input) => all[input]), node.inputs.map((input) => model.nodes[input].dims), ofNode);
}

/** The loss if the number at `ref`, of an output or a parameter, is larger by `by`. */
function lossWith(model, ref, by) {
  const all = [...outputs(model)], role = ref.part;
  if (role === "values") {
    all[ref.node] = Float64Array.from(all[ref.node]);
    all[ref.node][ref.at] += by;
  } else {
    const ofNode = tensors(model.nodes[ref.node]);
    ofNode[role][ref.at] += by;
    all[ref.node] = output(model, ref.node, all, ofNode);
  }
  const changed = new Set([ref.node]);
  for (const n of model.order) {
    const node = model.nodes[n];
    if (n === ref.node || !node.inputs.some((input) => changed.has(input))) continue;
    changed.add(n);
    all[n] = output(model, n, all, tensors(node));
  }
  return all[all.length - 1][0];
}

/**
 * The share by which a gradient of the engine may be off: its numbers have 24 bits, and the gradient of a logit is a difference
 * (p − y) that has fewer where the network is sure.
 */
function engineError(model) {
  model.engineError ??= (() => {
    const loss = model.nodes.length - 1, [end] = model.nodes[loss].inputs;
    let [sizes, most] = [0, 1e-30];
    model.nodes[end].values.forEach((_, index) => {
      const found = explain(model, { node: end, part: "gradient", at: index });
      [sizes, most] = [Math.max(sizes, found.sizes), Math.max(most, Math.abs(found.sum))];
    });
    return 1e-4 + 2 ** -23 * sizes / most;
  })();
  return model.engineError;
}

/**
 * The derivative of the loss by the number that the gradient at `ref` belongs to, by central differences with two steps, and
 * whether it agrees with `claimed`. At a kink the slopes of the two sides differ, and differences decide nothing: the engine
 * takes one piece of each function, and the sides need not be of the same ones.
 */
function difference(model, ref, claimed) {
  const of = { node: ref.node, part: ref.part === "gradient" ? "values" : ref.part.split(".")[0], at: ref.at };
  const value = part(model.nodes[of.node], of.part).values[of.at];
  const step = 1e-5 * Math.max(Math.abs(value), typical(model.nodes[of.node], of.part), 1e-3);
  const here = lossWith(model, of, 0);
  const [above, below, nearAbove, nearBelow] = [step, -step, step / 2, -step / 2].map((by) => lossWith(model, of, by));
  const central = (above - below) / (2 * step), near = (nearAbove - nearBelow) / step;
  const sides = [(nearAbove - here) / (step / 2), (here - nearBelow) / (step / 2)];
  const scale = Math.abs(near) + typical(model.nodes[ref.node], ref.part);
  const tolerance = engineError(model) * scale + Math.abs(central - near) + 1e-15 * Math.abs(here) / step;
  const apart = Math.abs(sides[0] - sides[1]);
  const kink = apart > 5e-5 * (Math.abs(sides[0]) + Math.abs(sides[1])) + 4e-15 * Math.abs(here) / step;
  const agrees = Math.abs(claimed - near) <= tolerance;
  return { value: near, tolerance, sides, verdict: agrees ? "agrees" : kink ? "kink" : "differs" };
}
