from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="notice",
            field=models.PositiveIntegerField(
                help_text="edition of the privacy notice that the requester was shown; none: not known",
                null=True,
            ),
        ),
    ]
