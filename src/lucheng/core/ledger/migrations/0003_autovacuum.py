"""Which server processes are autovacuum, for a role that may not see what others run: they write no events."""

from django.db import migrations

FORWARD = """
create function ledger_autovacuum() returns setof integer
language sql stable security definer set search_path = pg_catalog as
$$ select pid from pg_stat_activity where backend_type = 'autovacuum worker' $$
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, "drop function ledger_autovacuum()")]
