"use strict";
// Sorting, filtering and ranking again under other limits. The rules are those of the program:
// error.py (standing, room), constraint.py (verdict), chance.py (chance, byChance), ranking.py
// (utility, scores, order, front), ties.py (placed), quantity.py (human). Under the limits and
// weights of the request everything stands as it was answered.
document.documentElement.classList.remove("no-script");

const VERDICTS = ["met", "uncertain", "unknown", "violated"];
const MARKS = { met: "✓", uncertain: "?", unknown: "–", violated: "✗" };
const LINEAR = new Set(["top1", "top5"]);
const VAGUE = 100;
const NARROW = window.matchMedia("(max-width: 40rem)").matches;
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

function counted(number) {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
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

// What values of a metric are worth: 0 and 1 at its anchors, and no more than 1 beyond a need.
function utility(metric, limits, data, several) {
  const linear = LINEAR.has(metric);
  let [poor, good] = data.anchors[metric];
  const limit = linear ? undefined : limits.find((one) => one.metric === metric);
  let need = several ? data.needs[metric] : undefined;
  if (need === undefined && several && limit) need = limit.at_most !== null ? limit.at_most : limit.at_least;
  if (need) [poor, good] = [linear ? need - (good - poor) : need * poor / good, need];
  const slope = 1 / (scaled(good, linear) - scaled(poor, linear));
  const worth = (value) => {
    const share = (scaled(value, linear) - scaled(poor, linear)) * slope;
    return need ? Math.min(share, 1) : share;
  };
  return { worth, slope, linear };
}

function weighing(weights, limits, data) {
  const entries = Object.entries(weights);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0) || 1;
  return entries.map(([metric, weight]) => [metric, weight / total, utility(metric, limits, data, entries.length > 1)]);
}

function scores(list, weighed) {
  return list.map((c) => weighed.reduce((sum, [m, share, u]) => sum + share * (c.m[m] ? u.worth(c.m[m][0]) : -1), 0));
}

function order(list, weighed) {
  const rank = scores(list, weighed);
  const time = list.map((c) => (c.m.latency ? c.m.latency[0] : Infinity));
  return list.map((_, i) => i).sort((a, b) => rank[b] - rank[a] || (time[a] === time[b] ? 0 : time[a] - time[b]) || a - b);
}

// Standard deviation of the worth of a figure.
function deviation([value, low, high, reach], { worth, slope, linear }) {
  const middle = scaled(value, linear);
  const both = (Math.max(middle - scaled(low, linear), 0) + Math.max(scaled(high, linear) - middle, 0)) / reach;
  if (!both) return 0;
  const width = Math.abs(worth(high) - worth(value)) + Math.abs(worth(low) - worth(value));
  return Math.min((Math.abs(slope) * both) / 2, width);
}

// Variance of the difference of two scores; errors of one lane go together.
function variance(a, b, weighed) {
  let found = 0;
  for (const [metric, share, u] of weighed) {
    if (!a.m[metric] || !b.m[metric]) return 0;
    const x = share * deviation(a.m[metric], u), y = share * deviation(b.m[metric], u);
    let alike = 0;
    if (a.l === b.l && TIMED.has(metric)) a.t.slice(3).forEach((part, i) => { alike += part * (b.t[3 + i] || 0); });
    found += x * x + y * y - 2 * alike * x * y;
  }
  return Math.max(found, 0);
}

// Orders candidates as the program does: what trails the best by less than is known is tied with it.
// Returns [candidate, first of its tie or null].
function placed(list, weighed, data) {
  const score = scores(list, weighed);
  const virtues = (i) => {
    const [size, licence, evidence] = list[i].t;
    return [licence === data.shut ? 1 : 0, size === null ? Infinity : size, licence, evidence, -score[i], list[i].n];
  };
  const byVirtue = (a, b) => {
    const x = virtues(a), y = virtues(b);
    for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return x[k] < y[k] ? -1 : 1;
    return 0;
  };
  let left = order(list, weighed);
  const found = [];
  while (left.length) {
    const best = left[0], least = score[best] - data.near;
    const isTied = (i) => i === best || (score[i] >= least
      && score[best] - score[i] <= data.reach * Math.sqrt(variance(list[best], list[i], weighed)));
    const group = left.filter(isTied).sort(byVirtue);
    for (const i of group) found.push([i, group.length > 1 ? group[0] : null]);
    const tied = new Set(group);
    left = left.filter((i) => !tied.has(i));
  }
  return found;
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
  const chances = new Map(data.chances.map((share, i) => [i, share]));
  return { met: all.slice(0, met), open: all.slice(met, met + open), violated: all.length - met - open, verdicts, chances, asked: true };
}

// Judges and ranks every candidate: indices of those that meet all limits and of those that may.
function answer(data, limits, weights) {
  if (isAsked(data, limits, weights)) return answered(data);
  const groups = { met: [], uncertain: [], unknown: [], violated: [] };
  const verdicts = data.candidates.map((c) => judge(c, limits, data.confidence));
  verdicts.forEach((v, i) => groups[v].push(i));
  const open = [...groups.uncertain, ...groups.unknown].sort((a, b) => a - b);
  const weighed = weighing(weights, limits, data);
  const of = (group) => group.map((i) => data.candidates[i]);
  const met = placed(of(groups.met), weighed, data).map(([k, first]) => [groups.met[k], first === null ? null : groups.met[first]]);
  const likely = order(of(open), weighed).map((k) => open[k]);
  const chances = new Map([...groups.met, ...open].map((i) => [i, chance(data.candidates[i], limits)]));
  return {
    met: met.map(([i]) => i), ties: new Map(met), chances,
    open: byChance(likely, chances), violated: groups.violated.length, verdicts, asked: false,
  };
}

// Those that no other one beats in both figures; for the first lower is better, or not.
function frontOf(list, x, higher) {
  const both = list.filter((c) => c.m[x] && c.m.top1).map((c) => [higher ? -c.m[x][0] : c.m[x][0], -c.m.top1[0], c]);
  both.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const kept = [];
  let best = Infinity;
  for (const [, up, c] of both) if (up < best) { best = up; kept.push(c); }
  return kept;
}

// Candidates are stored as [name, precision, origin, verdict of the device's own limits, verdict of the
// answer, lane, what decides a tie, numbers of the sources, figure of each column …]; figures as
// [value, low, high, reach], without a reach that is usual.
function unpacked(data) {
  const names = data.columns.map(([metric]) => metric);
  const candidates = data.candidates.map(([n, p, o, d, v, l, t, s, ...figures]) => {
    const m = {};
    figures.forEach((figure, i) => {
      if (figure === null) return;
      const [value, low, high, reach] = Array.isArray(figure) ? figure : [figure, figure, figure];
      m[names[i]] = [value, low, high, reach === undefined ? data.reach : reach];
    });
    return { n, p, o, d, v, l, t, s, m };
  });
  return { ...data, candidates };
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function isVague([, low, high], unit) {
  return unit !== "fraction" && high > VAGUE * low;
}

function figureText(figure, unit) {
  const [value, low, high] = figure;
  if (isVague(figure, unit)) return "not known, somewhere in " + humanInterval(low, high, unit, value);
  return human(value, unit) + (low === high ? "" : ` (${humanInterval(low, high, unit, value)})`);
}

function chanceText(share) {
  if (share === null) return "unknown";
  if (share >= 0.995 && share < 1) return "over 99 %";
  if (share > 0 && share < 0.005) return "under 1 %";
  return fixed(100 * share, 0) + " %";
}

// Puts the heading of each column before its cells, for narrow screens.
function labelled(table) {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  for (const row of table.tBodies[0].rows) [...row.cells].forEach((cell, i) => { cell.dataset.label = heads[i]; });
}

function figureCell(figure, unit) {
  const cell = element("td", { class: "number" });
  if (!figure) {
    cell.append(element("span", { class: "gap" }, "unknown"));
    return cell;
  }
  const [value, low, high] = figure;
  if (isVague(figure, unit)) cell.append(element("span", { class: "gap" }, "not known"));
  else cell.append(element("span", { class: "value" }, human(value, unit)));
  if (low !== high) cell.append(element("span", { class: "interval" }, humanInterval(low, high, unit, value)));
  return cell;
}

function startRanking(data, table, form, status) {
  const body = table.tBodies[0];
  const rows = new Map([...body.rows].map((row) => [Number(row.dataset.key.slice(1)), row]));
  const settings = { limits: [], weights: {}, query: "", verdict: "", rows: NARROW ? 10 : 50, sort: null };
  const decision = whatIf(data, () => controls.reset());
  const chart = redrawn(data);

  function rowOf(index) {
    if (rows.has(index)) return rows.get(index);
    const candidate = data.candidates[index];
    const row = element("tr", { "data-key": "c" + index, "data-origin": data.origins[candidate.o] });
    const link = element("a", { href: "#c" + index }, candidate.n);
    const name = element("th", { scope: "row" }, link, " ", element("span", { class: "quiet" }, candidate.p));
    // Only variants are spelled with axes, and nobody has trained those.
    if (candidate.n.includes(":")) name.append(" ", element("span", { class: "training" }, "needs training"));
    row.append(element("td", { class: "rank" }), name, element("td", { class: "judged" }));
    for (const [metric, , unit] of data.columns) row.append(figureCell(candidate.m[metric], unit));
    row.append(element("td", {}, data.origins[candidate.o]));
    rows.set(index, row);
    return row;
  }

  const kept = new Map([...rows].map(([index, row]) => [index, row.querySelector(".judged").innerHTML]));

  function place(index, rank, found, front) {
    const row = rowOf(index), name = found.verdicts[index];
    row.querySelector(".rank").textContent = rank;
    const judged = row.querySelector(".judged");
    if (found.asked && kept.has(index)) judged.innerHTML = kept.get(index);
    else {
      judged.replaceChildren(element("span", { class: "verdict " + name }, MARKS[name] + " " + name));
      judged.append(" ", chanceMark(found.chances.get(index)));
      if (front.has(index)) judged.append(element("span", { class: "front", title: "no other model is both faster and more accurate" }, " ◆"));
    }
    tie(row, index, found);
    row.classList.toggle("first", rank === "1");
    return row;
  }

  // The note of a tie is that of the answer, or the one of the changed settings.
  function tie(row, index, found) {
    const told = row.querySelector(".tie:not(.new)");
    if (told) told.hidden = !found.asked;
    row.querySelector(".tie.new")?.remove();
    const first = found.asked ? null : found.ties.get(index);
    if (first === null || first === undefined) return;
    const text = first === index ? "tied with others; the smaller, better licensed or better evidenced comes first"
      : `tied with ${data.candidates[first].n}: the difference is smaller than what is known of it`;
    row.querySelector("th").append(element("span", { class: "small tie new" }, text));
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
    const front = new Set(found.asked ? data.front : chart.front(found).map((c) => data.candidates.indexOf(c)));
    body.replaceChildren(...listed.map((index) => place(index, place1.get(index) || "", found, front)));
    labelled(table);
    say(found, wanted.length, listed.length);
    decision.show(found, limits, weights);
    chart.show(found, limits);
  }

  function say(found, wanted, listed) {
    const text = [`${counted(found.met.length)} ${found.met.length === 1 ? "meets" : "meet"} every limit, ${counted(found.open.length)} uncertain, ${counted(found.violated)} rejected.`];
    if (listed < wanted) text.push(`${counted(listed)} of ${counted(wanted)} rows shown.`);
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

function chanceMark(share) {
  const text = chanceText(share);
  if (share === null) return element("span", { class: "chance gap" }, text);
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i", { style: `width:${fixed(100 * share, 0)}%` }));
  return element("span", { class: "chance", title: "probability of keeping every limit" }, bar, " ", text);
}

function limitText(limit, data) {
  const [, label, unit] = data.columns.find(([metric]) => metric === limit.metric);
  return limit.at_most !== null ? `${label} ≤ ${human(limit.at_most, unit)}` : `${label} ≥ ${human(limit.at_least, unit)}`;
}

// Text whose long names may break between their parts.
function breakable(text) {
  return text.split(/(?<=\w[_.@:\/=,-])(?=\w)/).flatMap((part, place) => (place ? [element("wbr", {}), part] : [part]));
}

// The decision under changed settings, in place of the one that was answered.
function whatIf(data, reset) {
  const box = document.querySelector("section.decision");
  if (!box) return { show() {} };
  const heading = box.querySelector("h2"), asked = [...heading.childNodes];
  const own = element("div", { class: "whatif" });
  box.append(own);

  function headline(found) {
    if (found.met.length) return `Use ${data.candidates[found.met[0]].n}`;
    if (found.open.length) return `Measure ${data.candidates[found.open[0]].n} before deciding`;
    return "No model meets the limits";
  }

  function sentences(found, limits, weights) {
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    const shares = Object.entries(weights).map(([m, w]) => `${data.columns.find(([metric]) => metric === m)[1]} ${fixed((100 * w) / total, 0)} %`);
    const asked = `Under changed settings: ${limits.map((l) => limitText(l, data)).join(", ") || "no limit"}; ranked by ${shares.join(", ")}.`;
    const best = [...found.met, ...found.open][0];
    if (best === undefined) return [asked];
    const c = data.candidates[best];
    const figures = data.columns.filter(([metric]) => c.m[metric]).map(([metric, label, unit]) => `${label} ${figureText(c.m[metric], unit)}`);
    const tied = [...found.ties].filter(([, first]) => first === best).length - 1;
    const ties = found.met.length && tied > 0 ? [`Tied with ${tied === 1 ? "one other" : tied + " others"}.`] : [];
    return [asked, figures.join("; ") + ".", `It keeps every limit with ${chanceText(found.chances.get(best))} probability.`, ...ties];
  }

  return {
    show(found, limits, weights) {
      box.classList.toggle("changed", !found.asked);
      heading.replaceChildren(...(found.asked ? asked : breakable(headline(found))));
      own.replaceChildren();
      if (found.asked) return;
      const button = element("button", { type: "button" }, "Back to the request");
      button.addEventListener("click", reset);
      own.append(...sentences(found, limits, weights).map((text) => element("p", {}, text)), element("p", {}, button));
    },
  };
}

const SVG = "http://www.w3.org/2000/svg";
const FRAME = { left: 74, right: 742, top: 32, bottom: 362 };

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The axis of a metric from low to high between two pixels.
function axisOf(metric, unit, values, start, end) {
  const linear = LINEAR.has(metric);
  const usable = values.filter((v) => Number.isFinite(v) && (linear || v > 0));
  let low = Math.min(...usable), high = Math.max(...usable);
  if (linear) {
    const room = Math.max(high - low, 0.02) * 0.08;
    [low, high] = [Math.max(low - room, 0), Math.min(high + room, 1)];
  } else [low, high] = [low / 1.15, high * 1.35];
  const share = (v) => (scaled(v, linear) - scaled(low, linear)) / (scaled(high, linear) - scaled(low, linear));
  const at = (v) => start + Math.min(Math.max(share(v), 0), 1) * (end - start);
  return { metric, unit, low, high, at, holds: (v) => v >= low && v <= high, ticks: ticksOf(low, high, linear) };
}

function ticksOf(low, high, linear) {
  const found = [];
  if (!linear) {
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const step of [1, 2, 5]) found.push(step * 10 ** power);
    }
    const inside = found.filter((v) => v >= low && v <= high);
    if (inside.length > 1) return inside;
  }
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough);
  const even = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) even.push(i * step);
  return even;
}

function tickText(axis, value) {
  const [number, unit] = human(value, axis.unit).split(" ");
  const short = number.includes(".") ? number.replace(/0+$/, "").replace(/\.$/, "") : number;
  return unit ? `${short} ${unit}` : short;
}

// Ticks whose texts do not collide, and which of them narrow screens leave out.
function spacedTicks(axis, room) {
  const kept = [];
  for (const [size, minor] of [[15, false], [8.5, true]]) {
    for (const value of axis.ticks) {
      const need = room(tickText(axis, value), size) + size;
      if (kept.every(([other]) => Math.abs(axis.at(value) - axis.at(other)) >= need)) kept.push([value, minor]);
    }
  }
  return kept;
}

// Places names beside their points so that none covers another (labels.py).
function placedNames(names, taken) {
  const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const around = ([x, y], r) => [x - r, y - r, x + r, y + r];
  const blocked = [...taken, ...names.map((n) => around(n, 6))];
  const found = [];
  for (const [x, y, text] of names) {
    const width = 8 * text.length;
    let best = null;
    [9, 20, 34, 52, 74, 100].forEach((away, ring) => {
      [x - away - width, x - width / 2, x + away].forEach((left, column) => {
        [y - away - 17, y - 8.5, y + away].forEach((top, row) => {
          const box = [left, top, left + width, top + 17];
          const outside = left < FRAME.left || top < FRAME.top || box[2] > FRAME.right || box[3] > FRAME.bottom;
          if ((column === 1 && row === 1) || outside || best || blocked.some((other) => meets(box, other))) return;
          best = { text, box, point: [x, y], far: ring > 0 };
        });
      });
    });
    if (best) { found.push(best); blocked.push(best.box); }
  }
  return found;
}

// The chart under changed settings, in place of the one that was answered.
function redrawn(data) {
  const asked = document.querySelector("svg.chart.scatter");
  const column = (metric) => data.columns.find(([name]) => name === metric);
  const [x, y] = asked ? [asked.dataset.x, asked.dataset.y] : ["latency", "top1"];
  const front = (found) => frontOf([...found.met, ...found.open].map((i) => data.candidates[i]), x, (column(x) || [])[3]);
  if (!asked || !column(x) || !column(y)) return { front, show() {} };
  const own = drawn("svg", { class: "chart scatter", viewBox: "0 0 760 420", role: "img", "font-size": "13", "font-family": "inherit" });
  own.style.display = "none";
  asked.after(own);

  function axes(shown, best, limits) {
    const floor = Math.max(...shown.map((i) => data.candidates[i].m[y][0])) - 0.25;
    const high = shown.filter((i) => best.includes(i) || data.candidates[i].m[y][0] >= floor);
    const ends = (metric) => [
      ...high.flatMap((i) => data.candidates[i].m[metric].slice(0, 3)),
      ...limits.filter((l) => l.metric === metric).map((l) => (l.at_most !== null ? l.at_most : l.at_least)),
    ];
    return [axisOf(x, column(x)[2], ends(x), FRAME.left, FRAME.right), axisOf(y, column(y)[2], ends(y), FRAME.bottom, FRAME.top)];
  }

  function frame(across, up) {
    own.append(drawn("path", { class: "axis", d: `M${FRAME.left} ${FRAME.top}V${FRAME.bottom}H${FRAME.right}`, stroke: "#555", fill: "none" }));
    for (const [value, minor] of spacedTicks(across, (text, size) => size * text.length)) {
      own.append(drawn("line", { class: "grid", x1: across.at(value), x2: across.at(value), y1: FRAME.top, y2: FRAME.bottom, stroke: "#e3e3e3" }));
      own.append(drawn("text", { class: minor ? "minor" : "", x: across.at(value), y: FRAME.bottom + 20, "text-anchor": "middle" }, tickText(across, value)));
    }
    for (const [value, minor] of spacedTicks(up, (_, size) => 1.6 * size)) {
      own.append(drawn("line", { class: "grid", x1: FRAME.left, x2: FRAME.right, y1: up.at(value), y2: up.at(value), stroke: "#e3e3e3" }));
      own.append(drawn("text", { class: minor ? "minor" : "", x: FRAME.left - 8, y: up.at(value) + 4, "text-anchor": "end" }, tickText(up, value)));
    }
    own.append(drawn("text", { x: (FRAME.left + FRAME.right) / 2, y: 406, "text-anchor": "middle" }, `${column(x)[1]}, logarithmic →`));
    own.append(drawn("text", { x: 8, y: 20 }, `${column(y)[1]} ↑`));
  }

  function bound(limit, across, up) {
    const value = limit.at_most !== null ? limit.at_most : limit.at_least;
    const isX = limit.metric === x, at = (isX ? across : up).at(value), most = limit.at_most !== null;
    const area = isX ? [most ? at : FRAME.left, FRAME.top, most ? FRAME.right - at : at - FRAME.left, FRAME.bottom - FRAME.top]
      : [FRAME.left, most ? FRAME.top : at, FRAME.right - FRAME.left, most ? at - FRAME.top : FRAME.bottom - at];
    const [left, top, width, height] = area;
    own.append(drawn("rect", { class: "forbidden", x: left, y: top, width, height, fill: "#b3261e", "fill-opacity": "0.07" }));
    own.append(drawn("path", { class: "limit", d: isX ? `M${at} ${FRAME.top}V${FRAME.bottom}` : `M${FRAME.left} ${at}H${FRAME.right}`, stroke: "#b3261e", "stroke-dasharray": "5 4" }));
    const near = isX && at < FRAME.left + 110;
    const place = isX ? [at + (near ? 6 : -6), FRAME.top + 14] : [FRAME.right - 4, at - 6];
    own.append(drawn("text", { class: "limit-text", x: place[0], y: place[1], "text-anchor": near ? "start" : "end" }, `limit ${human(value, column(limit.metric)[2])}`));
    return isX ? [at - 150, FRAME.top, at + 150, FRAME.top + 34] : [FRAME.right - 150, at - 23, FRAME.right, at];
  }

  function mark(i, verdict, across, up) {
    const c = data.candidates[i], [value, low, high] = c.m[x], cx = across.at(value), cy = up.at(c.m[y][0]);
    const group = drawn("g", { class: "point " + verdict, "data-key": "c" + i });
    group.append(drawn("title", {}, `${c.n} (${c.p}): ${column(x)[1]} ${figureText(c.m[x], column(x)[2])}, ${column(y)[1]} ${figureText(c.m[y], column(y)[2])}`));
    group.append(drawn("path", { class: "whisker", d: `M${across.at(low)} ${cy}H${across.at(high)}M${cx} ${up.at(c.m[y][1])}V${up.at(c.m[y][2])}`, "stroke-opacity": "0.45", fill: "none" }));
    if (verdict === "met") group.append(drawn("circle", { class: "mark", cx, cy, r: 5 }));
    else group.append(drawn("path", { class: "mark", d: `M${cx} ${cy - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z`, "stroke-width": "1.6" }));
    return group;
  }

  function draw(found, limits) {
    own.replaceChildren();
    const both = (list) => list.filter((i) => data.candidates[i].m[x] && data.candidates[i].m[y]);
    const met = both(found.met), open = both(found.open);
    const best = found.met.slice(0, 3).filter((i) => met.includes(i));
    const line = front(found).map((c) => data.candidates.indexOf(c));
    const shown = [...new Set([...met.slice(0, 40), ...open.slice(0, 20), ...line])];
    if (!shown.length) { own.append(drawn("text", { x: 380, y: 200, "text-anchor": "middle" }, "No model may keep these limits.")); return; }
    const drawnLimits = limits.filter((l) => l.metric === x || l.metric === y);
    const [across, up] = axes(shown, best, drawnLimits);
    const inside = (i) => across.holds(data.candidates[i].m[x][0]) && up.holds(data.candidates[i].m[y][0]);
    frame(across, up);
    const taken = drawnLimits.map((limit) => bound(limit, across, up));
    const dots = data.candidates.map((_, i) => i).filter((i) => !shown.includes(i) && data.candidates[i].m[x] && data.candidates[i].m[y] && inside(i));
    for (const verdict of VERDICTS) {
      const d = dots.filter((i) => found.verdicts[i] === verdict).map((i) => `M${across.at(data.candidates[i].m[x][0]).toFixed(1)} ${up.at(data.candidates[i].m[y][0]).toFixed(1)}h0`).join("");
      if (d) own.append(drawn("path", { class: "dots " + verdict, d, stroke: "#9a9a9a", "stroke-width": "3.4", "stroke-linecap": "round", "stroke-opacity": "0.55", fill: "none" }));
    }
    const steps = line.filter(inside).map((i) => [across.at(data.candidates[i].m[x][0]), up.at(data.candidates[i].m[y][0])]).sort((a, b) => a[0] - b[0]);
    if (steps.length > 1) own.append(drawn("path", { class: "front", d: `M${steps[0].join(" ")}` + steps.slice(1).map(([a, b]) => `H${a}V${b}`).join(""), fill: "none", "stroke-width": "1.6" }));
    for (const i of shown.filter(inside).reverse()) own.append(mark(i, found.verdicts[i], across, up));
    const names = best.filter(inside).map((i) => {
      const [name, size] = data.candidates[i].n.split("@");
      const text = `${found.met.indexOf(i) + 1} ${name.split(".")[0]}${size ? "@" + size.split(":")[0] : ""}`;
      return [across.at(data.candidates[i].m[x][0]), up.at(data.candidates[i].m[y][0]), text.length > 28 ? text.slice(0, 27) + "…" : text];
    });
    for (const { text, box, point, far } of placedNames(names, taken)) {
      if (far) own.append(drawn("line", { class: "leader", x1: point[0], y1: point[1], x2: Math.min(Math.max(point[0], box[0]), box[2]), y2: Math.min(Math.max(point[1], box[1]), box[3]), stroke: "#555" }));
      own.append(drawn("text", { class: "rank", x: box[0], y: box[3] - 4, "font-size": "12.5", "font-weight": "600" }, text));
    }
    own.setAttribute("aria-label", `${column(y)[1]} against ${column(x)[1].toLowerCase()} of ${found.met.length} models that meet the changed limits and ${found.open.length} uncertain ones`);
  }

  return {
    front,
    show(found, limits) {
      asked.style.display = found.asked ? "" : "none";
      own.style.display = found.asked ? "none" : "";
      if (!found.asked) draw(found, limits);
    },
  };
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
  const [input, output] = slider(`How much ${label.toLowerCase() === "weights" ? "size of weights" : label.toLowerCase()} counts`, { min: 0, max: 100, "data-weight": metric }, parent);
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
  for (const value of ["10", "50", "100", "1000"]) count.append(element("option", Number(value) === settings.rows ? { value, selected: "" } : { value }, value));
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

// Sources of a row that the page did not hold: written when they are asked for.
function sourceBlock(key) {
  const index = /^c\d+$/.test(key) && page ? Number(key.slice(1)) : -1;
  const candidate = index >= 0 && page.candidates[index];
  const parent = document.getElementById("blocks");
  if (!candidate || !parent) return null;
  const rows = page.columns.map(([metric, label, unit], i) => {
    const figure = candidate.m[metric];
    if (!figure) return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, "unknown"), element("td", {}), element("td", {}), element("td", {}), element("td", {}));
    const [origin, source, date, caveats] = page.sources[candidate.s[i]];
    return element("tr", {}, element("th", { scope: "row" }, label), ...[figureText(figure, unit), origin, source, date, caveats].map((text) => element("td", { class: "break" }, text)));
  });
  const head = element("tr", {}, ...["Figure", "Value", "Origin", "Source", "Date", "Caveats"].map((text) => element("th", { scope: "col" }, text)));
  const table = element("table", { class: "stacks" }, element("thead", {}, head), element("tbody", {}, ...rows));
  const block = element("details", { class: "source", id: key }, element("summary", {}, candidate.n), table);
  parent.append(block);
  labelled(table);
  return block;
}

function openTarget() {
  const key = location.hash.slice(1);
  const target = key && (document.getElementById(key) || sourceBlock(key));
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

const stored = document.getElementById("data");
const ranking = document.getElementById("ranking");
const page = stored && ranking ? unpacked(JSON.parse(stored.textContent)) : null;
for (const table of document.querySelectorAll("table.stacks")) labelled(table);
for (const box of document.querySelectorAll("details.try")) box.open = !NARROW;
window.addEventListener("hashchange", openTarget);
window.addEventListener("beforeprint", openForPrint);
openTarget();
if (page) startRanking(page, ranking, document.getElementById("controls"), document.getElementById("status"));
