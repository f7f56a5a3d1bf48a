// Layers with windows: convolution and pooling. Output (i, j) looks at the pixels i·S + k·D − P along each axis.

/** The numbers of a window along both axes, from the options of a layer. */
function geometry(node) {
  const { kernel, stride, padding, dilation } = node.options;
  // A pooling without a stride takes its kernel for it, and an average has no dilation.
  return { kernel, stride: stride ?? kernel, padding, dilation: dilation ?? [1, 1] };
}

/** The pixels under the window of output (i, j), inside of an image of these sizes: tap and pixel, row and column. */
function* taps({ kernel, stride, padding, dilation }, [height, width], i, j) {
  for (let k = 0; k < kernel[0]; k++) {
    const row = stride[0] * i - padding[0] + dilation[0] * k;
    if (row < 0 || row >= height) continue;
    for (let l = 0; l < kernel[1]; l++) {
      const column = stride[1] * j - padding[1] + dilation[1] * l;
      if (column >= 0 && column < width) yield [k, l, row, column];
    }
  }
}

/** The outputs whose windows reach pixel (row, column): tap and output, row and column. */
function* reached({ kernel, stride, padding, dilation }, [rows, columns], row, column) {
  for (let k = 0; k < kernel[0]; k++) {
    const i = (row + padding[0] - dilation[0] * k) / stride[0];
    if (!Number.isInteger(i) || i < 0 || i >= rows) continue;
    for (let l = 0; l < kernel[1]; l++) {
      const j = (column + padding[1] - dilation[1] * l) / stride[1];
      if (Number.isInteger(j) && j >= 0 && j < columns) yield [k, l, i, j];
    }
  }
}

/** The channels of a convolution: how many in and out a group has. */
function groups(node, channels) {
  const count = node.options.groups ?? 1;
  return { count, inputs: channels / count, outputs: node.dims[0] / count };
}

/** Where output, weight and pixel meet. */
const MEET = ["u = i·S + k·D − P", "v = j·S' + k'·D' − P'"];

KINDS.conv2d = {
  section: 7,
  forward(node, [x], [dims], tensors) {
    const window = geometry(node), [outputs, rows, columns] = node.dims, [channels, height, width] = dims;
    const group = groups(node, channels), [kh, kw] = window.kernel;
    const y = new Float64Array(size(node.dims));
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / group.outputs) * group.inputs;
      const plane = y.subarray(o * rows * columns, (o + 1) * rows * columns);
      if (tensors.bias) plane.fill(tensors.bias[o]);
      for (let c = 0; c < group.inputs; c++) {
        for (let k = 0; k < kh; k++) {
          for (let l = 0; l < kw; l++) {
            const w = tensors.weight[((o * group.inputs + c) * kh + k) * kw + l];
            for (let i = 0; i < rows; i++) {
              const row = window.stride[0] * i - window.padding[0] + window.dilation[0] * k;
              if (row < 0 || row >= height) continue;
              const from = ((first + c) * height + row) * width;
              for (let j = 0; j < columns; j++) {
                const column = window.stride[1] * j - window.padding[1] + window.dilation[1] * l;
                if (column >= 0 && column < width) plane[i * columns + j] += w * x[from + column];
              }
            }
          }
        }
      }
    }
    return y;
  },
  output(model, n, index) {
    const node = model.nodes[n], [input] = node.inputs, [channels, height, width] = model.nodes[input].dims;
    const window = geometry(node), group = groups(node, channels), [o, i, j] = position(node.dims, index);
    const first = Math.floor(o / group.outputs) * group.inputs, [kh, kw] = window.kernel;
    const terms = [];
    for (let c = 0; c < group.inputs; c++) {
      for (const [k, l, row, column] of taps(window, [height, width], i, j)) {
        terms.push([
          at(model, n, "weight", ((o * group.inputs + c) * kh + k) * kw + l),
          at(model, input, "values", ((first + c) * height + row) * width + column),
        ]);
      }
    }
    if (node.tensors.bias) terms.push([at(model, n, "bias", o)]);
    const known = node.tensors.bias ? [] : [["b_o", 0]];
    return { formulas: ["y_o,i,j = b_o + Σ_c Σ_k Σ_k' w_o,c,k,k' · x_c,u,v", ...MEET], terms, known };
  },
  input(model, n, port, index) {
    const node = model.nodes[n], [channels, height, width] = model.nodes[node.inputs[0]].dims;
    const window = geometry(node), group = groups(node, channels), [outputs, rows, columns] = node.dims;
    const [channel, row, column] = position([channels, height, width], index), [kh, kw] = window.kernel;
    const first = Math.floor(channel / group.inputs) * group.outputs, c = channel % group.inputs;
    const terms = [];
    for (let o = first; o < first + group.outputs; o++) {
      for (const [k, l, i, j] of reached(window, [rows, columns], row, column)) {
        terms.push([
          at(model, n, "gradient", (o * rows + i) * columns + j),
          at(model, n, "weight", ((o * group.inputs + c) * kh + k) * kw + l),
        ]);
      }
    }
    return {
      formulas: ["∂L/∂x_c,u,v = Σ_o Σ over the (i, k) and (j, k') that meet at (u, v) of g_o,i,j · w_o,c,k,k'", ...MEET], terms,
    };
  },
  tensor(model, n, role, index) {
    const node = model.nodes[n], [input] = node.inputs, [channels, height, width] = model.nodes[input].dims;
    const window = geometry(node), group = groups(node, channels), [, rows, columns] = node.dims;
    const terms = [];
    if (role === "bias") {
      for (let q = 0; q < rows * columns; q++) terms.push([at(model, n, "gradient", index * rows * columns + q)]);
      return { formulas: ["∂L/∂b_o = Σ_i Σ_j g_o,i,j"], terms };
    }
    const [o, c, k, l] = position(node.tensors.weight.dims, index);
    const channel = Math.floor(o / group.outputs) * group.inputs + c;
    for (let i = 0; i < rows; i++) {
      const row = window.stride[0] * i - window.padding[0] + window.dilation[0] * k;
      if (row < 0 || row >= height) continue;
      for (let j = 0; j < columns; j++) {
        const column = window.stride[1] * j - window.padding[1] + window.dilation[1] * l;
        if (column < 0 || column >= width) continue;
        terms.push([
          at(model, n, "gradient", (o * rows + i) * columns + j),
          at(model, input, "values", (channel * height + row) * width + column),
        ]);
      }
    }
    return { formulas: ["∂L/∂w_o,c,k,k' = Σ_i Σ_j g_o,i,j · x_c,u,v", ...MEET], terms };
  },
  sentences: {
    output: "The kernel lies on a patch of the input. Each weight is multiplied by the pixel under it; the products and the bias are added up.",
    input: "The pixel was under a weight in several windows. Each of these outputs sends its gradient back, multiplied by that weight.",
    weight: "The weight was used in every window. Each window gives the gradient of its output times the pixel under the weight.",
    bias: "The bias was added to every pixel of its channel, with the factor 1. So its gradient is the sum of theirs.",
  },
};

/** Where the largest number of a window is: the first in row-major order, as everywhere in Backproof. */
function winner(values, dims, window, channel, i, j) {
  const [, height, width] = dims;
  let best = -1;
  for (const [, , row, column] of taps(window, [height, width], i, j)) {
    const index = (channel * height + row) * width + column;
    if (best < 0 || values[index] > values[best]) best = index;
  }
  return best;
}

KINDS.max_pool2d = {
  section: 8,
  forward(node, [x], [dims]) {
    const window = geometry(node), [, rows, columns] = node.dims;
    return Float64Array.from({ length: size(node.dims) }, (_, index) => {
      const [channel, i, j] = position(node.dims, index);
      return x[winner(x, dims, window, channel, i, j)];
    });
  },
  output(model, n, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims, values } = model.nodes[input], window = geometry(node);
    const [channel, i, j] = position(node.dims, index), best = winner(values, dims, window, channel, i, j);
    const terms = [];
    for (const [, , row, column] of taps(window, dims.slice(1), i, j)) {
      const from = (channel * dims[1] + row) * dims[2] + column;
      terms.push([won(from === best), at(model, input, "values", from)]);
    }
    return { formulas: ["y_c,i,j = max x_c,u,v over the pixels (u, v) of the window"], terms };
  },
  input(model, n, port, index) {
    const node = model.nodes[n], { dims, values } = model.nodes[node.inputs[0]], window = geometry(node);
    const [channel, row, column] = position(dims, index), [, rows, columns] = node.dims;
    const terms = [];
    for (const [, , i, j] of reached(window, [rows, columns], row, column)) {
      const best = winner(values, dims, window, channel, i, j);
      terms.push([won(index === best), at(model, n, "gradient", (channel * rows + i) * columns + j)]);
    }
    return { formulas: ["∂L/∂x_c,u,v = Σ g_c,i,j over the windows (i, j) whose first largest pixel is (u, v)"], terms };
  },
  sentences: {
    output: "The largest number of the window passes. Of equal ones, the first does.",
    input: "Only the largest number of a window reaches the output. It gets the whole gradient, the others get none.",
  },
};

function won(wins) {
  return constant(wins ? 1 : 0, wins ? "1, the largest" : "0, not the largest");
}

/** What the sum of a window is divided by: its taps inside of the image, or with the padding around it. */
function divisor(node, [, height, width], i, j) {
  const window = geometry(node);
  if (node.options.count_include_pad === false) return [...taps(window, [height, width], i, j)].length;
  const along = (axis, extent, output) => {
    const from = window.stride[axis] * output - window.padding[axis];
    return Math.min(from + window.kernel[axis], extent + window.padding[axis]) - from;
  };
  return along(0, height, i) * along(1, width, j);
}

KINDS.avg_pool2d = {
  section: 8,
  forward(node, [x], [dims]) {
    const window = geometry(node);
    return Float64Array.from({ length: size(node.dims) }, (_, index) => {
      const [channel, i, j] = position(node.dims, index);
      let sum = 0;
      for (const [, , row, column] of taps(window, dims.slice(1), i, j)) sum += x[(channel * dims[1] + row) * dims[2] + column];
      return sum / divisor(node, dims, i, j);
    });
  },
  output(model, n, index) {
    const node = model.nodes[n], [input] = node.inputs, { dims } = model.nodes[input];
    const [channel, i, j] = position(node.dims, index), count = divisor(node, dims, i, j);
    const terms = [];
    for (const [, , row, column] of taps(geometry(node), dims.slice(1), i, j)) {
      terms.push([constant(1 / count, `1/${count}`), at(model, input, "values", (channel * dims[1] + row) * dims[2] + column)]);
    }
    return { formulas: ["y_c,i,j = (1/A_i,j) Σ x_c,u,v over the pixels (u, v) of the window"], terms };
  },
  input(model, n, port, index) {
    const node = model.nodes[n], { dims } = model.nodes[node.inputs[0]], [channel, row, column] = position(dims, index);
    const [, rows, columns] = node.dims, terms = [];
    for (const [, , i, j] of reached(geometry(node), [rows, columns], row, column)) {
      const count = divisor(node, dims, i, j);
      terms.push([constant(1 / count, `1/${count}`), at(model, n, "gradient", (channel * rows + i) * columns + j)]);
    }
    return { formulas: ["∂L/∂x_c,u,v = Σ g_c,i,j / A_i,j over the windows (i, j) that contain (u, v)"], terms };
  },
  sentences: {
    output: "The output is the mean of its window.",
    input: "Each number has the same share of the mean, so it gets that share of the gradient.",
  },
};

KINDS.global_avg_pool = {
  section: 8,
  forward(node, [x], [dims]) {
    const count = dims[1] * dims[2];
    return Float64Array.from({ length: dims[0] }, (_, c) => sum(x.subarray(c * count, (c + 1) * count)) / count);
  },
  output(model, n, index) {
    const [input] = model.nodes[n].inputs, { dims } = model.nodes[input], count = dims[1] * dims[2];
    const terms = Array.from({ length: count }, (_, q) => [constant(1 / count, `1/${count}`), at(model, input, "values", index * count + q)]);
    return { formulas: ["y_c = (1/(H W)) Σ_u Σ_v x_c,u,v"], terms };
  },
  input(model, n, port, index) {
    const { dims } = model.nodes[model.nodes[n].inputs[0]], count = dims[1] * dims[2];
    return {
      formulas: ["∂L/∂x_c,u,v = g_c / (H W)"],
      terms: [[constant(1 / count, `1/${count}`), at(model, n, "gradient", Math.floor(index / count))]],
    };
  },
  sentences: {
    output: "The output is the mean of its channel.",
    input: "Each pixel has the same share of the mean, so it gets that share of the gradient.",
  },
};
