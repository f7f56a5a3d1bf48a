// Sends images to the server that the page is from, and shows what it says of them. Every text is set as text.
"use strict";
const at = (id) => document.getElementById(id);
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const percent = (share) => `${(100 * share).toFixed(2)} %`;

(async () => {
  const about = await (await fetch("/model")).json();
  at("name").textContent = about.name;
  document.title = `${about.name}: Backproof`;
  const [channels, height, width] = about.input;
  const words = [`${about.classes.length} classes`, `images of ${width}×${height}, ${channels === 1 ? "grey" : "colour"}`];
  if (about.test_accuracy !== null) words.push(`test accuracy ${percent(about.test_accuracy)}`);
  at("about").textContent = words.join(" · ");
  at("command").textContent = `curl --data-binary @IMAGE ${location.origin}/predict`;
})().catch(() => (at("status").textContent = "The server does not answer. Is it still running?"));

// What a card says: the class, its rivals, or why there is none.
const fill = (card, file, answer) => {
  const text = element("div");
  const prediction = answer.predictions?.[0];
  if (prediction) {
    text.append(element("h2", prediction.class), element("p", file.name, "file"));
    const top = element("ul", undefined, "top");
    for (const { class: name, probability } of prediction.top) {
      const line = element("li");
      const bar = element("progress");
      bar.value = probability;
      bar.ariaLabel = `${name}: ${percent(probability)}`;
      const label = element("span", name);
      label.title = name;
      line.append(label, element("span", percent(probability), "share"), bar);
      top.append(line);
    }
    text.append(top);
    for (const note of prediction.notes) text.append(element("p", note, "note"));
    if (prediction.warnings.length) {
      text.append(element("p", "Unlike the training images:", "warning"));
      const list = element("ul", undefined, "warnings");
      list.append(...prediction.warnings.slice(0, 3).map((warning) => element("li", warning)));
      text.append(list);
    }
    const seen = element("img", undefined, "seen");
    seen.alt = "The image as the network gets it";
    seen.title = seen.alt;
    seen.src = prediction.input;
    card.querySelector("div").append(seen, element("p", "as the network gets it", "file"));
  } else {
    text.append(element("p", file.name, "file"), element("p", answer.errors?.[0]?.error ?? answer.error, "error"));
  }
  card.append(text);
};

let waiting = 0;
const say = () => (at("status").textContent = waiting ? `${waiting} left` : "");

const ask = async (file) => {
  const card = element("li");
  const image = element("img");
  image.alt = "";
  image.src = URL.createObjectURL(file);
  const pictures = element("div");
  pictures.append(image);
  card.append(pictures);
  at("results").prepend(card);
  try {
    const response = await fetch("/predict?top=5&input=true", { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    fill(card, file, await response.json());
  } catch {
    fill(card, file, { error: "The server does not answer. Is it still running?" });
  }
  waiting -= 1;
  say();
};

// A few at once; the server would let the others wait.
const queue = [];
let running = 0;
const next = async () => {
  while (running < 4 && queue.length) {
    running += 1;
    ask(queue.shift()).finally(() => {
      running -= 1;
      next();
    });
  }
};
const take = (files) => {
  waiting += files.length;
  queue.push(...files);
  say();
  next();
};

at("files").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";
});
addEventListener("paste", (event) => take([...event.clipboardData.files]));
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget === null && at("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});
