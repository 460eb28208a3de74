from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_suspended_until")]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                "dispatched_at", name="case_dispatched", condition=~models.Q(dispatched_at=None)
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index("closed_at", name="case_closed", condition=~models.Q(closed_at=None)),
        ),
    ]
