import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("places", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("username", models.CharField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=60)),
                ("language", models.CharField(blank=True, max_length=8)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("code", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40)),
                ("name_en", models.CharField(max_length=60)),
                (
                    "reach",
                    models.CharField(
                        choices=[
                            ("place", "every case at its place"),
                            ("unit", "cases of its unit, at its place"),
                            ("none", "no cases"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "capabilities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=60)),
                ("digest", models.BinaryField(unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="stable short name, used by imports and the catalogue",
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("government", "government"),
                            ("department", "department"),
                            ("street", "sub-district, town or sumu office"),
                            ("community", "community or village committee"),
                            ("company", "company with a public duty"),
                            ("hotline", "hotline centre"),
                            ("police", "police"),
                            ("court", "court or procuratorate"),
                            ("organisation", "social organisation"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "place",
                    lucheng.core.fields.PrefixField(
                        db_collation="C", help_text="the place it answers for", max_length=15
                    ),
                ),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=lucheng.core.fields.PrefixField(db_collation="C", max_length=15),
                        default=list,
                        help_text="matter codes it answers for; empty means any",
                        size=None,
                    ),
                ),
                ("phone", models.CharField(blank=True, help_text="office telephone, public", max_length=30)),
                ("active", models.BooleanField(default=True)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="organisation.unit",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", lucheng.core.fields.PrefixField(db_collation="C", max_length=15)),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=lucheng.core.fields.PrefixField(db_collation="C", max_length=15),
                        default=list,
                        help_text="matter codes; empty means any",
                        size=None,
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[("full", "full time"), ("part", "part time")], default="full", max_length=4
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(null=True)),
                (
                    "building",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="places.building"
                    ),
                ),
                (
                    "building_unit",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="places.buildingunit"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="organisation.role"),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to="organisation.unit",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Interest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="interests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="organisation.unit"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["place"], name="organisatio_place_9eaba0_idx"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["place", "role"], name="organisatio_place_afc716_idx"),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="post_valid_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="interest",
            constraint=models.UniqueConstraint(fields=("person", "unit"), name="interest_once"),
        ),
    ]
