"""The live lab in a real JupyterLab and Chromium, beside a plotly FigureWidget: `python -m benchmarks.browser`."""
