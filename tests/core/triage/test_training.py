"""Training: from the pack alone, from what people decided, and nothing that it should not learn."""

from __future__ import annotations

import datetime as dt

import pytest

from lucheng.core.cases.models import Case, Nature, State
from lucheng.core.dispatch import matters
from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict
from lucheng.core.revisions import snapshot
from lucheng.core.triage import advice, classify, training
from lucheng.core.triage.models import Advice, Model
from lucheng.core.triage.words import code, parts
from tests.core.triage import model
from tests.core.triage.cases import case
from tests.factories import NOW

pytestmark = pytest.mark.django_db

CLASSES = {
    "01": ("市政", [], []),
    "0101": ("照明", [], []),
    "010101": ("路灯不亮", ["路灯", "灯不亮"], ["门口路灯不亮。", "路灯坏了没人修。", "这排路灯全灭了。"]),
    "010102": ("路灯常亮", ["白天亮灯"], ["大白天路灯还亮着。", "路灯白天不关浪费电。", "白天也亮灯。"]),
    "02": ("供热", [], []),
    "0201": ("供热质量", [], []),
    "020101": ("暖气不热", ["暖气", "不热"], ["家里暖气不热。", "暖气冰凉两天了。", "暖气片是凉的。"]),
    "020102": ("热费", ["取暖费"], ["取暖费怎么算。", "热费收错了。", "重复交了取暖费。"]),
}


def lay_out() -> None:
    for matter, (name, terms, examples) in CLASSES.items():
        Matter.objects.create(code=matter, name=name, terms=terms, examples=examples)


def decide(text: str, matter: str, n: int, **changes: object) -> None:
    for _ in range(n):
        made = case(content=text, **changes)
        advice.decided(made, matter, made.place, NOW)


def test_the_pack_alone_is_enough() -> None:
    trained = model.in_force()
    assert trained.cases == 0
    assert trained.held_out > 800
    assert trained.levels[0].accuracy > 0.6
    assert trained.levels[0].accuracy < trained.levels[1].accuracy < trained.levels[2].accuracy
    assert trained.coverage > 0.6
    assert trained.right >= training.RIGHT
    stored = Model.objects.get(active=True)
    assert (stored.version, stored.samples) == (trained.version, trained.samples)
    assert stored.accuracy == pytest.approx(trained.levels[0].accuracy)


def test_the_same_records_and_seed_give_the_same_model() -> None:
    lay_out()
    first = training.train(NOW, seed=3)
    again = training.train(NOW + dt.timedelta(days=1), seed=3)
    assert again == first
    assert Model.objects.count() == 1


def test_a_new_model_takes_the_place_of_the_old_which_is_kept() -> None:
    lay_out()
    old = training.train(NOW)
    snapshot.forget()
    assert classify.propose_matter("路灯坏了").model_version == old.version
    Matter.objects.filter(code="020102").update(examples=["供暖收费标准是多少。", "交了热费不给发票。"])
    new = training.train(NOW)
    snapshot.forget()
    assert classify.propose_matter("路灯坏了").model_version == new.version
    assert list(Model.objects.filter(active=True).values_list("version", flat=True)) == [new.version]
    assert Model.objects.filter(version=old.version, active=False).exists()


def test_other_processes_are_told_of_a_new_model() -> None:
    lay_out()
    assert classify.active() is None
    training.train(NOW)
    snapshot._asked_at = float("-inf")  # a second later
    assert classify.active() is not None


def test_what_people_decided_is_learned() -> None:
    lay_out()
    training.train(NOW)
    snapshot.forget()
    assert classify.propose_matter("爬墙虎灯箱").matter == ""
    for n in range(12):
        decide(f"爬墙虎灯箱第{'一二三四五六七八九十百千'[n]}次又出毛病", "010102", 1)
    trained = training.train(NOW)
    snapshot.forget()
    assert trained.cases == 12
    assert classify.propose_matter("爬墙虎灯箱").matter.startswith("01")


def test_a_text_is_learned_once_however_often_it_came() -> None:
    lay_out()
    decide("爬墙虎灯箱又坏了", "010102", 3)
    assert training.train(NOW).cases == 1


def test_secret_cases_and_undecided_ones_teach_nothing() -> None:
    lay_out()
    decide("爬墙虎灯箱坏了", "010102", 1, confidential=True)
    undecided = case(content="爬墙虎又坏了")
    Advice.objects.create(case=undecided, model_version="", matter="010102", matter_probability=0.9)
    decide("这个分类已经没有了", "990101", 1)
    assert training.train(NOW).cases == 0


def test_a_rare_word_of_a_case_is_not_kept_for_it_may_be_a_name() -> None:
    lay_out()
    for n in range(6):
        name = "，我是欧阳" if n < 4 else ""
        decide(f"{'甲乙丙丁戊己'[n]}处灯箱坏了{name}", "010102", 1)
    training.train(NOW)
    snapshot.forget()
    kept = classify.active()
    assert kept is not None
    known = set(kept.words.tolist())
    assert code("灯箱") in known
    assert not parts("欧阳") & known


def test_without_classes_it_says_what_to_do(db: None) -> None:
    with pytest.raises(Conflict, match="lucheng matters load"):
        training.train(NOW)
    assert not Model.objects.exists()


def test_a_training_that_fails_leaves_the_model_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out()
    old = training.train(NOW)
    Matter.objects.create(code="020103", name="停热", terms=["停热"], examples=["停热报停。", "要停热。"])

    def gone(name: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(training, "bump", gone)
    with pytest.raises(ConnectionError):
        training.train(NOW)
    assert list(Model.objects.values_list("version", "active")) == [(old.version, True)]


def test_progress_is_told_to_the_end() -> None:
    lay_out()
    told: list[tuple[int, int]] = []
    training.train(NOW, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_national_pack_can_be_loaded_and_speaks_of_every_small_class() -> None:
    matters.load()
    small = Matter.objects.filter(code__regex=r"^\d{6}$")
    assert small.count() > 200
    for m in small:
        assert len(m.terms) >= 2, m.code
        assert len(m.examples) >= 2, m.code
        assert not any(ch.isdigit() for text in m.examples for ch in text if text.count(ch) > 6), m.code
    assert Matter.objects.filter(grassroots=True).exists()
    assert set(Matter.objects.values_list("urgency", flat=True)) == {"", "urgent", "critical"}
    codes = set(Matter.objects.values_list("code", flat=True))
    assert {len(c) for c in codes} == {2, 4, 6}


def test_case_states_and_natures_do_not_matter_for_learning() -> None:
    lay_out()
    decide("灯箱坏了没人管", "010102", 1, nature=Nature.COMPLAINT)
    decide("灯箱坏了三天", "010102", 1, state=State.CLOSED)
    assert training.train(NOW).cases == 2
    assert Case.objects.count() == 2
