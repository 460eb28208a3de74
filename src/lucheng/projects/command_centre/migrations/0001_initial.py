import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisation", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Article",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=120)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        help_text="words by which people ask for it",
                        size=None,
                    ),
                ),
                ("answer", models.TextField(help_text="what the caller is told")),
                ("note", models.TextField(blank=True, help_text="for staff only")),
                (
                    "matters",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=lucheng.core.fields.PrefixField(db_collation="C", max_length=12),
                        default=list,
                        help_text="prefixes of matter codes",
                        size=None,
                    ),
                ),
                (
                    "place",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="where it holds; everywhere when empty",
                        max_length=15,
                    ),
                ),
                ("basis", models.CharField(blank=True, help_text="legal basis", max_length=300)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(help_text="the last day on which it holds", null=True)),
                ("review_by", models.DateField()),
                (
                    "public",
                    models.BooleanField(default=False, help_text="residents may read question and answer"),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisation.unit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ArticleChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("said", models.JSONField()),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="command_centre.article",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CallDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=60)),
                ("sealed", models.BinaryField()),
                ("saved_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(fields=["review_by"], name="article_review"),
        ),
        migrations.AddConstraint(
            model_name="article",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until", None), ("valid_until__gte", models.F("valid_from")), _connector="OR"
                ),
                name="article_valid_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="articlechange",
            constraint=models.UniqueConstraint(fields=("article", "number"), name="one_change_per_version"),
        ),
        migrations.AddIndex(
            model_name="calldraft",
            index=models.Index(fields=["saved_at"], name="draft_saved"),
        ),
        migrations.AddConstraint(
            model_name="calldraft",
            constraint=models.UniqueConstraint(fields=("operator", "key"), name="one_draft_per_call"),
        ),
    ]
