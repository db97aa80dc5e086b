"""The page of a step diagram in a real browser: what is driven changes the picture, rightly.

Needs Chromium with its driver (Debian: chromium, chromium-driver) and Selenium.
"""

from __future__ import annotations

import drawn
import pytest
from browsing import missing_browser

import symconv as sc
from symconv.drawing import draw

if missing_browser():
    pytest.skip(missing_browser(), allow_module_level=True)
keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
waiting = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
LAYER, SIZE = sc.Conv2d(1, 1, 3, stride=2, padding=1, padding_mode="circular"), (5, 4)


@pytest.fixture
def opened(browser, tmp_path):
    """The page; at the end nothing may have been logged."""
    browser.get_log("browser")
    path = tmp_path / "steps.html"
    path.write_text(draw(LAYER, input_size=SIZE).html(), encoding="utf-8")
    browser.get(path.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def shown(driver):
    """The current cell and the triples that the browser shows, read from its own tree."""
    script = "return new XMLSerializer().serializeToString(document.getElementById('picture'))"
    return drawn.triples_of(driver.execute_script(script))


def check(driver, side, place):
    """The picture and its words are about one cell, and show its triples."""
    at = 0 if side == "output" else 2
    triples = [each for each in drawn.conv_triples(LAYER, SIZE) if each[at] == place]
    assert shown(driver) == ((side, place), sorted(triples))
    caption = driver.find_element("id", "caption").text
    assert caption.startswith(f"{side} {place} ")


def slide(driver, value):
    """Move the slider as a reader does: the browser sends its own event."""
    driver.execute_script(
        "const slider = document.getElementById('step'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))",
        value,
    )


def count(driver):
    return driver.find_element("id", "count").text


def test_the_slider_changes_the_picture(opened):
    check(opened, "output", (0, 0))
    for value, place in enumerate(drawn.positions((3, 2))):
        slide(opened, value)
        check(opened, "output", place)
        assert count(opened) == f"{value + 1} of 6"
    slider = opened.find_element("id", "step")
    slider.send_keys(keys.ARROW_LEFT)
    check(opened, "output", (2, 0))


def test_keys_and_buttons_step(opened):
    body = opened.find_element("tag name", "body")
    body.send_keys(keys.ARROW_RIGHT)
    check(opened, "output", (0, 1))
    body.send_keys(keys.END)
    check(opened, "output", (2, 1))
    body.send_keys(keys.ARROW_RIGHT)
    check(opened, "output", (2, 1))
    opened.find_element("id", "previous").click()
    check(opened, "output", (2, 0))
    body.send_keys(keys.HOME)
    check(opened, "output", (0, 0))
    opened.find_element("id", "next").click()
    check(opened, "output", (0, 1))


def test_the_transposed_reading(opened):
    button = opened.find_element("id", "direction")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert count(opened) == "1 of 20"
    assert "transposed:" in opened.find_element("id", "picture").text
    for value in (0, 7, 19):
        slide(opened, value)
        check(opened, "input", drawn.positions(SIZE)[value])
    opened.find_element("tag name", "body").send_keys("t")
    check(opened, "output", (0, 0))
    assert button.get_attribute("aria-pressed") == "false"


def test_it_plays_and_pauses(opened):
    play = opened.find_element("id", "play")
    play.click()
    assert play.text == "pause"
    waiting(opened, 30).until(lambda driver: count(driver) != "1 of 6")
    play.click()
    assert play.text == "play"
    before = count(opened)
    opened.find_element("id", "caption").click()
    assert count(opened) == before


def test_colours_follow_the_reader(opened):
    def paper():
        script = "return getComputedStyle(document.querySelector('#picture .paper')).fill"
        return opened.execute_script(script)

    assert paper() == "rgb(255, 255, 255)"
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    assert paper() == "rgb(20, 24, 29)"


@pytest.mark.parametrize("width", [360, 768])
def test_the_page_is_never_wider_than_the_window(opened, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide = opened.execute_script("return document.documentElement.scrollWidth")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_a_wrong_picture_would_be_seen(opened):
    opened.execute_script("document.querySelector('#picture rect[data-role=read]').remove()")
    with pytest.raises(AssertionError):
        check(opened, "output", (0, 0))
