"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const count = data.loss.length;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  document.documentElement.classList.add("js");

  // -- words ------------------------------------------------------------------

  const two = (number) => String(number).padStart(2, "0");
  const seconds = (place) => (data.step ? place * data.step : data.times[place]);

  function timecode(place) {
    const { start, nominal, dropped, mark } = data.timecode;
    const ten = 600 * nominal - 9 * dropped;
    const total = (start + place) % (144 * ten);
    const tens = Math.floor(total / ten);
    let rest = total % ten;
    const minute = 60 * nominal;
    if (rest >= minute) rest += dropped * (1 + Math.floor((rest - minute) / (minute - dropped)));
    const number = tens * 600 * nominal + rest;
    const whole = Math.floor(number / nominal);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return `${two(h)}:${two(m)}:${two(s)}${mark}${two(number % nominal)}`;
  }

  function clock(place) {
    if (data.timecode) return timecode(place);
    const ms = Math.round(seconds(place) * 1000);
    const whole = Math.floor(ms / 1000);
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return `${two(h)}:${two(m)}:${two(s)}.${String(ms % 1000).padStart(3, "0")}`;
  }

  const codes = (loss) => 255 * Math.sqrt(loss * data.unit);
  const shotOf = (place) => {
    let low = 0, high = data.cuts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.cuts[middle] <= place) low = middle + 1; else high = middle;
    }
    return low + 1;
  };
  const keys = new Set(data.keys), promoted = new Map(data.promoted);

  function said(place) {
    const parts = [`Frame ${data.first + place}`, clock(place), `shot ${shotOf(place)}`];
    const loss = data.loss[place];
    if (loss === null) parts.push("not measured");
    else {
      parts.push(`loss ${codes(loss).toFixed(1)}`);
      if (data.budget[place] !== null) parts.push(`budget ${codes(data.budget[place]).toFixed(1)}`);
      if (data.content[place] !== null) parts.push(`the film itself ${codes(data.content[place]).toFixed(1)}`);
      if (data.budget[place] !== null && loss > data.budget[place]) parts.push("over its budget");
    }
    if (keys.has(place)) parts.push("key");
    if (promoted.has(place)) parts.push(`key that the gate asked for: without it ${promoted.get(place).toFixed(2)} times its budget`);
    return parts.join(" \u00b7 ");
  }

  // -- chart ------------------------------------------------------------------

  const svg = get("plot");
  for (const [name, value] of [["role", "slider"], ["tabindex", "0"],
    ["aria-valuemin", data.first], ["aria-valuemax", data.first + count - 1]]) svg.setAttribute(name, value);
  const { left, top, width, height, most, row } = data.plot;
  let from = 0, to = count, cursor = 0;

  const x = (place) => left + ((place + 0.5 - from) / (to - from)) * width;
  const y = (loss) => top + height * (1 - Math.min(codes(loss), 2 * most) / most);

  function path(values, area) {
    const bin = Math.max(1, Math.ceil((to - from) / (2 * width)));
    const base = (top + height).toFixed(1);
    let drawn = "", open = null;
    const close = () => {
      if (area && open !== null) drawn += `L${open} ${base}Z`;
      open = null;
    };
    for (let i = Math.max(0, Math.floor(from) - bin); i < Math.min(count, to + bin); i += bin) {
      let best = null;
      for (let k = i; k < Math.min(count, i + bin); k++) {
        if (values[k] !== null && (best === null || values[k] > best)) best = values[k];
      }
      if (best === null) { close(); continue; }
      const at = x(i + (bin - 1) / 2).toFixed(1);
      if (open === null) drawn += area ? `M${at} ${base}L${at} ${y(best).toFixed(1)}` : `M${at} ${y(best).toFixed(1)}h.1`;
      else drawn += `L${at} ${y(best).toFixed(1)}`;
      open = at;
    }
    close();
    return drawn;
  }

  function marks(places, above, below) {
    const drawn = new Set();
    for (const place of places) {
      if (place >= from && place < to) drawn.add(`M${x(place).toFixed(1)} ${above}V${below}`);
    }
    return [...drawn].join("");
  }

  function ticks() {
    const raw = (to - from) / 8;
    const ten = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
    const step = Math.max(1, [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= raw));
    const group = get("ticks");
    const shown = [];
    const first = Math.ceil((data.first + from) / step) * step;
    for (let frame = first; frame < data.first + to && shown.length < 40; frame += step) {
      const place = frame - data.first;
      for (const [text, dy] of [[frame, row.frames], [clock(place), row.clocks]]) {
        const node = document.createElementNS("http://www.w3.org/2000/svg", "text");
        node.setAttribute("x", clamp(x(place), left + 20, left + width - 36).toFixed(1));
        node.setAttribute("y", dy);
        node.setAttribute("text-anchor", "middle");
        node.textContent = text;
        shown.push(node);
      }
    }
    group.replaceChildren(...shown);
  }

  const floor = data.knob ? data.budget.map((b) => (b === null ? null : b / data.knob)) : data.content;
  const overs = [];
  for (let i = 0; i < count; i++) {
    if (data.loss[i] !== null && data.budget[i] !== null && data.loss[i] > data.budget[i]) overs.push(i);
  }

  function draw() {
    get("p-floor").setAttribute("d", path(floor, true));
    get("p-budget").setAttribute("d", path(data.budget, false));
    get("p-loss").setAttribute("d", path(data.loss, false));
    get("p-cuts").setAttribute("d", marks(data.cuts.map((c) => c - 0.5), top, top + height));
    get("p-keys").setAttribute("d", marks(data.keys, row.keys, row.keys + 8));
    get("p-promoted").setAttribute("d", marks(promoted.keys(), row.keys - 6, row.keys + 8));
    get("p-over").setAttribute("d", overs.filter((i) => i >= from && i < to)
      .map((i) => `M${x(i).toFixed(1)} ${y(data.loss[i]).toFixed(1)}h.1`).join(""));
    if (get("p-playable")) {
      get("p-playable").setAttribute("d", data.stretches.map(([a, b]) => {
        const [l, r] = [clamp(x(a - 0.5), left, left + width), clamp(x(b - 0.5), left, left + width)];
        return r > l ? `M${l.toFixed(1)} ${row.playable}H${r.toFixed(1)}` : "";
      }).join(""));
    }
    ticks();
    point(cursor);
  }

  function point(place) {
    cursor = clamp(Math.round(place), 0, count - 1);
    const line = get("cursor");
    line.setAttribute("x1", x(cursor));
    line.setAttribute("x2", x(cursor));
    line.style.visibility = cursor >= from && cursor < to ? "visible" : "hidden";
    const text = said(cursor);
    get("at").textContent = text;
    svg.setAttribute("aria-valuenow", data.first + cursor);
    svg.setAttribute("aria-valuetext", text);
  }

  function zoom(a, b) {
    const span = clamp(b - a, Math.min(12, count), count);
    from = clamp(Math.round(a), 0, count - Math.round(span));
    to = from + Math.round(span);
    draw();
  }

  function zoomBy(factor) {
    const span = (to - from) * factor;
    zoom(cursor - span / 2, cursor + span / 2);
  }

  function placeAt(event) {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    return clamp(from + ((at - left) / width) * (to - from) - 0.5, from, to - 1);
  }

  let dragged = null;
  const selection = get("selection");
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) dragged = placeAt(event);
    point(placeAt(event));
  });
  svg.addEventListener("pointermove", (event) => {
    const place = placeAt(event);
    if (event.pointerType === "mouse") point(place);
    if (dragged === null) return;
    const [a, b] = [Math.min(dragged, place), Math.max(dragged, place)];
    selection.setAttribute("x", x(a));
    selection.setAttribute("width", Math.max(0, x(b) - x(a)));
    selection.style.visibility = "visible";
  });
  window.addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const begun = dragged, place = placeAt(event);
    dragged = null;
    selection.style.visibility = "hidden";
    if (Math.abs(x(place) - x(begun)) > 8) zoom(Math.min(begun, place), Math.max(begun, place));
  });
  svg.addEventListener("click", () => show(cursor));
  svg.addEventListener("dblclick", () => zoom(0, count));
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 }[event.key];
    if (by) point(cursor + by * (event.shiftKey ? 10 : 1));
    else if (event.key === "Home") point(0);
    else if (event.key === "End") point(count - 1);
    else if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") zoomBy(2);
    else if (event.key === "Enter") show(cursor);
    else return;
    if (cursor < from || cursor >= to) zoom(cursor - (to - from) / 2, cursor + (to - from) / 2);
    event.preventDefault();
  });
  get("in").addEventListener("click", () => zoomBy(0.5));
  get("out").addEventListener("click", () => zoomBy(2));
  get("all").addEventListener("click", () => zoom(0, count));
  get("worst").disabled = data.worst.length === 0;
  get("worst").addEventListener("click", () => {
    point(data.worst[0]);
    zoomBy(Math.min(1, 96 / (to - from)));
    show(cursor);
  });

  // -- player -----------------------------------------------------------------

  const video = get("video"), canvas = get("canvas"), stage = get("stage");
  const context = canvas.getContext("2d");
  const [w, h] = data.size;
  const places = [];
  for (const [start, stop] of data.stretches) for (let p = start; p < stop; p++) places.push(p);
  const shown = data.shown; // seconds at which each of them is on, and when the last one goes
  let share = 0.5, within = [0, places.length], at = 0;
  stage.style.maxWidth = `calc(80vh * ${w / h})`;
  video.controls = false;

  function turnAt(time) {
    let low = 0, high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown[middle] <= time + 1e-4) low = middle + 1; else high = middle;
    }
    return clamp(low - 1, 0, places.length - 1);
  }

  function paint() {
    if (video.readyState < 2) return;
    const edge = Math.round(w * share);
    context.drawImage(video, 0, h, w, h, 0, 0, w, h);
    if (edge > 0) context.drawImage(video, 0, 0, edge, h, 0, 0, edge, h);
  }

  function tell() {
    at = turnAt(video.currentTime);
    get("seek").value = at;
    get("seek").setAttribute("aria-valuetext", said(places[at]));
    get("now").textContent = said(places[at]);
    if (dragged === null && !svg.matches(":hover, :focus")) point(places[at]);
  }

  function divide(value) {
    share = clamp(value, 0, 1);
    get("line").style.left = `${100 * share}%`;
    get("divider").value = 100 * share;
    paint();
  }

  function go(turn) {
    video.currentTime = (shown[turn] + shown[turn + 1]) / 2;
  }

  function show(place) {
    const turn = places.indexOf(place);
    if (turn < 0) return false;
    video.pause();
    if (turn < within[0] || turn >= within[1]) choose(-1);
    go(turn);
    return true;
  }

  function choose(index) {
    let start = 0;
    for (const [number, [a, b]] of data.stretches.entries()) {
      if (number === index) { within = [start, start + b - a]; break; }
      start += b - a;
    }
    if (index < 0) within = [0, places.length];
    get("stretch").value = index;
    get("seek").min = within[0];
    get("seek").max = within[1] - 1;
    if (at < within[0] || at >= within[1]) go(within[0]);
  }

  function tick() {
    if (video.currentTime >= shown[within[1]] - 0.002 || turnAt(video.currentTime) < within[0]) {
      if (within[1] < places.length || within[0] > 0) go(within[0]);
    }
    paint();
    tell();
    if (!video.paused) requestAnimationFrame(tick);
  }

  const named = [["All", -1], ...data.stretches.map(([a, b, name], i) => [`${name}: frames ${data.first + a} to ${data.first + b - 1}`, i])];
  for (const [text, value] of named) get("stretch").add(new Option(text, value));
  get("choose").hidden = data.stretches.length < 2;
  get("choose").style.display = data.stretches.length < 2 ? "none" : "";
  get("stretch").addEventListener("change", (event) => choose(Number(event.target.value)));
  get("seek").max = places.length - 1;
  get("seek").addEventListener("input", (event) => { video.pause(); go(Number(event.target.value)); });
  get("divider").addEventListener("input", (event) => divide(event.target.value / 100));
  get("speed").addEventListener("change", (event) => { video.playbackRate = Number(event.target.value); });
  get("play").addEventListener("click", () => (video.paused ? video.play() : video.pause()));
  get("back").addEventListener("click", () => { video.pause(); go(clamp(at - 1, within[0], within[1] - 1)); });
  get("on").addEventListener("click", () => { video.pause(); go(clamp(at + 1, within[0], within[1] - 1)); });
  video.addEventListener("play", () => { get("play").textContent = "Pause"; requestAnimationFrame(tick); });
  video.addEventListener("pause", () => { get("play").textContent = "Play"; });
  for (const name of ["loadeddata", "seeked"]) video.addEventListener(name, () => { paint(); tell(); });

  let moving = false;
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    divide((event.clientX - box.left) / box.width);
  };
  stage.addEventListener("pointerdown", (event) => {
    moving = true;
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => { if (moving) follow(event); });
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => { moving = false; });

  // Some browsers play no video from an address that is the data itself: give it as a file.
  let given = false;
  const failed = () => {
    if (given) { get("player").hidden = true; get("unplayable").hidden = false; get("player").before(get("unplayable")); return; }
    given = true;
    const text = atob(video.getAttribute("src").split(",")[1]);
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  };
  video.addEventListener("error", failed);
  if (video.error) failed();
  if (video.readyState >= 2) { paint(); tell(); }

  for (const button of document.querySelectorAll("button[data-place]")) {
    button.addEventListener("click", () => {
      const place = Number(button.dataset.place);
      point(place);
      const playable = show(place);
      get(playable ? "h-compare" : "h-loss").scrollIntoView({ behavior: "smooth" });
      if (!playable) zoom(place - 48, place + 48);
    });
  }
  draw();
  point(data.worst.length ? data.worst[0] : 0);
})();
