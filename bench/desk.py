"""The operator's desk: milliseconds of server time for a proposal while a call is being typed.

    python -m bench desk

Uses the database of ``bench lists`` (1,000,000 cases, made if it is not there). Each text is one that people say, typed
to a growing length, in a place of the city; what is measured is the whole request: place, category, unit, look-alikes,
articles, urgent words, and the page's part made of them.
"""

from __future__ import annotations

import os
import random
import time
from statistics import median

from bench import lists

CALLS = 40


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.test import Client

    from lucheng.core.cases.models import Case
    from lucheng.core.dispatch.models import Matter
    from lucheng.core.organisation.models import Post
    from lucheng.core.places.models import Estate
    from lucheng.projects.command_centre.models import Article

    lists.use_database(lists.DATABASE)
    lists._fill()
    post = Post.objects.filter(role="operator").select_related("person").first()
    assert post is not None  # the demo has operators
    estates = list(Estate.objects.values_list("name", flat=True)[:500])
    said = [e for examples in Matter.objects.values_list("examples", flat=True) for e in examples]
    print(f"{Case.objects.count():,} cases, {Article.objects.count():,} articles, {len(estates)} estates")
    client = Client(headers={"accept-language": "zh-CN", "host": "127.0.0.1"})
    client.force_login(post.person)
    chance = random.Random(7)
    took: list[float] = []
    worked: list[float] = []
    for call in range(CALLS + 2):
        text = f"{chance.choice(estates)}{chance.randint(1, 9)}号楼，{'。'.join(chance.sample(said, 3))}"
        for end in range(6, len(text), 12):
            wall, cpu = time.perf_counter(), time.process_time()
            answer = client.post("/desk/propose/", {"content": text[:end], "nature": "help"})
            if answer.status_code != 200:
                raise RuntimeError(f"the desk answered {answer.status_code}")
            if call >= 2:  # reference data has come into memory
                took.append((time.perf_counter() - wall) * 1e3)
                worked.append((time.process_time() - cpu) * 1e3)
    for name, times in (("proposal, from request to answer", took), ("  of it work of this process", worked)):
        ordered = sorted(times)
        at = ordered[int(len(ordered) * 0.95)]
        print(f"{name:<36} p50 {median(ordered):6.1f} ms   p95 {at:6.1f} ms   of {len(ordered)}")


if __name__ == "__main__":
    main()
