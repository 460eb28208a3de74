import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Division",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", lucheng.core.fields.PrefixField(db_collation="C", max_length=15)),
                (
                    "level",
                    models.PositiveSmallIntegerField(help_text="digits in the code: 4, 6, 9, 12 or 15"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("city", "city"),
                            ("league", "league"),
                            ("prefecture", "prefecture"),
                            ("district", "district"),
                            ("county", "county"),
                            ("banner", "banner"),
                            ("zone", "development zone"),
                            ("subdistrict", "sub-district"),
                            ("town", "town"),
                            ("township", "township"),
                            ("sumu", "sumu"),
                            ("park", "park, works or farm run as a division"),
                            ("community", "residential community"),
                            ("village", "village"),
                            ("gacha", "gacha"),
                            ("basic_grid", "basic grid"),
                            ("rural_grid", "rural grid"),
                            ("dedicated_grid", "dedicated grid"),
                            ("micro_grid", "micro grid"),
                            ("placeholder", "placeholder of the code list, no place of its own"),
                        ],
                        max_length=16,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "aliases",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        db_default=[],
                        default=list,
                        help_text="what people call it: 昆区",
                        size=None,
                    ),
                ),
                (
                    "name_mn",
                    models.CharField(blank=True, help_text="name in Mongolian script", max_length=160),
                ),
                (
                    "urban_rural_type",
                    models.CharField(
                        blank=True, help_text="城乡分类代码 of the yearly code list", max_length=3
                    ),
                ),
                ("households", models.PositiveIntegerField(null=True)),
                ("residents", models.PositiveIntegerField(null=True)),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(null=True)),
            ],
            options={
                "ordering": ["code", "valid_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("code", "valid_from"), name="division_once_per_date"),
                    models.UniqueConstraint(
                        condition=models.Q(("valid_to", None)),
                        fields=("code",),
                        name="division_in_force_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                        ),
                        name="division_valid_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("level", django.db.models.functions.text.Length("code")),
                            ("level__in", [4, 6, 9, 12, 15]),
                        ),
                        name="division_level_of_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Boundary",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("shape", models.BinaryField(help_text="WKB, longitude and latitude in degrees")),
                ("source_crs", models.CharField(help_text="the reference system it came in", max_length=12)),
                (
                    "repaired",
                    models.CharField(
                        blank=True, help_text="what was wrong with it as published", max_length=200
                    ),
                ),
                (
                    "division",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="boundary",
                        to="places.division",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Estate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("place", lucheng.core.fields.PrefixField(db_collation="C", max_length=15)),
                ("address", models.CharField(blank=True, help_text="road and number", max_length=120)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["place"], name="places_esta_place_a616ec_idx")],
            },
        ),
        migrations.CreateModel(
            name="Building",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(help_text="as people say it: 3号楼", max_length=40)),
                ("grid", lucheng.core.fields.PrefixField(db_collation="C", max_length=15)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
                ("floors", models.PositiveSmallIntegerField(null=True)),
                ("households", models.PositiveIntegerField(default=0)),
                ("residents", models.PositiveIntegerField(default=0)),
                (
                    "estate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="buildings",
                        to="places.estate",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Road",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("place", lucheng.core.fields.PrefixField(db_collation="C", max_length=15)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("name", "place"), name="road_once_per_place")
                ],
            },
        ),
        migrations.CreateModel(
            name="Succession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateField()),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("renamed", "renamed"),
                            ("recoded", "recoded"),
                            ("merged", "merged"),
                            ("split", "split"),
                            ("returned", "returned"),
                            ("changed", "reclassified"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("code", "same code, the name differs in its ending only"),
                            ("code_alone", "same code, another name"),
                            ("parent", "same name under the same parent"),
                            ("county", "same name in the same county, the only one there"),
                            ("city", "same name in the same city, the only one there"),
                            ("family", "names that share a stem (上…, 下… and the name without)"),
                            ("parts", "most of its parts went there"),
                            ("declared", "declared by a person"),
                        ],
                        default="declared",
                        max_length=10,
                    ),
                ),
                (
                    "after",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predecessors",
                        to="places.division",
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="successors",
                        to="places.division",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BuildingUnit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("households", models.PositiveIntegerField(default=0)),
                (
                    "building",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="units",
                        to="places.building",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("building", "number"), name="building_unit_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="building",
            index=models.Index(fields=["grid"], name="places_buil_grid_f4a5a1_idx"),
        ),
        migrations.AddConstraint(
            model_name="succession",
            constraint=models.UniqueConstraint(fields=("before", "after"), name="succession_once"),
        ),
    ]
