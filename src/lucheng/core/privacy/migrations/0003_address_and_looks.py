"""A requester's own address beside name and number; and of every look for which unit, in which role and at what."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisation", "0001_initial"),
        ("privacy", "0002_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="address",
            field=models.BinaryField(help_text="their own, where a letter reaches them", null=True),
        ),
        migrations.AddField(
            model_name="reveal",
            name="number",
            field=models.CharField(default="", help_text="number of the order", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reveal",
            name="unit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisation.unit",
            ),
        ),
        migrations.AddField(
            model_name="reveal",
            name="role",
            field=models.CharField(blank=True, default="", help_text="role acted in", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reveal",
            name="fields",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10),
                default=list,
                help_text="what was opened: name, phone, address",
                size=None,
            ),
            preserve_default=False,
        ),
        migrations.AddIndex("reveal", models.Index("at", "id", name="reveal_at")),
        migrations.AddIndex("reveal", models.Index("person", "at", name="reveal_person")),
        migrations.AddIndex("reveal", models.Index("unit", "at", name="reveal_unit")),
        migrations.AddIndex("reveal", models.Index("number", name="reveal_number")),
    ]
