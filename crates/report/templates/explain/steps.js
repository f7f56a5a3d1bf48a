// The backward pass step by step: from the loss to the image, one number for each gradient.

/** Where the largest number is, by magnitude. */
function largest(numbers) {
  let best = 0;
  numbers.forEach((value, index) => {
    if (Math.abs(value) > Math.abs(numbers[best])) best = index;
  });
  return best;
}

/** The steps: a number to look at, and what it is. */
function backwardSteps(model) {
  const loss = model.nodes.length - 1;
  const steps = [{ ref: { node: loss, part: "values", at: 0 }, words: "The forward pass ends with the loss. The backward pass begins there." }];
  for (const n of [...model.order].reverse()) {
    const node = model.nodes[n];
    if (n === loss) continue;
    const by = model.consumers[n].map(({ consumer }) => model.nodes[consumer].name).join(" and ");
    const of = node.kind === "image" ? "the image" : `the output of ${node.name}`;
    steps.push({ ref: { node: n, part: "gradient", at: largest(node.gradient) }, words: `The gradient of ${of} comes through ${by}. This is its largest number.` });
    for (const [role, tensor] of Object.entries(node.tensors)) {
      if (!tensor.gradient) continue;
      const ref = { node: n, part: `${role}.gradient`, at: largest(tensor.gradient) };
      steps.push({ ref, words: `Now ${node.name} can compute the gradient of its ${role}. This is its largest number.` });
    }
  }
  return steps;
}
