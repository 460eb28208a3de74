import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: A version is never changed. It may go three years after it was replaced or its entry ended (registers.KEPT_YEARS).
FORWARD = """
create function privacy_register_refuse() returns trigger language plpgsql as $$
declare
    over timestamptz;
begin
    if tg_op = 'DELETE' then
        select min(made_at) into over from privacy_register_entry
            where register = old.register and code = old.code and version > old.version;
        if over is null and old.ended_on is not null then
            over := greatest(old.made_at, old.ended_on::timestamptz);
        end if;
        if over + interval '3 years' <= now() then
            return old;
        end if;
    end if;
    raise exception 'what a register says is never changed, and kept three years: % is refused', tg_op
        using errcode = 'insufficient_privilege';
end $$;

create trigger privacy_register_kept before update or delete on privacy_register_entry
    for each row execute function privacy_register_refuse();
create trigger privacy_register_no_truncate before truncate on privacy_register_entry
    for each statement execute function privacy_register_refuse();
"""

BACKWARD = """
drop trigger privacy_register_kept on privacy_register_entry;
drop trigger privacy_register_no_truncate on privacy_register_entry;
drop function privacy_register_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0006_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RegisterEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "register",
                    models.CharField(
                        choices=[
                            ("processing", "processing activities"),
                            ("assessment", "impact assessments"),
                            ("processor", "processors"),
                        ],
                        max_length=10,
                    ),
                ),
                ("code", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField(help_text="1, 2, 3 … within the entry")),
                ("title", models.CharField(max_length=120)),
                (
                    "fields",
                    models.JSONField(default=dict, help_text="by name, as the register asks for them"),
                ),
                ("ended_on", models.DateField(help_text="the first day on which it is over", null=True)),
                ("made_at", models.DateTimeField()),
                ("note", models.CharField(blank=True, help_text="why it changed", max_length=200)),
                (
                    "made_by",
                    models.ForeignKey(
                        help_text="none: the national pack",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "privacy_register_entry",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("register", "code", "version"), name="register_entry_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="register_entry_from_one"
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
