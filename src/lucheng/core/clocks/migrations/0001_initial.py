import django.db.models.deletion
from django.db import migrations, models

import lucheng.core.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
    ]

    operations = [
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
            name="WorkingSpan",
            fields=[
                ("opens", models.TimeField(primary_key=True, serialize=False)),
                ("closes", models.TimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CalendarDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("working", models.BooleanField()),
                ("name", models.CharField(blank=True, max_length=40)),
                (
                    "year",
                    models.ForeignKey(
                        help_text="of the notice: New Year may begin in December",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="clocks.calendaryear",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TimeLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "clock",
                    models.CharField(
                        choices=[
                            ("dispatch", "dispatch"),
                            ("sign", "sign"),
                            ("contact", "contact the requester"),
                            ("reply", "reply"),
                            ("return", "return if not own duty"),
                            ("callback", "call back"),
                        ],
                        max_length=10,
                    ),
                ),
                ("case_kind", models.CharField(blank=True, help_text="empty means any", max_length=40)),
                ("nature", models.CharField(blank=True, help_text="empty means any", max_length=10)),
                ("urgency", models.CharField(blank=True, help_text="empty means any", max_length=8)),
                (
                    "matter",
                    lucheng.core.fields.PrefixField(
                        blank=True,
                        db_collation="C",
                        help_text="matter prefix; empty means any",
                        max_length=12,
                    ),
                ),
                ("amount", models.PositiveIntegerField()),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("working_hours", "working hours"),
                            ("hours", "hours"),
                            ("working_days", "working days"),
                            ("calendar_days", "calendar days"),
                        ],
                        max_length=14,
                    ),
                ),
                (
                    "warn_percent",
                    models.PositiveSmallIntegerField(
                        default=75, help_text="share of the limit after which it warns"
                    ),
                ),
                (
                    "escalate_percent",
                    models.PositiveSmallIntegerField(
                        default=50,
                        help_text="further share of the limit, after it is over, after which it escalates",
                    ),
                ),
                ("basis", models.CharField(blank=True, help_text="law and article", max_length=200)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("clock", "case_kind", "nature", "urgency", "matter"), name="time_limit_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Clock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("dispatch", "dispatch"),
                            ("sign", "sign"),
                            ("contact", "contact the requester"),
                            ("reply", "reply"),
                            ("return", "return if not own duty"),
                            ("callback", "call back"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("paused", "paused"),
                            ("met", "met"),
                            ("missed", "met late"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=9,
                    ),
                ),
                ("amount", models.PositiveIntegerField(help_text="the limit, extensions included")),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("working_hours", "working hours"),
                            ("hours", "hours"),
                            ("working_days", "working days"),
                            ("calendar_days", "calendar days"),
                        ],
                        max_length=14,
                    ),
                ),
                ("basis", models.CharField(blank=True, max_length=200)),
                ("started_at", models.DateTimeField()),
                ("warn_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("paused_at", models.DateTimeField(null=True)),
                ("pause_cause", models.CharField(blank=True, help_text="of the last pause", max_length=200)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "stage",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "on time"), (1, "warned"), (2, "urged: overdue"), (3, "escalated")],
                        default=0,
                    ),
                ),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="when the sweeper has something to say; none when it has not", null=True
                    ),
                ),
                (
                    "failures",
                    models.PositiveSmallIntegerField(default=0, help_text="sweeps that failed on this row"),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="clocks", to="cases.case"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("next_at"),
                        condition=models.Q(("next_at", None), _negated=True),
                        name="clock_next",
                    ),
                    models.Index(
                        models.F("ended_at"),
                        condition=models.Q(("ended_at__gt", models.F("due_at"))),
                        name="clock_late",
                    ),
                    models.Index(
                        models.F("failures"), condition=models.Q(("failures__gt", 0)), name="clock_failed"
                    ),
                    models.Index(
                        models.F("started_at"),
                        condition=models.Q(("kind", "callback")),
                        name="clock_callbacks",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["running", "paused"])),
                        fields=("case", "kind"),
                        name="clock_runs_once",
                    )
                ],
            },
        ),
    ]
