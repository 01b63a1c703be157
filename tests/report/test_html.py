"""The page: whole, self-contained, and readable without eyes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from crossfw.report import html, pages
from crossfw.report.html import prose
from tests.report import examples

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects tags with their attributes and text; fails where tags do not nest."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\xa0", " ").split())


def read(*tasks) -> Reader:
    return Reader(html.render(pages.lay_out(examples.results(*tasks))))


@pytest.fixture(scope="module")
def page(page_text):
    return Reader(page_text)


def test_nothing_comes_from_the_network(page, page_text):
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data", "srcset", "xlink:href"):
            assert not re.match(r"(https?:)?//", attributes.get(name) or "")
    assert not page.all("script")
    assert "@import" not in page_text
    assert not re.search(r"url\((?!#)", page_text)


def test_ids_are_unique_and_links_arrive(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes in page.tags if (attributes.get("href") or "").startswith("#")}
    assert targets <= set(ids)


def test_clip_paths_point_into_their_own_figure(page, page_text):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert set(re.findall(r"url\(#([^)]*)\)", page_text)) <= ids


def test_every_figure_has_words(page):
    drawings = [each for each in page.all("svg") if "aria-hidden" not in each]
    assert len(drawings) == 18
    assert all(drawing["role"] == "img" and len(drawing["aria-label"]) > 20 for drawing in drawings)
    assert len(page.all("figcaption")) == len(page.all("figure")) == len(drawings)


def test_tables_have_captions_and_scopes(page):
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(header.get("scope") in ("col", "row", "rowgroup") for header in page.all("th"))


def test_the_document_is_declared(page, page_text):
    assert page_text.lstrip().startswith("<!DOCTYPE html>")
    assert page.all("html")[0]["lang"] == "en"
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert len(page.all("h1")) == len(page.all("main")) == 1


def test_the_three_answers_come_first(page_text):
    start = page_text[: page_text.index("<main")]
    for question in ("Same model?", "Learns the same?", "How fast?"):
        assert question in start


def test_verdicts_are_words_and_signs(page):
    for badge in ("✓ agree", "✕ disagree", "◐ incomplete"):
        assert badge in page.text


def test_what_must_be_said_is_said(page):
    for words in (
        "torch-nn differs from numpy first at stage forward, tensor hidden: error 0.93, bound 1e-12",
        "sees the future: its perplexity is no measure of a language model",
        "not the same model: training",
        "could not be compared: skipped: corpus fra-eng is not here",
        "killed by signal 9 after 31 s",
        "all four write:",
        "mxnet-gluon and torch-scratch write:",
        "torch-nn, A/A control",
        "The A/A control's interval leaves 1 in training",
        "gluon.rnn.RNN was given activation='tanh'",
        "no difference shown to mxnet-gluon (0.97 to 1.08)",
        "crossfw run --suite quick",
        "2.13.0+cpu",
    ):
        assert words in page.text


def test_the_folded_table_is_short(page_text):
    every = re.findall(r"<details>.*?</details>", page_text, flags=re.DOTALL)
    folded = [part for part in every if "Every comparison, by stage" in part]
    assert len(folded) == 5
    assert len([part for part in every if "What was run" in part]) == 6
    assert all(part.count("<tr>") < 60 and 'href="agreement.csv"' in part for part in folded)


def test_one_line_for_every_task(page_text):
    table = Reader(re.search(r'<table class="overview">.*?</table>', page_text, flags=re.DOTALL)[0])
    assert len(table.all("tr")) == 1 + len(examples.everything()["tasks"])
    assert "torch-nn: forward, hidden" in table.text
    assert "nothing trained" in table.text


def test_a_model_that_sees_the_future_is_marked_in_the_line_of_its_task(page_text):
    [row] = re.findall(r'<tr class="disagree">.*?</tr>', page_text, flags=re.DOTALL)
    assert re.search(r'<span class="warn">\S+ <span class="nb">torch-nn</span> sees the future</span>', row)
    assert ".warn { display: block; margin-top: .35rem; color: var(--no)" in page_text


def test_many_tasks_are_folded_and_the_navigation_stays_short():
    few = read(*(examples.worked_example(f"task{number}") for number in range(pages.FEW)))
    many = read(*(examples.worked_example(f"task{number}") for number in range(pages.FEW + 1)))
    for page, opened in ((few, pages.FEW), (many, 0)):
        folds = [each for each in page.all("details") if each.get("class") == "all"]
        assert sum("open" in each for each in folds) == opened
    assert "Answers 7 tasks Published Environment" in many.text


def test_published_results_of_all_tasks_come_before_the_tasks(page_text):
    start = page_text.index('id="published"')
    assert page_text.index('id="tasks"') < start < page_text.index('class="task" id="task-')
    assert "4 of 4 values reproduced" in page_text


def test_cells_that_say_no_are_red(page_text):
    assert re.search(r'<td class="x">✕ 1 different</td>', page_text)
    assert not re.search(r'class="[^"]*x">✓', page_text)


def test_what_figures_have_in_common_is_stated_once(page_text, folder):
    assert page_text.count("<defs>") == 1
    classes = set(re.findall(r"class=(s\d+)[ >]", page_text))
    assert classes == set(re.findall(r"^\.(s\d+)\{", page_text, flags=re.MULTILINE))
    figures = sum(path.stat().st_size for path in folder.glob("figures/*.svg"))
    assert len("".join(re.findall(r"<svg role.*?</svg>", page_text, flags=re.DOTALL))) < 0.8 * figures


def test_foreign_text_is_escaped():
    task = examples.agreeing("<b>&\"'", title="<script>alert(1)</script>", description="a < b", reason="{{ 1 }}")
    page = read(task)
    assert not page.all("script")
    assert not page.all("b")
    assert "<script>alert(1)</script>" in page.text
    assert any("<script>" in drawing["aria-label"] for drawing in page.all("svg")[1:])


def test_tasks_of_one_slug_stay_apart():
    page = read(examples.worked_example("a b"), examples.worked_example("a-b"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"task-a-b", "task-a-b-2"} <= set(ids)


def test_a_report_without_tasks_says_so():
    assert "No task was run." in read().text


def test_a_task_with_nothing_in_it_has_no_empty_sections():
    page = read(examples.blank("none", setup={}))
    assert not page.all("figure")
    assert not page.all("details")
    assert len(page.all("table")) == 3  # tasks, machine and versions


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("torch-nn is", ["torch-nn"]),
        ("error 3e-14, bound 1e-12", ["3e-14", "1e-12"]),
        ("a - b", []),
        ("--data-dir x", []),
    ],
)
def test_names_and_numbers_are_not_broken(words, kept):
    assert re.findall(r'<span class="nb">(.*?)</span>', prose(words)) == kept
    assert prose("28.3 k and 5 %") == "28.3\xa0k and 5\xa0%"
    assert prose("<i>") == "&lt;i&gt;"
