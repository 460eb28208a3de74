import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("key", models.BinaryField(primary_key=True, serialize=False)),
                (
                    "at",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateTimeField(),
                        help_text="the tries that count, the oldest first",
                        size=None,
                    ),
                ),
                (
                    "until",
                    models.DateTimeField(db_index=True, help_text="when none of them counts any more"),
                ),
            ],
        ),
    ]
