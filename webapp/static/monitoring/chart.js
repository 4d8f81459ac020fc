// One panel's curves, drawn by uPlot. The colours are those of the legend's swatches, so that both always agree.
/* global uPlot */
import { written } from "./units.js";

const SHOWN_IN_TIP = 12;
const LEVELS = { ok: "--ok", info: "--busy", warn: "--high", bad: "--danger" };
const FONT = "12px system-ui, sans-serif";
const MOST_AREAS = 3;
// Steps of an axis of bytes are powers of two, which are whole numbers of MiB and the like.
const BINARY = ["bytes", "bits", "binBps", "binbps"];
const POWERS = Array.from({ length: 60 }, (_, power) => 2 ** power);

export const canDraw = () => typeof uPlot === "function";

// Adds up the curves that are shown, from the last to the first, so that the first one lies on top.
function stack(columns, shown) {
  const sums = new Array(columns[0]?.length ?? 0).fill(0);
  const stacked = new Array(columns.length);
  for (let index = columns.length - 1; index >= 0; index -= 1) {
    if (!shown[index]) {
      stacked[index] = columns[index].map(() => null);
      continue;
    }
    stacked[index] = columns[index].map((value, at) => (value === null ? null : (sums[at] += value)));
  }
  return stacked;
}

function isLonely(values) {
  return values.some((value, at) => value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null);
}

export class Chart {
  // `place`: where it is drawn; `data`: webapp.monitoring.charts; `colours`: one for each curve; `zoom(from, to)`.
  constructor(place, data, colours, zoom) {
    Object.assign(this, { place, data, colours, zoom });
    this.shown = data.curves.map(() => true);
    this.times = [];
    this.marks = [];
    for (let moment = data.start; moment <= data.end; moment += data.step) this.times.push(moment);
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.draw();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(place);
  }

  setMarks(marks) {
    this.marks = marks.filter(({ moment }) => moment >= this.data.start && moment <= this.data.end);
    if (this.marks.length) this.plot.redraw(false);
  }

  draw() {
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), this.columns(), this.place);
    this.place.append(this.tip);
    this.plot.over.addEventListener("pointerenter", () => (this.pointed = true));
    this.plot.over.addEventListener("pointerleave", () => this.leave());
  }

  leave() {
    this.pointed = false;
    this.tip.hidden = true;
  }

  // Takes the place of `other`: whoever points at a moment goes on reading there when the values come anew.
  follow(other) {
    if (!other.pointed) return;
    this.pointed = true;
    this.plot.setCursor(other.cursor);
    // The new plot may lie elsewhere; it is never left when the pointer has not entered it.
    const leave = ({ target }) => this.plot.over.contains(target) || this.leave();
    document.addEventListener("pointermove", leave, { once: true });
  }

  get cursor() {
    const { left, top } = this.plot.cursor;
    return { left, top };
  }

  columns() {
    const columns = this.data.curves.map((curve) => curve.values);
    return [this.times, ...(this.data.stacked ? stack(columns, this.shown) : columns)];
  }

  options() {
    const { data } = this;
    const style = getComputedStyle(this.place);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--muted"), font: FONT, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(80, this.place.clientWidth),
      height: Math.max(60, this.place.clientHeight),
      padding: [6, 10, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: "dashboard", setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: 7 },
        focus: { prox: 24 },
      },
      focus: { alpha: 1 },
      scales: { x: { time: true, range: () => [data.start, data.end] }, y: { range: (_plot, low, high) => this.range(low, high) } },
      axes: [
        { ...axis, size: 26, space: 70, gap: 4, values: (_plot, ticks) => labels(ticks) },
        { ...axis, ...(BINARY.includes(data.unit) ? { incrs: POWERS } : {}), gap: 6, space: 32, size: (_plot, texts) => 14 + 6.9 * Math.max(3, ...(texts ?? []).map((text) => text.length)), values: (_plot, ticks) => ticks.map((tick) => written(tick, data.unit)) },
      ],
      series: [{}, ...data.curves.map((curve, index) => this.series(curve, index))],
      hooks: {
        setSelect: [(plot) => this.selected(plot)],
        setCursor: [(plot) => this.point(plot)],
        drawClear: [(plot) => this.limits(plot, colour)],
      },
    };
  }

  series(curve, index) {
    const stroke = this.colours[index];
    // Many areas over each other would only make mud of their colours.
    const single = this.data.curves.length > MOST_AREAS ? 0 : this.data.fill;
    const fill = this.data.stacked ? Math.max(0.25, this.data.fill) : single;
    return {
      label: curve.name,
      show: this.shown[index],
      stroke,
      width: 1.5,
      // Where a colour comes again, the curve is dashed.
      dash: curve.dashed || curve.repeated ? [6, 4] : undefined,
      fill: fill && !curve.dashed ? `color-mix(in srgb, ${stroke} ${Math.round(fill * 100)}%, transparent)` : undefined,
      points: { show: isLonely(curve.values), size: 4 },
      spanGaps: false,
    };
  }

  range(low, high) {
    const { data } = this;
    const least = data.min ?? Math.min(0, low ?? 0);
    let most = data.max ?? high ?? 1;
    if (data.max === null) most += (most - least) * 0.08;
    return [least, most > least ? most : least + 1];
  }

  limits(plot, colour) {
    const { ctx, bbox } = plot;
    for (const { moment } of this.marks) {
      const at = plot.valToPos(moment, "x", true);
      this.line(ctx, colour("--busy"), [2, 3], [at, bbox.top, at, bbox.top + bbox.height]);
    }
    for (const limit of this.data.limits) {
      const at = plot.valToPos(limit.value, "y", true);
      if (at < bbox.top || at > bbox.top + bbox.height) continue;
      this.line(ctx, colour(LEVELS[limit.level] ?? "--edge"), [5, 5], [bbox.left, at, bbox.left + bbox.width, at]);
    }
  }

  line(ctx, colour, dash, [left, top, right, bottom]) {
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(left, top);
    ctx.lineTo(right, bottom);
    ctx.stroke();
    ctx.restore();
  }

  selected(plot) {
    const { left, width } = plot.select;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    // What is selected on one chart is selected on all others as well; one of them has to act.
    if (width < 8 || !this.pointed) return;
    this.zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  }

  point(plot) {
    const at = plot.cursor.idx;
    if (!this.pointed || at === null || at === undefined) {
      this.tip.hidden = true;
      return;
    }
    const height = plot.posToVal(plot.cursor.top, "y");
    const rows = this.data.curves
      .map((curve, index) => ({ curve, index, value: curve.values[at], drawn: plot.data[index + 1][at] }))
      .filter((row) => this.shown[row.index] && row.value !== null && row.value !== undefined);
    const near = rows.reduce((best, row) => (best && Math.abs(best.drawn - height) <= Math.abs(row.drawn - height) ? best : row), null);
    rows.sort((one, other) => other.value - one.value);
    this.tell(this.times[at], rows, near);
    this.tip.hidden = false;
    const left = plot.cursor.left + plot.over.offsetLeft;
    const right = left + this.tip.offsetWidth + 18 > this.place.clientWidth;
    const x = right ? Math.max(-8, left - this.tip.offsetWidth - 14) : left + 14;
    this.tip.style.transform = `translate(${x}px, ${Math.max(0, plot.cursor.top - 10)}px)`;
  }

  tell(moment, rows, nearest) {
    const time = document.createElement("time");
    time.textContent = new Date(moment * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
    const list = document.createElement("ul");
    for (const row of rows.slice(0, SHOWN_IN_TIP)) {
      const item = document.createElement("li");
      if (row === nearest && rows.length > 1) item.className = "near";
      const swatch = document.createElement("span");
      swatch.className = `swatch c${row.curve.colour}`;
      const name = document.createElement("span");
      name.textContent = row.curve.name;
      const value = document.createElement("b");
      value.textContent = written(row.value, row.curve.unit, row.curve.decimals);
      item.append(swatch, name, value);
      list.append(item);
    }
    this.tip.replaceChildren(time, list);
    if (rows.length > SHOWN_IN_TIP) this.tip.append(`and ${rows.length - SHOWN_IN_TIP} more`);
    if (!rows.length) this.tip.append("no value here");
    const near = this.marks.filter((mark) => Math.abs(mark.moment - moment) <= Math.max(this.data.step, (this.data.end - this.data.start) / 150));
    for (const mark of near.slice(0, 3)) {
      const said = document.createElement("p");
      said.className = "mark";
      said.textContent = mark.words;
      this.tip.append(said);
    }
  }

  // Shows or hides a curve; alone: all others.
  toggle(index) {
    this.shown[index] = !this.shown[index];
    if (this.data.stacked) this.plot.setData(this.columns());
    this.plot.setSeries(index + 1, { show: this.shown[index] });
    return this.shown[index];
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width > 0 && (width !== this.plot.width || height !== this.plot.height)) {
      this.plot.setSize({ width: Math.max(80, width), height: Math.max(60, height) });
    }
  }

  destroy() {
    this.observer.disconnect();
    this.plot.destroy();
  }
}

// Times as short as they can be told apart: the day where it begins, else hours and minutes.
function labels(ticks) {
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 60;
  let day = "";
  return ticks.map((tick) => {
    const moment = new Date(tick * 1000);
    const date = moment.toLocaleDateString([], { month: "short", day: "numeric" });
    if (step >= 86400) return date;
    const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false, ...(step < 60 ? { second: "2-digit" } : {}) });
    const begins = day !== "" && day !== date;
    day = date;
    return begins ? date : time;
  });
}
