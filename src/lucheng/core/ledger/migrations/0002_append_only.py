"""The database itself refuses to change or remove what has been written to the ledger."""

from django.db import migrations

FORWARD = """
create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger ledger_event_append_only before update or delete on ledger_event
    for each row execute function ledger_refuse();
create trigger ledger_event_no_truncate before truncate on ledger_event
    for each statement execute function ledger_refuse();
create trigger ledger_anchor_append_only before update or delete on ledger_anchor
    for each row execute function ledger_refuse();
create trigger ledger_anchor_no_truncate before truncate on ledger_anchor
    for each statement execute function ledger_refuse();
"""

BACKWARD = """
drop trigger ledger_event_append_only on ledger_event;
drop trigger ledger_event_no_truncate on ledger_event;
drop trigger ledger_anchor_append_only on ledger_anchor;
drop trigger ledger_anchor_no_truncate on ledger_anchor;
drop function ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
