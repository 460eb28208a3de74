"""The proposal of a matter: right where it speaks, silent where it is unsure, explained, and safe for any text."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucheng.core.triage import classify
from lucheng.core.triage.classify import Classifier, Level, Weights
from lucheng.core.triage.words import code
from tests.core.triage import model

REAL = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def trained(db: None) -> Classifier:
    model.in_force()
    found = classify.active()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("我们小区门口的路灯不亮了，晚上回家什么都看不见", "010201"),
        ("家里暖气冰凉，已经两天没热了，老人孩子冻得受不了", "030101"),
        ("井盖丢了，路口留着一个大洞", "010301"),
        ("在工地干了半年，包工头拖欠工资不给", "110101"),
        ("楼道里有很浓的煤气味，怀疑漏气", "030601"),
        ("有人在楼道里给电动车充电", "210103"),
    ],
)
def test_what_residents_say_gets_its_small_class(trained: Classifier, text: str, matter: str) -> None:
    proposal = classify.propose_matter(text)
    assert proposal.matter == matter
    assert proposal.probability >= 0.5
    assert proposal.model_version == trained.version


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00\x01\n", "你好", "12345", "。。。", "😀😀", "<b></b>", "\ud800"]
)
def test_it_abstains_where_nothing_is_said(trained: Classifier, text: str) -> None:
    proposal = classify.propose_matter(text)
    assert (proposal.matter, proposal.probability, proposal.words) == ("", 0.0, ())


def test_without_a_model_it_abstains_and_says_so(db: None) -> None:
    assert classify.propose_matter("路灯不亮") == classify.MatterProposal("", 0.0, (), "")


def test_the_words_that_moved_it_stand_in_the_text_the_strongest_first(trained: Classifier) -> None:
    text = "小区门口路灯不亮，晚上出门看不见路"
    words = classify.propose_matter(text).words
    assert words[0][0] in ("路灯", "灯不亮")
    assert all(word in text and weight > 0 for word, weight in words)
    assert [w for _word, w in words] == sorted((w for _word, w in words), reverse=True)


def test_only_the_first_two_thousand_characters_count(trained: Classifier) -> None:
    start = "暖气不热，家里只有十五度。" * 200
    assert classify.propose_matter(start[:2000] + "路灯" * 24_000) == classify.propose_matter(start[:2000])


def test_width_and_case_of_letters_do_not_matter(trained: Classifier) -> None:
    assert classify.propose_matter("政务ＡＰＰ打不开") == classify.propose_matter("政务app打不开")


def test_the_same_text_gets_the_same_advice(trained: Classifier) -> None:
    text = "楼上漏水把我家泡了，物业不管"
    assert classify.propose_matter(text) == classify.propose_matter(text)
    assert classify.propose_matter(text).words == classify.propose_matter(text).words


def test_a_stored_model_says_what_the_fitted_one_said(trained: Classifier) -> None:
    again = classify.unpack(trained.version, classify.pack(trained))
    assert again.classes == trained.classes
    assert again.levels == trained.levels
    assert np.array_equal(again.weights.values, trained.weights.values)
    assert again.propose("电梯坏了没人修") == trained.propose("电梯坏了没人修")


def test_any_text_is_safe(trained: Classifier) -> None:
    codes = {c[:n] for c in trained.classes for n in (2, 4, 6)} | {""}
    anything = st.text(st.characters(exclude_categories=()), max_size=300)
    chinese = st.text("路灯不亮暖气水管漏工资房子。，a1 ", max_size=80)

    @settings(max_examples=150, deadline=None)
    @given(st.one_of(anything, chinese))
    def check(text: str) -> None:
        proposal = trained.propose(text)
        assert proposal.matter in codes
        assert 0 <= proposal.probability <= 0.99
        assert len(proposal.alternatives) <= 3
        assert proposal.matter not in [code for code, _p in proposal.alternatives]
        assert all(weight > 0 for _word, weight in proposal.words)

    check()


def small(thresholds: tuple[float, float, float]) -> Classifier:
    """Three classes: 暖 speaks for both of 0101, 气 a little for 010101, 灯 for 020101."""
    weights = np.array([[2.0, 1.9, -4.0], [0.1, 0.0, 0.0], [-3.0, -3.0, 6.0]], np.float32)
    return Classifier(
        version="test",
        words=np.array([code("暖"), code("气"), code("灯")], np.uint32),
        idf=np.ones(3, np.float32),
        weights=Weights.of(weights),
        intercept=np.zeros(3, np.float32),
        classes=("010101", "010102", "020101"),
        levels=tuple(Level(d, 1.0, 0.0, t) for d, t in zip((6, 4, 2), thresholds, strict=True)),
    )


def test_where_the_small_class_is_not_sure_the_class_above_is_proposed() -> None:
    unsure = small((0.9, 0.9, 0.9)).propose("暖气灯灯")
    assert unsure.matter == "020101"
    between = small((0.9, 0.9, 0.9)).propose("暖暖气灯")
    assert between.matter == ""
    heating = small((0.9, 0.8, 0.8))
    proposal = heating.propose("暖暖暖暖暖暖气气气气气灯")
    assert proposal.matter == "0101"
    assert [code for code, _p in proposal.alternatives][:2] == ["010101", "010102"]
    assert [word for word, _weight in proposal.words] == ["暖气"]


def test_advice_works_without_scikit_learn() -> None:
    """It is for training alone: a web process never pays its second of import and its memory."""
    code = (
        "import sys, django; django.setup(); from lucheng.core.triage import classify, training, lookalikes, reply;"
        "sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    )
    assert done.returncode == 0


#: Our large classes that each first-level label of the collection may stand for.
LABELS = {
    "教育文体": "14 17 22",
    "劳动和社会保障": "11 12 15",
    "城乡建设": "01 02 03 04 07 08 19 20 21 29",
    "商贸旅游": "03 05 16 17 18 21 22 27",
    "卫生计生": "12 13",
    "环境保护": "02 08 09",
    "交通运输": "05 06",
}


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the folder shared/data beside the repository")
def test_real_messages_are_read_without_failure_and_mostly_right(
    trained: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    csv.field_size_limit(10**7)

    def rows(name: str) -> list[dict[str, str]]:
        with (REAL / name).open(encoding="utf-8-sig", newline="") as f:
            return list(csv.DictReader(f))

    proposed = right = 0
    labelled = rows("messages/labelled_train.csv")
    for row in labelled:
        proposal = trained.propose(row["text"])
        proposed += bool(proposal.matter)
        right += bool(proposal.matter) and proposal.matter[:2] in LABELS[row["label"]].split()
    others = [r["留言主题"] + " " + r["留言详情"] for r in rows("messages/hot_topics.csv")]
    others += [r["title"] + " " + r["content"] for r in rows("hotline/worksheets.csv")]
    spoken = sum(bool(trained.propose(text).matter) for text in others)
    with capsys.disabled():
        sys.stdout.write(
            f"\nlabelled: {proposed / len(labelled):.1%} of {len(labelled)} proposed, large class right in "
            f"{right / proposed:.1%}; others: {spoken / len(others):.1%} of {len(others)} proposed\n"
        )
    assert 0.3 < proposed / len(labelled) < 0.95
    assert right / proposed > 0.7
    assert 0.3 < spoken / len(others) < 0.95
