import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("organisation", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Matter",
            fields=[
                (
                    "code",
                    lucheng.core.fields.PrefixField(
                        db_collation="C", max_length=12, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("name_en", models.CharField(blank=True, max_length=80)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        help_text="words by which people name it",
                        size=None,
                    ),
                ),
                (
                    "examples",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        default=list,
                        help_text="sentences as people say them",
                        size=None,
                    ),
                ),
                (
                    "grassroots",
                    models.BooleanField(
                        default=False,
                        help_text="on the list of duties of sub-districts and townships (乡镇(街道)履职事项清单)",
                    ),
                ),
                ("urgency", models.CharField(blank=True, help_text="urgency proposed for it", max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "draft"), ("published", "published"), ("retired", "retired")],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "published_by",
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
            name="Rule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="matter prefix; empty means any matter",
                        max_length=12,
                    ),
                ),
                (
                    "place",
                    lucheng.core.fields.PrefixField(
                        db_collation="C", help_text="place prefix", max_length=15
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        help_text="law, regulation or list of powers and duties", max_length=200
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("assists", models.ManyToManyField(related_name="+", to="organisation.unit")),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisation.unit"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="dispatch.version",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("why", models.CharField(max_length=200)),
                ("raised_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="alarm", to="cases.case"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("raised_at"), condition=models.Q(("settled_at", None)), name="alarm_open"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "published")), fields=("state",), name="one_catalogue_in_force"
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                fields=("version", "matter", "place"), name="rule_once_per_matter_and_place"
            ),
        ),
    ]
