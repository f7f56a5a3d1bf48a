// The curves of a run: values under the pointer or by the arrow keys, epochs, a logarithmic axis, smoothing.
// Without this script they are as they were drawn.
"use strict";
(() => {
  const figures = [...document.querySelectorAll("figure.curve")];
  const tools = document.getElementById("curve-tools");
  if (!figures.length || !tools) return;
  const svgElement = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    return element;
  };
  const number = (value) => value.toLocaleString("en-US");

  for (const figure of figures) {
    const svg = figure.querySelector("svg");
    const { iterations, epochs, plot, range, series } = JSON.parse(figure.querySelector("script").textContent);
    const [left, top, right, bottom] = plot;
    const [first, last] = range;
    const place = (index) => left + ((right - left) * (iterations[index] - first)) / (last - first);
    const said = figure.querySelector("output");
    const cursor = svgElement("path", { class: "cursor" });
    svg.append(cursor);
    let at = null;

    const show = (index) => {
      at = index;
      cursor.setAttribute("d", index === null ? "" : `M${place(index)} ${top}V${bottom}`);
      if (index === null) {
        said.textContent = "";
        return;
      }
      const epoch = epochs ? ` (epoch ${epochs[index]})` : "";
      const values = series.filter(({ values }) => values[index] !== null);
      const words = values.map(({ name, values }) => `${name} ${values[index]}`).join(", ");
      said.textContent = `iteration ${number(iterations[index])}${epoch}: ${words}`;
    };
    const nearest = (event) => {
      // From the screen to the units of the drawing.
      const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const iteration = first + ((x - left) / (right - left)) * (last - first);
      let best = 0;
      iterations.forEach((it, index) => {
        if (Math.abs(it - iteration) < Math.abs(iterations[best] - iteration)) best = index;
      });
      return best;
    };
    svg.addEventListener("pointermove", (event) => show(nearest(event)));
    svg.addEventListener("pointerdown", (event) => show(nearest(event)));
    figure.addEventListener("pointerleave", () => document.activeElement === figure || show(null));
    figure.tabIndex = 0;
    figure.addEventListener("keydown", (event) => {
      const end = iterations.length - 1;
      const from = at ?? end;
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: end, PageUp: from - 10, PageDown: from + 10 };
      if (event.key === "Escape") return show(null);
      if (!(event.key in to) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      show(Math.min(end, Math.max(0, to[event.key])));
    });
    figure.addEventListener("blur", () => show(null));
  }

  // A mean of all values so far, each weighing `weight` times the one after it. On a logarithmic axis it is the
  // geometric mean.
  const smooth = (points, weight) => {
    let mean = 0, share = 0;
    return points.map(([x, y]) => {
      mean = weight * mean + (1 - weight) * y;
      share = weight * share + (1 - weight);
      return [x, mean / share];
    });
  };
  const form = tools.querySelector("form");
  const { epochs, logarithmic, smoothing } = form.elements;
  const apply = () => {
    const weight = Number(smoothing.value);
    tools.querySelector("output").textContent = weight ? weight.toFixed(2) : "off";
    for (const figure of figures) {
      const svg = figure.querySelector("svg");
      svg.classList.toggle("by-epochs", epochs.checked);
      svg.classList.toggle("as-log", logarithmic.checked && svg.querySelector(".log") !== null);
      svg.querySelectorAll(".smooth").forEach((line) => line.remove());
      for (const line of svg.querySelectorAll("path.line")) {
        const points = line.getAttribute("d").slice(1).split(" L").map((point) => point.split(" ").map(Number));
        const isSmoothed = weight > 0 && points.length > 4;
        line.classList.toggle("raw", isSmoothed);
        if (!isSmoothed) continue;
        const copy = line.cloneNode();
        copy.setAttribute("class", `${line.getAttribute("class").replace(" raw", "")} smooth`);
        copy.setAttribute("d", `M${smooth(points, weight).map(([x, y]) => `${x} ${y.toFixed(2)}`).join(" L")}`);
        line.after(copy);
      }
    }
  };
  epochs.closest("label").hidden = !document.querySelector(".fig .epochs");
  logarithmic.closest("label").hidden = !document.querySelector(".fig .log");
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  apply();
})();
