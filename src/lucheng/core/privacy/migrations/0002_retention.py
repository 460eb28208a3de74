import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_retention"),
        ("privacy", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionEdition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("made_at", models.DateTimeField()),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "made_by",
                    models.ForeignKey(
                        help_text="none: the national pack",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "waits for approval"),
                            ("approved", "approved, being carried out"),
                            ("done", "carried out"),
                            ("dropped", "dropped: the rules have changed"),
                        ],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="privacy.retentionedition",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20)),
                ("reason", models.CharField(max_length=200)),
                ("held_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lift_reason", models.CharField(blank=True, max_length=200)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="retention_holds",
                        to="cases.case",
                    ),
                ),
                (
                    "held_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lifted_by",
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
            name="RetentionRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(help_text="kind of case", max_length=40)),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="matter prefix; empty means any",
                        max_length=12,
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("contact", "name and contact"),
                            ("texts", "texts, address and point"),
                            ("photographs", "photographs"),
                        ],
                        max_length=11,
                    ),
                ),
                ("months", models.PositiveSmallIntegerField(help_text="after closing")),
                ("basis", models.CharField(help_text="legal basis in words", max_length=300)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="privacy.retentionedition",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20)),
                ("kind", models.CharField(max_length=40)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("contact", "name and contact"),
                            ("texts", "texts, address and point"),
                            ("photographs", "photographs"),
                        ],
                        max_length=11,
                    ),
                ),
                ("closed_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("held", "held"),
                            ("destroyed", "destroyed"),
                            ("passed", "passed over: no longer due"),
                        ],
                        default="proposed",
                        max_length=9,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="privacy.retentionbatch",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.case"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="privacy.retentionrule",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("contact", "name and contact"),
                            ("texts", "texts, address and point"),
                            ("photographs", "photographs"),
                        ],
                        max_length=11,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("seq", models.PositiveIntegerField(help_text="number of the event in the chain")),
                ("edition", models.PositiveIntegerField(help_text="of the retention rules", null=True)),
                ("months", models.PositiveSmallIntegerField(null=True)),
                ("basis", models.CharField(max_length=300)),
                (
                    "settled_at",
                    models.DateTimeField(
                        help_text="files are gone from the disk, and the record outside the database says so",
                        null=True,
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tombstones",
                        to="cases.case",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="retentionbatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("state",),
                name="retention_one_proposal_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionhold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)), fields=("case",), name="retention_one_hold_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.UniqueConstraint(
                fields=("edition", "kind", "matter", "what"), name="retention_rule_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("months__gte", 1)), name="retention_a_month_at_least"
            ),
        ),
        migrations.AddIndex(
            model_name="retentionitem",
            index=models.Index(
                models.F("batch"),
                models.F("id"),
                condition=models.Q(("state", "proposed")),
                name="retention_to_do",
            ),
        ),
        migrations.AddIndex(
            model_name="retentionitem",
            index=models.Index(models.F("case"), name="retention_item_case"),
        ),
        migrations.AddConstraint(
            model_name="retentionitem",
            constraint=models.UniqueConstraint(fields=("batch", "case", "what"), name="retention_item_once"),
        ),
        migrations.AddIndex(
            model_name="tombstone",
            index=models.Index(models.F("case"), name="tombstone_case"),
        ),
        migrations.AddIndex(
            model_name="tombstone",
            index=models.Index(
                models.F("id"), condition=models.Q(("settled_at", None)), name="tombstone_unsettled"
            ),
        ),
    ]
