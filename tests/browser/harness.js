// What the tests ask of JupyterLab. Put into every page before its own scripts run; needs `expose_app_in_browser`.

window.harness = {
  /** The notebook's panel, or undefined while JupyterLab is still building it. */
  panel() {
    const widgets = window.jupyterapp ? Array.from(window.jupyterapp.shell.widgets('main')) : [];
    return widgets.find(widget => widget.context && widget.content && widget.content.widgets);
  },

  /** Open a notebook beside nothing else, as a click in the file browser does. */
  async open(path) {
    const panel = await window.jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
    for (const widget of Array.from(window.jupyterapp.shell.widgets('main'))) {
      if (widget !== panel) widget.dispose(); // the launcher
    }
    await panel.revealed;
  },

  /** Close whatever is open, saved or not. */
  closeAll() {
    for (const widget of Array.from(window.jupyterapp.shell.widgets('main'))) widget.dispose();
  },

  kernel() {
    return this.panel()?.sessionContext?.session?.kernel;
  },

  /** Is the notebook read, its kernel connected and idle? */
  idle() {
    const kernel = this.kernel();
    const read = this.panel()?.context.isReady;
    return Boolean(read && kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle');
  },

  /** Run every cell as the menu does; resolves when the last one has answered (or the first has failed). */
  async runAll() {
    const panel = this.panel();
    window.jupyterapp.shell.activateById(panel.id);
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
  },

  /** Run cell number `index` as Ctrl+Enter does. */
  async runCell(index) {
    const panel = this.panel();
    window.jupyterapp.shell.activateById(panel.id);
    panel.content.activeCellIndex = index;
    panel.content.deselectAll();
    await window.jupyterapp.commands.execute('notebook:run-cell');
  },

  /** The same without waiting for the end. */
  startCell(index) {
    this.runCell(index);
  },

  /** Append a code cell with this source; its number. */
  addCell(source) {
    const model = this.panel().context.model.sharedModel;
    model.insertCell(model.cells.length, { cell_type: 'code', source, metadata: {}, outputs: [] });
    return model.cells.length - 1;
  },

  /** A cell's code, replaced as by typing. */
  setSource(index, source) {
    this.panel().context.model.sharedModel.cells[index].setSource(source);
  },

  /**
   * Scroll to an element; whether it is laid out now. JupyterLab hides the cells that are far from the window, and
   * the browser cannot scroll to what is hidden: so JupyterLab scrolls to the cell, and the browser does the rest.
   */
  async reveal(element) {
    const cell = element.closest('[data-windowed-list-index]');
    if (cell) await this.panel().content.scrollToItem(Number(cell.dataset.windowedListIndex), 'center');
    element.scrollIntoView({ block: 'center' });
    return element.getClientRects().length > 0;
  },

  /** The notebook as it would be saved. */
  saved() {
    return this.panel().context.model.toJSON();
  },

  /** Written to the disk, as by Ctrl+S. */
  async save() {
    await this.panel().context.save();
  },

  /** Run code in the kernel without a cell: {text, error}. */
  async execute(code) {
    const parts = [];
    let error = null;
    const future = this.kernel().requestExecute({ code, store_history: false, stop_on_error: false });
    future.onIOPub = message => {
      const content = message.content;
      if (message.header.msg_type === 'stream') parts.push(content.text);
      if (message.header.msg_type === 'execute_result') parts.push(content.data['text/plain'] + '\n');
      if (message.header.msg_type === 'error') error = content.traceback.join('\n');
    };
    const reply = await future.done;
    // After a cell that was interrupted a kernel turns down what waits, for a moment: it has not been run.
    if (reply.content.status === 'aborted') return this.execute(code);
    return { text: parts.join(''), error };
  },

  /** A new process: every variable is gone. */
  async restart() {
    await this.kernel().restart();
  },

  /** What the square button sends. */
  async interrupt() {
    await this.kernel().interrupt();
  },
};
