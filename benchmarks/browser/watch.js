// What the benchmarks see of a page: put into every page before its own scripts run.
//
// `watch.begin(kind)` looks at the map once an animation frame and notes when another picture stands there than the
// last time. That counts pictures that a person could have seen: two drawings between two animation frames are one,
// and a drawing that moves nothing is none. All times are milliseconds of the machine's clock, as `time.time()` reads
// it in the kernel.

window.watch = {
  changes: [], // [when, step, frame] of every new picture
  moves: [], // [when, value] of every key that moved the slider
  pressed: null, // when `playAtOnce` pressed Play

  // What is drawn now: how many drawings there were, the step and number of the frame drawn, and the points' places.
  kinds: {
    lab() {
      const map = document.querySelector(".te-panel .te-map");
      if (!map || !map.__map || !map.dataset.drawn) return null;
      const { drawn, step, frame } = map.dataset;
      return { drawn: +drawn, step: +step, frame: +frame, places: [map.__map.screenPositions()] };
    },

    // A FigureWidget of the benchmarks has the step for its trace's name.
    plotly() {
      const graph = document.querySelector(".js-plotly-plot");
      const trace = graph && graph._fullData && graph._fullData[0];
      if (!trace || !graph.on) return null;
      if (graph.benchDrawn === undefined) {
        graph.benchDrawn = 1;
        graph.on("plotly_afterplot", () => (graph.benchDrawn += 1));
      }
      return { drawn: graph.benchDrawn, step: +trace.name, frame: graph.benchDrawn, places: [trace.x, trace.y] };
    },
  },

  begin(kind) {
    this.changes = [];
    this.moves = [];
    this.pressed = null;
    let last = { drawn: -1, sum: null };
    const look = () => {
      const seen = this.kinds[kind]();
      if (seen && seen.drawn !== last.drawn) {
        const sum = checksum(seen.places);
        if (sum !== last.sum) this.changes.push([Date.now(), seen.step, seen.frame]);
        last = { drawn: seen.drawn, sum };
      }
      this.request = requestAnimationFrame(look);
    };
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(look);
  },

  // Note when a key that moves the slider goes down: what the learner's hand does, before any script has heard of it.
  listenTo(slider) {
    const value = () => Number(slider.value ?? slider.ariaValueNow);
    const heard = (event) => {
      const when = Date.now() - (performance.now() - event.timeStamp);
      setTimeout(() => this.moves.push([when, value()])); // once the key has done what it does
    };
    slider.addEventListener("keydown", heard, { capture: true });
  },

  // Press Play as soon as it stands there and can be pressed, which no hand could do sooner.
  playAtOnce() {
    const press = () => {
      const named = (button) => /^play(?![a-z])/i.test((button.ariaLabel || button.textContent).trim());
      const play = Array.from(document.querySelectorAll("button")).find(named);
      if (!play || play.disabled) return requestAnimationFrame(press);
      this.pressed = Date.now();
      play.click();
    };
    press();
  },

  // The milliseconds since the last new picture.
  quiet() {
    return this.changes.length ? Date.now() - this.changes[this.changes.length - 1][0] : 0;
  },

  // A new kernel for the notebook, whose outputs are gone; the milliseconds that its start took.
  async freshKernel() {
    await window.jupyterapp.commands.execute("notebook:clear-all-cell-outputs");
    const context = window.harness.panel().sessionContext;
    await context.shutdown();
    const begun = Date.now();
    await context.startKernel();
    while (!window.harness.idle()) await new Promise(requestAnimationFrame);
    return Date.now() - begun;
  },

  // Run the cell with a map and press Play at once; when the cell was run.
  runAndPlay(kind) {
    this.begin(kind);
    this.playAtOnce();
    const begun = Date.now();
    window.harness.startCell(0);
    return begun;
  },
};

// FNV-1a over the 32 bits of every number.
function checksum(arrays) {
  let sum = 0x811c9dc5;
  for (const array of arrays) {
    const bits = new Int32Array(Float32Array.from(array).buffer);
    for (const word of bits) sum = Math.imul(sum ^ word, 0x01000193);
  }
  return sum;
}
