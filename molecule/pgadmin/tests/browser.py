"""What a person does with pgAdmin, in a browser that Selenium drives."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 20
SECONDS_FOR_A_CLICK = 5
NODE = (
    "//div[@id='id-object-explorer']//div[contains(@class, ' depth-{depth}')]"
    "//span[@class='file-name'][normalize-space() = '{name}']"
)
OPEN = NODE + "/ancestor::div[contains(@class, 'file-entry')]/i[contains(@class, 'directory-toggle open')]"
PASSWORD = "//input[@type='password' and not(@name)]"
EDITOR = "//div[contains(@class, 'cm-content') and @contenteditable='true' and not(@aria-readonly='true')]"
CELL = "//div[@role='gridcell' and contains(@class, 'rdg-cell')]"


class PgAdmin:
    """The pages of pgAdmin by what a person wants of them."""

    def __init__(self, driver: Chrome, url: str) -> None:
        """Show the address in the browser."""
        self.driver = driver
        self.wait = WebDriverWait(driver, SECONDS)
        driver.get(url)

    def log_in(self, email: str, password: str) -> None:
        """Fill in the form of the login page."""
        self._see("//input[@name='email']").send_keys(email)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.driver.find_element(By.NAME, "internal_button").click()

    def node(self, name: str, depth: int) -> WebElement:
        """Find a node of the tree by its name and depth; groups have the depth 1."""
        return self._see(NODE.format(name=name, depth=depth))

    def open(self, name: str, depth: int) -> None:
        """Open a node of the tree; a server may ask for its password first.

        A tree that was only just drawn does not hear clicks yet.
        """
        opened = expected.any_of(
            *(
                expected.presence_of_element_located((By.XPATH, path))
                for path in (OPEN.format(name=name, depth=depth), PASSWORD)
            )
        )
        for seconds in (SECONDS_FOR_A_CLICK, SECONDS):
            ActionChains(self.driver).double_click(self.node(name, depth)).perform()
            with suppress(TimeoutException):
                WebDriverWait(self.driver, seconds).until(opened)
                return
        raise TimeoutException(f"{name} does not open")

    def give_password(self, password: str) -> None:
        """Answer the question for a server's password."""
        self._see(PASSWORD).send_keys(password)
        self._see("//button[normalize-space() = 'OK']").click()

    def query(self, statement: str) -> list[str]:
        """Run a statement in the query tool and return the cells of the answer."""
        self._see("//button[@data-label='Tools']").click()
        self._see("//li[@data-label='Query Tool']").click()
        frame = (By.XPATH, "//iframe[starts-with(@id, 'id-query-tool')]")
        self.wait.until(expected.frame_to_be_available_and_switch_to_it(frame))
        editor = self._see(EDITOR)
        ActionChains(self.driver).move_to_element(editor).perform()
        editor.send_keys(statement)
        editor.send_keys(Keys.F5)
        self._see(CELL)
        return [cell.text for cell in self.driver.find_elements(By.XPATH, CELL) if cell.text]

    def message(self, text: str) -> WebElement:
        """Wait for a message."""
        return self._see(f'//*[contains(text(), "{text}")]')

    def picture(self, path: Path) -> None:
        """Take a picture of the page."""
        self.driver.save_screenshot(str(path))

    def _see(self, xpath: str) -> WebElement:
        return self.wait.until(expected.visibility_of_element_located((By.XPATH, xpath)), f"no {xpath}")
