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
            name="Model",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=40, unique=True)),
                (
                    "weights",
                    models.BinaryField(help_text="numpy .npz: words, classes, coefficients, intercepts"),
                ),
                ("trained_at", models.DateTimeField()),
                ("samples", models.PositiveIntegerField()),
                ("accuracy", models.FloatField(help_text="share right on held-out samples", null=True)),
                ("active", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Advice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model_version", models.CharField(max_length=40)),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="proposed; empty when it abstained",
                        max_length=12,
                    ),
                ),
                ("matter_probability", models.FloatField(null=True)),
                (
                    "place",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="proposed; empty when it abstained",
                        max_length=15,
                    ),
                ),
                ("place_score", models.FloatField(null=True)),
                (
                    "decided_matter",
                    lucheng.core.fields.PrefixField(blank=True, db_collation="C", max_length=12),
                ),
                (
                    "decided_place",
                    lucheng.core.fields.PrefixField(blank=True, db_collation="C", max_length=15),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="advice", to="cases.case"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReplyTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(help_text="its name in a pack", max_length=40, null=True, unique=True),
                ),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True, db_collation="C", help_text="matter code; empty means any", max_length=12
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("text", models.TextField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        help_text="whose; none: everybody's",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisation.unit",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code", None), ("unit", None), _connector="OR"),
                        name="reply_template_of_pack_or_unit",
                    )
                ],
            },
        ),
    ]
