from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clocks", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                "ended_at",
                name="clock_late",
                condition=models.Q(ended_at__gt=models.F("due_at")),
            ),
        ),
    ]
