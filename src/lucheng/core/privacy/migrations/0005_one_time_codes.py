from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0004_looks_before")]

    operations = [
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                (
                    "number",
                    models.BinaryField(
                        help_text="blind index of the number", primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.BinaryField(help_text="keyed hash of number and code")),
                ("until", models.DateTimeField(db_index=True)),
                (
                    "tries",
                    models.PositiveSmallIntegerField(default=0, help_text="how often it was tried"),
                ),
            ],
        ),
    ]
