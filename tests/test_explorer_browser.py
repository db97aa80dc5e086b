"""The explorer and notebooks in a real browser: sliders moved, pictures read back from the page.

Needs Chromium with its driver (Debian: chromium, chromium-driver) and Selenium; what is live also
needs JupyterLab and ipywidgets (the extra "explore" and JupyterLab).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from browsing import (
    Lab,
    errors,
    missing_browser,
    missing_lab,
    prefer,
    requested,
    run_all,
    until,
)
from explorer_readings import axes_of, step_of, wrong_matrix, wrong_step

import symconv as sc
from symconv.explorer import Settings, explore, look
from symconv.explorer.export import write_page

if reason := missing_browser():
    pytest.skip(reason, allow_module_level=True)

from selenium.webdriver.common.keys import Keys

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
#: Where to put pictures of what the browser showed, for people to look at.
PICTURES = os.environ.get("SYMCONV_SCREENSHOTS", "")

#: The attributes of all elements that a selector finds.
ATTRIBUTES = """
    return [...document.querySelectorAll(arguments[0])].map((element) =>
        Object.fromEntries([...element.attributes].map((each) => [each.name, each.value])));
"""


@pytest.fixture(scope="module")
def driver(browser):
    return browser


def picture(driver, name, width=1300):
    """Keep what is shown, where that was asked for."""
    if PICTURES:
        high = driver.execute_script("return document.documentElement.scrollHeight")
        size = {"width": width, "height": high, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.save_screenshot(str(Path(PICTURES) / f"{name}.png"))
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def marks(driver):
    """What takes part in the step that the page shows."""
    return driver.execute_script(ATTRIBUTES, "[data-view=steps] svg [data-role]")


def entries(driver):
    """What the page shows of the matrix."""
    return driver.execute_script(ATTRIBUTES, "[data-view=matrix] svg [data-row]")


def facts(driver):
    names, values = (
        [each.text for each in driver.find_elements("css selector", f"dl {tag}")]
        for tag in ("dt", "dd")
    )
    return dict(zip(names, values, strict=True))


def assert_shows(driver, settings):
    """Numbers, step and matrix of the page are those of the settings."""
    view, loops = look(settings), axes_of(settings)
    assert facts(driver) == dict(view.facts)
    assert wrong_step(marks(driver), loops) == ""
    assert wrong_matrix(entries(driver), loops) == ""


# The exported page

RANGES = {
    "kernel_size": (1, 2, 3), "stride": (1, 2), "padding_lo": (0, 1), "groups": (1, 2),
    "padding_mode": ("zeros", "circular"),
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("pages") / "explorer.html", Settings(), RANGES)


@pytest.fixture
def page(driver, exported):
    """The page, freshly opened; at the end nothing was complained of and nothing fetched."""
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(exported.as_uri())
    until(lambda: driver.execute_script("return document.body.dataset.ready"), "the page is ready")
    yield driver
    assert driver.get_log("browser") == []
    urls = requested(driver)
    assert any(url.startswith("file:") for url in urls), "the page itself is requested"
    assert not any(url.startswith(("http", "ws", "ftp")) for url in urls)
    prefer(driver)


def control(driver, name):
    return driver.find_element("css selector", f"[data-name={name}]")


def test_sliders_of_the_page_change_numbers_and_pictures(page):
    settings = Settings()
    assert_shows(page, settings)
    assert page.find_element("tag name", "h1").size["height"] > 20
    picture(page, "page-light")
    control(page, "stride").send_keys(Keys.ARROW_RIGHT)
    settings = settings.changed("stride", 2)
    assert facts(page)["output size"] == "2×2"
    assert_shows(page, settings)
    # What is compared can tell the settings apart.
    assert wrong_step(marks(page), axes_of(Settings())) == ""
    assert wrong_matrix(entries(page), axes_of(Settings())) != ""
    page.find_element("id", "step").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.find_element("id", "step-value").text == "3 of 4"
    assert step_of(marks(page))[0] == ("output", (1, 0))
    assert_shows(page, settings)
    assert wrong_step(marks(page), axes_of(Settings())) != ""
    control(page, "padding_lo").send_keys(Keys.ARROW_RIGHT)
    control(page, "padding_mode").send_keys("c")
    settings = settings.changed("padding_lo", 1).changed("padding_mode", "circular")
    assert_shows(page, settings)
    control(page, "kernel_size").send_keys(Keys.HOME)
    assert_shows(page, settings.changed("kernel_size", 1))
    layer = page.find_element("id", "place-layer").text
    assert layer == repr(settings.changed("kernel_size", 1).layer())


def test_the_page_explains_bad_settings_and_keeps_the_last_picture(page):
    message, shown = page.find_element("id", "message"), page.find_element("id", "shown")
    before = marks(page)
    assert not message.is_displayed()
    control(page, "groups").send_keys(Keys.ARROW_RIGHT)
    assert message.is_displayed()
    assert message.text == look(Settings(groups=2)).reason
    assert float(shown.value_of_css_property("opacity")) < 0.5
    assert marks(page) == before
    assert not page.find_element("id", "step").is_enabled()
    picture(page, "page-refused")
    control(page, "groups").send_keys(Keys.ARROW_LEFT)
    assert not message.is_displayed()
    assert float(shown.value_of_css_property("opacity")) == 1
    assert_shows(page, Settings())


def test_the_page_plays_its_steps(page):
    play = page.find_element("id", "play")
    play.click()
    until(lambda: step_of(marks(page))[0] == ("output", (0, 1)), "the next step is shown")
    assert play.text == "pause"
    play.click()
    assert play.text == "play"
    shown = page.find_element("id", "step-value").text
    assert facts(page)["output size"] == "3×3"
    assert shown == f"{int(page.find_element('id', 'step').get_attribute('value')) + 1} of 9"


def light(driver, selector, name):
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    colour = driver.execute_script(script, selector, name)
    return sum(int(part) for part in colour.strip("rgba()").split(",")[:3])


def test_colours_of_the_page_follow_the_reader(page):
    papers = [f"[data-view={view}] svg .paper" for view in
              ("steps", "matrix", "overlap", "receptive_field")]  # fmt: skip
    for scheme, is_light in (("light", True), ("dark", False)):
        prefer(page, scheme)
        assert (light(page, "body", "backgroundColor") > 600) is is_light
        assert (light(page, "body", "color") < 200) is is_light
        assert [light(page, paper, "fill") > 600 for paper in papers] == [is_light] * 4
    picture(page, "page-dark")


@pytest.mark.parametrize("width", [360, 900, 1400])
def test_the_page_is_never_wider_than_the_window(page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_without_scripts_the_page_shows_its_first_setting(driver, exported):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(exported.as_uri())
        for name in ("controls", "stepper"):
            assert not driver.find_element("id", name).is_displayed()
        assert facts(driver) == dict(look(Settings()).facts)
        assert driver.find_element("css selector", "noscript").text.startswith("The sliders need")
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_browser_that_cannot_unpack_the_page_says_so(driver, exported):
    source = {"source": "delete window.DecompressionStream"}
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    try:
        driver.get(exported.as_uri())
        message = driver.find_element("id", "message")
        until(message.is_displayed, "it is said")
        assert message.text.startswith("This browser cannot unpack the page")
        assert not driver.find_element("id", "stepper").is_displayed()
        assert facts(driver) == dict(look(Settings()).facts)
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.mark.parametrize("way", ["scatter", "zero_insertion"])
def test_a_page_of_a_transposed_convolution(driver, tmp_path, way):
    layer = sc.ConvTranspose1d(1, 1, 3, bias=False)
    path = explore(layer, (3,)).export(
        tmp_path / "page.html", stride=(1, 2), output_padding=(0, 1), way=(way,)
    )
    driver.get(path.as_uri())
    until(lambda: driver.execute_script("return document.body.dataset.ready"), "the page is ready")
    control(driver, "stride").send_keys(Keys.ARROW_RIGHT)
    control(driver, "output_padding").send_keys(Keys.ARROW_RIGHT)
    settings = Settings.of(layer, (3,)).changed("stride", 2).changed("output_padding", 1)
    steps = driver.find_element("id", "step")
    assert steps.get_attribute("max") == ("2" if way == "scatter" else "7")
    assert facts(driver) == dict(look(settings).facts)
    assert wrong_matrix(entries(driver), axes_of(settings)) == ""
    if way == "scatter":
        assert wrong_step(marks(driver), axes_of(settings)) == ""


# Live, in JupyterLab


def written(path, *sources):
    """A notebook of code cells."""
    cells = [
        {"cell_type": "code", "id": f"cell-{at}", "metadata": {}, "execution_count": None,
         "outputs": [], "source": source}
        for at, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if reason := missing_lab():
        pytest.skip(reason)
    found = Lab(tmp_path_factory.mktemp("lab"))
    yield found
    found.close()


EXPLORER = ".symconv-explorer"


def handle(driver, label):
    """The knob of a slider that is seen, by its label."""
    for each in driver.find_elements("css selector", f"{EXPLORER} .widget-slider"):
        if each.is_displayed() and each.find_element("tag name", "label").text == label:
            return each.find_element("css selector", ".noUi-handle")
    pytest.fail(f"no slider {label!r}")


def test_the_live_explorer(driver, lab):
    written(lab.work / "explorer.ipynb", "from symconv.explorer import explore\nexplore()")
    lab.open(driver, "explorer.ipynb")
    assert errors(run_all(driver)) == []
    until(lambda: marks(driver), "the explorer is shown")
    settings = Settings()
    assert_shows(driver, settings)
    picture(driver, "live-light", 1500)

    handle(driver, "stride").send_keys(Keys.ARROW_RIGHT)
    settings = settings.changed("stride", 2)
    until(lambda: facts(driver).get("output size") == "2×2", "the numbers follow the slider")
    assert_shows(driver, settings)
    handle(driver, "padding, low").send_keys(Keys.ARROW_RIGHT)
    handle(driver, "kernel size").send_keys(Keys.ARROW_LEFT)
    settings = settings.changed("padding_lo", 1).changed("kernel_size", 2)
    until(lambda: facts(driver) == dict(look(settings).facts), "the numbers follow the sliders")
    handle(driver, "step").send_keys(Keys.ARROW_RIGHT)
    until(lambda: step_of(marks(driver))[0] == ("output", (0, 1)), "the picture follows the slider")
    assert_shows(driver, settings)
    assert wrong_step(marks(driver), axes_of(Settings())) != ""

    before = marks(driver)
    handle(driver, "groups").send_keys(Keys.ARROW_RIGHT)
    message = until(
        lambda: driver.find_elements("css selector", f"{EXPLORER} .symconv-message"), "it explains"
    )[0]
    assert message.text == look(settings.changed("groups", 2)).reason
    shown = driver.find_element("css selector", f"{EXPLORER} .symconv-stale")
    assert float(shown.value_of_css_property("opacity")) < 0.5
    assert marks(driver) == before
    picture(driver, "live-refused", 1500)
    handle(driver, "groups").send_keys(Keys.ARROW_LEFT)
    until(lambda: not driver.find_elements("css selector", ".symconv-stale"), "it is good again")
    assert_shows(driver, settings)
    assert "Traceback" not in driver.find_element("tag name", "body").text


def test_an_error_in_a_notebook_is_noticed(driver, lab):
    written(lab.work / "wrong.ipynb", "'fine'", "1 / 0")
    lab.open(driver, "wrong.ipynb")
    (found,) = errors(run_all(driver))
    assert found["ename"] == "ZeroDivisionError"


def kept(start):
    """A notebook of the course by the start of its name."""
    found = sorted(NOTEBOOKS.glob(f"{start}*.ipynb"))
    return found[0] if found else pytest.skip(f"there is no notebook {start}")


@pytest.mark.long
@pytest.mark.parametrize("start", ["01", "09"])
def test_notebooks_run_in_the_front_end(driver, lab, start):
    source = kept(start)
    (lab.work / source.name).write_bytes(source.read_bytes())
    expected = [
        {output["output_type"] for output in cell["outputs"]}
        for cell in json.loads(source.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    lab.open(driver, source.name)
    cells = run_all(driver)
    assert errors(cells) == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    # What the kept notebook shows is shown again, and drawn by the browser.
    kinds = [{output["output_type"] for output in cell["outputs"]} for cell in cells]
    assert kinds == expected
    areas = driver.find_elements("css selector", ".jp-CodeCell .jp-OutputArea-output")
    assert len(areas) >= sum(map(bool, expected)) > 0
    assert all(area.size["height"] > 0 for area in areas)
    picture(driver, f"notebook-{start}", 1300)
