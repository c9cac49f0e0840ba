/* What the pages do after they are read: filters, address, sums, tables, downloads, citation, search.
   Sums follow `cube.py`, sentences `sentences.py`, blocks `blocks.py`; a test compares them.
   A classic script, because modules do not load from file://. */
"use strict";

(() => {
  const UNKNOWN = "–";
  const MONTHS = ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"];
  const MORE = 50;
  const NARROW_BELOW = 560;
  const group = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ".");
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement.dataset.root || "";

  /* ---- numbers and words ---- */

  function number(value) {
    if (value === null) return UNKNOWN;
    const whole = Math.floor(Math.abs(value) + 0.5);
    return (value < 0 && whole ? "−" : "") + group(String(whole));
  }
  const signed = (value) => (value > 0 ? "+" : "") + number(value);
  const difference = (value) =>
    value === 0 ? "nem mais nem menos" : `${number(Math.abs(value))} a ${value > 0 ? "mais" : "menos"}`;
  function percent(part, whole) {
    if (part === null || !whole) return UNKNOWN;
    const tenths = Math.floor(Math.abs((1000 * part) / whole) + 0.5);
    const sign = part * whole < 0 && tenths ? "−" : "";
    return `${sign}${number(Math.floor(tenths / 10))},${tenths % 10}%`;
  }
  /* A measure of a row, or what is known of it; as in cube.py. */
  const known = (row, measure) => row[measure] ?? row[`${measure}_minimo`] ?? null;
  function said(row, measure) {
    if (row[measure] === null && known(row, measure)) return `ao menos ${number(known(row, measure))}`;
    return measure.startsWith("pct_") ? percent(row[measure], 100) : number(row[measure]);
  }
  const monthName = (month) => `${MONTHS[Number(month.slice(5, 7)) - 1]}/${month.slice(2, 4)}`;
  function periodName(months) {
    if (!months.length) return UNKNOWN;
    const [first, last] = [months[0], months[months.length - 1]];
    return first === last ? monthName(first) : `${monthName(first)} a ${monthName(last)}`;
  }
  /* As in page.py. */
  const fileName = (code) =>
    code.replace(/[^0-9A-Za-z-]/gu, (sign) => `_${sign.codePointAt(0).toString(16)}_`) || "_";
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  /* ---- the cube ---- */

  class Cube {
    constructor(data) {
      Object.assign(this, data);
      this.length = 0;
      this.rows = {};
      this.measures = {};
      this.named = Object.fromEntries(data.dimensions.map((dimension) => [dimension.name, dimension]));
    }

    take({ rows, measures }) {
      for (const [mine, given] of [
        [this.rows, rows],
        [this.measures, measures],
      ])
        for (const [name, column] of Object.entries(given)) {
          // What is not known at the end of a column is not sent.
          const unknown = Array(rows.competencia.length - column.length).fill(null);
          mine[name] = (mine[name] ?? []).concat(column, unknown);
        }
      this.length = this.rows.competencia.length;
    }

    monthsOf(cut, state) {
      const [from, to] = [state.de, state.ate].sort();
      const all = this.months.map((month, at) => ({ month, at, over: at < this.over }));
      const chosen = all.filter(({ month }) => from <= month && month <= to);
      const over = chosen.filter((month) => month.over);
      if (cut === "tudo") return chosen;
      if (cut === "previsto") return all.filter((month) => !month.over);
      if (cut === "somado") return over.length ? over : chosen;
      if (!over.length) return [];
      const last = over[over.length - 1].month;
      const [year, month] = last.split("-").map(Number);
      const before = month === 1 ? [year - 1, 12] : [year, month - 1];
      const wanted = { ultimo: [year, month], anterior: before, ano_antes: [year - 1, month] }[cut];
      const name = `${wanted[0]}-${String(wanted[1]).padStart(2, "0")}`;
      return all.filter((found) => found.over && found.month === name);
    }

    /* Of a cube whose rows are told one by one, those of all codes of what is neither chosen nor a key. */
    cut(cut, state, keys = []) {
      // What it does not have was chosen: of that it tells nothing.
      if (Object.keys(state).some((name) => state[name] && !["de", "ate"].includes(name) && !this.named[name]))
        return [];
      const months = new Set(this.monthsOf(cut, state).map((month) => month.at));
      const wanted = this.dimensions
        .filter(({ name }) => state[name] || (this.told && !keys.includes(name)))
        .map(({ name, codes }) => [this.rows[name], codes.indexOf(state[name] ?? "")]);
      const apart = this.told
        ? this.dimensions
            .filter(({ name }) => keys.includes(name))
            .map(({ name, codes }) => [this.rows[name], codes.indexOf("")])
        : [];
      const found = [];
      for (let row = 0; row < this.length; row += 1) {
        if (
          months.has(this.rows.competencia[row]) &&
          wanted.every(([column, at]) => column[row] === at) &&
          apart.every(([column, at]) => column[row] !== at)
        )
          found.push(row);
      }
      return found;
    }

    add(rows) {
      const sums = {};
      for (const [name, column] of Object.entries(this.measures)) {
        let sum = null;
        for (const row of rows) if (column[row] !== null) sum = (sum ?? 0) + column[row];
        sums[name] = sum;
      }
      return sums;
    }

    by(cut, keys, state) {
      const groups = new Map();
      for (const row of this.cut(cut, state, keys)) {
        const places = keys.map((key) => this.rows[key][row]);
        const name = places.join(" ");
        if (!groups.has(name)) groups.set(name, { places, rows: [] });
        groups.get(name).rows.push(row);
      }
      return [...groups.values()]
        .map(({ places, rows }) => ({ places, ...this.add(rows) }))
        .sort((a, b) => {
          const at = a.places.findIndex((place, index) => place !== b.places[index]);
          return at < 0 ? 0 : a.places[at] - b.places[at];
        });
    }

    label(key, place) {
      return key === "competencia" ? monthName(this.months[place]) : this.named[key].labels[place];
    }

    code(key, place) {
      return key === "competencia" ? this.months[place] : this.named[key].codes[place];
    }
  }

  function inOrder(rows, order, top, keys) {
    const weight = (row) => {
      const values = order.map((measure) => row[measure]);
      return values.includes(null) ? -Infinity : values.slice(1).reduce((sum, v) => sum - v, values[0]);
    };
    const sorted =
      order.length && keys[0] !== "competencia"
        ? rows
            .map((row) => [weight(row), row])
            .sort((a, b) => (a[0] === b[0] ? 0 : b[0] - a[0]))
            .map((pair) => pair[1])
        : rows;
    return top ? sorted.slice(0, top) : sorted;
  }

  /* ---- the page ---- */

  class Page {
    constructor(content) {
      this.content = content;
      this.elsewhere = facts.travelling.filter((name) => !content.filters.includes(name));
      this.cubes = { "": new Cube(content.cube) };
      this.about = "";
      this.parts = content.parts;
      if (content.rows) this.cube.take(content.rows);
      for (const [name, other] of Object.entries(content.others)) {
        this.cubes[name] = new Cube(other.cube);
        this.cubes[name].take(other.rows);
      }
      this.views = {};
      this.shown = {};
      this.sorting = {};
      this.state = this.fresh();
    }

    /* The cube that is spoken of: the page's own, but while a block of another one is drawn. */
    get cube() {
      return this.cubes[this.about];
    }

    on(block, what) {
      this.about = block.of ?? "";
      try {
        return what();
      } finally {
        this.about = "";
      }
    }

    fresh() {
      const [de, ate] = this.content.cube.period;
      return { de, ate };
    }

    /* The address: filters live after the #, because file:// allows no other change of it. */
    readAddress() {
      this.state = this.fresh();
      const strange = [];
      for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
        if (!value) continue;
        const known = name === "de" || name === "ate" ? this.cube.months : this.cube.named[name]?.codes;
        if (known?.includes(value)) this.state[name] = value;
        else if (known) strange.push(`${name}=${value}`);
        else if (!this.elsewhere.includes(name)) strange.push(name);
      }
      const notice = byId("endereco");
      notice.hidden = !strange.length;
      notice.textContent = strange.length
        ? `O endereço pede o que não existe nestes dados e foi deixado de lado: ${strange
            .map((text) => text.slice(0, 60))
            .slice(0, 5)
            .join("; ")}.`
        : "";
      this.fillControls();
    }

    address() {
      const fresh = this.fresh();
      const kept = new URLSearchParams();
      for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
        if (this.elsewhere.includes(name)) kept.set(name, value);
      }
      for (const [name, value] of Object.entries(this.state)) {
        if (value && value !== fresh[name]) kept.set(name, value);
      }
      return kept.toString();
    }

    fillControls() {
      for (const name of this.content.filters) {
        const control = byId(`filtro-${name}`);
        const dimension = this.cube.named[name];
        if (dimension?.within) this.narrow(control, dimension);
        control.value = this.state[name] ?? "";
      }
    }

    /* Offer only what lies in what is chosen of the wider dimension. */
    narrow(control, dimension) {
      const wider = this.state[dimension.within];
      const at = wider ? this.cube.named[dimension.within].codes.indexOf(wider) : -1;
      const offered = dimension.codes
        .map((code, place) => ({ code, place }))
        .filter(({ code, place }) => code && (at < 0 || dimension.of[place] === at));
      if (this.state[dimension.name] && !offered.some(({ code }) => code === this.state[dimension.name]))
        delete this.state[dimension.name];
      control.replaceChildren(
        control.options[0],
        ...offered.map(({ code, place }) => element("option", { value: code }, dimension.labels[place])),
      );
    }

    choose() {
      for (const name of this.content.filters) {
        const { value } = byId(`filtro-${name}`);
        if (value) this.state[name] = value;
        else delete this.state[name];
      }
      this.state = { ...this.fresh(), ...this.state };
      this.fillControls();
      this.go();
    }

    go() {
      const address = this.address();
      if (location.hash.slice(1) !== address) history.replaceState(null, "", `#${address}`);
      byId("endereco").hidden = true;
      this.draw();
    }

    chosen() {
      const names = this.cube.dimensions
        .filter(({ name }) => this.state[name])
        .map(({ name, label, codes, labels }) => `${label}: ${labels[codes.indexOf(this.state[name])]}`);
      return [`Período: ${periodName(this.cube.monthsOf("tudo", this.state).map((m) => m.month))}`, ...names];
    }

    /* Where the data are many they stand in several files: read those that the choice is about,
       then go on; at once, when they are here. */
    ready(then) {
      const cuts = ["tudo", "previsto", "ultimo", "anterior", "ano_antes"];
      const wanted = new Set(cuts.flatMap((cut) => this.cube.monthsOf(cut, this.state).map(({ at }) => at)));
      const missing = this.parts.filter(({ here, months }) => !here && months.some((at) => wanted.has(at)));
      if (!missing.length) return then();
      byId("anuncio").textContent = "Lendo os dados…";
      return Promise.all(missing.map(({ file }) => loaded(file, () => false))).then(then, () => {
        byId("endereco").hidden = false;
        byId("endereco").textContent = "Os dados desta escolha não puderam ser lidos. Recarregue a página.";
      });
    }

    draw() {
      return this.ready(() => this.show());
    }

    show() {
      this.sums = {};
      for (const block of this.content.blocks) this.on(block, () => this[block.kind](block));
      byId("escolhas").textContent = this.chosen().join("; ");
      const rows = this.cube.cut("tudo", this.state).length;
      byId("vazio").hidden = rows > 0;
      byId("anuncio").textContent = rows
        ? `Resultados atualizados. ${this.chosen().join("; ")}.`
        : "Nenhum resultado para esta seleção.";
      follow(this.address());
    }

    /* Sentences and figures */

    of(cut) {
      const sums = (this.sums[this.about] ??= {});
      sums[cut] ??= this.cube.add(this.cube.cut(cut, this.state));
      return sums[cut];
    }

    value(expression) {
      let total = 0;
      for (const [, sign, cut, measure] of expression.matchAll(/([+-]?)\s*(\w+)\.(\w+)/g)) {
        const found = this.of(cut)[measure];
        if (found === null) return null;
        total += sign === "-" ? -found : found;
      }
      return total;
    }

    place(expression, form) {
      if (form === "meses") {
        const found = periodName(this.cube.monthsOf(expression, this.state).map((m) => m.month));
        return found === UNKNOWN ? null : found;
      }
      if (form === "maior") {
        const [cut, name] = expression.split(".");
        return this.largest(this.of(cut), this.content.lists[name]);
      }
      const [above, below] = expression.split("/");
      const part = this.value(above);
      if (part === null) return null;
      if (form === "p") {
        const whole = this.value(below);
        return whole ? percent(part, whole) : null;
      }
      return { n: number, s: signed, d: difference }[form](part);
    }

    largest(sums, names) {
      const values = Object.entries(names).map(([measure, name]) => [name, sums[measure]]);
      if (values.some(([, value]) => value === null)) return null;
      const most = Math.max(...values.map(([, value]) => value));
      return most > 0
        ? values.filter(([, value]) => value === most).map(([name]) => name).join(" e ")
        : "nenhuma causa";
    }

    fill(texts) {
      for (const text of texts) {
        let known = true;
        const filled = text.replace(/\{([^{}|]+)\|(\w+)\}/g, (_, expression, form) => {
          const found = this.place(expression, form);
          known &&= found !== null;
          return found;
        });
        if (known) return filled;
      }
      return "não informado";
    }

    sentence({ id, texts }) {
      byId(id).textContent = this.fill(texts);
    }

    figures({ figures }) {
      for (const { id, value, note } of figures) {
        byId(id).textContent = number(this.value(value));
        const below = byId(`${id}-nota`);
        if (below) below.textContent = this.fill([note]);
      }
    }

    /* Charts */

    rowsOf({ shape, cut, by, parts, order, top }) {
      if (shape === "bars" || shape === "columns") {
        const found = inOrder(this.cube.by(cut, [by], this.state), order, top, [by]);
        return found.flatMap((row, at) =>
          parts.map((part, place) => ({
            bar: this.cube.label(by, row.places[0]),
            at,
            part: part.name,
            order: place,
            value: known(row, part.measure),
          })),
        );
      }
      const sums = this.of(cut);
      if (shape === "ranking")
        return parts
          .map((part, place) => ({ part, place, value: sums[part.measure] }))
          .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || a.place - b.place)
          .filter(({ value }) => value === null || value > 0)
          .map(({ part, value }, at) => ({ bar: part.name, at, part: part.name, value }));
      let level = 0;
      return parts.map((part, at) => {
        const value = sums[part.measure];
        const known = value ?? 0;
        const [from, to] = part.kind === "level" ? [0, known] : [level, level - known];
        level = to;
        return { bar: part.name, at, from, to, part: part.name, value };
      });
    }

    chart(block) {
      const rows = this.rowsOf(block);
      const note = byId(`${block.id}-nota`);
      if (note) note.textContent = this.fill([block.note]);
      this.drawn ??= {};
      this.drawn[block.id] = rows;
      if (byId(`${block.id}-tabela`).closest("details").open) this.tabulate(block);
      const frame = byId(`${block.id}-desenho`);
      this.waiting ??= new Map();
      this.waiting.set(block.id, rows);
      this.watch(frame, block.id);
    }

    /* Who points at a chart that stands as it came sees its numbers. */
    interested(block) {
      if (this.views[block.id]) return;
      this.sums ??= {};
      this.seen ??= new Set();
      this.seen.add(block.id);
      this.ready(() => this.on(block, () => this.chart(block)));
    }

    /* A chart is drawn when it is seen, and before a print. */
    watch(frame, id) {
      this.seen ??= new Set();
      this.watcher ??= new IntersectionObserver((entries) => {
        for (const entry of entries) {
          const name = entry.target.dataset.chart;
          if (entry.isIntersecting) {
            this.seen.add(name);
            this.paint(name);
          } else this.seen.delete(name);
        }
      });
      if (this.seen.has(id)) this.paint(id);
      else this.watcher.observe(frame);
    }

    async paint(id) {
      const rows = this.waiting.get(id);
      if (!rows) return;
      this.waiting.delete(id);
      await loaded(`recursos/${this.content.library}`, () => window.vegaEmbed);
      const frame = byId(`${id}-desenho`);
      const width = Math.floor(frame.clientWidth);
      const size = width < NARROW_BELOW ? "narrow" : "wide";
      if (this.views[id]?.size !== size) {
        const spec = structuredClone(this.content.charts[id][size]);
        spec.data.find((table) => table.name === "rows").values = rows;
        const { view } = await window.vegaEmbed(frame, spec, {
          mode: "vega",
          ast: true,
          renderer: "svg",
          actions: false,
          tooltip: { disableDefaultStyle: true },
          defaultStyle: false,
          formatLocale: this.content.numbers,
        });
        this.views[id] = { view, size };
      } else {
        this.views[id].view.data("rows", rows);
      }
      await this.views[id].view.width(width).runAsync();
    }

    tabulateAll() {
      for (const block of this.content.blocks) if (block.kind === "chart") this.tabulate(block);
    }

    paintAll() {
      return Promise.all([...(this.waiting?.keys() ?? [])].map((id) => this.paint(id)));
    }

    /* The table of a chart is filled when it is opened, downloaded or printed. */
    tabulate({ id, shape, parts }) {
      const rows = this.drawn?.[id];
      if (!rows) return;
      const body = byId(`${id}-tabela`).tBodies[0];
      if (shape === "bars" || shape === "columns") {
        const bars = new Map();
        for (const { bar, at, value } of rows) {
          if (!bars.has(at)) bars.set(at, [bar]);
          bars.get(at).push(value);
        }
        body.replaceChildren(
          ...[...bars.values()].map(([bar, ...values]) =>
            element("tr", {}, element("th", { scope: "row" }, bar), ...values.map((v) => cell(number(v)))),
          ),
        );
      } else {
        body.replaceChildren(
          ...rows.map(({ bar, value }) =>
            element("tr", {}, element("th", { scope: "row" }, bar), cell(number(value))),
          ),
        );
      }
    }

    /* Tables */

    listing(block) {
      const { id, keys, measures, cut, links, unlinked } = block;
      let rows = inOrder(this.cube.by(cut, keys, this.state), block.order, 0, keys);
      const sorting = this.sorting[id];
      if (sorting) rows = sortedBy(rows, sorting, keys, this.cube);
      const shown = this.shown[id] ?? block.shown;
      const table = byId(`${id}-tabela`);
      table.tBodies[0].replaceChildren(
        ...rows.slice(0, shown).map((row) =>
          element(
            "tr",
            {},
            ...keys.map((key, at) => {
              const label = this.cube.label(key, row.places[at]);
              const code = this.cube.code(key, row.places[at]);
              const target = unlinked.includes(code) ? null : links[key]?.replace("{}", fileName(code));
              const content = target ? element("a", { href: target }, label) : label;
              return element(at ? "td" : "th", at ? { class: "nome" } : { scope: "row" }, content);
            }),
            ...measures.map((measure) => cell(said(row, measure))),
          ),
        ),
      );
      byId(`${id}-conta`).textContent =
        `${number(Math.min(shown, rows.length))} de ${number(rows.length)} linhas`;
      byId(`${id}-mais`).hidden = rows.length <= shown;
      this.listed ??= {};
      this.listed[id] = rows;
    }

    /* What a download holds: headings, rows and what the measures mean. */
    export(id) {
      const block = this.content.blocks.find((found) => found.id === id);
      const measures = block.measures ?? block.parts.map((part) => part.measure);
      const meanings = measures.map((measure) => {
        const name = this.cube.labels[measure] ?? measure;
        return [name, this.content.definitions[measure] ?? facts.definitions[name] ?? ""];
      });
      if (block.kind === "chart") {
        this.tabulate(block);
        return { ...readTables([byId(`${id}-tabela`)]), meanings };
      }
      this.listing(block);
      const headings = block.keys.flatMap((key) => [`${key}_codigo`, key]).concat(measures);
      const rows = this.listed[id].map((row) => [
        ...block.keys.flatMap((key, at) => [
          this.cube.code(key, row.places[at]),
          this.cube.label(key, row.places[at]),
        ]),
        ...measures.map((measure) => row[measure]),
      ]);
      return { headings, rows, meanings };
    }
  }

  const cell = (text) =>
    element("td", text === UNKNOWN ? { title: "Não informado ou não divulgado; não é zero" } : {}, text);
  const today = () => new Date().toLocaleDateString("pt-BR");

  function sortedBy(rows, { column, down }, keys, cube) {
    const at = keys.indexOf(column);
    const value = (row) => (at < 0 ? row[column] : cube.label(column, row.places[at]));
    return [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const found = typeof x === "string" ? x.localeCompare(y, "pt-BR") : x - y;
      return down ? -found : found;
    });
  }

  /* ---- downloads ---- */

  /* The cell of a page as data: a number where it shows one, null where it shows that none is known. */
  function content(found) {
    const said = found.querySelector("data")?.value ?? found.textContent.trim();
    if (said === UNKNOWN || !said) return null;
    if (found.matches("th, .nome") || !/^[+−]?[\d.]+(,\d+)?%?$/.test(said)) return said;
    return Number(said.replace(/[.+%]/g, "").replace("−", "-").replace(",", "."));
  }

  /* What tables of one form hold, as they stand on the page: no drawings, no sums, codes apart.
     Where there are several, each row begins with the title of its own. */
  function readTables(tables, part) {
    const columns = [...tables[0].tHead.rows[0].cells];
    const names = columns.map((heading) => heading.textContent.trim());
    const kept = columns.map((_, at) => at).filter((at) => columns[at].dataset.desenho === undefined);
    const found = tables.flatMap((table) =>
      [...table.tBodies[0].rows]
        .filter((row) => !row.hidden)
        .map((row) => [table, row, [...row.cells].flatMap((one) => Array(one.colSpan).fill(one))]),
    );
    const coded = found.some(([, row]) => row.cells[0].dataset.codigo !== undefined);
    const shares = kept.map((at) => found.some(([, , cells]) => cells[at].textContent.endsWith("%")));
    return {
      headings: [
        ...(part ? [part] : []),
        ...(coded ? [`${names[0]} (código)`] : []),
        ...kept.map((at, place) => names[at] + (shares[place] ? " (%)" : "")),
      ],
      rows: found.map(([table, row, cells]) => [
        ...(part ? [table.closest("section").querySelector("h2").textContent] : []),
        ...(coded ? [row.cells[0].dataset.codigo ?? null] : []),
        // What a cell says of several columns is said once.
        ...kept.map((at, place) => (cells[at] === cells[kept[place - 1]] ? null : content(cells[at]))),
      ]),
      meanings: names.filter((name) => facts.definitions[name]).map((name) => [name, facts.definitions[name]]),
    };
  }

  function chosen() {
    if (page) return page.chosen().join("; ");
    const typed = byId("filtra")?.value.trim();
    return typed ? `nome ou código com “${typed}”` : "nenhum";
  }

  function provenance(title, meanings) {
    return [
      ["Página", document.querySelector("h1").textContent.trim()],
      ["Tabela", title],
      ["Filtros", chosen()],
      ["Dados até", facts.day],
      ["Versão", facts.version],
      ["Fonte", facts.source],
      ["Licença", facts.licence],
      ["Endereço", location.href],
      ["Acesso em", today()],
      ...(facts.synthetic ? [["Atenção", "DADOS SINTÉTICOS: não descrevem nenhum serviço real."]] : []),
      ["Célula vazia", "Não informado ou não divulgado; nunca é zero."],
      ...meanings,
    ];
  }

  function download({ baixar, tipo, parte }, from) {
    const tables = [...from.querySelectorAll("table")];
    const table = page ? page.export(baixar) : readTables(tables, parte);
    const title = (parte ? document.querySelector("h1") : tables[0].caption).textContent.trim();
    const name = `${document.documentElement.dataset.nome}_${baixar}_dados_ate_${facts.iso}.${tipo}`;
    save(
      tipo === "csv" ? asCsv(table) : asXlsx(table, provenance(title, table.meanings)),
      (facts.synthetic ? "dados_sinteticos_" : "") + name,
    );
  }

  function citation() {
    const sentence = document.querySelector("[data-frase]").textContent.trim();
    const filters = page ? `${chosen()}; ` : "";
    return (
      `${sentence} (${filters}dados até ${facts.day}; versão ${facts.version}). ` +
      `${facts.owner}. Mapa Social da Saúde: ${document.querySelector("h1").textContent.trim()}. ` +
      `Disponível em: ${location.href}. Acesso em: ${today()}.` +
      (facts.synthetic ? " DADOS SINTÉTICOS." : "")
    );
  }

  /* A cell that a spreadsheet would run begins with an apostrophe. */
  const harmless = (value) =>
    typeof value === "string" && /^[\s"']*[=+\-@−]|^[\t\r\n]/.test(value.normalize("NFKC")) ? `'${value}` : value;

  function asCsv({ headings, rows }) {
    const line = (cells) =>
      cells
        .map((value) => (typeof value === "number" ? String(value).replace(".", ",") : harmless(value ?? "")))
        .map((text) => (/[;"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
        .join(";");
    return new Blob([`\ufeff${[headings, ...rows].map(line).join("\r\n")}\r\n`], {
      type: "text/csv;charset=utf-8",
    });
  }

  const CRCS = Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  function crc32(bytes) {
    let crc = ~0;
    for (const byte of bytes) crc = CRCS[(crc ^ byte) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
  }

  /* A ZIP without compression: what a workbook is made of. */
  function zipped(files) {
    const [parts, directory] = [[], []];
    let offset = 0;
    for (const [name, text] of files) {
      const [title, body] = [name, text].map((part) => new TextEncoder().encode(part));
      const common = new DataView(new ArrayBuffer(26));
      common.setUint16(0, 20, true);
      common.setUint16(2, 0x800, true);
      common.setUint32(6, 0x00210000, true);
      common.setUint32(10, crc32(body), true);
      common.setUint32(14, body.length, true);
      common.setUint32(18, body.length, true);
      common.setUint16(22, title.length, true);
      const local = [Uint8Array.of(80, 75, 3, 4), new Uint8Array(common.buffer), title, body];
      const entry = new DataView(new ArrayBuffer(14));
      entry.setUint32(10, offset, true);
      directory.push(
        Uint8Array.of(80, 75, 1, 2, 20, 0),
        new Uint8Array(common.buffer),
        new Uint8Array(entry.buffer),
        title,
      );
      parts.push(...local);
      offset += local.reduce((sum, part) => sum + part.length, 0);
    }
    const end = new DataView(new ArrayBuffer(18));
    end.setUint16(4, files.length, true);
    end.setUint16(6, files.length, true);
    end.setUint32(8, directory.reduce((sum, part) => sum + part.length, 0), true);
    end.setUint32(12, offset, true);
    return new Blob([...parts, ...directory, Uint8Array.of(80, 75, 5, 6), new Uint8Array(end.buffer)], {
      type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    });
  }

  const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
  const escaped = (text) =>
    text
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;");
  function sheet(rows) {
    const cells = (row) =>
      row
        .map((value) => {
          if (value === null) return "<c/>";
          if (typeof value === "number") return `<c><v>${value}</v></c>`;
          return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
        })
        .join("");
    const lines = rows.map((row) => `<row>${cells(row)}</row>`).join("");
    return `${XML}<worksheet xmlns="${MAIN}"><sheetData>${lines}</sheetData></worksheet>`;
  }

  function asXlsx({ headings, rows }, provenance) {
    const sheets = [
      ["Dados", [headings, ...rows]],
      ["Procedência", provenance],
    ];
    const type = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    return zipped([
      [
        "[Content_Types].xml",
        `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/>${sheets.map((_, at) => `<Override PartName="/xl/worksheets/sheet${at + 1}.xml" ContentType="${type}.worksheet+xml"/>`).join("")}</Types>`,
      ],
      [
        "_rels/.rels",
        `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      ],
      [
        "xl/workbook.xml",
        `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${sheets.map(([name], at) => `<sheet name="${name}" sheetId="${at + 1}" r:id="r${at + 1}"/>`).join("")}</sheets></workbook>`,
      ],
      [
        "xl/_rels/workbook.xml.rels",
        `${XML}<Relationships xmlns="${PACKAGE}/relationships">${sheets.map((_, at) => `<Relationship Id="r${at + 1}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${at + 1}.xml"/>`).join("")}</Relationships>`,
      ],
      ...sheets.map(([, content], at) => [`xl/worksheets/sheet${at + 1}.xml`, sheet(content)]),
    ]);
  }

  function save(blob, name) {
    const address = URL.createObjectURL(blob);
    const link = element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /* ---- what all pages share ---- */

  const loading = {};
  function loaded(path, there) {
    if (there()) return Promise.resolve();
    loading[path] ??= new Promise((done, failed) => {
      const script = element("script", { src: root + path });
      script.addEventListener("load", done);
      script.addEventListener("error", failed);
      document.head.append(script);
    });
    return loading[path];
  }

  /* Filters travel: every link to a page with filters carries the address. */
  function follow(address) {
    for (const link of document.querySelectorAll("a[data-segue]")) {
      link.href = link.getAttribute("href").split("#")[0] + (address ? `#${address}` : "");
    }
  }

  async function copy(text, button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = element("textarea", { class: "fora" });
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    const before = button.textContent;
    button.textContent = done ? "Copiado" : "Não foi possível copiar";
    setTimeout(() => {
      button.textContent = before;
    }, 2000);
  }

  let page = null;
  let facts = {};

  /* What every page knows of the version. Filters travel also through pages that have none. */
  function version(content) {
    facts = content;
    const kept = new URLSearchParams();
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (facts.travelling.includes(name)) kept.set(name, value);
    }
    follow(kept.toString());
  }

  function start(content) {
    page = new Page(content);
    byId("filtros").addEventListener("change", () => page.choose());
    byId("filtros").addEventListener("reset", (event) => {
      event.preventDefault();
      page.state = page.fresh();
      page.fillControls();
      page.go();
    });
    document.addEventListener("click", (event) => {
      const { mais, ordem } = event.target.closest("button")?.dataset ?? {};
      if (mais) {
        const block = page.content.blocks.find(({ id }) => id === mais);
        page.shown[mais] = (page.shown[mais] ?? block.shown) + MORE;
        page.ready(() => page.listing(block));
      } else if (ordem) {
        const [id, column] = ordem.split(" ");
        const now = page.sorting[id];
        const down = now?.column === column ? !now.down : column in page.cube.measures;
        page.sorting[id] = { column, down };
        for (const heading of byId(`${id}-tabela`).tHead.rows[0].cells)
          heading.removeAttribute("aria-sort");
        event.target.closest("th").setAttribute("aria-sort", down ? "descending" : "ascending");
        page.ready(() => page.listing(page.content.blocks.find((block) => block.id === id)));
      }
    });
    addEventListener("hashchange", () => {
      page.readAddress();
      page.draw();
    });
    addEventListener("beforeprint", () => {
      page.tabulateAll();
      page.paintAll();
    });
    let resizing;
    addEventListener("resize", () => {
      clearTimeout(resizing);
      resizing = setTimeout(() => {
        for (const id of Object.keys(page.views)) {
          const block = page.content.blocks.find((b) => b.id === id);
          page.on(block, () => page.chart(block));
        }
      }, 200);
    });
    for (const block of content.blocks.filter(({ kind }) => kind === "chart")) {
      const interested = () => page.interested(block);
      byId(`${block.id}-desenho`).addEventListener("pointerenter", interested, { once: true });
      const details = byId(`${block.id}-tabela`).closest("details");
      details.addEventListener("toggle", () => page.tabulate(block));
    }
    page.readAddress();
    follow(page.address());
    if (location.hash.length > 1) page.draw();
  }

  /* ---- search in the dictionary ---- */

  const plain = (text) =>
    text
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/[_\s]+/g, " ");

  const prepared = [];
  const found = (entries) => {
    for (const entry of entries)
      prepared.push({ ...entry, plain: plain(`${entry.name} ${entry.text}`), key: plain(entry.name) });
  };

  /* What is public is here; the rest of the dictionary comes when somebody begins to type. */
  function search({ entries, rest }) {
    const field = byId("procura");
    const results = byId("achados");
    const few = entries.length;
    found(entries);
    const find = () => {
      const words = plain(field.value).trim().split(" ").filter(Boolean);
      const whole = words.join(" ");
      const hits = words.length
        ? prepared
            .filter((entry) => words.every((word) => entry.plain.includes(word)))
            .map((entry) => [
              (entry.key === whole ? 0 : entry.key.includes(whole) ? 1 : entry.plain.includes(whole) ? 2 : 3) +
                entry.rank * 4,
              entry,
            ])
            .sort((a, b) => a[0] - b[0])
            .map((pair) => pair[1])
        : [];
      results.replaceChildren(
        ...hits.slice(0, MORE).map((entry) =>
          element(
            "li",
            {},
            element("a", { href: entry.at }, entry.name),
            ` ${entry.where} `,
            element("span", { class: "nota" }, entry.text.slice(0, 160)),
          ),
        ),
      );
      byId("anuncio").textContent = words.length
        ? hits.length
          ? `${number(hits.length)} ${hits.length === 1 ? "resultado" : "resultados"}` +
            (hits.length > MORE ? `; aqui os ${MORE} primeiros` : "")
          : "Nada foi encontrado. Tente outra palavra."
        : "";
    };
    const complete = async () => {
      results.setAttribute("aria-busy", "true");
      await loaded(rest, () => prepared.length > few).catch(() => {});
      results.setAttribute("aria-busy", "false");
      find();
    };
    field.addEventListener("focus", complete, { once: true });
    field.addEventListener("input", find);
    const asked = new URLSearchParams(location.hash.slice(1)).get("procura");
    if (asked) {
      field.value = asked.slice(0, 200);
      find();
      complete();
    }
  }

  /* ---- a list narrowed by what is typed ---- */

  function narrowing(field) {
    const lists = [...document.querySelectorAll("[data-lista]")].map((section) => ({
      section,
      rows: [...section.querySelectorAll("tbody tr, li")].map((row) => ({ row, text: plain(row.textContent) })),
    }));
    field.addEventListener("input", () => {
      const words = plain(field.value).split(" ").filter(Boolean);
      let found = 0;
      for (const { section, rows } of lists) {
        let here = 0;
        for (const { row, text } of rows) {
          row.hidden = !words.every((word) => text.includes(word));
          if (!row.hidden) here += 1;
        }
        section.hidden = !here;
        found += here;
      }
      const announcement = byId("anuncio");
      announcement.hidden = !words.length;
      announcement.textContent = found ? `${found} na lista` : "Nada foi encontrado. Tente outro nome.";
    });
  }

  document.documentElement.classList.add("com-script");
  if (byId("filtra")) narrowing(byId("filtra"));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.baixar) {
      const give = () => download(button.dataset, button.closest("section, main"));
      if (page) page.ready(give);
      else give();
    } else if (button?.dataset.citar !== undefined) copy(citation(), button);
  });

  window.MAPA = {
    version,
    start,
    part: ({ at, ...content }) => {
      page.parts[at].here = true;
      page.cube.take(content);
    },
    search,
    found,
    /* For tests: draw everything now, as after a choice. */
    redraw: async () => {
      await page.draw();
      page.tabulateAll();
      await page.paintAll();
    },
  };
})();
