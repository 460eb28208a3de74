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
                ],
            },
        ),
    ]
