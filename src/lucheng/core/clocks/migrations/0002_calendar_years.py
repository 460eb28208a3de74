import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clocks", "0001_initial")]

    operations = [
        migrations.DeleteModel("CalendarDay"),
        migrations.CreateModel(
            name="CalendarYear",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                (
                    "notice",
                    models.CharField(
                        blank=True,
                        help_text="number of the State Council's notice; empty while it is not announced",
                        max_length=200,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CalendarDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                (
                    "year",
                    models.ForeignKey(
                        help_text="of the notice: New Year may begin in December",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="clocks.calendaryear",
                    ),
                ),
                ("working", models.BooleanField()),
                ("name", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="WorkingSpan",
            fields=[
                ("opens", models.TimeField(primary_key=True, serialize=False)),
                ("closes", models.TimeField()),
            ],
        ),
        migrations.AddField(
            model_name="timelimit",
            name="escalate_percent",
            field=models.PositiveSmallIntegerField(
                default=50, help_text="further share of the limit, after it is over, after which it escalates"
            ),
        ),
        migrations.AlterField(
            model_name="clock",
            name="pause_cause",
            field=models.CharField(blank=True, help_text="of the last pause", max_length=200),
        ),
    ]
