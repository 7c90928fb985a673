"use strict";
// Sorting, filtering and ranking again under other limits. The rules are those of the program:
// error.py (standing, room), constraint.py (verdict), chance.py (chance, byChance), ranking.py
// (utility, scores, order), quantity.py (human). Ties are the program's alone: under the limits and
// weights of the request the order is the one it answered, under others that of the scores.
document.documentElement.classList.remove("no-script");

const VERDICTS = ["met", "uncertain", "unknown", "violated"];
const MARKS = { met: "✓", uncertain: "?", unknown: "–", violated: "✗" };
const LINEAR = new Set(["top1", "top5"]);
const TIMED = new Set(["latency", "throughput", "energy"]);
const STEPS = {
  "s": [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]],
  "1/s": [[1, "/s"]],
  "B": [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]],
  "J": [[1, "J"], [1e-3, "mJ"], [1e-6, "µJ"]],
  "W": [[1, "W"], [1e-3, "mW"]],
  "count": [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]],
  "USD": [[1, "USD"]],
};

// Rounds as Python does: ties go to the even digit.
function fixed(value, decimals) {
  const scale = 10 ** decimals;
  const scaled = Math.abs(value) * scale;
  const floor = Math.floor(scaled);
  if (scaled - floor === 0.5 && scaled / scale === Math.abs(value)) {
    const even = (floor % 2 === 0 ? floor : floor + 1) / scale;
    return (Math.sign(value) * even).toFixed(Math.max(decimals, 0));
  }
  return decimals >= 0 ? value.toFixed(decimals) : String(Math.round(value * scale) / scale);
}

function significant(value) {
  if (value === 0) return "0";
  let decimals = 2 - Math.floor(Math.log10(Math.abs(value)));
  const rounded = Number(decimals >= 0 ? fixed(value, decimals) : Math.round(value / 10 ** -decimals) * 10 ** -decimals);
  decimals = Math.max(2 - Math.floor(Math.log10(Math.abs(rounded))), 0);
  return rounded.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))/, ",");
}

function step(value, unit) {
  const steps = STEPS[unit];
  return steps.find(([factor]) => Math.abs(value) >= factor) || steps[steps.length - 1];
}

function human(value, unit, like) {
  if (unit === "fraction") return fixed(100 * value, 1) + " %";
  const [factor, symbol] = step(like === undefined ? value : like, unit);
  return (significant(value / factor) + " " + symbol).trimEnd();
}

function humanInterval(low, high, unit, like) {
  if (unit === "fraction") return fixed(100 * low, 1) + "–" + fixed(100 * high, 1) + " %";
  const symbol = step(like, unit)[1];
  const bottom = human(low, unit, like);
  const bare = symbol && bottom.endsWith(symbol) ? bottom.slice(0, -symbol.length).trimEnd() : bottom;
  return bare + "–" + human(high, unit, like);
}

// Distribution function of the normal distribution: a series near 0, a continued fraction beyond.
function normal(x) {
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(x) < 3) {
    let term = x, sum = x;
    for (let k = 3; k < 200; k += 2) { term *= x * x / k; sum += term; }
    return 0.5 + density * sum;
  }
  if (!Number.isFinite(x)) return x > 0 ? 1 : 0;
  let tail = Math.abs(x);
  for (let k = 100; k > 0; k--) tail = Math.abs(x) + k / tail;
  return x > 0 ? 1 - density / tail : density / tail;
}

function scaled(value, linear) {
  return linear ? value : Math.log(Math.max(value, 1e-30));
}

// How many standard deviations a bound lies above the figure; infinite where it is exact.
function standing([value, low, high, reach], bound, linear) {
  const middle = scaled(value, linear);
  const below = Math.max(middle - scaled(low, linear), 0) / reach;
  const above = Math.max(scaled(high, linear) - middle, 0) / reach;
  const distance = scaled(bound, linear) - middle;
  if (distance === 0) return below + above ? 0 : Infinity;
  return distance / (distance > 0 ? above : below);
}

// How many standard deviations a figure may be off before it breaks a limit.
function room(figure, limit) {
  const linear = LINEAR.has(limit.metric);
  if (limit.at_most !== null) return standing(figure, limit.at_most, linear);
  const [value, low, high] = figure;
  if (low === high) return scaled(value, linear) >= scaled(limit.at_least, linear) ? Infinity : -Infinity;
  return -standing(figure, limit.at_least, linear);
}

function verdict(figure, limit, confidence) {
  if (!figure) return "unknown";
  const found = room(figure, limit);
  return found >= confidence ? "met" : found <= -confidence ? "violated" : "uncertain";
}

function judge(candidate, limits, confidence) {
  let worst = candidate.d;
  for (const limit of limits) {
    worst = Math.max(worst, VERDICTS.indexOf(verdict(candidate.m[limit.metric], limit, confidence)));
  }
  return VERDICTS[worst];
}

// Probability of keeping the limits; null where it is unknown. What errs with the time errs as one.
function chance(candidate, limits) {
  if (VERDICTS[candidate.d] === "unknown") return null;
  let timed = Infinity, others = 1;
  for (const limit of limits) {
    const figure = candidate.m[limit.metric];
    if (!figure) return null;
    if (TIMED.has(limit.metric)) timed = Math.min(timed, room(figure, limit));
    else others *= normal(room(figure, limit));
  }
  return normal(timed) * others;
}

// What values of a metric are worth: 0 and 1 at its anchors, and no more than 1 beyond a limit.
function utility(metric, limits, anchors) {
  const linear = LINEAR.has(metric);
  let [poor, good] = anchors[metric];
  const limit = linear ? undefined : limits.find((one) => one.metric === metric);
  const need = limit && (limit.at_most !== null ? limit.at_most : limit.at_least);
  if (need) [poor, good] = [need * poor / good, need];
  const slope = 1 / (scaled(good, linear) - scaled(poor, linear));
  return (figure) => {
    if (!figure) return -1;
    const share = (scaled(figure[0], linear) - scaled(poor, linear)) * slope;
    return need ? Math.min(share, 1) : share;
  };
}

function scores(list, weights, limits, anchors) {
  const entries = Object.entries(weights);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0) || 1;
  const held = entries.length > 1 ? limits : [];
  const worths = entries.map(([metric, weight]) => [metric, weight / total, utility(metric, held, anchors)]);
  return list.map((c) => worths.reduce((sum, [metric, share, worth]) => sum + share * worth(c.m[metric]), 0));
}

function order(list, weights, limits, anchors) {
  const rank = scores(list, weights, limits, anchors);
  const time = list.map((c) => (c.m.latency ? c.m.latency[0] : Infinity));
  return list.map((_, i) => i).sort((a, b) => rank[b] - rank[a] || (time[a] === time[b] ? 0 : time[a] - time[b]) || a - b);
}

// The most probable first, in whole per cents; the unknown last.
function byChance(list, chances) {
  const keys = new Map(list.map((i) => [i, chances.get(i) === null ? -1 : Number(fixed(chances.get(i), 2))]));
  return [...list].sort((a, b) => keys.get(b) - keys.get(a));
}

// Whether limits and weights are those of the request.
function isAsked(data, limits, weights) {
  const key = (list) => JSON.stringify(list.map((l) => [l.metric, l.at_most, l.at_least]).sort());
  const shares = (all) => {
    const total = Object.values(all).reduce((sum, weight) => sum + weight, 0);
    return JSON.stringify(Object.entries(all).map(([m, w]) => [m, (w / total).toFixed(9)]).sort());
  };
  return key(limits) === key(data.limits) && shares(weights) === shares(data.weights);
}

// What the program answered: candidates are numbered in its order.
function answered(data) {
  const [met, open] = data.answered;
  const all = data.candidates.map((_, i) => i);
  const verdicts = data.candidates.map((c) => VERDICTS[c.v]);
  return { met: all.slice(0, met), open: all.slice(met, met + open), violated: all.length - met - open, verdicts, asked: true };
}

// Judges and ranks every candidate: indices of those that meet all limits and of those that may.
function answer(data, limits, weights) {
  if (isAsked(data, limits, weights)) return answered(data);
  const groups = { met: [], uncertain: [], unknown: [], violated: [] };
  const verdicts = data.candidates.map((c) => judge(c, limits, data.confidence));
  verdicts.forEach((v, i) => groups[v].push(i));
  const open = [...groups.uncertain, ...groups.unknown].sort((a, b) => a - b);
  const sorted = (group) => order(group.map((i) => data.candidates[i]), weights, limits, data.anchors).map((k) => group[k]);
  const chances = new Map(open.map((i) => [i, chance(data.candidates[i], limits)]));
  return { met: sorted(groups.met), open: byChance(sorted(open), chances), violated: groups.violated.length, verdicts, asked: false };
}

// Candidates are stored as [name, precision, origin, verdict of the device's own limits, verdict of the
// answer, figure of each column …]; figures as [value, low, high, reach], without a reach that is usual.
function unpacked(data) {
  const names = data.columns.map(([metric]) => metric);
  const candidates = data.candidates.map(([n, p, o, d, v, ...figures]) => {
    const m = {};
    figures.forEach((figure, i) => {
      if (figure === null) return;
      const [value, low, high, reach] = Array.isArray(figure) ? figure : [figure, figure, figure];
      m[names[i]] = [value, low, high, reach === undefined ? data.reach : reach];
    });
    return { n, p, o, d, v, m };
  });
  return { ...data, candidates };
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function figureCell(figure, unit) {
  const cell = element("td", { class: "number" });
  if (!figure) {
    cell.append(element("span", { class: "gap" }, "unknown"));
    return cell;
  }
  const [value, low, high] = figure;
  cell.append(element("span", { class: "value" }, human(value, unit)));
  if (low !== high) cell.append(element("span", { class: "interval" }, humanInterval(low, high, unit, value)));
  return cell;
}

function startRanking(data, table, form, status) {
  const body = table.tBodies[0];
  const rows = new Map([...body.rows].map((row) => [Number(row.dataset.key.slice(1)), row]));
  const settings = { limits: [], weights: {}, query: "", verdict: "", rows: 50, sort: null };
  const first = answer(data, data.limits, data.weights);

  function rowOf(index) {
    if (rows.has(index)) return rows.get(index);
    const candidate = data.candidates[index];
    const row = element("tr", { "data-key": "c" + index, "data-origin": data.origins[candidate.o] });
    const name = element("th", { scope: "row" }, candidate.n + " ", element("span", { class: "quiet" }, candidate.p));
    // Only variants are spelled with axes, and nobody has trained those.
    if (candidate.n.includes(":")) name.append(" ", element("span", { class: "training" }, "needs training"));
    row.append(element("td", { class: "rank" }), name, element("td", { class: "judged" }));
    for (const [metric, , unit] of data.columns) row.append(figureCell(candidate.m[metric], unit));
    row.append(element("td", {}, data.origins[candidate.o]));
    rows.set(index, row);
    return row;
  }

  function place(index, rank, name) {
    const row = rowOf(index);
    row.querySelector(".rank").textContent = rank;
    const mark = element("span", { class: "verdict " + name }, MARKS[name] + " " + name);
    const judged = row.querySelector(".judged");
    const front = judged.querySelector(".front");
    const chance = judged.querySelector(".chance");
    if (chance) chance.hidden = JSON.stringify(settings.limits) !== JSON.stringify(data.limits);
    judged.replaceChildren(mark, ...(front ? [front] : []), ...(chance ? [" ", chance] : []));
    row.classList.toggle("first", rank === "1");
    return row;
  }

  function sortValue(index, key, position) {
    const candidate = data.candidates[index];
    if (key === "name") return candidate.n;
    if (key === "origin") return data.origins[candidate.o];
    if (key === "verdict" || key === "rank") return position;
    return candidate.m[key] ? candidate.m[key][0] : undefined;
  }

  function sorted(listed) {
    if (!settings.sort) return listed;
    const [key, direction] = settings.sort;
    const keyed = listed.map((index, position) => [sortValue(index, key, position), index]);
    keyed.sort(([a], [b]) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return direction * (a < b ? -1 : a > b ? 1 : 0);
    });
    return keyed.map(([, index]) => index);
  }

  function show() {
    const limits = settings.limits, weights = settings.weights;
    const found = answer(data, limits, weights);
    const place1 = new Map(found.met.map((index, i) => [index, String(i + 1)]));
    const wanted = [...found.met, ...found.open].filter((index) => {
      const candidate = data.candidates[index];
      const fits = !settings.verdict || found.verdicts[index] === settings.verdict;
      return fits && candidate.n.toLowerCase().includes(settings.query);
    });
    const listed = sorted(wanted).slice(0, settings.rows);
    body.replaceChildren(...listed.map((index) => place(index, place1.get(index) || "", found.verdicts[index])));
    say(found, wanted.length, listed.length);
  }

  function say(found, wanted, listed) {
    const best = found.met.length ? data.candidates[found.met[0]].n : "";
    const same = found.met[0] === first.met[0];
    const text = [`${found.met.length} meet every limit, ${found.open.length} uncertain, ${found.violated} rejected.`];
    text.push(best ? (same ? `First is still ${best}.` : `First is now ${best}.`) : "None is certain to meet these limits.");
    if (!found.asked) text.push("Ordered by score alone: ask the program for ties.");
    if (listed < wanted) text.push(`${listed} of ${wanted} rows shown.`);
    status.textContent = text.join(" ");
  }

  const controls = buildControls(data, form, settings, show);
  makeSortable(table, settings, show);
  window.advisorReport = {
    answer: (limits, weights) => answer(data, limits, weights),
    human, humanInterval, settings, show, data, reset: controls.reset,
  };
  controls.reset();
}

function makeSortable(table, settings, show) {
  for (const head of table.tHead.querySelectorAll("th[data-sort]")) {
    const button = element("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "descending" : "ascending");
      settings.sort = [head.dataset.sort, up ? -1 : 1];
      show();
    });
  }
}

function buildControls(data, form, settings, show) {
  const limited = element("fieldset", {}, element("legend", {}, "What if the limits were different?"));
  const weighed = element("fieldset", {}, element("legend", {}, "What if something else counted?"));
  const resets = [];
  for (const column of data.columns) {
    const scale = scaleOf(data, column);
    if (scale) resets.push(limitSlider(data, column, scale, limited, settings, show));
    resets.push(weightSlider(data, column, weighed, settings, show));
  }
  form.append(limited, weighed, listControls(settings, show, () => reset()));
  form.addEventListener("submit", (event) => event.preventDefault());
  function reset() {
    settings.limits = data.limits.map((limit) => ({ ...limit }));
    const total = Object.values(data.weights).reduce((sum, weight) => sum + weight, 0);
    settings.weights = Object.fromEntries(Object.entries(data.weights).map(([m, w]) => [m, (100 * w) / total]));
    for (const one of resets) one();
    show();
  }
  return { reset };
}

// Slider positions 0 to 1000 over the range of the candidates; the loose end means no limit.
function scaleOf(data, [metric, , , higher]) {
  const ends = data.candidates.filter((c) => c.m[metric]).flatMap((c) => c.m[metric].slice(0, 3)).filter((v) => v > 0);
  for (const limit of data.limits) if (limit.metric === metric) ends.push(higher ? limit.at_least : limit.at_most);
  const low = Math.min(...ends), high = Math.max(...ends);
  if (!(high > low)) return null;
  const map = LINEAR.has(metric)
    ? { to: (v) => (v - low) / (high - low), from: (t) => low + t * (high - low) }
    : { to: (v) => Math.log(v / low) / Math.log(high / low), from: (t) => low * (high / low) ** t };
  return {
    position: (value) => Math.round(1000 * map.to(value)),
    value: (position) => Number(map.from(position / 1000).toPrecision(3)),
    loose: higher ? 0 : 1000,
  };
}

function slider(label, attributes, parent) {
  const output = element("output", {});
  const input = element("input", { type: "range", ...attributes });
  parent.append(element("label", {}, output, label, input));
  return [input, output];
}

function limitSlider(data, [metric, label, unit, higher], scale, parent, settings, show) {
  const [input, output] = slider(`${label} ${higher ? "at least" : "at most"}`, { min: 0, max: 1000, "data-limit": metric }, parent);
  const asked = data.limits.find((limit) => limit.metric === metric);
  const side = higher ? "at_least" : "at_most";
  function write() {
    const limit = settings.limits.find((one) => one.metric === metric);
    output.textContent = limit ? human(limit[side], unit) : "no limit";
    input.setAttribute("aria-valuetext", output.textContent);
  }
  input.addEventListener("input", () => {
    const rest = settings.limits.filter((one) => one.metric !== metric);
    const position = Number(input.value);
    const bound = asked && position === scale.position(asked[side]) ? asked[side] : scale.value(position);
    const limit = { metric, at_most: null, at_least: null, [side]: bound };
    settings.limits = position === scale.loose ? rest : [...rest, limit];
    write();
    show();
  });
  return () => {
    input.value = asked ? scale.position(asked[side]) : scale.loose;
    write();
  };
}

function weightSlider(data, [metric, label], parent, settings, show) {
  const [input, output] = slider(`Weight of ${label}`, { min: 0, max: 100, "data-weight": metric }, parent);
  const total = Object.values(data.weights).reduce((a, b) => a + b, 0);
  const write = () => { output.textContent = input.value; };
  input.addEventListener("input", () => {
    const weights = { ...settings.weights, [metric]: Number(input.value) };
    if (Number(input.value) === 0) delete weights[metric];
    if (Object.keys(weights).length) settings.weights = weights;
    write();
    show();
  });
  return () => {
    input.value = Math.round((100 * (data.weights[metric] || 0)) / total);
    write();
  };
}

function listControls(settings, show, reset) {
  const box = element("fieldset", {}, element("legend", {}, "Which rows?"));
  const search = element("input", { type: "search", name: "query", autocomplete: "off" });
  const only = element("select", { name: "verdict" });
  for (const [value, text] of [["", "all verdicts"], ["met", "met"], ["uncertain", "uncertain"], ["unknown", "unknown"]]) {
    only.append(element("option", { value }, text));
  }
  const count = element("select", { name: "rows" });
  for (const value of ["10", "50", "100", "1000"]) count.append(element("option", value === "50" ? { value, selected: "" } : { value }, value));
  const button = element("button", { type: "button" }, "Back to the request");
  search.addEventListener("input", () => { settings.query = search.value.trim().toLowerCase(); show(); });
  only.addEventListener("change", () => { settings.verdict = only.value; show(); });
  count.addEventListener("change", () => { settings.rows = Number(count.value); show(); });
  button.addEventListener("click", reset);
  box.append(
    element("label", {}, "Name contains", search),
    element("label", {}, "Verdict", only),
    element("label", {}, "Rows", count),
    element("p", {}, button),
  );
  return box;
}

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

function openForPrint() {
  const blocks = [...document.querySelectorAll("details")];
  const sources = blocks.filter((block) => block.classList.contains("source"));
  for (const block of blocks) if (sources.indexOf(block) < 10) block.open = true;
}

window.addEventListener("hashchange", openTarget);
window.addEventListener("beforeprint", openForPrint);
openTarget();
const stored = document.getElementById("data");
const ranking = document.getElementById("ranking");
if (stored && ranking) {
  startRanking(unpacked(JSON.parse(stored.textContent)), ranking, document.getElementById("controls"), document.getElementById("status"));
}
