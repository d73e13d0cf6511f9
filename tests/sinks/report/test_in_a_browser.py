"""The report in a real browser: nothing overflows on a phone, text is legible, it prints on A4."""

import base64
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.report.figures import month_figures
from loanpulse.sinks.report.language import Language
from loanpulse.sinks.report.page import render

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
A4_POINTS = (595, 842)
CONTRAST = """
const linear = v => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
const lum = c => { const [r, g, b] = c.map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b };
const parse = s => s.match(/[\\d.]+/g).map(Number);
const behind = e => { let stack = [], at = e;
  while (at) { const c = parse(getComputedStyle(at).backgroundColor); const a = c.length > 3 ? c[3] : 1;
    if (a > 0) stack.push([c, a]); if (a === 1) break; at = at.parentElement }
  return stack.reverse().reduce((under, [c, a]) => under.map((v, i) => v * (1 - a) + c[i] * a), [255, 255, 255]) };
const found = [];
for (const e of document.querySelectorAll('h1,h2,p,dt,dd,small,th,td,summary')) {
  if (!e.textContent.trim() || !e.offsetParent) continue;
  const a = lum(parse(getComputedStyle(e).color)), b = lum(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) found.push([e.textContent.trim(), ratio]);
}
return found;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium and its driver are not here (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    # Chromium leaves a folder of its own where temporary files go.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        service = webdriver.ChromeService(DRIVER, env={**os.environ, "TMPDIR": folder})
        driver = webdriver.Chrome(options=options, service=service)
        yield driver
        driver.quit()


@pytest.fixture(scope="module")
def pages(city_warehouse: EmbeddedWarehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Path]:
    figures = month_figures(city_warehouse.query, "lender-a", date(2026, 6, 1))
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for language in Language:
        found[language] = folder / f"{language}.html"
        found[language].write_text(render(figures, language), encoding="utf-8")
    return found


def show(browser: Any, page: Path, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.get(page.as_uri())


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overflows_and_everything_is_legible(
    browser: Any, pages: dict[Language, Path], language: Language, width: int, tmp_path: Path
) -> None:
    show(browser, pages[language], width)
    browser.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    wider = browser.execute_script(
        "return [...document.querySelectorAll('main *')].filter(e => e.offsetParent && !e.closest('.scroll,svg') "
        "&& e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName)"
    )
    assert wider == []
    matrix = browser.execute_script(
        "const e = document.querySelector('.matrix'); return [e.scrollWidth, e.parentElement.clientWidth]"
    )
    assert matrix[0] <= matrix[1] + 1, "the matrix fits without scrolling"
    smallest = browser.execute_script(
        "return Math.min(...[...document.querySelectorAll('svg text')].filter(e => e.getBoundingClientRect().width)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width "
        "/ e.ownerSVGElement.viewBox.baseVal.width))"
    )
    assert smallest >= 10, "text in charts is not scaled down until it can't be read"
    shown = browser.execute_script(
        "return [...document.querySelectorAll('svg')].filter(e => e.getBoundingClientRect().width > 0).length"
    )
    assert shown == 4, "each chart is shown once"
    assert browser.execute_script(CONTRAST) == []
    picture = base64.b64decode(
        browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})["data"]
    )
    (tmp_path / f"report-{language}-{width}.png").write_bytes(picture)
    across, down = struct.unpack(">II", picture[16:24])
    assert across == width
    assert down > 1000


@pytest.mark.parametrize("language", list(Language))
def test_it_prints_on_a4(browser: Any, pages: dict[Language, Path], language: Language) -> None:
    show(browser, pages[language], 1280)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    pdf = base64.b64decode(printed["data"])
    boxes = [tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf)]
    assert boxes
    assert all((round(box[2]), round(box[3])) == A4_POINTS for box in boxes)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 3
    clean = browser.execute_script("return [...document.querySelectorAll('svg')].every(e => e.querySelector('text'))")
    assert clean


def test_a_table_opens_by_the_keyboard(browser: Any, pages: dict[Language, Path]) -> None:
    show(browser, pages[Language.EN], 360)
    summary = browser.find_element("css selector", "details > summary")
    summary.send_keys("\n")
    assert browser.execute_script("return document.querySelector('details').open")
