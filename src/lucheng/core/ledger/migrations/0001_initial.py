import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("organisation", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Anchor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("upto", models.BigIntegerField(help_text="the last event id it covers", unique=True)),
                (
                    "events",
                    models.BigIntegerField(help_text="how many events it covers, since the anchor before"),
                ),
                ("at", models.DateTimeField()),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Mark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("upto", models.BigIntegerField(default=0)),
                (
                    "running",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        default=list,
                        help_text="virtual transaction ids of that moment",
                        size=None,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SweepRun",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "every",
                    models.FloatField(default=0, help_text="seconds between two runs with nothing to do"),
                ),
                ("at", models.DateTimeField(help_text="last sign of life")),
                ("went_at", models.DateTimeField(help_text="last run that ended well", null=True)),
                ("worked_at", models.DateTimeField(help_text="last run that had something to do", null=True)),
                ("handled", models.BigIntegerField(default=0, help_text="rows handled since the first run")),
                ("failures", models.PositiveIntegerField(default=0, help_text="failed runs in a row")),
                ("failed_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, help_text="kind of the last error", max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("seq", models.PositiveIntegerField(help_text="1, 2, 3 … within the case")),
                ("at", models.DateTimeField()),
                (
                    "actor_role",
                    models.CharField(
                        help_text="the role acted in; 'requester' or 'system' where no post is", max_length=40
                    ),
                ),
                ("action", models.CharField(max_length=30)),
                ("body", models.JSONField(default=dict)),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("case", "seq"), name="event_once_per_seq")],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "text message"), ("email", "e-mail"), ("in_app", "in-app message")],
                        max_length=8,
                    ),
                ),
                (
                    "template",
                    models.CharField(help_text="name of the text in the message pack", max_length=40),
                ),
                (
                    "params",
                    models.JSONField(
                        default=dict,
                        help_text="no personal data: the address is taken from the sealed contact",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("sent", "sent"), ("failed", "given up")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("next_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="cases.case"
                    ),
                ),
                (
                    "to_unit",
                    models.ForeignKey(
                        help_text="none: to the requester",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisation.unit",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("next_at"), condition=models.Q(("state", "waiting")), name="message_due"
                    ),
                    models.Index(models.F("created_at"), name="message_created"),
                    models.Index(
                        models.F("created_at"),
                        models.F("id"),
                        condition=models.Q(("state", "failed")),
                        name="message_failed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(help_text="name of the text in the message pack", max_length=40)),
                ("language", models.CharField(max_length=2)),
                (
                    "text",
                    models.CharField(
                        blank=True, help_text="empty: back to the pack's own words", max_length=500
                    ),
                ),
                ("at", models.DateTimeField()),
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
            options={
                "indexes": [models.Index(fields=["name", "language", "-id"], name="message_text_newest")],
            },
        ),
    ]
