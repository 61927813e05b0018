"""BM25: which texts say most about a query.

The weights are those of Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with
the idf that cannot be negative. Two things are our own: a word of the query also finds longer words that contain it, and
each of those counts on its own.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

K1 = 1.5
B = 0.75
MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """The place of a text in the sequence, and how well it matches."""

    index: int
    score: float


def tokens(text: str) -> list[str]:
    """The words of `text`: composed, in lower case, and split at everything that is neither letter nor digit."""
    folded = unicodedata.normalize("NFC", text).lower()
    return "".join(c if c.isalnum() or c.isspace() else " " for c in folded).split()


def search(
    texts: Sequence[str], query: str, *, k1: float = K1, b: float = B, min_score: float = MIN_SCORE
) -> list[Match]:
    """The texts that match `query` with at least `min_score`, best first, equal ones in the order given.

    The score is the sum, over the words of the query and the words of the text that contain them, of

        ln((N - df + 0.5) / (df + 0.5) + 1) * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length))

    with `f` how often the text has the word and `df` how many of the `N` texts have it.
    """
    words = [Counter(tokens(text)) for text in texts]
    lengths = [counts.total() for counts in words]
    mean = sum(lengths) / len(lengths) if any(lengths) else 1.0
    frequency = Counter(word for counts in words for word in counts)
    asked = [[word for word in frequency if term in word] for term in tokens(query)]
    weights = {
        word: math.log((len(texts) - frequency[word] + 0.5) / (frequency[word] + 0.5) + 1)
        for found in asked
        for word in found
    }
    matches = []
    for index, counts in enumerate(words):
        norm = k1 * (1 - b + b * lengths[index] / mean)
        score = sum(
            weights[word] * counts[word] * (k1 + 1) / (counts[word] + norm)
            for found in asked
            for word in found
            if word in counts
        )
        if score >= min_score and score > 0:
            matches.append(Match(index, score))
    return sorted(matches, key=lambda match: -match.score)
