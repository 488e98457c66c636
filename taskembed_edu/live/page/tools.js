// The buttons in the map's corner: the view, the lasso, and what is drawn beside the points, where there is any.

class MapTools {
  constructor(map) {
    this.map = map;
    this.root = element("div", "te-map-tools", map.stage);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Map view");
    const tool = (text, label, act) => this.tool(text, label, act);
    tool("+", "Zoom in", () => map.zoom(1.5));
    tool("−", "Zoom out", () => map.zoom(1 / 1.5));
    tool("fit", "Fit all tasks", () => map.fit());
    map.lasso.addButton(tool);
    this.labels = this.toggle("labels", "Labels: the tasks' names beside their points");
    this.trails = this.toggle("trails", "Trails: the way of each task from its start");
    this.show();
  }

  tool(text, label, act) {
    const button = element("button", "te-map-tool", this.root, text);
    button.setAttribute("aria-label", label);
    button.title = label;
    button.addEventListener("click", act);
    return button;
  }

  // Pressed until it is pressed, in all maps at once.
  toggle(name, label) {
    const { state } = this.map;
    return this.tool(name, label, () => state.set(name, state.get(name) === false));
  }

  show() {
    for (const [name, part] of [["labels", this.map.labels], ["trails", this.map.trails]]) {
      this[name].hidden = !part.possible();
      this[name].setAttribute("aria-pressed", this.map.state.get(name) !== false);
    }
  }
}
