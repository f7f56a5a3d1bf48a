// Arrays as pictures: a channel or a kernel is a tile, a number is a cell. One colour scale for all signed numbers.

/** Dark blue for negative, grey for zero, yellow for positive: the lightness alone tells them apart, in grey too. */
const COLOURS = [[0, 32, 96], [44, 76, 133], [124, 127, 132], [192, 173, 92], [255, 231, 69]];

function colour(share) {
  const place = (Math.max(-1, Math.min(1, share)) + 1) * 2, below = Math.min(3, Math.floor(place)), rest = place - below;
  return COLOURS[below].map((from, i) => Math.round(from + (COLOURS[below + 1][i] - from) * rest));
}

/** How an array is laid out: tiles of rows × columns cells, so many tiles in a row, and the size of a cell in pixels. */
function layout(dims, seen, width) {
  let [tiles, rows, columns, perRow] = [1, 1, size(dims), 1];
  if (dims.length === 3) [tiles, rows, columns] = dims;
  if (dims.length === 4) [tiles, rows, columns, perRow] = [dims[0] * dims[1], dims[2], dims[3], dims[1]];
  if (dims.length === 2) {
    // A row of a matrix is shown as the image that it is multiplied with.
    if (seen && seen.length === 3 && size(seen.slice(1)) > 1 && size(seen) === dims[1]) {
      [tiles, rows, columns, perRow] = [dims[0] * seen[0], seen[1], seen[2], seen[0]];
    } else {
      [rows, columns] = dims;
    }
  }
  if (dims.length === 1 || (dims.length === 3 && rows * columns === 1)) {
    // Numbers without neighbours: cells side by side.
    [tiles, rows, columns] = [size(dims), 1, 1];
  }
  const gap = 1, wish = rows * columns === 1 ? 14 : rows > 40 || columns > 40 ? 2 : 64 / Math.max(rows, columns);
  let cell = Math.max(1, Math.min(14, Math.round(wish)));
  if (dims.length === 4 || (dims.length === 2 && tiles > 1)) {
    while (cell > 1 && perRow * (columns * cell + gap) > width) cell--;
    // As many kernels or rows side by side as there is room for.
    const together = Math.floor(width / (perRow * (columns * cell + gap)));
    perRow = Math.min(tiles, perRow * Math.max(1, together));
  } else {
    const room = Math.max(1, Math.min(tiles, Math.floor(width / (columns * cell + gap)), rows * columns === 1 ? 32 : tiles));
    perRow = Math.ceil(tiles / Math.ceil(tiles / room)); // lines of one length
  }
  return { tiles, rows, columns, perRow, cell, gap, lines: Math.ceil(tiles / perRow) };
}

/** The upper left corner of a number, in pixels. */
function corner({ rows, columns, perRow, cell, gap }, index) {
  const tile = Math.floor(index / (rows * columns)), inside = index % (rows * columns);
  return [
    (tile % perRow) * (columns * cell + gap) + (inside % columns) * cell,
    Math.floor(tile / perRow) * (rows * cell + gap) + Math.floor(inside / columns) * cell,
  ];
}

/** The number at a point in pixels; null between the tiles. */
function numberAt({ tiles, rows, columns, perRow, cell, gap }, x, y) {
  const [wide, high] = [columns * cell + gap, rows * cell + gap];
  const [tileColumn, tileRow] = [Math.floor(x / wide), Math.floor(y / high)], tile = tileRow * perRow + tileColumn;
  const [column, row] = [Math.floor((x % wide) / cell), Math.floor((y % high) / cell)];
  if (tileColumn >= perRow || tile >= tiles || column >= columns || row >= rows) return null;
  return (tile * rows + row) * columns + column;
}

/** The number to the side of another, for the arrow keys: within its tile, then in the next tile. */
function neighbour(shape, index, right, down) {
  const { tiles, rows, columns, perRow } = shape, tile = Math.floor(index / (rows * columns)), inside = index % (rows * columns);
  let [row, column] = [Math.floor(inside / columns) + down, (inside % columns) + right], next = tile;
  if (column < 0) [next, column] = [next - 1, columns - 1];
  if (column >= columns) [next, column] = [next + 1, 0];
  if (row < 0) [next, row] = [next - perRow, rows - 1];
  if (row >= rows) [next, row] = [next + perRow, 0];
  return next < 0 || next >= tiles ? index : (next * rows + row) * columns + column;
}

/** A picture of a part of a node: a canvas, and another over it for what is marked. */
class Picture {
  constructor(model, node, name, words) {
    Object.assign(this, { node, name, words });
    this.element = document.createElement("div");
    this.element.className = "picture";
    this.canvas = this.element.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("role", "img");
    this.canvas.tabIndex = 0;
    this.marks = this.element.appendChild(document.createElement("canvas"));
    this.marks.setAttribute("aria-hidden", "true");
    this.range = document.createElement("span");
    this.range.className = "range";
    this.take(model);
  }

  /** Takes the numbers of this model. */
  take(model) {
    const { dims, values } = part(model.nodes[this.node], this.name);
    Object.assign(this, { model, dims, numbers: values });
    const least = values.reduce((least, value) => Math.min(least, value), Infinity);
    const greatest = values.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
    this.most = Math.max(Math.abs(least), Math.abs(greatest));
    this.range.textContent = this.most ? `±${short(this.most)}` : "all 0";
    this.canvas.setAttribute("aria-label",
      `${this.words}: ${dims.join(" × ")} numbers from ${short(least)} to ${short(greatest)}. The arrow keys choose a number.`);
  }

  /** Lays it out for a width in pixels. A row of a matrix is laid out as the image that it is multiplied with. */
  lay(width) {
    const node = this.model.nodes[this.node], before = this.model.nodes[node.inputs[0]];
    const seen = before && (before.kind === "flatten" ? this.model.nodes[before.inputs[0]].dims : before.dims);
    this.shape = layout(this.dims, seen, width);
    const { rows, columns, perRow, lines, cell, gap, tiles } = this.shape;
    this.size = [Math.min(perRow, tiles) * (columns * cell + gap), lines * (rows * cell + gap)];
    for (const canvas of [this.canvas, this.marks]) {
      Object.assign(canvas.style, { width: `${this.size[0]}px`, height: `${this.size[1]}px` });
    }
    this.drawn = false;
  }

  /** Draws it, if it is not drawn yet. */
  draw() {
    if (this.drawn) return;
    this.drawn = true;
    const [wide, high] = this.size, { cell } = this.shape, scale = this.most || 1;
    for (const canvas of [this.canvas, this.marks]) Object.assign(canvas, { width: wide, height: high });
    const context = this.canvas.getContext("2d"), image = context.createImageData(wide, high);
    const pixels = new Uint32Array(image.data.buffer);
    this.numbers.forEach((value, index) => {
      const [x, y] = corner(this.shape, index), [red, green, blue] = colour(value / scale);
      const pixel = (255 << 24) | (blue << 16) | (green << 8) | red; // in the order of the bytes on every machine in use
      for (let row = y; row < y + cell; row++) pixels.fill(pixel, row * wide + x, row * wide + x + cell);
    });
    context.putImageData(image, 0, 0);
  }

  /** Marks numbers: the chosen one, or those that take part in it. */
  mark(indices, chosen) {
    this.draw();
    const context = this.marks.getContext("2d"), { cell } = this.shape, room = chosen ? 2 : cell < 4 ? 1 : 0;
    for (const [x, y, right, bottom] of this.boxes([...indices])) {
      for (const [style, more] of [["#000000", 1], [chosen ? "#ff3b3b" : "#ff8a5c", 0]]) {
        const out = room + more - 0.5;
        context.strokeStyle = style;
        context.strokeRect(x - out, y - out, right - x + 2 * out, bottom - y + 2 * out);
      }
    }
  }

  /** The cells of numbers, left, top, right and bottom; of many numbers one box around those of each tile. */
  boxes(indices) {
    const { cell, rows, columns } = this.shape, boxes = new Map();
    for (const index of indices) {
      const [x, y] = corner(this.shape, index), name = indices.length > 40 ? Math.floor(index / (rows * columns)) : index;
      const [left, top, right, bottom] = boxes.get(name) ?? [x, y, x, y];
      boxes.set(name, [Math.min(left, x), Math.min(top, y), Math.max(right, x + cell), Math.max(bottom, y + cell)]);
    }
    return boxes.values();
  }

  clear() {
    if (this.drawn) this.marks.getContext("2d").clearRect(0, 0, this.marks.width, this.marks.height);
  }
}

/** A number in five digits. */
function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
  return text.replaceAll("-", "−").replace("e+", "e");
}
