(function () {
  "use strict";
  const words = JSON.parse(document.getElementById("words").textContent);
  const originals = new Map();

  // The printed picture stands first; it turns interactive, in the same state, when a reader points at it.
  let libraries;
  function vega() {
    libraries = libraries || (async function () {
      const packed = Uint8Array.from(atob(document.getElementById("vega").textContent), (letter) => letter.charCodeAt(0));
      const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      new Function(await new Response(unpacked).text())();
      return window.vegaEmbed;
    })();
    return libraries;
  }
  // Vega takes one pixel of the screen for one of the picture. Where the page shows the picture smaller, the picture tells Vega
  // the corner it would have at full size, seen from the pointer.
  let pointer;
  for (const name of ["pointerdown", "pointermove", "pointerup"]) {
    addEventListener(name, function (event) { pointer = event; }, { capture: true, passive: true });
  }
  function letScale(svg) {
    const measure = svg.getBoundingClientRect.bind(svg);
    svg.getBoundingClientRect = function () {
      const box = measure(), scale = box.width / svg.viewBox.baseVal.width;
      if (!pointer) { return box; }
      const left = pointer.clientX - (pointer.clientX - box.left) / scale, top = pointer.clientY - (pointer.clientY - box.top) / scale;
      return new DOMRect(left, top, box.width / scale, box.height / scale);
    };
  }
  async function wake(plot) {
    if (plot.dataset.awake || typeof DecompressionStream !== "function") { return; }
    plot.dataset.awake = "yes";
    try {
      const embed = await vega();
      const stage = document.createElement("div");
      await embed(stage, beside(plot, ".spec"), { actions: false, renderer: "svg", mode: "vega-lite" });
      originals.set(plot, plot.querySelector("svg"));
      letScale(stage.querySelector("svg"));
      plot.replaceChildren(stage);
    } catch (error) { console.error(plot.dataset.exhibit, error); }
  }
  function beside(inside, selector) {
    return JSON.parse(inside.closest("figure").querySelector(selector).textContent);
  }
  const plots = document.querySelectorAll(".plot");
  plots.forEach(function (plot) {
    for (const name of ["pointerenter", "touchstart"]) {
      plot.addEventListener(name, function () { wake(plot); }, { once: true, passive: true });
    }
  });
  window.aithemeWakeAll = function () { plots.forEach(wake); };
  if (location.hash === "#interactive") { window.aithemeWakeAll(); }

  // Pictures to take away: always the printed state.
  function picture(plot, face) {
    const svg = (originals.get(plot) || plot.querySelector("svg")).cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("font-family", words.stack);
    if (face) { svg.insertAdjacentHTML("afterbegin", "<style>" + face + "</style>"); }
    return { text: new XMLSerializer().serializeToString(svg), width, height };
  }
  async function png(plot) {
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
    const face = rules.filter((rule) => rule instanceof CSSFontFaceRule).map((rule) => rule.cssText).join("");
    const drawn = picture(plot, face);
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawn.text);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * drawn.width;
    canvas.height = 2 * drawn.height;
    const context = canvas.getContext("2d");
    context.scale(2, 2);
    context.drawImage(image, 0, 0, drawn.width, drawn.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  function copyTable(figure) {
    const range = document.createRange(), selected = getSelection();
    range.selectNode(figure.querySelector("table"));
    selected.removeAllRanges();
    selected.addRange(range);
    document.execCommand("copy");
    selected.removeAllRanges();
  }
  const actions = {
    svg: (figure, plot, name) => save(new Blob([picture(plot).text], { type: "image/svg+xml" }), name + ".svg"),
    png: async (figure, plot, name) => save(await png(plot), name + ".png"),
    copy: (figure, plot) => navigator.clipboard.write([new ClipboardItem({ "image/png": png(plot) })]),
    table: (figure) => copyTable(figure),
    enlarge: (figure, plot) => plot.classList.toggle("large"),
  };
  document.querySelectorAll(".tools button").forEach(function (button) {
    const act = button.dataset.act;
    if (act === "copy" && !(window.ClipboardItem && navigator.clipboard)) { button.remove(); return; }
    button.addEventListener("click", async function () {
      const figure = button.closest("figure"), label = button.textContent;
      const copied = act === "copy" || act === "table";
      let said = words.copied;
      try { await actions[act](figure, figure.querySelector(".plot"), words.book + "-" + figure.id); } catch { said = words.failed; }
      if (!copied && said === words.copied) { return; }
      button.textContent = said;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  });

  // A chart's rows are set as a table when a reader asks for them.
  function cell(tag, text, right) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (right) { made.className = "r"; }
    return made;
  }
  function list(details) {
    const rows = beside(details, ".data"), table = document.createElement("table");
    const head = table.createTHead(), body = table.createTBody();
    if (rows.groups.length) {
      head.insertRow().append(...rows.groups.map(function ([label, span]) {
        const made = cell(label ? "th" : "td", label);
        made.colSpan = span;
        if (label) { made.className = "group"; }
        return made;
      }));
    }
    head.insertRow().append(...rows.headers.map((text, at) => cell("th", text, rows.right[at])));
    for (const row of rows.rows) { body.insertRow().append(...row.map((text, at) => cell("td", text, rows.right[at]))); }
    details.querySelector(".scroll").replaceChildren(table);
  }
  document.querySelectorAll(".rows").forEach((details) => details.addEventListener("toggle", () => list(details), { once: true }));

  // The contents column follows the reader.
  const nav = document.querySelector("nav"), button = nav.querySelector("button");
  const links = new Map([...nav.querySelectorAll("li li a")].map((link) => [link.hash.slice(1), link]));
  function open(yes) {
    nav.classList.toggle("open", yes);
    button.setAttribute("aria-expanded", String(yes));
  }
  button.addEventListener("click", () => open(!nav.classList.contains("open")));
  nav.addEventListener("click", (event) => { if (event.target.closest("a")) { open(false); } });
  nav.addEventListener("keydown", (event) => { if (event.key === "Escape") { open(false); button.focus(); } });
  function mark(link) {
    nav.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "location");
    button.querySelector("span").textContent = link.dataset.caption;
    const top = link.offsetTop - nav.clientHeight / 2;
    if (getComputedStyle(nav).overflowY === "auto") { nav.scrollTop = top; }
  }
  const seen = new IntersectionObserver(function (entries) {
    const last = entries.filter((entry) => entry.isIntersecting).pop();
    if (last && links.has(last.target.id)) { mark(links.get(last.target.id)); }
  }, { rootMargin: "-8% 0px -91% 0px" });
  document.querySelectorAll("figure").forEach((figure) => seen.observe(figure));
})();
