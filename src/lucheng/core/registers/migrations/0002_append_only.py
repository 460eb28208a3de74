"""The database itself refuses to change or remove a version of an entry."""

from django.db import migrations

FORWARD = """
create trigger registers_change_append_only before update or delete on registers_change
    for each row execute function ledger_refuse();
create trigger registers_change_no_truncate before truncate on registers_change
    for each statement execute function ledger_refuse();
"""

BACKWARD = """
drop trigger registers_change_append_only on registers_change;
drop trigger registers_change_no_truncate on registers_change;
"""


class Migration(migrations.Migration):
    dependencies = [("registers", "0001_initial"), ("ledger", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
