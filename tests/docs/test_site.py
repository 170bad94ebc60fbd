"""The site's navigation has every page."""

import re

from tests.docs.blocks import DOCS, ROOT


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(
        r"^ +- (?:\w+: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE
    )
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
