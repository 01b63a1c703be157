"""The Markdown report: the same words, and nothing that its syntax swallows."""

from __future__ import annotations

import re

import pytest

from crossfw.report import markdown, pages, sections, summary
from tests.report import examples


def test_the_same_sentences_as_everywhere(markdown_text):
    for task in examples.everything()["tasks"]:
        for answer in summary.answers(task):
            assert f"- **{answer.question}** {markdown.text(answer.text)}\n" in markdown_text


def test_figures_are_there_and_described(markdown_text, folder):
    found = re.findall(r"!\[(.+?)\]\((.+?)\)", markdown_text)
    assert len(found) == 18
    for alt, path in found:
        assert len(alt) > 20
        assert (folder / path).is_file()
        assert (folder / path).with_suffix(".png").is_file()


def test_links_lead_to_files(markdown_text, folder):
    assert set(re.findall(r"\]\(([\w.]+)\)", markdown_text)) == {
        "agreement.csv",
        "agreement.json.gz",
        "measures.csv",
        "index.html",
        "perplexity.csv",
        "results.json",
        "sweep.csv",
        "throughput.csv",
    }


def test_every_row_of_a_table_has_all_columns(markdown_text):
    for block in re.findall(r"(?:^\|.*\n)+", markdown_text, flags=re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1


@pytest.mark.parametrize(
    ("words", "shown"), [("a|b", r"a\|b"), ("<unk> *x*", r"&lt;unk> \*x\*"), ("two\nlines", "two lines")]
)
def test_syntax_is_escaped(words, shown):
    assert markdown.text(words) == shown


def test_a_fence_is_longer_than_any_within():
    assert markdown.fenced("a ``` b").startswith("````text\n")


def test_groups_become_a_column():
    table = sections.grouped("c", "name|>n", [("one", [["a", "1"]]), ("two", [["b", "2"]])])
    assert markdown.grid(table).splitlines()[2:] == [
        "| group | name | n |",
        "| --- | --- | ---: |",
        "| one | a | 1 |",
        "| two | b | 2 |",
    ]


def test_tasks_and_published_results_come_first(markdown_text):
    start = markdown_text[: markdown_text.index("## Recurrent language model")]
    assert "| lm\\_gru |" in start or "| lm_gru |" in start
    assert "torch-nn sees the future" in start
    assert "## Published results" in start
    assert "✓ 4 of 4 values reproduced" in start


def test_lines_of_a_cell_stay_apart(markdown_text):
    assert "| ✓ mxnet-scratch, mxnet-gluon and torch-nn<br>✕ torch-scratch: il dit , |" in markdown_text


def test_an_empty_report_is_one_too():
    text = markdown.render(pages.lay_out(examples.results()))
    assert "No task was run." in text
    assert "## Environment" in text
