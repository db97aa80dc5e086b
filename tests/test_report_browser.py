"""The report in a real browser: formulas and drawings have sizes, filters count, nothing complains.

Needs Chromium with its driver (Debian: chromium, chromium-driver) and Selenium.
"""

from __future__ import annotations

import json

import pytest
from browsing import missing_browser
from test_report import nasty_row, small

from symconv.proving.report import report_html

pytest.importorskip("latex2mathml")
if missing_browser():
    pytest.skip(missing_browser(), allow_module_level=True)


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a ledger's page and returns the driver; at the end nothing may have been logged."""

    def show(ledger, target=""):
        path = tmp_path / "report.html"
        path.write_text(report_html(ledger), encoding="utf-8")
        browser.get(path.as_uri() + target)
        return browser

    for kind in ("browser", "performance"):
        browser.get_log(kind)
    yield show
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert any(url.startswith("file:") for url in urls), "the page itself is requested"
    assert not any(url.startswith(("http", "ws", "ftp")) for url in urls)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def shown(driver):
    """What the counter says, and which rows can be seen."""
    rows = driver.find_elements("css selector", "details.row")
    return driver.find_element("id", "count").text, [
        row.get_attribute("id") for row in rows if row.is_displayed()
    ]


def choose(driver, name, value):
    driver.find_element("css selector", f"#{name} option[value='{value}']").click()


def test_filters_count_what_they_leave(opened):
    driver = opened(small())
    names = [row["identifier"] for row in small()["theorems"]]
    assert shown(driver) == ("shown 5 of 5", names)
    choose(driver, "subject", "sizes")
    assert shown(driver) == ("shown 3 of 5", names[2:])
    headings = driver.find_elements("css selector", "h2")
    assert [heading.is_displayed() for heading in headings] == [False, True]
    choose(driver, "verdict", "UNDECIDED")
    assert shown(driver) == ("shown 2 of 5", names[3:])
    choose(driver, "scope", "none")
    assert shown(driver) == ("shown 1 of 5", names[3:4])
    choose(driver, "subject", "transposed")
    assert shown(driver) == ("shown 0 of 5", [])
    assert driver.find_element("css selector", ".none").is_displayed()
    driver.find_element("css selector", "button[type=reset]").click()
    assert shown(driver) == ("shown 5 of 5", names)
    assert not driver.find_element("css selector", ".none").is_displayed()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("FLIPPING kernel", [0]),
        ("Dumoulin", [0]),
        ("every dilation", [0]),
        ("not said", [3]),
        ("def size", [0, 1, 2, 4]),
        ("sizes.", [2, 3, 4]),
        ("nowhere", []),
        ("  ", [0, 1, 2, 3, 4]),
    ],
)
def test_text_is_searched_in_what_is_written(opened, text, left):
    driver = opened(small())
    driver.find_element("id", "text").send_keys(text)
    names = [row["identifier"] for row in small()["theorems"]]
    assert shown(driver) == (f"shown {len(left)} of 5", [names[n] for n in left])


def test_a_row_opens_to_its_formula_drawing_and_certificate(opened):
    driver = opened(small())
    row = driver.find_element("id", "transposed.zero-insertion")
    formula, drawing = row.find_element("css selector", "math"), row.find_element("tag name", "svg")
    assert not formula.is_displayed()
    row.find_element("tag name", "summary").click()
    for part, least in ((formula, 15), (drawing, 40)):
        assert part.is_displayed()
        assert part.size["width"] > 4 * least
        assert part.size["height"] >= least
    # The subscript of MathML is drawn as one: smaller, and below.
    index = row.find_element("css selector", "math mo")
    assert index.size["height"] > 0
    proof = row.find_element("css selector", ".steps details")
    assert not proof.find_element("tag name", "ul").is_displayed()
    proof.find_element("tag name", "summary").click()
    assert "= −1" in proof.find_element("tag name", "ul").text
    stored = row.find_elements("css selector", ".sources details")[-1]
    stored.find_element("tag name", "summary").click()
    assert '{"format":"symconv certificate 1"' in stored.text
    stored.find_element("tag name", "button").click()
    assert stored.find_element("tag name", "button").text in ("copy", "copied", "selected")


def test_all_rows_expand_and_collapse(opened):
    driver = opened(small())
    choose(driver, "subject", "sizes")
    driver.find_element("id", "expand").click()
    found = "return [...document.querySelectorAll('details.row')].map(row => row.open)"
    assert driver.execute_script(found) == [False, False, True, True, True]
    driver.find_element("id", "collapse").click()
    assert driver.execute_script(found) == [False] * 5


def test_a_link_opens_its_theorem(opened):
    driver = opened(small(), "#sizes.as-stated")
    row = driver.find_element("id", "sizes.as-stated")
    assert row.get_attribute("open") is not None
    assert row.find_element("css selector", "figure svg").size["width"] > 40
    choose(driver, "subject", "sizes")
    driver.execute_script("location.hash = 'transposed.stride-one'")
    assert shown(driver)[0] == "shown 5 of 5"
    driver.find_element("css selector", "#transposed\\.stride-one dd a").click()
    assert driver.find_element("id", "transposed.zero-insertion").get_attribute("open") is not None


def luminance(driver, selector, property_name):
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    colour = driver.execute_script(script, selector, property_name)
    red, green, blue = (int(part) for part in colour.strip("rgba()").split(",")[:3])
    return red + green + blue


def test_colours_follow_the_reader(opened):
    driver = opened(small())
    assert luminance(driver, "body", "backgroundColor") > luminance(driver, "body", "color") + 400
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    assert luminance(driver, "body", "backgroundColor") < luminance(driver, "body", "color") - 400


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_page_is_never_wider_than_the_window(opened, width):
    driver = opened(small())
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.find_element("id", "expand").click()
    # Nested details open as well: tables, formulas and drawings scroll inside the page.
    driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= width


def test_markup_in_the_ledger_does_nothing(opened):
    nasty = nasty_row()
    driver = opened({**small(), "theorems": [nasty], "version": nasty["words"]})
    assert driver.find_elements("tag name", "img") == []
    driver.find_element("id", "expand").click()
    assert "<script>alert(1)</script>" in driver.find_element("css selector", ".words").text
    choose_any = driver.find_elements("css selector", "#scope option")[1]
    choose_any.click()
    assert shown(driver)[0] == "shown 1 of 1"


def test_without_scripts_it_is_a_list_of_details(opened):
    driver = opened(small())
    assert driver.find_element("id", "controls").is_displayed()
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.refresh()
        assert not driver.find_element("id", "controls").is_displayed()
        row = driver.find_element("id", "transposed.zero-insertion")
        row.find_element("tag name", "summary").click()
        assert row.find_element("css selector", ".words").is_displayed()
        assert row.find_elements("css selector", ".sources button") == []
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
