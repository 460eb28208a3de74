import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisation", "0006_requests_about_own_data"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "password"),
                            ("passkey", "passkey"),
                            ("app", "code of an app"),
                            ("recovery", "recovery code"),
                            ("city", "single sign-on"),
                        ],
                        help_text="what was shown last",
                        max_length=8,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("in", "signed in"),
                            ("half", "asked for the second factor"),
                            ("refused", "refused"),
                            ("out", "signed out"),
                            ("ended", "session ended by itself"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("wrong", "wrong, or no such account"),
                            ("locked", "locked after too many tries"),
                            ("closed", "the account is locked"),
                            ("old", "the first password was too old"),
                            ("failed", "single sign-on did not succeed"),
                        ],
                        help_text="of a refusal",
                        max_length=6,
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        help_text="network address; empty where a session ended by itself",
                        max_length=45,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person", "at"], name="organisatio_person__123d08_idx")],
            },
        ),
    ]
