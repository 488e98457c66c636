"""Two kinds of lab in one notebook: the style of one changes nothing in the other."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.notebook_page import NotebookPage

CELLS = [
    "from taskembed_edu import LossLab, MetricLab\nmetric = MetricLab('gaussians', n_tasks=12)\nmetric",
    "loss = LossLab()\nloss",
]


def test_projector_mode_of_a_loss_lab_keeps_its_controls_beside_a_metric_lab(
    open_notebook: Callable[..., NotebookPage],
) -> None:
    page = open_notebook(CELLS)
    expect(page.locator(".te-panel")).to_have_count(1)
    lab = page.locator(".te-loss-lab")
    page.reveal(lab)
    lab.get_by_role("button", name="Projector", exact=True).click()
    for control in (lab.get_by_role("slider", name="Margin"), lab.get_by_label("Loss", exact=True)):
        expect(control).to_be_visible()
    lab.get_by_role("button", name="Update", exact=True).click()
    expect(lab.locator("svg.te-curve")).to_be_visible()  # the losses so far; the other lab hides a curve of its own
