import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("dispatch", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="rule",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dispatch.rule"
            ),
        ),
        migrations.AddField(
            model_name="callbackturn",
            name="case",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="turn", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="assist",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="assists", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="request",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="text",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="texts", to="cases.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="callbackshare",
            constraint=models.UniqueConstraint(
                fields=("plan", "nature", "matter", "place"), name="callback_share_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="callbackshare",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__lte", 100)), name="callback_share_of_a_hundred"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("open", True)), fields=["units"], name="case_units"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("place"),
                models.F("due_at"),
                condition=models.Q(("open", True)),
                name="case_place_open",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("due_at"), models.F("id"), condition=models.Q(("open", True)), name="case_due"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("place"), models.F("created_at"), name="case_place"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("state"), models.F("created_at"), name="case_state"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(models.F("created_at"), models.F("id"), name="case_created"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("dispatched_at"),
                condition=models.Q(("dispatched_at", None), _negated=True),
                name="case_dispatched",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("closed_at"),
                condition=models.Q(("closed_at", None), _negated=True),
                name="case_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("suspended_until"),
                condition=models.Q(("suspended_until", None), _negated=True),
                name="case_suspended",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("appealed_at"),
                condition=models.Q(("appealed_at", None), _negated=True),
                name="case_appealed",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("main"), condition=models.Q(("main", None), _negated=True), name="case_main"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                models.F("parent"), condition=models.Q(("parent", None), _negated=True), name="case_parent"
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.UniqueConstraint(fields=("case", "sha256"), name="attachment_once"),
        ),
        migrations.AddConstraint(
            model_name="assist",
            constraint=models.UniqueConstraint(fields=("case", "unit"), name="assist_once"),
        ),
        migrations.AddConstraint(
            model_name="text",
            constraint=models.UniqueConstraint(fields=("case", "seq", "name"), name="text_once"),
        ),
    ]
