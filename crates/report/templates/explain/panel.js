// What the page says of the number that was chosen.

/** Rows of the table of terms; of more, a button shows the rest. */
const MOST_TERMS = 40;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** `∂L/∂conv1.weight[3, 0, 2, 1]`. */
function nameOf(model, ref) {
  const node = model.nodes[ref.node], { dims } = part(node, ref.part), place = `[${position(dims, ref.at).join(", ")}]`;
  const [role, gradient] = ref.part.split(".");
  if (node.kind === "image" || node.name === "loss") {
    const what = node.name === "loss" ? "L" : `image${place}`;
    return ref.part === "values" ? what : `∂L/∂${what}`;
  }
  if (ref.part === "values") return `${node.name}${place}`;
  if (ref.part === "gradient") return `∂L/∂${node.name}${place}`;
  return `${gradient ? "∂L/∂" : ""}${node.name}.${role}${place}`;
}

/** The array that a number is of, without its place: `∂L/∂conv1.weight`. */
function arrayOf(model, ref) {
  return nameOf(model, ref).replace(/\[[^[]*\]$/, "");
}

/** One factor: its value, and where it is; a button that leads there, or words. */
function factorElement(model, factor, go) {
  if (!factor.ref) return element("span", { class: "factor" }, factor.text ?? short(factor.value));
  const [place] = nameOf(model, factor.ref).match(/\[[^[]*\]$/) ?? [""];
  const of = factor.text ? `${factor.text} = ${short(factor.value)}, of ${short(factor.of)}` : short(factor.value);
  return element("button", { type: "button", class: "factor", title: nameOf(model, factor.ref), onclick: () => go(factor.ref) },
    of, " ", element("span", { class: "place" }, place));
}

function termRows(model, terms, columns, go) {
  return terms.map(({ term, product }) => {
    const cells = term.map((factor, i) => element("td", { colspan: i === term.length - 1 ? columns - i : 1 }, factorElement(model, factor, go)));
    return element("tr", {}, ...cells, element("td", { class: "product" }, short(product)));
  });
}

/** What the factors of most terms are of, for the head of their columns; words where they are of no array. */
function headings(model, terms, columns) {
  const typical = terms.find((term) => term.length === columns);
  return typical.map((factor) => element("th", { scope: "col" }, factor.ref ? arrayOf(model, factor.ref) : "factor"));
}

/** A formula in which `_q` is an index. */
function formulaElement(text) {
  const parts = text.split(/_([A-Za-z']+(?:,[A-Za-z']+)*)/);
  return element("p", { class: "formula" }, ...parts.map((part, i) => (i % 2 ? element("sub", {}, part) : part)));
}

/** The formulas of one way in which the number comes about, and its terms, the largest first. */
function wayElement(model, way, go) {
  const parts = way.formulas.map(formulaElement);
  for (const [name, value] of way.known ?? []) parts.push(element("p", { class: "known" }, `${name} = ${short(value)}`));
  if (way.terms.length === 0) return [...parts, element("p", {}, "Nothing: it reaches no output, so its gradient is 0.")];
  const products = way.terms.map((term) => ({ term, product: term.reduce((value, factor) => value * factor.value, 1) }));
  if (products.length > 12) products.sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  const columns = Math.max(...way.terms.map((term) => term.length));
  const body = element("tbody", {}, ...termRows(model, products.slice(0, MOST_TERMS), columns, go));
  const head = element("tr", {}, ...headings(model, way.terms, columns), element("th", { scope: "col" }, "product"));
  parts.push(element("div", { class: "terms", tabindex: 0, role: "group", "aria-label": "The terms" },
    element("table", {}, element("thead", {}, head), body)));
  const zeros = products.filter(({ product }) => product === 0).length;
  const most = products.length > 12 ? `${products.length} terms, the largest first${zeros ? `; ${zeros} are 0` : ""}. ` : "";
  const caption = element("p", { class: "caption" }, most);
  if (products.length > MOST_TERMS) {
    const more = element("button", {
      type: "button",
      onclick: () => {
        body.append(...termRows(model, products.slice(MOST_TERMS), columns, go));
        more.remove();
      },
    }, "Show all");
    caption.append(more);
  }
  if (most) parts.push(caption);
  return parts;
}

/** The derivations of the layers that take part, each once, closed at first. */
function derivationElements(model, ways) {
  const sections = new Set(ways.map((way) => KINDS[model.nodes[way.by].kind].section));
  return [...sections].map((section) => {
    const { dataset, content } = document.getElementById(`derivation-${section}`);
    const text = element("div", { class: "derivation", tabindex: 0, role: "group", "aria-label": "The derivation" }, content.cloneNode(true));
    return element("details", {}, element("summary", {}, `Derivation: ${dataset.title}`), text);
  });
}

const VERDICTS = {
  agrees: ["right", "The finite difference agrees."],
  kink: ["", "At a kink: the slopes of the two sides differ, so differences decide nothing here."],
  differs: ["wrong", "The finite difference differs."],
};

/** The sum, the engine's number, the finite difference and the verdict. `later` computes the difference after a paint. */
function resultElements(model, ref, explained, later) {
  const equal = equalsEngine(explained);
  const rows = [["sum of the terms", short(explained.sum)], ["number of the engine", short(explained.engine)]];
  const list = element("dl", { class: "result" }, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  const verdict = element("p", { class: equal ? "right verdict" : "wrong verdict" },
    equal ? "The sum is the number of the engine." : "The sum is not the number of the engine.");
  if (ref.part === "gradient" || ref.part.endsWith(".gradient")) {
    const value = element("dd", {}, "…"), second = element("p", { class: "verdict" }, "…");
    list.append(element("dt", {}, "finite difference"), value);
    later(() => {
      const found = difference(model, ref, explained.engine), [kind, words] = VERDICTS[found.verdict];
      value.textContent = short(found.value);
      second.className = `${kind} verdict`;
      const more = { differs: ` Tolerance: ${short(found.tolerance)}.`, kink: ` They are ${found.sides.map(short).join(" and ")}.` };
      second.textContent = words + (more[found.verdict] ?? "");
    });
    return [list, verdict, second];
  }
  return [list, verdict];
}

/** In the learning mode: the results appear after a guess. */
function guessElements(explained, results) {
  const answer = element("input", { type: "text", inputmode: "decimal", size: 12, id: "guess", autocomplete: "off" });
  const said = element("p", { class: "verdict", role: "status" });
  const form = element("form", {
    class: "guess",
    onsubmit: (event) => {
      event.preventDefault();
      const typed = answer.value.trim().replaceAll("−", "-").replace(",", "."), guess = Number(typed);
      if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(typed)) {
        said.textContent = "Write a number, such as −0.25 or 3e-4.";
        said.className = "verdict";
        return;
      }
      const right = Math.abs(guess - explained.engine) <= 0.01 * Math.abs(explained.engine) + 1e-9 * explained.scale;
      said.textContent = right ? "Right." : guess !== 0 && Math.abs(guess + explained.engine) <= 0.01 * Math.abs(explained.engine)
        ? "Wrong: the sign is the other one." : "Wrong.";
      said.className = right ? "right verdict" : "wrong verdict";
      hidden.hidden = false;
    },
  }, element("label", { for: "guess" }, "What is the sum? "), answer, " ", element("button", { type: "submit" }, "Check"));
  const hidden = element("div", { hidden: "" }, ...results);
  return [form, said, hidden];
}

/** Fills the panel in for the chosen number. */
function fillPanel(panel, model, ref, { go, learning, later }) {
  const explained = explain(model, ref), node = model.nodes[ref.node];
  const ways = explained.ways.flatMap((way) => {
    const by = model.nodes[way.by], heading = by === node ? [] : [element("h3", {}, `through ${by.name}`)];
    const sentence = KINDS[by.kind]?.sentences?.[way.role];
    return [...heading, ...(sentence ? [element("p", {}, sentence)] : []), ...wayElement(model, way, go)];
  });
  const results = explained.ways.length ? resultElements(model, ref, explained, later)
    : [element("dl", { class: "result" }, element("dt", {}, "value"), element("dd", {}, short(explained.engine)))];
  const note = explained.ways.length ? [] : [element("p", {}, node.kind === "image"
    ? "A pixel of the image, normalised. Nothing comes before it." : "A parameter: training found it. Choose its gradient to see how it moves.")];
  panel.replaceChildren(element("h2", { id: "chosen" }, nameOf(model, ref)), ...note, ...ways,
    ...(learning && explained.ways.length ? guessElements(explained, results) : results),
    ...derivationElements(model, explained.ways));
  return explained;
}
