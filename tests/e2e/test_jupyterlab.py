"""An analyst's hour: JupyterLab in a browser, run everything, see charts, turn the knobs."""

import re

import pytest

from tests.e2e.conftest import OUTPUT

pytestmark = pytest.mark.browser
CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")
RUN_TIME = 240_000


def run_all(page, lab, name):
    """Open a notebook in a workspace of its own and run it with the menu; every cell must have run and none failed."""
    page.goto(lab.format(f"lab/workspaces/{name}/tree/{name}.ipynb"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    # Without a kernel the menu would ask for one.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputArea-prompt')];
            return document.querySelector('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
              || (prompts.length && prompts.every((prompt) => /\\[\\d+\\]/.test(prompt.textContent)));
        }""",
        timeout=RUN_TIME,
    )
    errors = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
    assert errors.all_inner_texts() == []
    assert "could not be drawn" not in page.locator(".jp-Notebook").inner_text()


def charts(page, count):
    """Wait until so many charts are drawn as SVG with marks in them, and return them."""
    drawn = page.locator(".aitheme-chart[data-drawn] svg.marks")
    page.wait_for_function(
        "(count) => document.querySelectorAll('.aitheme-chart[data-drawn] svg.marks').length === count", arg=count
    )
    for place in range(count):
        assert drawn.nth(place).locator("path, text").count() > 10
    return drawn


def drag(page, area, start, end):
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + (start + (end - start) * step / 5) * box["width"], middle)
    page.mouse.up()


def changed(page, locator, before):
    """Wait until the drawing inside an element is another one, and return it."""
    page.wait_for_function(
        "([element, before]) => element.innerHTML !== before", arg=[locator.element_handle(), before]
    )
    return locator.inner_html()


def test_quickstart_draws_the_reports_chart(page, lab):
    run_all(page, lab, "01_quickstart")
    drawn = charts(page, 2)
    report, explorer = drawn.nth(0), drawn.nth(1)
    assert CHINESE.search(report.text_content())
    assert "SIMULATED 模拟数据" in report.text_content()
    assert "资料来源" in explorer.text_content()
    page.locator(".aitheme-chart").nth(0).screenshot(path=OUTPUT / "quickstart-chart.png")

    # Dragging over sessions writes each line's change within them.
    before = report.inner_html()
    drag(page, report.locator("path.background").first, 0.4, 0.7)
    changed(page, report, before)
    assert re.search(r"[+-−]\d+\.\d%", report.text_content())
    page.locator(".aitheme-chart").nth(0).screenshot(path=OUTPUT / "quickstart-brushed.png")


def test_event_study_follows_drop_down_brush_and_legend(page, lab):
    run_all(page, lab, "03_event_study")
    path, explorer = charts(page, 2).nth(0), charts(page, 2).nth(1)
    assert CHINESE.search(path.text_content())
    home = page.locator(".aitheme-chart").nth(1)
    home.screenshot(path=OUTPUT / "explorer-start.png")

    # Another release: another path and another finding.
    lower = explorer.locator(".concat_2_group").first
    before = lower.inner_html()
    event = home.locator("select").nth(1)
    names = event.locator("option").all_inner_texts()
    chosen = next(name for name in names if "Sora" in name)
    assert event.input_value() != chosen
    event.select_option(chosen)
    sora = changed(page, lower, before)
    home.locator("select").nth(0).select_option(index=1)
    changed(page, lower, sora)
    home.screenshot(path=OUTPUT / "explorer-chosen.png")

    # A brush over the small chart: the lines and dates above it change.
    upper = explorer.locator(".concat_0_group").first
    before = upper.inner_html()
    ground = explorer.locator(".dates_brush_bg").locator("xpath=../../*[contains(@class, 'background')]")
    drag(page, ground, 0.6, 0.95)
    brushed = changed(page, upper, before)
    assert "23/11/01" in before
    assert "23/11/01" not in brushed
    home.screenshot(path=OUTPUT / "explorer-brushed.png")

    # A click on the legend fades the other lines.
    explorer.locator(".role-legend-symbol path").first.click(force=True)
    faded = changed(page, upper, brushed)
    assert faded.count('opacity="0.12"') > brushed.count('opacity="0.12"')


def test_screening_answers_and_can_be_searched(page, lab):
    run_all(page, lab, "04_screening")
    months = charts(page, 1).nth(0)
    text = page.locator(".jp-Notebook").inner_text()
    assert "SIMULATED 模拟数据" in text
    assert "names" in text

    table = page.locator(".jp-Notebook .dt-container").first
    table.wait_for()
    shown = table.locator(".dt-info").inner_text()
    table.locator("input[type=search]").fill("turnover")
    page.wait_for_function("([element, before]) => element.innerText !== before",
                           arg=[table.locator(".dt-info").element_handle(), shown])  # fmt: skip
    assert "turnover" in table.locator("tbody tr").first.inner_text()

    before = months.inner_html()
    drag(page, months, 0.5, 0.8)
    changed(page, months, before)
    page.locator(".aitheme-chart").first.screenshot(path=OUTPUT / "screening-months.png")
