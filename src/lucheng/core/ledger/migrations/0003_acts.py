import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
create trigger ledger_act_append_only before update or delete on ledger_act
    for each row execute function ledger_refuse();
create trigger ledger_act_no_truncate before truncate on ledger_act
    for each statement execute function ledger_refuse();
"""

TAKEN_AWAY = """
drop trigger ledger_act_append_only on ledger_act;
drop trigger ledger_act_no_truncate on ledger_act;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_append_only"),
        ("organisation", "0007_sign_ins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="anchor",
            name="act_hash",
            field=models.BinaryField(help_text="the hash of that act", null=True),
        ),
        migrations.AddField(
            model_name="anchor",
            name="acts",
            field=models.BigIntegerField(
                help_text="the last act it covers; none where there was none", null=True
            ),
        ),
        migrations.AlterField(
            model_name="anchor",
            name="upto",
            field=models.BigIntegerField(
                db_index=True, help_text="the last event id it covers; twice where only acts came"
            ),
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("files", models.BooleanField(help_text="whether photographs are read byte by byte, too")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for the worker"),
                            ("running", "under way"),
                            ("done", "done"),
                            ("failed", "broke off"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("began_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(help_text="last sign of life", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("events_in_all", models.BigIntegerField(default=0)),
                ("cases", models.BigIntegerField(default=0)),
                ("events", models.BigIntegerField(default=0)),
                ("acts", models.BigIntegerField(default=0)),
                ("anchors", models.BigIntegerField(default=0)),
                ("not_anchored", models.BigIntegerField(default=0)),
                ("findings", models.BigIntegerField(default=0)),
                (
                    "found",
                    models.JSONField(
                        default=list,
                        help_text="the first findings: kind, case, number, and the words in each language",
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        blank=True, help_text="kind of the error that broke it off", max_length=80
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        help_text="none: by a command",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="1, 2, 3 … without a gap", primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "role",
                    models.CharField(help_text="the role acted in; 'console' for a command", max_length=40),
                ),
                ("action", models.CharField(max_length=30)),
                ("kind", models.CharField(help_text="what it was done to ...", max_length=12)),
                (
                    "name",
                    models.CharField(
                        blank=True, help_text="... and the name or number of that", max_length=80
                    ),
                ),
                ("details", models.JSONField(default=dict)),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
                (
                    "person",
                    models.ForeignKey(
                        help_text="none: the operator of the system, by a command",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        db_constraint=False,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        db_constraint=False,
                        related_name="+",
                        to="organisation.unit",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="ledger_act_at_204d6e_idx")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, TAKEN_AWAY),
    ]
