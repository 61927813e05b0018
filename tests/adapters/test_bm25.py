"""BM25: the worked example, the formula of the literature, and what is our own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.adapters.bm25 import K1, B, Match, search, tokens

TEXTS = ["RSI oversold on bitcoin hourly", "bitcoin etf inflow", "ethereum merge", "macro rates decision"]


def test_the_worked_example() -> None:
    first, second = search(TEXTS, "bitcoin")
    assert (first.index, second.index) == (1, 0)
    assert math.isclose(first.score, 0.7180010635, abs_tol=1e-10)
    assert math.isclose(second.score, 0.5579512909, abs_tol=1e-10)


WORDS = st.sampled_from(["oil", "gas", "gold", "rates", "btc", "eth"])
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(deadline=None)  # the first example imports the library
@given(st.lists(SENTENCES, min_size=1, max_size=8), st.lists(WORDS, min_size=1, max_size=3))
def test_whole_words_score_as_in_a_well_known_library_times_k1_plus_1(texts: list[str], query: list[str]) -> None:
    # The library leaves out the factor k1 + 1 of the numerator, which changes no order (Lucene does the same).
    bm25s = pytest.importorskip("bm25s", reason="the library to compare with is not installed")
    index = bm25s.BM25(method="lucene", k1=K1, b=B)
    index.index([tokens(text) for text in texts], show_progress=False)
    known = [term for term in query if any(term in tokens(text) for text in texts)]
    theirs = index.get_scores(known) if known else [0.0] * len(texts)
    ours = dict.fromkeys(range(len(texts)), 0.0)
    ours |= {match.index: match.score for match in search(texts, " ".join(query), min_score=0.0)}
    for place, score in enumerate(theirs):
        assert math.isclose(ours[place], score * (K1 + 1), rel_tol=1e-5, abs_tol=1e-6)


def test_a_word_of_the_query_finds_longer_words_and_each_counts() -> None:
    both, one = search(["overbought and oversold", "oversold twice", "calm"], "over", min_score=0.0)
    assert (both.index, one.index) == (0, 1)
    single = search(["overbought and oversold", "oversold twice", "calm"], "oversold", min_score=0.0)
    assert both.score > single[0].score


def test_text_is_composed_lowered_and_split_at_everything_else() -> None:
    assert tokens("Über-Kauft! RSI>70;\tcafe\u0301  x_y") == ["über", "kauft", "rsi", "70", "café", "x", "y"]


def test_the_least_score_counts_itself() -> None:
    ((_, score),) = [(m.index, m.score) for m in search(["gold"], "gold", min_score=0.0)]
    assert search(["gold"], "gold", min_score=score) == [Match(0, score)]
    assert search(["gold"], "gold", min_score=math.nextafter(score, 1)) == []


@pytest.mark.parametrize("texts", [[], ["", " "], ["gold"]])
def test_where_nothing_matches_nothing_is_found(texts: list[str]) -> None:
    assert search(texts, "silver", min_score=0.0) == []


def test_equal_scores_keep_their_order() -> None:
    assert [match.index for match in search(["gold up", "gold up", "gold up"], "gold", min_score=0.0)] == [0, 1, 2]
