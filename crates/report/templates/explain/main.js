// The page: pictures of every node, the panel, and how one moves about.

function start() {
  const checkpoints = JSON.parse(document.getElementById("data").textContent).checkpoints, models = [];
  const modelOf = (checkpoint) => (models[checkpoint] ??= readModel(checkpoints[checkpoint]));
  let model = modelOf(checkpoints.length - 1);
  const network = document.getElementById("network"), panel = document.getElementById("panel");
  const pictures = new Map();
  let steps = backwardSteps(model);
  const state = { ref: null, step: 0, checkpoint: checkpoints.length - 1, learning: false, turn: 0 };
  const key = (node, name) => `${node}/${name}`;

  const WORDS = { values: "output", gradient: "gradient ∂L/∂y" };
  const figure = (n, name, side) => {
    const node = model.nodes[n], [role, ofRole] = name.split(".");
    const words = WORDS[name] ?? (ofRole ? `gradient ∂L/∂${role}` : role);
    const picture = new Picture(model, n, name, `${node.name}, ${words}`);
    pictures.set(key(n, name), picture);
    picture.canvas.addEventListener("click", (event) => {
      const index = numberAt(picture.shape, event.offsetX, event.offsetY);
      if (index !== null) choose({ node: n, part: name, at: index });
    });
    picture.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (!by) return;
      event.preventDefault();
      const here = state.ref && state.ref.node === n && state.ref.part === name;
      choose({ node: n, part: name, at: here ? neighbour(picture.shape, state.ref.at, ...by) : largest(picture.numbers) });
    });
    return element("figure", { class: side }, element("figcaption", {}, `${words} `, picture.range),
      element("div", { class: "scroll" }, picture.element));
  };

  model.nodes.forEach((node, n) => {
    const flows = element("div", { class: "flows" }, figure(n, "values", "forward"), figure(n, "gradient", "backward"));
    const tensors = Object.entries(node.tensors).map(([role, tensor]) => element("div", { class: "flows" },
      figure(n, role, "forward"), ...(tensor.gradient ? [figure(n, `${role}.gradient`, "backward")] : [])));
    const depth = node.name.split(".").length - 1;
    network.append(element("section", { class: "node", id: `node-${n}`, style: `--depth: ${Math.floor(depth / 2)}`, "aria-labelledby": `name-${n}` },
      element("h2", { id: `name-${n}` }, element("b", {}, node.name), " ", element("span", {}, node.name === node.words ? "" : node.words), " ",
        element("span", { class: "dims" }, node.name === "loss" ? "" : node.dims.join(" × "))),
      flows, ...(tensors.length ? [element("details", { open: "" }, element("summary", {}, "parameters"), ...tensors)] : [])));
  });

  // A picture is drawn when it comes near the window: a deep network has hundreds.
  const drawn = new Map();
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) drawn.get(target).draw();
  }, { rootMargin: "400px" });
  const draw = () => {
    // All widths first, then all layouts, so that the browser lays the page out once.
    const rooms = [...pictures.values()].map((picture) => [picture, picture.element.closest(".scroll").clientWidth || 320]);
    for (const [picture, room] of rooms) {
      picture.lay(room);
      drawn.set(picture.element, picture);
      watch.unobserve(picture.element);
      watch.observe(picture.element);
    }
    mark();
  };

  /** Marks the chosen number and those that take part in it. */
  function mark() {
    pictures.forEach((picture) => picture.clear());
    if (!state.ref) return;
    const marked = new Map();
    for (const { terms } of state.explained.ways) {
      for (const { ref } of terms.flat()) {
        if (!ref) continue;
        const name = key(ref.node, ref.part);
        if (!marked.has(name)) marked.set(name, new Set());
        marked.get(name).add(ref.at);
      }
    }
    marked.forEach((indices, name) => pictures.get(name).mark(indices, false));
    pictures.get(key(state.ref.node, state.ref.part)).mark([state.ref.at], true);
  }

  /** Chooses a number: shows it in the panel, marks it, and notes it in the address. The words are those of a step. */
  function choose(ref, { scroll = false, step = null } = {}) {
    const turn = ++state.turn;
    state.ref = ref;
    words.textContent = step ?? (state.step < 0 ? "Next begins the backward pass at the loss." : "Next continues the backward pass.");
    state.explained = fillPanel(panel, model, ref, {
      go: (next) => choose(next, { scroll: true }), learning: state.learning,
      later: (work) => setTimeout(() => turn === state.turn && work(), 30),
    });
    mark();
    const last = checkpoints.length - 1;
    const weights = state.checkpoint < last ? `/${checkpoints[state.checkpoint].iteration}` : "";
    history.replaceState(null, "", `#${model.nodes[ref.node].name}/${ref.part}/${ref.at}${weights}`);
    if (scroll) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      document.getElementById(`node-${ref.node}`).scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    }
  }

  const words = document.getElementById("step-words"), count = document.getElementById("step-count");
  function step(number, scroll = true) {
    state.step = Math.max(0, Math.min(steps.length - 1, number));
    count.textContent = `step ${state.step + 1} of ${steps.length}`;
    document.getElementById("back").disabled = state.step === 0;
    document.getElementById("next").disabled = state.step === steps.length - 1;
    choose(steps[state.step].ref, { scroll, step: steps[state.step].words });
  }

  /** The number that the address names, if it names one, and the iteration of the weights. */
  function addressed() {
    let text = "";
    try {
      text = decodeURIComponent(location.hash.slice(1));
    } catch {
      return null; // a % that begins no character
    }
    const [name, of, index = "", iteration] = text.split("/");
    const node = model.nodes.findIndex((node) => node.name === name);
    if (node < 0 || !parts(model.nodes[node]).includes(of) || !/^\d+$/.test(index)) return null;
    const checkpoint = checkpoints.findIndex((checkpoint) => String(checkpoint.iteration) === iteration);
    const inside = Number(index) < part(model.nodes[node], of).values.length;
    return inside ? { ref: { node, part: of, at: Number(index) }, checkpoint: checkpoint < 0 ? checkpoints.length - 1 : checkpoint } : null;
  }

  /** Goes where the address leads. Whether it leads anywhere. */
  function follow() {
    const found = addressed();
    if (!found) return false;
    if (found.checkpoint !== state.checkpoint) {
      document.getElementById("checkpoint").value = found.checkpoint;
      show(found.checkpoint);
    }
    choose(found.ref, { scroll: true });
    return true;
  }

  /** Shows the weights of another checkpoint, the same number chosen. */
  function show(checkpoint) {
    const atStep = state.ref !== null && state.ref === steps[state.step]?.ref;
    model = modelOf(checkpoint);
    steps = backwardSteps(model);
    state.checkpoint = checkpoint;
    const { iteration, answer, probabilities } = checkpoints[checkpoint];
    document.getElementById("iteration").textContent = iteration.toLocaleString("en");
    document.getElementById("answer").textContent = answer;
    for (const bar of document.querySelectorAll("#bars li")) {
      const share = probabilities[bar.dataset.class];
      bar.querySelector("i").style.setProperty("--p", share);
      bar.lastElementChild.textContent = `${(100 * share).toFixed(1)} %`;
    }
    pictures.forEach((picture) => picture.take(model));
    draw();
    // A step shows the largest number, which is another one now.
    if (atStep) step(state.step, false);
    else if (state.ref) choose(state.ref);
  }

  document.getElementById("checkpoint")?.addEventListener("input", (event) => show(event.target.valueAsNumber));
  document.getElementById("next").addEventListener("click", () => step(state.step + 1));
  document.getElementById("back").addEventListener("click", () => step(state.step - 1));
  document.getElementById("learning").addEventListener("change", (event) => {
    state.learning = event.target.checked;
    if (state.ref) choose(state.ref, { step: words.textContent });
  });
  for (const choice of document.querySelectorAll("input[name=view]")) {
    choice.addEventListener("change", () => {
      document.body.dataset.view = choice.value;
      draw();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") step(state.step + 1);
    if (event.key === "p") step(state.step - 1);
  });
  addEventListener("hashchange", () => {
    follow();
  });
  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  });

  draw();
  state.step = -1;
  if (!follow()) step(0, false);
}
