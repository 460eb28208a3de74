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
            name="Request",
            fields=[
                ("key", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("digest", models.BinaryField()),
                ("version", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Text",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.PositiveIntegerField(help_text="number of the event in the chain")),
                ("name", models.CharField(help_text="field of the transition", max_length=20)),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Assist",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("replied_at", models.DateTimeField(null=True)),
                ("reply", models.TextField(blank=True)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisation.unit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("media_type", models.CharField(max_length=20)),
                ("size", models.PositiveIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
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
            name="CallbackPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_at", models.DateTimeField(db_index=True)),
                ("note", models.CharField(max_length=200)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CallbackShare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "nature",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("inquiry", "inquiry"),
                            ("help", "request for help"),
                            ("complaint", "complaint"),
                            ("report", "whistle-blowing report"),
                            ("suggestion", "suggestion"),
                            ("praise", "praise"),
                            ("finding", "finding"),
                            ("other", "other"),
                        ],
                        help_text="empty means any",
                        max_length=10,
                    ),
                ),
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
                    "place",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="place prefix; empty means anywhere",
                        max_length=15,
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField()),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shares",
                        to="cases.callbackplan",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CallbackTurn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField(help_text="the reservation ends by itself", null=True)),
                (
                    "next_at",
                    models.DateTimeField(help_text="not reached: not to be tried again before", null=True),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.CharField(help_text="order number, for staff", max_length=20, unique=True)),
                (
                    "code",
                    models.CharField(
                        help_text="random tracking code, for the requester", max_length=16, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="as declared by a project: command_centre.order", max_length=40
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("received", "received"),
                            ("rejected", "rejected, path told"),
                            ("answered", "answered at once"),
                            ("merged", "merged"),
                            ("transferred", "transferred outside"),
                            ("accepted", "accepted, to be dispatched"),
                            ("dispatched", "dispatched, to be signed for"),
                            ("return_req", "return requested"),
                            ("signed", "signed, being handled"),
                            ("extend_req", "extension requested"),
                            ("suspended", "suspended"),
                            ("replied", "replied, to be reviewed"),
                            ("rework", "sent back to redo"),
                            ("callback", "to be called back"),
                            ("closed", "closed"),
                            ("reopened", "reopened"),
                            ("archived", "archived"),
                            ("withdrawn", "withdrawn by the requester"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="grows by one with every event; If-Match"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "telephone"),
                            ("web", "web page"),
                            ("api", "interface"),
                            ("grid", "grid worker"),
                            ("police", "handed over by 110"),
                            ("letter", "letter"),
                            ("superior", "assigned from above"),
                            ("other", "other"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "source_ref",
                    models.CharField(
                        blank=True, help_text="its number in the system it came from", max_length=80
                    ),
                ),
                ("language", models.CharField(default="zh", max_length=8)),
                ("anonymous", models.BooleanField(default=False)),
                (
                    "confidential",
                    models.BooleanField(
                        default=False, help_text="the requester asked to keep who they are secret"
                    ),
                ),
                ("reply_wanted", models.BooleanField(default=True)),
                (
                    "nature",
                    models.CharField(
                        choices=[
                            ("inquiry", "inquiry"),
                            ("help", "request for help"),
                            ("complaint", "complaint"),
                            ("report", "whistle-blowing report"),
                            ("suggestion", "suggestion"),
                            ("praise", "praise"),
                            ("finding", "finding"),
                            ("other", "other"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="matter code; empty until someone has decided",
                        max_length=12,
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("content", models.TextField()),
                (
                    "urgency",
                    models.CharField(
                        choices=[("ordinary", "ordinary"), ("urgent", "urgent"), ("critical", "critical")],
                        default="ordinary",
                        max_length=8,
                    ),
                ),
                (
                    "collective",
                    models.BooleanField(default=False, help_text="concerns many; a flag on the matter"),
                ),
                ("occurred_at", models.DateTimeField(null=True)),
                (
                    "fields",
                    models.JSONField(
                        default=dict, help_text="what this kind of case asks beyond the common fields"
                    ),
                ),
                (
                    "place",
                    lucheng.core.fields.PrefixField(
                        db_collation="C",
                        help_text="the smallest division known, down to the grid",
                        max_length=15,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=200)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
                (
                    "units",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="lead and assisting units: who may see it",
                        size=None,
                    ),
                ),
                (
                    "named_after_study",
                    models.BooleanField(
                        default=False, help_text="named after a disputed return: may not return"
                    ),
                ),
                (
                    "suspended_until",
                    models.DateField(help_text="the planned date of a suspended case", null=True),
                ),
                (
                    "supervision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("daily", "daily supervision"),
                            ("listed", "listed supervision"),
                            ("talk", "admonitory talk"),
                        ],
                        default="",
                        max_length=6,
                    ),
                ),
                ("reworks", models.PositiveSmallIntegerField(default=0)),
                ("returns", models.PositiveSmallIntegerField(default=0)),
                (
                    "public_reply",
                    models.TextField(blank=True, help_text="the reviewed reply, as the requester reads it"),
                ),
                (
                    "contacted",
                    models.BooleanField(help_text="callback: the unit contacted the requester", null=True),
                ),
                ("solved", models.BooleanField(help_text="callback: solved", null=True)),
                (
                    "satisfaction",
                    models.PositiveSmallIntegerField(
                        help_text="callback: 5 best to 1, 0 not reached", null=True
                    ),
                ),
                (
                    "appealed_at",
                    models.DateTimeField(help_text="the requester objects and has no answer yet", null=True),
                ),
                (
                    "open",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(("state__in", ["closed", "archived", "withdrawn"]), _negated=True),
                            output_field=models.BooleanField(),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "due_at",
                    models.DateTimeField(help_text="the earliest due time of its running clocks", null=True),
                ),
                ("dispatched_at", models.DateTimeField(help_text="first dispatch", null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("chain_length", models.PositiveIntegerField()),
                ("chain_head", models.BinaryField()),
                ("idempotency_key", models.CharField(max_length=100, null=True, unique=True)),
                ("request_digest", models.BinaryField(null=True)),
                (
                    "accused_unit",
                    models.ForeignKey(
                        help_text="the unit complained of",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisation.unit",
                    ),
                ),
                (
                    "handler",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "intake_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lead_unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisation.unit",
                    ),
                ),
                (
                    "main",
                    models.ForeignKey(
                        help_text="merged into",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="cases.case",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        help_text="split from",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="cases.case",
                    ),
                ),
            ],
        ),
    ]
